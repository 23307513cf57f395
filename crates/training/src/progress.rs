//! The progress of a training: a bar on a terminal, one line for each epoch elsewhere.

use std::io::IsTerminal;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use datasets::DatasetError;
use experiment::{EpochMetrics, Evaluation};
use indicatif::{ProgressBar, ProgressStyle};
use system::{eprintln, println};

use crate::{Learner, Model, Position, Step};

/// The display of results. There are no colours, so `NO_COLOR` has nothing to switch off.
#[derive(Debug)]
pub struct Progress {
    quiet: bool,
    terminal: bool,
    /// In place of the standard streams.
    collected: Option<Arc<Mutex<Vec<String>>>>,
    bar: Option<ProgressBar>,
    epoch: Option<Running>,
}

/// The sums of an epoch so far.
#[derive(Debug)]
struct Running {
    epochs: u64,
    started: Instant,
    steps: u64,
    examples: usize,
    correct: usize,
    loss: f64,
    /// The speed of its steps, the evaluation left out.
    images_per_second: f64,
}

impl Progress {
    /// Results on the standard output, what interrupts it and (on a terminal) a bar on the standard error;
    /// the former only, if `quiet`.
    pub fn new(quiet: bool) -> Self {
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let terminal = !quiet && std::io::stderr().is_terminal() && !dumb;
        Self { quiet, terminal, collected: None, bar: None, epoch: None }
    }

    /// Collects each line, one that even a quiet program says behind `! `, and draws no bar.
    pub fn collecting(lines: Arc<Mutex<Vec<String>>>) -> Self {
        let collected = Some(lines);
        Self { quiet: false, terminal: false, collected, bar: None, epoch: None }
    }

    /// Says a result that the user asked for, such as that of an epoch.
    pub fn say(&mut self, line: &str) {
        if !self.quiet {
            self.write("", line, || println!("{line}"));
        }
    }

    /// Says a line that even a quiet program says.
    pub(crate) fn notify(&mut self, line: &str) {
        self.write("! ", line, || eprintln!("{line}"));
    }

    fn write(&self, mark: &str, line: &str, print: impl FnOnce()) {
        match (&self.collected, &self.bar) {
            (Some(lines), _) => {
                let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
                lines.push(format!("{mark}{line}"));
            }
            (None, Some(bar)) => bar.suspend(print),
            (None, None) => print(),
        }
    }

    /// Shows what a training of so many steps an epoch does next: the first step of an epoch, another one,
    /// or an evaluation.
    pub(crate) fn next(&mut self, learner: &Learner<Model>, steps: u64) {
        let Position { epochs: completed, step, .. } = learner.position;
        let (epoch, steps) = if learner.measured { (completed + 1, steps) } else { (0, 0) };
        let epochs = learner.config.epochs;
        if self.epoch.is_none() {
            self.bar = self.terminal.then(|| bar(&format!("epoch {epoch}/{epochs}"), step, steps));
            self.epoch = Some(Running {
                epochs,
                started: Instant::now(),
                steps: 0,
                examples: 0,
                correct: 0,
                loss: 0.0,
                images_per_second: 0.0,
            });
        }
        if let Some(bar) = self.bar.as_ref().filter(|_| learner.measured && step == steps) {
            bar.set_message("evaluating");
        }
    }

    /// Counts a step.
    pub(crate) fn step(&mut self, step: &Step<f32>) -> Result<(), DatasetError> {
        let Some(running) = &mut self.epoch else { return Ok(()) };
        running.steps += 1;
        running.examples += step.examples();
        running.correct += step.correct()?;
        running.loss += step.metrics.batch_loss;
        let seconds = running.started.elapsed().as_secs_f64().max(1e-9);
        running.images_per_second = running.examples as f64 / seconds;
        if let Some(bar) = &self.bar {
            bar.inc(1);
            bar.set_message(format!(
                "loss {:.4} accuracy {:.1} % {:.0} images/s",
                running.loss / running.steps as f64,
                100.0 * running.correct as f64 / running.examples as f64,
                running.images_per_second
            ));
        }
        Ok(())
    }

    /// Says the result of an epoch.
    pub(crate) fn end_epoch(&mut self, metrics: &EpochMetrics) {
        self.clear();
        let Some(running) = self.epoch.take() else { return };
        let EpochMetrics { epoch, train, validation, .. } = metrics;
        let mut line = format!("epoch {epoch}/{}  training {}", running.epochs, result(train));
        if let Some(validation) = validation {
            line += &format!("  validation {}", result(validation));
        }
        // A training that was continued behind the last step has no speed.
        if running.examples > 0 {
            line += &format!("  {:.0} images/s", running.images_per_second);
        }
        line += &format!("  {:.1} s", running.started.elapsed().as_secs_f64());
        self.say(&line);
    }

    /// Removes the bar.
    pub(crate) fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

/// The bar of an epoch.
fn bar(prefix: &str, done: u64, steps: u64) -> ProgressBar {
    let bar = ProgressBar::new(steps).with_prefix(prefix.to_owned()).with_position(done);
    let template = "{prefix} [{bar:12}] {pos}/{len} {msg} ETA {eta}";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("=> "));
    }
    bar.reset_eta();
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// Loss and accuracy as they are read: `loss 0.6123 accuracy 78.9 %`.
pub(crate) fn result(evaluation: &Evaluation) -> String {
    format!("loss {:.4} accuracy {:.1} %", evaluation.loss, 100.0 * (1.0 - evaluation.error))
}
