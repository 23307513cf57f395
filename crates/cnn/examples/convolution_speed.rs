//! Times im2col and Winograd in turn on the 3x3 layers of the airbench94 network (arXiv 2404.00498).
//!
//! ```text
//! cargo run -p cnn --example convolution_speed -- [--processor-time] [ROUNDS [BATCH...]]
//! ```
//!
//! Prints, for each layer, batch size and pass, the median speed of either algorithm in GFLOP/s of the
//! direct convolution (so Winograd's can exceed what the processor can do), and the median and the
//! range of the ratio of two runs that followed each other. The star marks what `conv2d_algorithm`
//! chooses. `RAYON_NUM_THREADS` sets the number of threads.
//!
//! On a machine that others use too, wall time measures them as well. `--processor-time` counts the time
//! that the threads of this program had a processor (Linux), and GFLOP/s are then those of one core.

use std::error::Error;
use std::fs;
use std::hint::black_box;
use std::process::ExitCode;
use std::time::Instant;

use cnn::{Conv2DAlgorithm, Pad, Window};
use ndarray::{Array2, Array4};
use numerics::Rng;
use stdio::println;

/// Side of the image, channels, filters.
const LAYERS: [(usize, usize, usize); 5] =
    [(31, 24, 64), (15, 64, 64), (15, 64, 256), (7, 256, 256), (3, 256, 256)];

/// What is timed at once does at least so much, or the clock of processor time would be too coarse.
const GFLOP_AT_ONCE: f64 = 4.0;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// A pass, by im2col and by Winograd.
type Pass<'a> = (&'static str, [&'a dyn Fn() -> Array4<f32>; 2]);

fn main() -> Outcome<ExitCode> {
    let (flags, numbers): (Vec<_>, Vec<_>) =
        std::env::args().skip(1).partition(|argument| argument.starts_with('-'));
    if let Some(unknown) = flags.iter().find(|&flag| flag != "--processor-time") {
        return Err(format!("expected --processor-time or numbers, got {unknown:?}").into());
    }
    let numbers = numbers.iter().map(|argument| match argument.parse() {
        Ok(0) | Err(_) => Err(format!("expected a whole number from 1 on, got {argument:?}")),
        Ok(number) => Ok(number),
    });
    let numbers = numbers.collect::<Result<Vec<usize>, _>>()?;
    let rounds = numbers.first().copied().unwrap_or(5);
    let batches = numbers.get(1..).filter(|batches| !batches.is_empty()).unwrap_or(&[64, 500]);
    let clock = if flags.is_empty() { Clock::Wall(Instant::now()) } else { Clock::Processor };
    let unit = if flags.is_empty() { "wall time" } else { "processor time" };
    println!("{} threads, {rounds} rounds, GFLOP/s by {unit}", rayon::current_num_threads());
    println!("batch  layer            pass              im2col   Winograd   ratio (range)");
    for &batch in batches {
        for layer in LAYERS {
            measure(&clock, rounds, batch, layer)?;
        }
    }
    Ok(stdio::close(ExitCode::SUCCESS))
}

fn measure(
    clock: &Clock,
    rounds: usize,
    batch: usize,
    (side, channels, filters): (usize, usize, usize),
) -> Outcome<()> {
    let window = Window::new("Conv2D", (side, side), (3, 3), 1, Pad::Same)?;
    let mut rng = Rng::new(0);
    let x: Array4<f32> = rng.normal_array((batch, side, side, channels), 0.0, 1.0);
    let w: Array4<f32> = rng.normal_array((3, 3, channels, filters), 0.0, 0.1);
    let b = Array2::zeros((1, filters));
    let dl_dz: Array4<f32> = rng.normal_array((batch, side, side, filters), 0.0, 1.0);
    let (x, w, b, dl_dz) = (x.view(), w.view(), b.view(), dl_dz.view());
    let passes: [Pass<'_>; 3] = [
        (
            "forward",
            [&|| cnn::im2col_forward(x, w, b, window), &|| cnn::winograd_forward(x, w, b, window)],
        ),
        (
            "backward data",
            [&|| cnn::im2col_backward_data(w, dl_dz, window), &|| {
                cnn::winograd_backward_data(w, dl_dz, window)
            }],
        ),
        (
            "backward weights",
            [&|| cnn::im2col_backward_weights(x, dl_dz, window), &|| {
                cnn::winograd_backward_weights(x, dl_dz, window)
            }],
        ),
    ];
    let gflop = 2.0 * (9 * batch * side * side * channels * filters) as f64 / 1e9;
    let times = (GFLOP_AT_ONCE / gflop).ceil();
    let chosen = cnn::conv2d_algorithm::<f32>(window, channels, filters);
    let star = |algorithm| if chosen == algorithm { '*' } else { ' ' };
    for (pass, algorithms) in passes {
        let seconds = |run: &dyn Fn() -> Array4<f32>| -> Outcome<f64> {
            let start = clock.seconds()?;
            for _ in 0..times as usize {
                black_box(run());
            }
            Ok(clock.seconds()? - start)
        };
        // The first round fills caches and working memory.
        algorithms.iter().try_for_each(|run| seconds(run).map(drop))?;
        let mut pairs = Vec::new();
        for _ in 0..rounds {
            pairs.push([seconds(algorithms[0])?, seconds(algorithms[1])?]);
        }
        let speed = |i: usize| times * gflop / sorted(pairs.iter().map(|pair| pair[i]))[rounds / 2];
        let ratios = sorted(pairs.iter().map(|[im2col, winograd]| im2col / winograd));
        println!(
            "{batch:5}  {:15}  {pass:16}  {:6.0}{}  {:8.0}{}  {:6.2} ({:.2}-{:.2})",
            format!("{side}x{side} {channels}->{filters}"),
            speed(0),
            star(Conv2DAlgorithm::Im2col),
            speed(1),
            star(Conv2DAlgorithm::Winograd),
            ratios[rounds / 2],
            ratios[0],
            ratios[rounds - 1],
        );
    }
    Ok(())
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

enum Clock {
    /// Since this instant.
    Wall(Instant),
    /// What the threads of this program have had of the processors.
    Processor,
}

impl Clock {
    fn seconds(&self) -> Outcome<f64> {
        let start = match self {
            Self::Wall(start) => start,
            Self::Processor => return processor_seconds(),
        };
        Ok(start.elapsed().as_secs_f64())
    }
}

fn processor_seconds() -> Outcome<f64> {
    let mut nanoseconds = 0;
    for thread in fs::read_dir("/proc/self/task")? {
        let text = fs::read_to_string(thread?.path().join("schedstat"))?;
        nanoseconds += text.split(' ').next().unwrap_or_default().parse::<u64>()?;
    }
    Ok(nanoseconds as f64 / 1e9)
}
