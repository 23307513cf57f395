//! The launcher: this program restricts itself and becomes that of a hand-in.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use isolation::Isolation;
use system::println;

/// Restrict this process and become a program; without one, say what is in force
#[derive(clap::Args)]
pub(crate) struct Isolate {
    /// The folder where the program starts, which it may read
    folder: PathBuf,

    /// The program and its arguments
    #[arg(last = true)]
    command: Vec<OsString>,

    /// Another file or folder that it may read
    #[arg(long, value_name = "PATH")]
    read: Vec<PathBuf>,

    /// The folder where a compiler may write, which may start processes then
    #[arg(long, value_name = "PATH")]
    products: Option<PathBuf>,

    /// Bytes of memory that it may write to
    #[arg(long)]
    memory: u64,

    /// Seconds of processor time
    #[arg(long)]
    seconds: u64,

    /// Become the user nobody first
    #[arg(long)]
    nobody: bool,

    /// Go on without Landlock, as nobody
    #[arg(long)]
    without_landlock: bool,
}

impl Isolate {
    pub(crate) fn run(self) -> Result<ExitCode> {
        if self.nobody {
            let all: Vec<OsString> = std::env::args_os().skip(1).collect();
            // What comes after `--` is the program's.
            let own = all.iter().position(|argument| argument == "--").unwrap_or(all.len());
            let (own, program) = all.split_at(own);
            let own = own.iter().filter(|argument| *argument != "--nobody").cloned();
            let arguments: Vec<OsString> = own.chain(program.iter().cloned()).collect();
            match isolation::become_nobody(&arguments)? {}
        }
        let isolation = Isolation {
            folder: std::path::absolute(self.folder)?,
            readable: self.read.iter().map(std::path::absolute).collect::<Result<_, _>>()?,
            products: self.products.map(std::path::absolute).transpose()?,
            memory: self.memory,
            seconds: self.seconds,
            without_landlock: self.without_landlock,
        };
        match &*self.command {
            [] => println!("{}", isolation.enter()?),
            [program, arguments @ ..] => match isolation.run(program, arguments)? {},
        }
        Ok(ExitCode::SUCCESS)
    }
}
