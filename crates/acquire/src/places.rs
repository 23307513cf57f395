//! The folders of this machine in which data may be.

use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;

use crate::AcquireError;

/// The environment variable that names the folder of the data.
pub const DATA_VARIABLE: &str = "CS189_DATA";

/// The folder below the user's cache folder.
const CACHE: &str = "cs189-hw6";

/// A folder with a folder for each data set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The folder.
    pub path: PathBuf,
    /// The option, variable or convention that names it.
    pub origin: &'static str,
}

/// The places to look at, in order; what is fetched goes to the first.
///
/// # Errors
/// [`AcquireError::Source`] if nothing is named and there is no home folder.
pub fn places(option: Option<&Path>) -> Result<Vec<Place>, AcquireError> {
    let variable = std::env::var_os(DATA_VARIABLE).filter(|value| !value.is_empty());
    let cache = etcetera::choose_base_strategy().map(|strategy| strategy.cache_dir().join(CACHE));
    let cache = cache.map_err(|error| error.to_string());
    in_order(option.map(Path::to_owned), variable.map(PathBuf::from), cache)
}

fn in_order(
    option: Option<PathBuf>,
    variable: Option<PathBuf>,
    cache: Result<PathBuf, String>,
) -> Result<Vec<Place>, AcquireError> {
    if let (None, None, Err(problem)) = (&option, &variable, &cache) {
        let message = format!("no folder for the data: {problem}; name one with --data-dir");
        return Err(AcquireError::Source(message));
    }
    let all = [(option, "--data-dir"), (variable, DATA_VARIABLE), (cache.ok(), "cache")];
    Ok(all.into_iter().filter_map(|(path, origin)| Some(Place { path: path?, origin })).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_option_comes_before_the_variable_and_both_before_the_cache() {
        let all = in_order(Some("o".into()), Some("v".into()), Ok("c".into())).unwrap();
        let places: Vec<_> =
            all.iter().map(|at| format!("{} {}", at.path.display(), at.origin)).collect();
        assert_eq!(places, ["o --data-dir", "v CS189_DATA", "c cache"]);
        // No home folder matters only where nothing is named.
        let no_home = || Err("no home".to_owned());
        assert_eq!(in_order(Some("o".into()), None, no_home()).unwrap(), all[..1]);
        let error = in_order(None, None, no_home()).unwrap_err().to_string();
        assert_eq!(error, "no folder for the data: no home; name one with --data-dir");
    }
}
