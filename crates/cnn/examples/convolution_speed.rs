//! Times im2col and Winograd in turn on the 3x3 layers of the airbench94 network (arXiv 2404.00498).
//!
//! ```text
//! cargo run -p cnn --example convolution_speed -- [ROUNDS [BATCH...]]
//! ```
//!
//! Prints, for each layer, batch size and pass, the median speed of either algorithm in GFLOP/s of the
//! direct convolution (so Winograd's can exceed what the processor can do), and the median and the
//! range of the ratio of two runs that followed each other. The star is what `conv2d_algorithm` chooses.

use std::error::Error;
use std::hint::black_box;

use cnn::{Conv2DAlgorithm, Pad, Window};
use ndarray::{Array2, Array4};
use numerics::Rng;

/// Side of the image, channels, filters.
const LAYERS: [(usize, usize, usize); 5] =
    [(31, 24, 64), (15, 64, 64), (15, 64, 256), (7, 256, 256), (3, 256, 256)];

fn main() -> Result<(), Box<dyn Error>> {
    let numbers = std::env::args().skip(1).map(|argument| {
        argument.parse().map_err(|_| format!("expected a whole number, got {argument:?}"))
    });
    let numbers = numbers.collect::<Result<Vec<usize>, _>>()?;
    let rounds = numbers.first().map_or(5, |&rounds| rounds.max(1));
    let batches = numbers.get(1..).filter(|batches| !batches.is_empty()).unwrap_or(&[64, 500]);
    println!("{} threads, {rounds} rounds", rayon::current_num_threads());
    println!("batch  layer              pass              im2col  Winograd   ratio (range)");
    for &batch in batches {
        for (side, channels, filters) in LAYERS {
            measure(rounds, batch, side, channels, filters)?;
        }
    }
    Ok(())
}

fn measure(
    rounds: usize,
    batch: usize,
    side: usize,
    channels: usize,
    filters: usize,
) -> Result<(), Box<dyn Error>> {
    let window = Window::new("Conv2D", (side, side), (3, 3), 1, Pad::Same)?;
    let mut rng = Rng::new(0);
    let x: Array4<f32> = rng.normal_array((batch, side, side, channels), 0.0, 1.0);
    let w: Array4<f32> = rng.normal_array((3, 3, channels, filters), 0.0, 0.1);
    let b = Array2::zeros((1, filters));
    let dl_dz: Array4<f32> = rng.normal_array((batch, side, side, filters), 0.0, 1.0);
    let (x, w, b, dl_dz) = (x.view(), w.view(), b.view(), dl_dz.view());
    let passes: [(&str, [&dyn Fn() -> Array4<f32>; 2]); 3] = [
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
    let chosen = cnn::conv2d_algorithm::<f32>(window, channels, filters);
    let star = |algorithm| if chosen == algorithm { '*' } else { ' ' };
    for (pass, algorithms) in passes {
        let seconds: Vec<[f64; 2]> = (0..=rounds)
            .map(|_| {
                algorithms.map(|run| {
                    let start = processor_seconds();
                    black_box(run());
                    processor_seconds() - start
                })
            })
            .skip(1) // The first round fills caches and working memory.
            .collect();
        let speed = |i: usize| gflop / sorted(seconds.iter().map(|pair| pair[i]))[rounds / 2];
        let ratios = sorted(seconds.iter().map(|[im2col, winograd]| im2col / winograd));
        println!(
            "{batch:5}  {:17}  {pass:16}  {:6.0}{} {:8.0}{} {:7.2} ({:.2}-{:.2})",
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

fn processor_seconds() -> f64 {
    let mut total = 0;
    for task in std::fs::read_dir("/proc/self/task").unwrap() {
        let text = std::fs::read_to_string(task.unwrap().path().join("schedstat")).unwrap();
        total += text.split(' ').next().unwrap().parse::<u64>().unwrap();
    }
    total as f64 * 1e-9
}
