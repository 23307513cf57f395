//! Finding an installed browser.

use std::env;
use std::path::{Path, PathBuf};

use crate::error::BrowserError;

/// The variable that names the program, if no option does.
const VARIABLE: &str = "CHROMIUM";

/// Programs without windows come first: the others run their own interface beside each page.
const NAMES: [&str; 8] = [
    "chromium-headless-shell",
    "chrome-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "msedge",
];

/// Finds a browser: the one that is named, else that of the variable `CHROMIUM`, else one on `PATH`,
/// else one where the installers of macOS and Windows put it.
pub(crate) fn find(named: Option<&Path>) -> Result<PathBuf, BrowserError> {
    let variable = env::var_os(VARIABLE).filter(|value| !value.is_empty());
    let path = env::var_os("PATH").unwrap_or_default();
    let path: Vec<PathBuf> = env::split_paths(&path).collect();
    search(named, variable.as_deref().map(Path::new), &path, &usual_places()).map_err(|reason| {
        let remedy = "install Chromium (the package `chromium` of Debian, Fedora and Homebrew) or Google \
                      Chrome, or name the program with `--chromium PATH` or the variable";
        BrowserError::of(reason, format!("{remedy} {VARIABLE}"))
    })
}

fn search(
    named: Option<&Path>,
    variable: Option<&Path>,
    path: &[PathBuf],
    usual: &[PathBuf],
) -> Result<PathBuf, String> {
    let on_path = |name: &Path| {
        let file = name.with_extension(env::consts::EXE_EXTENSION);
        path.iter().map(|folder| folder.join(&file)).find(|program| program.is_file())
    };
    let Some(program) = named.or(variable) else {
        let installed = || usual.iter().find(|program| program.is_file()).cloned();
        let found = NAMES.iter().find_map(|name| on_path(Path::new(name))).or_else(installed);
        let names = NAMES.join(", ");
        return found.ok_or(format!("no browser was found; PATH has none of {names}"));
    };
    // As one types it: a path, or a name to look for on `PATH`.
    let by_name = if program.components().count() == 1 { on_path(program) } else { None };
    by_name.or_else(|| program.is_file().then(|| program.to_owned())).ok_or_else(|| {
        let by = if named.is_none() { format!(", which {VARIABLE} names") } else { String::new() };
        format!("there is no browser {}{by}", program.display())
    })
}

fn usual_places() -> Vec<PathBuf> {
    let (folders, programs): (Vec<PathBuf>, Vec<String>) = if cfg!(target_os = "macos") {
        let home = env::var_os("HOME").map(|home| PathBuf::from(home).join("Applications"));
        let programs = ["Chromium", "Google Chrome", "Microsoft Edge"]
            .map(|name| format!("{name}.app/Contents/MacOS/{name}"));
        ([PathBuf::from("/Applications")].into_iter().chain(home).collect(), programs.into())
    } else if cfg!(windows) {
        let folders = ["ProgramFiles", "ProgramFiles(x86)", "LOCALAPPDATA"].map(env::var_os);
        let programs = [
            r"Chromium\Application\chrome.exe",
            r"Google\Chrome\Application\chrome.exe",
            r"Microsoft\Edge\Application\msedge.exe",
        ];
        let folders = folders.into_iter().flatten().map(PathBuf::from);
        (folders.collect(), programs.map(str::to_owned).into())
    } else {
        return Vec::new();
    };
    folders.iter().flat_map(|folder| programs.iter().map(|name| folder.join(name))).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_is_named_comes_before_the_variable_that_before_the_path_and_that_before_usual_places() {
        let folder = tempfile::tempdir().unwrap();
        let program =
            |name: &str| folder.path().join(name).with_extension(env::consts::EXE_EXTENSION);
        for name in ["chrome", "google-chrome", "mine", "other"] {
            fs::write(program(name), "").unwrap();
        }
        let path = [folder.path().join("empty"), folder.path().to_owned()];
        let usual = [program("none"), program("other")];
        let (mine, other, absolute) = (Path::new("mine"), Path::new("other"), program("mine"));
        let found = |named, variable, path| search(named, variable, path, &usual).unwrap();
        assert_eq!(found(Some(mine), Some(other), &path), program("mine"));
        assert_eq!(found(Some(&absolute), None, &[]), absolute);
        assert_eq!(found(None, Some(other), &path), program("other"));
        assert_eq!(found(None, None, &path), program("google-chrome"));
        assert_eq!(found(None, None, &path[..1]), program("other"));
        // One that is named and missing is not replaced by another.
        let none = Path::new("/no/such");
        for (named, variable, path, expected) in [
            (Some(none), Some(other), &path[..], "there is no browser /no/such"),
            (None, Some(none), &path, "there is no browser /no/such, which CHROMIUM names"),
            (None, None, &[], "no browser was found; PATH has none of chromium-"),
        ] {
            let error = search(named, variable, path, &[]).unwrap_err();
            assert!(error.starts_with(expected), "{error}");
        }
        let error = find(Some(none)).unwrap_err().to_string();
        assert!(error.contains(": install Chromium") && error.ends_with("CHROMIUM"), "{error}");
    }
}
