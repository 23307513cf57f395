//! The program: its command line, and a run from the checks that are asked for to the results.

use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;
use clap::{Parser, Subcommand};
use serde_json::json;
use system::{eprintln, print, println};

use crate::gradcheck::Row;
use crate::transcript::Transcript;
use crate::{
    Check, Context, CourseData, HarnessError, course, filter, gradcheck, registry, results, runner,
    step_curve, worked, workspace,
};

/// The seed of random checks, unless another one is asked for.
const SEED: u64 = 189;

/// Every verification of the workspace
#[derive(Parser)]
#[command(name = "harness", disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Test(Test),
    Gradcheck(Gradcheck),
    /// Print the hash of the code and the fixtures that results depend on
    InputsHash,
}

/// Run checks and print them as Python's unittest does
///
/// Without FILTER all checks run, on the fixtures, and the results go to harness/results.json in cargo's
/// target folder.
#[derive(clap::Args)]
struct Test {
    /// A name as the course has it (TestConv2D, tests.test_layers.TestConv2D.test_forward), another
    /// name or the beginning of one (gradients, formulas.relu-backward), or a question (4.2)
    filter: Option<String>,

    /// Run the course's 25 tests on the .npz files of this folder, or of data or tests/data below it, with
    /// the course's rule of 4 decimals
    #[arg(long, value_name = "DIR")]
    course_data: Option<PathBuf>,

    /// Ask of the course's data, besides its own rule, errors of at most 1e-10 of the largest
    /// reference value (1e-5 for <f4)
    #[arg(long, requires = "course_data")]
    strict: bool,

    /// The seed of random checks
    #[arg(long, default_value_t = SEED, allow_negative_numbers = true)]
    seed: u64,

    /// The case to run, as a failing check printed it; FILTER has to select one check
    #[arg(long, value_name = "CASE", requires = "filter", conflicts_with = "course_data")]
    case: Option<String>,

    /// List the names of the checks and run none
    #[arg(long)]
    list: bool,

    /// Add to each line what was measured
    #[arg(short, long)]
    verbose: bool,
}

/// Print the gradient-check table of the course's notebook
#[derive(clap::Args)]
struct Gradcheck {
    /// One class of layers only, such as Conv2D
    layer: Option<String>,

    /// The seed of inputs, parameters and upstream gradients
    #[arg(long, default_value_t = SEED, allow_negative_numbers = true)]
    seed: u64,
}

/// The whole program; it ends with status 2 for a wrong request, with 1 for whatever else fails.
pub fn main() -> ExitCode {
    let passed = match Cli::parse().command {
        Command::Test(arguments) => test(&arguments),
        Command::Gradcheck(Gradcheck { layer, seed }) => gradients(layer.as_deref(), seed),
        Command::InputsHash => inputs_hash(),
    };
    system::close(match passed {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            let usage = matches!(error.downcast_ref(), Some(HarnessError::Usage(_)));
            ExitCode::from(if usage { 2 } else { 1 })
        }
    })
}

fn test(arguments: &Test) -> Result<bool> {
    let checks = selected(arguments)?;
    if arguments.list {
        checks.iter().for_each(|check| println!("{:4} {}", check.question, check.id()));
        return Ok(true);
    }
    let root = workspace::root()?;
    // Of the state in which the run begins: files may change while it goes on.
    let complete = arguments.filter.is_none() && arguments.course_data.is_none();
    let inputs_sha256 = complete.then(|| workspace::inputs_sha256(&root)).transpose()?;
    let target = complete.then(|| system::target_folder(&root)).transpose()?;
    let course_data = arguments.course_data.as_deref().map(course::data_folder).transpose()?;
    let context = Context {
        fixtures: root.join("fixtures"),
        course_data: course_data.map(|folder| CourseData { folder, strict: arguments.strict }),
        seed: arguments.seed,
        case: arguments.case.clone(),
        ..Context::default()
    };

    runner::silence_panics();
    let colors =
        io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
    let mut transcript = Transcript { colors, details: arguments.verbose, question: None };
    let start = Instant::now();
    let outcomes = runner::run(&checks, &context, |check, outcome| {
        print!("{}", transcript.check(check, outcome));
    });
    let time = start.elapsed();
    let ran = || checks.iter().zip(&outcomes);
    for (check, outcome) in ran().filter(|(_, outcome)| !outcome.passed()) {
        print!("{}", transcript.failure(check, outcome, &command(arguments, Some(&check.id()))));
    }
    let errors = ran().filter_map(|(check, outcome)| Some((outcome.max_error?, check.id())));
    if arguments.course_data.is_some()
        && let Some((error, id)) = errors.max_by(|(a, _), (b, _)| a.total_cmp(b))
    {
        println!("\nLargest error: {error:.1e} of the largest reference value, in {id}");
    }
    let passed = outcomes.iter().filter(|outcome| outcome.passed()).count();
    let failed = outcomes.len() - passed;
    print!("{}", transcript.summary(passed, failed, time));
    if let (Some(inputs_sha256), Some(target)) = (inputs_sha256, target) {
        let results = json!({
            "schema": results::SCHEMA,
            "inputs_sha256": inputs_sha256,
            "command": command(arguments, None),
            "seed": arguments.seed,
            "passed": passed,
            "failed": failed,
            "seconds": time.as_secs_f64(),
            "checks": ran().map(results::check).collect::<Vec<_>>(),
            "controls": ran().filter_map(results::control).collect::<Vec<_>>(),
            "worked": worked::all(),
            "step_curves": step_curve::all(arguments.seed)?,
        });
        results::write(&target, &results)?;
    }
    Ok(failed == 0)
}

/// The checks to run, in order.
fn selected(arguments: &Test) -> Result<Vec<Check>> {
    let checks = match &arguments.course_data {
        Some(_) => registry::course_data_checks(),
        None => registry::all_checks(),
    };
    let Some(name) = &arguments.filter else { return Ok(checks) };
    let checks = filter::select(checks, name)?;
    let usage = |what: String| Err(HarnessError::Usage(what).into());
    match &*checks {
        _ if arguments.case.is_none() => Ok(checks),
        [check] if check.kind.draws_cases() => Ok(checks),
        [check] => usage(format!(
            "{} draws no random cases, so it cannot run one; leave --case out",
            check.id()
        )),
        _ => usage(format!(
            "a case belongs to one check, but {name:?} selects {}; give the check's full name",
            checks.len()
        )),
    }
}

/// The command that runs these checks again, or one of them.
fn command(arguments: &Test, id: Option<&str>) -> String {
    let mut command = "cargo xtask test".to_owned();
    if let Some(id) = id {
        command += &format!(" {id}");
    }
    if let Some(folder) = &arguments.course_data {
        command += &format!(" --course-data {}", system::quoted(folder));
    }
    if arguments.strict {
        command += " --strict";
    }
    if arguments.seed != SEED {
        command += &format!(" --seed {}", arguments.seed);
    }
    command
}

fn gradients(layer: Option<&str>, seed: u64) -> Result<bool> {
    let rows = gradcheck::rows(layer, seed)?;
    print!("{}", gradcheck::table(&rows, seed));
    Ok(rows.iter().all(Row::passes))
}

fn inputs_hash() -> Result<bool> {
    println!("{}", workspace::inputs_sha256(&workspace::root()?)?);
    Ok(true)
}
