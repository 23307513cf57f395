//! Resource limits, and what a program would inherit.

use std::ffi::OsStr;
use std::os::fd::RawFd;
use std::{fs, io};

use nix::errno::Errno;
use nix::sys::prctl;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::Signal;
use nix::unistd::{close, getuid};

use crate::{Isolation, IsolationError, NOBODY};

/// Threads of all programs that run as nobody. For another user the limit would count whatever else runs.
const THREADS: u64 = 1024;

const OPEN_FILES: u64 = 256;

/// Bytes of a file that a compiler writes.
const LARGEST_PRODUCT: u64 = 1 << 30;

/// Closes all files but the standard streams: whoever started this process may have left some open.
pub(crate) fn close_inherited_files() -> Result<(), IsolationError> {
    let folder = "/proc/self/fd";
    let names = fs::read_dir(folder)
        .and_then(|entries| {
            entries.map(|entry| Ok(entry?.file_name())).collect::<io::Result<Vec<_>>>()
        })
        .map_err(|error| IsolationError::File(folder.into(), error))?;
    let numbers = names.iter().filter_map(|name| OsStr::to_str(name)?.parse::<RawFd>().ok());
    for number in numbers {
        // The one that listed the folder is closed already.
        if number > 2
            && let Err(error) = close(number)
            && error != Errno::EBADF
        {
            return Err(IsolationError::Missing(format!(
                "file {number} cannot be closed: {error}"
            )));
        }
    }
    Ok(())
}

/// Sets the limits, and that this process ends with its parent.
pub(crate) fn set(isolation: &Isolation) -> Result<String, IsolationError> {
    let megabytes = isolation.memory >> 20;
    let mut limits = vec![
        (Resource::RLIMIT_DATA, isolation.memory),
        (Resource::RLIMIT_CPU, isolation.seconds),
        // Nothing can be written to but pipes and devices, unless it compiles.
        (Resource::RLIMIT_FSIZE, isolation.products.as_ref().map_or(0, |_| LARGEST_PRODUCT)),
        (Resource::RLIMIT_CORE, 0),
        (Resource::RLIMIT_NOFILE, OPEN_FILES),
        (Resource::RLIMIT_MEMLOCK, 0),
    ];
    let nobody = getuid().as_raw() == NOBODY;
    if nobody {
        limits.push((Resource::RLIMIT_NPROC, THREADS));
    }
    let refused =
        |error: Errno| IsolationError::Missing(format!("a resource limit is refused: {error}"));
    limits
        .iter()
        .try_for_each(|&(resource, limit)| setrlimit(resource, limit, limit))
        .map_err(refused)?;
    prctl::set_pdeathsig(Signal::SIGKILL).map_err(refused)?;
    let user = if nobody { format!(", {THREADS} threads; user nobody") } else { String::new() };
    let seconds = isolation.seconds;
    let written = if isolation.products.is_some() { "" } else { ", no files written" };
    Ok(format!(
        "limits ({megabytes} MiB of memory, {seconds} s of processor time, {OPEN_FILES} open files{written}{user})"
    ))
}
