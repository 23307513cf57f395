//! The isolation of a program that nobody trusts: a process gives up its rights for good, and then becomes the
//! program.
//!
//! | what the program cannot do | because of |
//! |---|---|
//! | read a file that is not the system's, its interpreter's or its own; write to any, or make one | Landlock |
//! | reach the network or another process through a socket | seccomp: there are no sockets; Landlock, too |
//! | start processes, signal others, look into them, leave its process group | seccomp; Landlock for signals |
//! | change owners, rights, times or limits; mount, trace, load modules, set the clock | seccomp, also for root |
//! | take more memory, processor time, open files or threads than it should | resource limits, memory outside of them by seccomp |
//! | learn from variables or open files of whoever started it | they are not passed on |
//! | outlive whoever started it | the signal at the parent's death |
//!
//! A compiler needs more, and gets it: it writes to one folder, and starts a linker.
//!
//! Where it is started by root it becomes the user nobody, if that user can run it. It can still see whether a file of a
//! known name exists, and read what the system lets everyone read below `/usr`.
//!
//! A kernel without Landlock is refused, unless [`Isolation::without_landlock`] says that permissions are enough: then the
//! program, as nobody, can read what everyone may read, and make empty files where everyone may.

#[cfg(target_os = "linux")]
mod files;
#[cfg(target_os = "linux")]
mod limits;
#[cfg(target_os = "linux")]
mod system_calls;

use std::convert::Infallible;
use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

/// The user and the group that own nothing.
pub const NOBODY: u32 = 65534;

/// The folders of the system with programs and libraries: a program may read all that is in them.
pub const SYSTEM_FOLDERS: [&str; 5] = ["/usr", "/lib", "/lib64", "/bin", "/sbin"];

/// The rights that are left.
#[derive(Clone, Debug)]
pub struct Isolation {
    /// The folder of the program, absolute: where it starts, which it may read, and which it takes for its home.
    pub folder: PathBuf,
    /// Files and folders that it may read beside it, absolute.
    pub readable: Vec<PathBuf>,
    /// Where a compiler writes, absolute, and its temporary files too. It may start processes, such as a linker, which
    /// have no more rights than it has.
    pub products: Option<PathBuf>,
    /// Bytes of memory that it may write to.
    pub memory: u64,
    /// Seconds of processor time.
    pub seconds: u64,
    /// Whether to go on without Landlock as the user nobody: files are then protected by their permissions alone.
    pub without_landlock: bool,
}

/// A mechanism that is missing, or a program that cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum IsolationError {
    /// The operating system does not have what isolation is made of.
    #[error("this machine cannot isolate a program: {0}")]
    Missing(String),
    /// A file or folder that was named, or the program, cannot be used.
    #[error("{0}: {1}")]
    File(PathBuf, io::Error),
}

impl Isolation {
    /// Restricts this process, which must have no other threads, and says by which mechanisms.
    ///
    /// # Errors
    /// [`IsolationError`]; the process may have lost some rights already.
    #[cfg(target_os = "linux")]
    pub fn enter(&self) -> Result<String, IsolationError> {
        std::env::set_current_dir(&self.folder)
            .map_err(|error| IsolationError::File(self.folder.clone(), error))?;
        limits::close_inherited_files()?;
        let limits = limits::set(self)?;
        let files = files::restrict(self)?;
        let calls = system_calls::refuse(self.products.is_some())?;
        Ok(format!("{files}; {calls}; {limits}"))
    }

    /// Restricts this process, which must have no other threads, and says by which mechanisms.
    ///
    /// # Errors
    /// Always: there is an implementation for Linux alone.
    #[cfg(not(target_os = "linux"))]
    pub fn enter(&self) -> Result<String, IsolationError> {
        Err(IsolationError::Missing("it needs Linux 5.13 or later".to_owned()))
    }

    /// Restricts this process, and becomes the program of this path with these arguments, in a clean environment.
    ///
    /// # Errors
    /// Those of [`Self::enter`], and a program that cannot be run; otherwise there is no return.
    pub fn run(
        &self,
        program: &OsString,
        arguments: &[OsString],
    ) -> Result<Infallible, IsolationError> {
        self.enter()?;
        let mut command = Command::new(program);
        command.args(arguments).env_clear().env("HOME", &self.folder).env("LANG", "C.UTF-8");
        if let Some(products) = &self.products {
            command.env("TMPDIR", products);
        }
        // The second fills memory that was never written to.
        for kept in ["PATH", "MALLOC_PERTURB_"] {
            if let Some(value) = std::env::var_os(kept) {
                command.env(kept, value);
            }
        }
        // One thread for each library of linear algebra: sums have the same order in every run.
        for library in ["OMP", "OPENBLAS", "MKL"] {
            command.env(format!("{library}_NUM_THREADS"), "1");
        }
        command.env("PYTHONDONTWRITEBYTECODE", "1").env("PYTHONHASHSEED", "0");
        Err(IsolationError::File(program.into(), command.exec()))
    }
}

/// Becomes this very program again, with these arguments, as the user nobody.
///
/// # Errors
/// If this process is not root's, or the program cannot be run; otherwise there is no return.
pub fn become_nobody(arguments: &[OsString]) -> Result<Infallible, IsolationError> {
    // Not by its path, which nobody may be unable to reach. Groups other than the new one are given up, too.
    let own = "/proc/self/exe";
    let error = Command::new(own).args(arguments).uid(NOBODY).gid(NOBODY).exec();
    Err(IsolationError::File(own.into(), error))
}
