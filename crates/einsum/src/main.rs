//! Prints the three exercises of question 6.1: einsum string, both results, norm of the difference.

use std::fmt::Write as _;
use std::process::ExitCode;

use anyhow::{Result, ensure};
use clap::Parser;
use einsum::{Comparison, Inputs, comparisons, order_of_summation};
use numerics::Rng;
use {
    aho_corasick as _, hashbrown as _, memchr as _, num_integer as _, regex_automata as _,
    serde as _, serde_core as _, serde_json as _, simd_adler32 as _, unified as _, zerocopy as _,
};

/// Question 6.1: trace, matrix-vector and outer product by einsum, compared with the direct way.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The seed of the random inputs.
    #[arg(long, default_value_t = 189)]
    seed: u64,
}

const DRAWS: usize = 100;

const WHY: &str = "
Integers of this size, their products and their sums are all exact, so the order of a sum does not
matter and every norm is exactly 0. A sum of real numbers is rounded after every addition: summed in
another order, or with fused multiply-adds, it is rounded differently. The outer product has no sum.
";

fn main() -> Result<ExitCode> {
    system::panics_in_a_line();
    system::print!("{}", exercises(Arguments::parse().seed)?);
    Ok(system::close(ExitCode::SUCCESS))
}

fn exercises(seed: u64) -> Result<String> {
    let mut rng = Rng::new(seed);
    let (integers, reals) = (Inputs::integers(&mut rng), Inputs::reals(&mut rng));
    let mut text = format!("A is 5 x 5, a and b have 5 elements; seed {seed}\n");
    let pairs = comparisons(&integers)?.into_iter().zip(comparisons(&reals)?);
    for (number, (exact, rounded)) in (1..).zip(pairs) {
        let (title, norm) = (exact.title, exact.norm());
        writeln!(text, "\n{number}. {title}: {:?}", exact.subscripts)?;
        ensure!(norm == 0.0, "{title}: on integers the norm must be 0, but is {norm:e}");
        writeln!(text, "   integer-valued inputs\n{}", results(&exact, 0)?)?;
        writeln!(text, "   norm of the difference: {norm}")?;

        let (norm, bound) = (rounded.norm(), rounded.bound);
        ensure!(
            norm <= bound,
            "{title}: on reals the norm must be at most {bound:e}, but is {norm:e}"
        );
        writeln!(text, "   real-valued inputs\n{}", results(&rounded, 4)?)?;
        let (norm, bound) = (scientific(norm), scientific(bound));
        writeln!(text, "   norm of the difference: {norm} (rounding explains up to {bound})")?;
    }

    writeln!(text, "\nreal-valued inputs, {DRAWS} further draws: how many differ, largest norm")?;
    for (index, exercise) in comparisons(&reals)?.iter().enumerate() {
        let norm = |inputs: &Inputs| Ok(comparisons(inputs)?[index].norm());
        text += &survey(exercise.title, &mut rng, norm)?;
    }
    let order = |inputs: &Inputs| Ok(order_of_summation(inputs));
    text += &survey("sum of a diagonal, forwards and backwards", &mut rng, order)?;
    Ok(text + WHY)
}

/// One line for a number or a vector, one line a row for a matrix.
fn results(comparison: &Comparison, decimals: usize) -> Result<String> {
    let mut lines = Vec::new();
    for (name, array) in [("einsum", &comparison.by_einsum), ("directly", &comparison.directly)] {
        let columns = array.shape().last().copied().unwrap_or(1);
        let elements: Vec<f64> = array.iter().copied().collect();
        for (index, row) in elements.chunks(columns).enumerate() {
            let mut line = format!("     {:<8}", if index == 0 { name } else { "" });
            for element in row {
                // Adding 0 turns a product such as 0 (-9) from -0 into 0.
                write!(line, " {:8.decimals$}", element + 0.0)?;
            }
            lines.push(line);
        }
    }
    Ok(lines.join("\n"))
}

/// How many of [`DRAWS`] draws give a difference that is not zero, and the largest.
fn survey(
    title: &str,
    rng: &mut Rng,
    difference: impl Fn(&Inputs) -> Result<f64>,
) -> Result<String> {
    let (mut differing, mut largest) = (0, 0.0_f64);
    for _ in 0..DRAWS {
        let difference = difference(&Inputs::reals(rng))?;
        differing += usize::from(difference != 0.0);
        largest = largest.max(difference);
    }
    Ok(format!("   {title:<42} {differing:4}   {}\n", scientific(largest)))
}

fn scientific(x: f64) -> String {
    if x == 0.0 { "0".to_owned() } else { format!("{x:.1e}") }
}
