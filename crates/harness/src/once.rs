//! Files that many checks need, each read once in a run.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::Result;

/// What was read, by the path of its file.
pub(crate) type Once<T> = Mutex<BTreeMap<PathBuf, Arc<T>>>;

/// What `read` makes of a file.
pub(crate) fn once<T>(
    known: &Once<T>,
    file: PathBuf,
    read: fn(&Path) -> Result<T>,
) -> Result<Arc<T>> {
    // Whoever panics while it reads has added nothing.
    let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(value) = known.get(&file) {
        return Ok(Arc::clone(value));
    }
    let value = Arc::new(read(&file)?);
    known.insert(file, Arc::clone(&value));
    Ok(value)
}
