//! What `bench` and a program with another framework say to each other: JSON, a message a line.
//!
//! The program says first what it is. Then each request describes a case and says how many calls to make;
//! the answer is the mean time of one call, its minor page faults and the last loss. A case is made when
//! it is first asked for. A layer or a field that is not known here is an error.

use std::collections::HashMap;
use std::fs;
use std::io::{self, BufRead, Write};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

/// Classes that each network tells apart.
const CLASSES: usize = 10;

/// Small, so that what is computed stays finite however long it goes on.
pub const LEARNING_RATE: f64 = 1e-3;

/// The framework that takes part.
pub struct Framework {
    /// What a record calls it.
    pub name: &'static str,
    /// The package whose version counts.
    pub package: &'static str,
    /// The `Cargo.lock` that it was built with.
    pub lock: &'static str,
    /// What it updates parameters with.
    pub optimiser: &'static str,
    /// The threads that it uses.
    pub threads: usize,
}

/// A training step, which returns its loss.
pub type Step = Box<dyn FnMut() -> Result<f32>>;

/// A network and the batch that it is trained on.
pub struct Training {
    /// Examples in a step.
    pub batch: usize,
    /// The shape of an example, `[rows, cols, channels]` or `[units]`.
    pub input: Vec<usize>,
    /// The layers in order, each with the shape of the examples that it gets.
    pub layers: Vec<(Layer, Vec<usize>)>,
}

/// A layer as `bench` describes it. How its weights are drawn makes no difference to the time.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "layer", rename_all = "snake_case", deny_unknown_fields)]
pub enum Layer {
    Conv2d {
        n_out: usize,
        kernel_shape: [usize; 2],
        stride: usize,
        pad: Pad,
        activation: Activation,
        #[serde(rename = "weight_init")]
        _weight_init: IgnoredAny,
        #[serde(default = "yes")]
        bias: bool,
    },
    Pool2d {
        #[serde(rename = "mode")]
        _mode: PoolMode,
        kernel_shape: [usize; 2],
        stride: usize,
        pad: Pad,
    },
    FullyConnected {
        n_out: usize,
        activation: Activation,
        #[serde(rename = "weight_init")]
        _weight_init: IgnoredAny,
        #[serde(default = "yes")]
        bias: bool,
    },
    Flatten {},
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Activation {
    Linear,
    ReLU,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PoolMode {
    Max,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pad {
    Valid,
    Same,
}

fn yes() -> bool {
    true
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    #[serde(rename = "ask")]
    _ask: IgnoredAny,
    key: String,
    #[serde(rename = "subject")]
    _subject: Subject,
    batch: usize,
    threads: usize,
    calls: u32,
    input_shape: Vec<usize>,
    layers: Vec<Layer>,
    layer_inputs: Vec<Vec<usize>>,
    frozen_first_weights: bool,
}

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Subject {
    Step {},
}

impl Layer {
    /// The activation behind it.
    pub fn activation(&self) -> Activation {
        match *self {
            Self::Conv2d { activation, .. } | Self::FullyConnected { activation, .. } => activation,
            Self::Pool2d { .. } | Self::Flatten {} => Activation::Linear,
        }
    }
}

impl Pad {
    /// Padded rows and columns on each side.
    pub fn cells(self, kernel: [usize; 2]) -> [usize; 2] {
        match self {
            Self::Valid => [0, 0],
            Self::Same => kernel.map(|side| side.saturating_sub(1) / 2),
        }
    }
}

impl Training {
    /// The shape of a batch, images as batch, channels, rows, columns.
    pub fn shape(&self) -> Vec<usize> {
        match self.input[..] {
            [rows, cols, channels] => vec![self.batch, channels, rows, cols],
            _ => [&[self.batch], &self.input[..]].concat(),
        }
    }

    /// Random numbers of mean 0 and variance 1 for the inputs of a batch, the same in every run.
    pub fn inputs(&self) -> Vec<f32> {
        let count = self.shape().iter().product();
        let mut state = 1_u64;
        let uniform = || {
            // Knuth's linear congruential generator, of which the high bits are good.
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 40) as f32 / (1_u64 << 24) as f32
        };
        // Uniform numbers in [0, 1) have the variance 1/12.
        std::iter::repeat_with(uniform).map(|u| 12_f32.sqrt() * (u - 0.5)).take(count).collect()
    }

    /// The class of each example.
    pub fn classes(&self) -> impl Iterator<Item = usize> {
        (0..self.batch).map(|example| example % CLASSES)
    }
}

/// The program: says what it is, and answers requests until there are no more.
pub fn run(framework: &Framework, build: impl Fn(&Training) -> Result<Step>) -> ExitCode {
    match serve(framework, build) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn serve(framework: &Framework, build: impl Fn(&Training) -> Result<Step>) -> Result<()> {
    let Framework { name, package, lock, optimiser, threads } = *framework;
    let version = version(lock, package)
        .with_context(|| format!("Cargo.lock has no version of {package}"))?;
    say(&json!({ "framework": name, "version": version, "optimiser": optimiser }))?;
    let mut steps = HashMap::new();
    for line in io::stdin().lock().lines() {
        let line = line.context("cannot read a request")?;
        let reply = answer(&line, threads, &build, &mut steps);
        say(&reply.unwrap_or_else(|error| json!({ "error": format!("{error:#}") })))?;
    }
    Ok(())
}

fn say(message: &Value) -> Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{message}").and_then(|()| out.flush()).context("cannot answer")
}

fn answer(
    line: &str,
    threads: usize,
    build: &impl Fn(&Training) -> Result<Step>,
    steps: &mut HashMap<String, Step>,
) -> Result<Value> {
    let request: Request =
        serde_json::from_str(line).context("a request that is not known here")?;
    let Request { key, batch, calls, layers, layer_inputs, frozen_first_weights, .. } = request;
    ensure!(
        request.threads == threads,
        "expected {} threads, got {threads}: set RAYON_NUM_THREADS",
        request.threads
    );
    ensure!(!frozen_first_weights, "weights that are fixed are not known here");
    ensure!(calls > 0, "expected a number of calls, got 0");
    if !steps.contains_key(&key) {
        let layers = layers.into_iter().zip(layer_inputs).collect();
        let training = Training { batch, input: request.input_shape, layers };
        steps.insert(key.clone(), build(&training)?);
    }
    let step = steps.get_mut(&key).context("a case that was just made is there")?;
    let faults = minor_faults();
    let start = Instant::now();
    let mut loss = f32::NAN;
    for _ in 0..calls {
        loss = step()?;
        ensure!(loss.is_finite(), "expected a finite loss, got {loss}");
    }
    let seconds = start.elapsed().as_secs_f64() / f64::from(calls);
    let faults = faults.zip(minor_faults()).map(|(a, b)| (b - a) as f64 / f64::from(calls));
    Ok(json!({ "seconds": seconds, "page_faults": faults, "loss": loss }))
}

/// The minor page faults of this process so far (Linux).
fn minor_faults() -> Option<u64> {
    let text = fs::read_to_string("/proc/self/stat").ok()?;
    // Behind the name, which may contain anything, the third field is the state.
    let (_, fields) = text.rsplit_once(')')?;
    fields.split_whitespace().nth(7)?.parse().ok()
}

/// The version of a package in a `Cargo.lock`.
fn version<'a>(lock: &'a str, package: &str) -> Option<&'a str> {
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines().skip_while(|line| *line != name).skip(1);
    lines.next()?.strip_prefix("version = \"")?.strip_suffix('"')
}
