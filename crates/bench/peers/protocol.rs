//! What `bench` and a program with another framework say to each other: JSON, a message a line.
//!
//! The program says first what it is. Then each request names a network and says how many training steps to
//! make; the answer is the mean time of one, its minor page faults and the last loss. A network is made when
//! it is first asked for, and has to have as many parameters as ours.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs;
use std::io::{self, BufRead, Write};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
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

/// A layer, with its inputs and outputs. ReLU follows each that has weights, but not the last.
#[derive(Clone, Copy, Debug)]
pub enum Layer {
    /// 3 by 3, stride 1, padding 1.
    Conv2d(usize, usize),
    /// The largest numbers of windows of 2 by 2.
    MaxPool2d,
    /// Takes images as rows, flattened.
    Linear(usize, usize),
}

use Layer::{Conv2d, Linear, MaxPool2d};

/// The networks of `bench/src/models.rs` that the frameworks train: name, shape of an example, layers.
const NETWORKS: [(&str, &[usize], &[Layer]); 2] = [
    (
        "simple",
        &[3, 32, 32],
        &[
            Conv2d(3, 32),
            MaxPool2d,
            Conv2d(32, 64),
            MaxPool2d,
            Linear(64 * 8 * 8, 128),
            Linear(128, CLASSES),
        ],
    ),
    ("mlp", &[784], &[Linear(784, 256), Linear(256, 128), Linear(128, CLASSES)]),
];

/// A network and the batch that it is trained on.
pub struct Training {
    /// The shape of the batch: examples, then channels, rows and columns, or units.
    pub shape: Vec<usize>,
    /// The layers in order.
    pub layers: &'static [Layer],
}

#[derive(Deserialize)]
struct Request {
    subject: Subject,
    batch: usize,
    threads: usize,
    calls: u32,
    parameters: usize,
}

#[derive(Deserialize)]
struct Subject {
    model: String,
}

impl Layer {
    fn parameters(self) -> usize {
        match self {
            Self::Conv2d(n_in, n_out) => (9 * n_in + 1) * n_out,
            Self::MaxPool2d => 0,
            Self::Linear(n_in, n_out) => (n_in + 1) * n_out,
        }
    }
}

impl Training {
    fn new(request: &Request) -> Result<Self> {
        let model = &request.subject.model;
        let network = NETWORKS.iter().find(|(name, ..)| name == model);
        let (_, input, layers) =
            network.with_context(|| format!("the network {model} is not known here"))?;
        let parameters: usize = layers.iter().map(|layer| layer.parameters()).sum();
        let expected = request.parameters;
        ensure!(parameters == expected, "expected {expected} parameters, got {parameters}");
        Ok(Self { shape: [&[request.batch], *input].concat(), layers })
    }

    /// Random numbers of mean 0 and variance 1 for the inputs of a batch, the same in every run.
    pub fn inputs(&self) -> Vec<f32> {
        let count = self.shape.iter().product();
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
        (0..self.shape[0]).map(|example| example % CLASSES)
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
    steps: &mut HashMap<(String, usize), Step>,
) -> Result<Value> {
    let request: Request =
        serde_json::from_str(line).context("a request that is not known here")?;
    let Request { ref subject, batch, calls, .. } = request;
    ensure!(
        request.threads == threads,
        "expected {} threads, got {threads}: set RAYON_NUM_THREADS",
        request.threads
    );
    ensure!(calls > 0, "expected a number of calls, got 0");
    let step = match steps.entry((subject.model.clone(), batch)) {
        Entry::Occupied(made) => made.into_mut(),
        Entry::Vacant(place) => place.insert(build(&Training::new(&request)?)?),
    };
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
