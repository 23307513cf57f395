//! Where a browser is.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use crate::error::BrowserError;

/// The variable that names the program, if no option does.
pub const VARIABLE: &str = "CHROMIUM";

const NAMES: [&str; 6] =
    ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge"];

/// Finds a browser: the one that is named, else that of the variable [`VARIABLE`], else one on `PATH`,
/// else one where the installers of macOS and Windows put it.
///
/// # Errors
/// [`BrowserError::NotFound`] if there is none, or the one that is named does not exist.
pub fn find(named: Option<&Path>) -> Result<PathBuf, BrowserError> {
    search(&Machine::this(), named)
}

/// What the search looks at, so that tests can make one up.
struct Machine {
    variable: Option<OsString>,
    path: Vec<PathBuf>,
    usual: Vec<PathBuf>,
}

impl Machine {
    fn this() -> Self {
        let path = env::var_os("PATH").map(|path| env::split_paths(&path).collect());
        let variable = env::var_os(VARIABLE).filter(|value| !value.is_empty());
        Self { variable, path: path.unwrap_or_default(), usual: usual_places() }
    }

    fn on_path(&self, name: &OsStr) -> Option<PathBuf> {
        let file = Path::new(name).with_extension(env::consts::EXE_EXTENSION);
        self.path.iter().map(|folder| folder.join(&file)).find(|program| program.is_file())
    }

    /// A program as one types it: a path, or a name to look for on `PATH`.
    fn typed(&self, program: &Path) -> Option<PathBuf> {
        if program.components().count() == 1
            && let Some(found) = self.on_path(program.as_os_str())
        {
            return Some(found);
        }
        program.is_file().then(|| program.to_owned())
    }
}

fn search(machine: &Machine, named: Option<&Path>) -> Result<PathBuf, BrowserError> {
    let missing = |what: String| BrowserError::NotFound { what };
    if let Some(program) = named {
        let what = || missing(format!("there is no browser {}", program.display()));
        return machine.typed(program).ok_or_else(what);
    }
    if let Some(program) = machine.variable.as_deref().map(Path::new) {
        let what = format!("there is no browser {}, which {VARIABLE} names", program.display());
        return machine.typed(program).ok_or_else(|| missing(what));
    }
    let on_path = NAMES.iter().find_map(|name| machine.on_path(OsStr::new(name)));
    let installed = || machine.usual.iter().find(|program| program.is_file()).cloned();
    on_path.or_else(installed).ok_or_else(|| {
        missing(format!("no browser was found; PATH has none of {}", NAMES.join(", ")))
    })
}

fn usual_places() -> Vec<PathBuf> {
    if cfg!(target_os = "macos") {
        let programs = ["Chromium", "Google Chrome", "Microsoft Edge"];
        let home = env::var_os("HOME").map(|home| PathBuf::from(home).join("Applications"));
        let folders = [Some(PathBuf::from("/Applications")), home];
        let inside = |folder: PathBuf| {
            programs.map(|name| folder.join(format!("{name}.app/Contents/MacOS/{name}")))
        };
        return folders.into_iter().flatten().flat_map(inside).collect();
    }
    if cfg!(windows) {
        let programs = [
            r"Chromium\Application\chrome.exe",
            r"Google\Chrome\Application\chrome.exe",
            r"Microsoft\Edge\Application\msedge.exe",
        ];
        let folders = ["ProgramFiles", "ProgramFiles(x86)", "LOCALAPPDATA"].map(env::var_os);
        let inside = |folder: OsString| programs.map(|name| Path::new(&folder).join(name));
        return folders.into_iter().flatten().flat_map(inside).collect();
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A machine with these programs on its `PATH`.
    fn machine(folder: &Path, programs: &[&str]) -> Machine {
        for name in programs {
            let file = folder.join(name).with_extension(env::consts::EXE_EXTENSION);
            fs::write(file, "").unwrap();
        }
        let path = vec![folder.join("empty"), folder.to_owned()];
        Machine { variable: None, path, usual: Vec::new() }
    }

    fn name(found: Result<PathBuf, BrowserError>) -> String {
        found.unwrap().file_stem().unwrap().to_string_lossy().into_owned()
    }

    #[test]
    fn what_is_named_comes_before_the_variable_and_that_before_the_path() {
        let folder = tempfile::tempdir().unwrap();
        let mut machine = machine(folder.path(), &["chrome", "google-chrome", "mine", "other"]);
        assert_eq!(name(search(&machine, None)), "google-chrome");
        machine.variable = Some("other".into());
        assert_eq!(name(search(&machine, None)), "other");
        assert_eq!(name(search(&machine, Some(Path::new("mine")))), "mine");
        let path = machine.on_path(OsStr::new("mine")).unwrap();
        assert_eq!(search(&machine, Some(&path)).unwrap(), path);
    }

    #[test]
    fn usual_places_are_the_last_resort() {
        let folder = tempfile::tempdir().unwrap();
        let mut machine = machine(folder.path(), &["installed"]);
        machine.usual = vec![folder.path().join("none")];
        let error = search(&machine, None).unwrap_err().to_string();
        assert!(error.contains("PATH has none of chromium, "), "{error}");
        assert!(error.contains("the package `chromium`"), "{error}");
        assert!(error.contains("--chromium PATH"), "{error}");
        machine.usual.push(machine.on_path(OsStr::new("installed")).unwrap());
        assert_eq!(name(search(&machine, None)), "installed");
    }

    #[test]
    fn a_browser_that_is_named_and_missing_is_not_replaced_by_another() {
        let folder = tempfile::tempdir().unwrap();
        let mut machine = machine(folder.path(), &["chromium"]);
        let error = search(&machine, Some(Path::new("/no/such"))).unwrap_err().to_string();
        assert!(error.contains("there is no browser /no/such"), "{error}");
        machine.variable = Some("/nor/such".into());
        let error = search(&machine, None).unwrap_err().to_string();
        assert!(error.contains("/nor/such, which CHROMIUM names"), "{error}");
    }
}
