//! The options of every command that runs a model, and its messages.

use std::fmt::Display;
use std::path::PathBuf;
use std::time::Instant;

use acquire::Request;
use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use experiment::Evaluation;
use ndarray::{Array2, ArrayView4};
use system::{eprintln, println, quoted};
use training::Provenance;

use crate::prediction::{TestTimeAugmentation, predict};
use crate::weights::{Weights, shipped_accuracy};

#[derive(Args, Debug)]
pub(crate) struct ModelOptions {
    /// Checkpoint with the weights, or `shipped` for those that ship with the program [default: the most
    /// accurate of these and of the finished trainings in experiments/]
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// Test-time augmentation: the mean of the predictions of an image and of changed copies of it
    #[arg(long, value_name = "FORM", default_value = "selective")]
    pub(crate) tta: TestTimeAugmentation,
    #[command(flatten)]
    pub(crate) threads: ThreadOptions,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct ThreadOptions {
    /// Number of threads; no result depends on it [default: one for each processor]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
}

impl ThreadOptions {
    /// Starts the threads.
    pub(crate) fn start(&self) -> Result<()> {
        if let Some(threads) = self.threads {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.into());
            pool.build_global().with_context(|| format!("cannot start {threads} threads"))?;
        }
        Ok(())
    }
}

impl ModelOptions {
    pub(crate) fn weights(&self) -> Result<Weights> {
        Weights::choose(self.checkpoint.as_deref(), &experiment::default_root())
    }

    /// The options that predict the same again, as a shell takes them, each after a space.
    pub(crate) fn as_arguments(&self) -> String {
        let path = self.checkpoint.as_ref();
        let checkpoint =
            path.map_or(String::new(), |path| format!(" --checkpoint {}", quoted(path)));
        let tta = self.tta.to_possible_value().expect("every form can be typed");
        format!("{checkpoint} --tta {}", tta.get_name())
    }

    /// Says which weights are used, and the probability of each class for each image by them.
    pub(crate) fn predict(
        &self,
        weights: &Weights,
        images: ArrayView4<'_, u8>,
        messages: &Messages,
    ) -> Result<Array2<f32>> {
        messages.say_weights(weights, self.tta);
        let start = Instant::now();
        let probabilities =
            predict(&weights.model, images, self.tta).with_context(|| weights.origin())?;
        let (seconds, threads) = (start.elapsed().as_secs_f64(), rayon::current_num_threads());
        let averaged = self.tta.description();
        messages.say(format!("predicted in {seconds:.1} s on {threads} threads{averaged}"));
        Ok(probabilities)
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
    pub(crate) fn request(&self, messages: &Messages) -> Result<Request> {
        let request = Request::new(self.data_dir.as_deref())?;
        Ok(Request { offline: self.offline, quiet: messages.quiet, ..request })
    }
}

/// The messages of the program, line by line.
#[derive(Args, Clone, Debug)]
pub(crate) struct Messages {
    /// Print nothing but warnings and errors
    #[arg(long)]
    pub(crate) quiet: bool,
}

impl Messages {
    /// Prints a line.
    pub(crate) fn say(&self, line: impl Display) {
        if !self.quiet {
            println!("{line}");
        }
    }

    /// Prints a warning, even if nothing else is printed.
    pub(crate) fn warn(&self, line: impl Display) {
        eprintln!("warning: {line}");
    }

    /// Says which weights are used, what else there was, and how accurate they are when `augmentation` is
    /// done, as far as that was measured.
    fn say_weights(&self, weights: &Weights, augmentation: TestTimeAugmentation) {
        let Weights { model, provenance, file, why, others } = weights;
        let Provenance { command, seed, program, data, epochs, .. } = provenance;
        self.say(format!("weights: {} ({why})", weights.origin()));
        for other in others {
            self.say(format!("  not taken: {other}"));
        }
        let (name, revision) = (&model.spec().name, program.revision.as_deref());
        let revision = revision.unwrap_or("unknown");
        self.say(format!("  model {name}, {epochs} epochs, seed {seed}, revision {revision}"));
        self.say(format!("  trained by: {command}"));
        self.say(format!("  on {} ({} images, SHA-256 {})", data.name, data.train, data.sha256));
        if file.is_none() {
            let accuracy = 100.0 * shipped_accuracy(augmentation);
            let averaged = augmentation.description();
            self.say(format!("  test accuracy: {accuracy:.2} % of 10000 images{averaged}"));
            return;
        }
        for (what, evaluation, form) in [
            ("validation", provenance.validation, ", each image as it is"),
            ("test", provenance.test, ", with the test-time augmentation of its recipe"),
        ] {
            if let Some(Evaluation { error, examples, .. }) = evaluation {
                let accuracy = 100.0 * (1.0 - error);
                self.say(format!(
                    "  {what} accuracy then: {accuracy:.2} % of {examples} images{form}"
                ));
            }
        }
    }
}

/// The command line as it can be typed again, with the profile: the time in a record depends on it.
pub(crate) fn command_line() -> String {
    training::command_line(&program())
}

/// The beginning of every command line of this program.
pub(crate) fn program() -> String {
    let profile = if cfg!(debug_assertions) { "" } else { " --release" };
    format!("cargo run{profile} -p kaggle --")
}
