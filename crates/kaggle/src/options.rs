//! Options of every command that runs a model, and what it says.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::time::Instant;

use acquire::{Reporter, Request};
use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use experiment::Evaluation;
use kaggle::{TestTimeAugmentation, Weights};
use stdio::{eprintln, println};
use training::Provenance;

#[derive(Args, Debug)]
pub(crate) struct ModelOptions {
    /// Checkpoint with the weights, or `shipped` for those that ship with the program [default: that of
    /// a training in experiments/, of the recipe best before plain before fast, else shipped]
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// Average the predictions of each image and its mirror image, or of these and of the same moved by a
    /// pixel to either side
    #[arg(long, value_name = "FORM", num_args = 0..=1, default_missing_value = "mirror")]
    tta: Option<Tta>,
    #[command(flatten)]
    pub(crate) threads: ThreadOptions,
}

/// A form of test-time augmentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Tta {
    /// The image and its mirror image: the mean of two probabilities
    Mirror,
    /// The image and two that are moved by a pixel, each with its mirror image: the mean of six logits
    Shifts,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct ThreadOptions {
    /// Number of threads; no result depends on it [default: one for each processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
}

impl ThreadOptions {
    /// Starts the threads; returns how many.
    pub(crate) fn start(&self) -> Result<usize> {
        if let Some(threads) = self.threads {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.into());
            pool.build_global().with_context(|| format!("cannot start {threads} threads"))?;
        }
        Ok(rayon::current_num_threads())
    }
}

impl ModelOptions {
    pub(crate) fn weights(&self) -> Result<Weights> {
        Ok(Weights::choose(self.checkpoint.as_deref())?)
    }

    /// The options that predict the same again, as a shell takes them, each after a space.
    pub(crate) fn as_arguments(&self) -> String {
        let checkpoint = self.checkpoint.as_deref().map(quoted);
        let checkpoint = checkpoint.map_or(String::new(), |path| format!(" --checkpoint {path}"));
        let tta = match self.tta {
            None => "",
            Some(Tta::Mirror) => " --tta",
            Some(Tta::Shifts) => " --tta shifts",
        };
        format!("{checkpoint}{tta}")
    }

    pub(crate) fn augmentation(&self) -> TestTimeAugmentation {
        match self.tta {
            None => TestTimeAugmentation::None,
            Some(Tta::Mirror) => TestTimeAugmentation::Mirror,
            Some(Tta::Shifts) => TestTimeAugmentation::Shifts,
        }
    }
}

#[derive(Args, Clone, Debug)]
pub(crate) struct DataOptions {
    /// Folder to look for the data first, and to put into what is fetched
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Fetch nothing
    #[arg(long)]
    offline: bool,
}

impl DataOptions {
    pub(crate) fn request(&self) -> Result<Request> {
        let request = Request::new(self.data_dir.as_deref())?;
        Ok(Request { offline: self.offline, ..request })
    }
}

/// What the program says, line by line.
#[derive(Args, Clone, Debug)]
pub(crate) struct Voice {
    /// Print nothing but warnings and errors
    #[arg(long)]
    quiet: bool,
}

impl Voice {
    /// Prints a line.
    pub(crate) fn say(&self, line: impl Display) {
        if !self.quiet {
            println!("{line}");
        }
    }

    /// Whether nothing but warnings and errors is printed.
    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// What is printed even if nothing else is.
    pub(crate) fn warn(&self, line: impl Display) {
        eprintln!("warning: {line}");
    }

    /// Says how long predicting took.
    pub(crate) fn say_time(
        &self,
        start: Instant,
        threads: usize,
        augmentation: TestTimeAugmentation,
    ) {
        let seconds = start.elapsed().as_secs_f64();
        let averaged = augmentation.description();
        self.say(format!("predicted in {seconds:.1} s on {threads} threads{averaged}"));
    }

    /// Who follows the search for data.
    pub(crate) fn reporter(&self) -> Reporter {
        if self.quiet { Reporter::quiet() } else { Reporter::stderr() }
    }

    /// Says which weights are used.
    pub(crate) fn say_weights(&self, weights: &Weights) {
        let Weights { model, provenance, source } = weights;
        self.say(format!("weights: {source}"));
        for line in provenance_lines(&model.spec().name, provenance) {
            self.say(format!("  {line}"));
        }
    }
}

/// How weights were trained, in lines.
fn provenance_lines(name: &str, provenance: &Provenance) -> Vec<String> {
    let Provenance { command, seed, program, data, epochs, .. } = provenance;
    let revision = program.revision.as_deref().unwrap_or("unknown");
    let mut lines = vec![
        format!("model {name}, {epochs} epochs, seed {seed}, revision {revision}"),
        format!("trained by: {command}"),
        format!("on {} ({} images, SHA-256 {})", data.name, data.train, data.sha256),
    ];
    for (what, evaluation) in [("validation", provenance.validation), ("test", provenance.test)] {
        if let Some(Evaluation { error, examples, .. }) = evaluation {
            let accuracy = 100.0 * (1.0 - error);
            lines.push(format!("{what} accuracy then: {accuracy:.2} % of {examples} images"));
        }
    }
    lines
}

/// The command line as it can be typed again.
pub(crate) fn command_line() -> String {
    let arguments = std::env::args_os().skip(1).map(|argument| quoted(Path::new(&argument)));
    // The time in a record depends on it.
    let profile = if cfg!(debug_assertions) { "" } else { " --release" };
    [format!("cargo run{profile} -p kaggle --")]
        .into_iter()
        .chain(arguments)
        .collect::<Vec<_>>()
        .join(" ")
}

/// A path or an argument as a shell takes it.
pub(crate) fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./,=+".contains(c);
    if text.chars().all(plain) {
        text.into_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}
