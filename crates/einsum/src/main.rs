//! Prints the three exercises of question 6.1: einsum string, both results, norm of the difference.

use std::fmt::Write as _;
use std::process::ExitCode;

use anyhow::{Result, ensure};
use clap::Parser;
use einsum::{Comparison, Exercise, Inputs, Numbers, Survey};
use ndarray::ArrayD;
use numerics::Rng;

/// Question 6.1: trace, matrix-vector and outer product by einsum, compared with the direct way.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The seed of the random inputs.
    #[arg(long, default_value_t = 189)]
    seed: u64,
}

const DRAWS: usize = 1000;

fn main() -> Result<ExitCode> {
    stdio::print!("{}", exercises(Arguments::parse().seed)?);
    Ok(stdio::close(ExitCode::SUCCESS))
}

fn exercises(seed: u64) -> Result<String> {
    let mut rng = Rng::new(seed);
    let integers = Inputs::draw(Numbers::Integers, &mut rng);
    let reals = Inputs::draw(Numbers::Reals, &mut rng);

    let mut text = format!("A is 5 x 5, a and b have 5 elements; seed {seed}\n");
    for (number, exercise) in (1..).zip(Exercise::ALL) {
        writeln!(text, "\n{number}. {}: {:?}", exercise.title(), exercise.subscripts())?;

        let comparison = Comparison::of(exercise, &integers)?;
        let norm = comparison.norm();
        ensure!(
            norm == 0.0,
            "{}: on integers the norm must be 0, but is {norm:e}",
            exercise.title()
        );
        writeln!(text, "   integer-valued inputs")?;
        write_results(&mut text, &comparison, 0)?;
        writeln!(text, "   norm of the difference: {norm}")?;

        let comparison = Comparison::of(exercise, &reals)?;
        let (norm, bound) = (comparison.norm(), comparison.bound());
        ensure!(
            norm <= bound,
            "{}: on reals the norm must be at most {bound:e}, but is {norm:e}",
            exercise.title()
        );
        writeln!(text, "   real-valued inputs")?;
        write_results(&mut text, &comparison, 4)?;
        let (norm, bound) = (scientific(norm), scientific(bound));
        writeln!(text, "   norm of the difference: {norm} (rounding explains up to {bound})")?;
    }

    writeln!(text, "\nreal-valued inputs, {DRAWS} further draws: how many differ, largest norm")?;
    for exercise in Exercise::ALL {
        write_survey(&mut text, exercise.title(), Survey::of(exercise, DRAWS, &mut rng)?)?;
    }
    let order = Survey::of_summation_order(DRAWS, &mut rng);
    write_survey(&mut text, "sum of a diagonal, forwards and backwards", order)?;
    text.push_str(WHY);
    Ok(text)
}

const WHY: &str = "
Integers of this size, their products and their sums are all exact, so the order of a sum does not
matter and every norm is exactly 0. A sum of real numbers is rounded after every addition: summed in
another order, or with fused multiply-adds, it is rounded differently. The outer product has no sum.
";

fn write_results(text: &mut String, comparison: &Comparison, decimals: usize) -> Result<()> {
    write_array(text, "einsum", &comparison.by_einsum, decimals)?;
    write_array(text, "directly", &comparison.directly, decimals)
}

/// One line for a number or a vector, one line a row for a matrix.
fn write_array(text: &mut String, name: &str, array: &ArrayD<f64>, decimals: usize) -> Result<()> {
    let columns = array.shape().last().copied().unwrap_or(1);
    let elements: Vec<f64> = array.iter().copied().collect();
    let mut label = name;
    for row in elements.chunks(columns) {
        write!(text, "     {label:<8}")?;
        for element in row {
            // Adding 0 turns a product such as 0 (-9) from -0 into 0.
            let element = element + 0.0;
            write!(text, " {element:8.decimals$}")?;
        }
        text.push('\n');
        label = "";
    }
    Ok(())
}

fn write_survey(text: &mut String, what: &str, survey: Survey) -> Result<()> {
    let Survey { differing, largest, .. } = survey;
    writeln!(text, "   {what:<42} {differing:4}   {}", scientific(largest))?;
    Ok(())
}

fn scientific(x: f64) -> String {
    if x == 0.0 { "0".to_owned() } else { format!("{x:.1e}") }
}
