//! The program: its command line, and a run from the checks that are asked for to the results.

use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand};
use rayon::prelude::*;
use serde_json::json;
use subject::NUMPY_ADAPTER;
use system::{eprintln, print, println};

use crate::cases::Case;
use crate::failures::{self, Failure};
use crate::foreign::{Allowance, Level, Program};
use crate::gradcheck::Row;
use crate::transcript::Transcript;
use crate::{
    Check, Context, CourseData, HarnessError, Kind, course, filter, foreign, gradcheck, registry,
    results, rooms, runner, serve, step_curve, worked, workspace,
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
    Serve(Serve),
    Demonstrate(Demonstrate),
    Judge(Judge),
    /// Print the hash of the code and the fixtures that results depend on
    InputsHash,
}

/// Run checks and print them as Python's unittest does
///
/// Without FILTER all checks run, on the fixtures, and the results go to harness/results.json in cargo's
/// target folder.
#[derive(clap::Args, Default)]
#[command(group(clap::ArgGroup::new("judged").multiple(true)))]
struct Test {
    /// A name as the course has it (TestConv2D, tests.test_layers.TestConv2D.test_forward), another
    /// name or the beginning of one (gradients, formulas.relu-backward), or a question (4.2)
    filter: Option<String>,

    /// Run the course's 25 tests on the .npz files of this folder, or of data or tests/data below it, with
    /// the course's rule of 4 decimals
    #[arg(long, value_name = "DIR", group = "judged")]
    course_data: Option<PathBuf>,

    /// Verify a program that speaks the protocol, started by this shell command
    #[arg(long, value_name = "COMMAND", group = "judged", conflicts_with = "numpy")]
    subject: Option<String>,

    /// The options that are printed instead of --subject, where the program's path means nothing to a reader; they
    /// may be empty
    #[arg(long, value_name = "OPTIONS", hide = true, requires = "subject")]
    shown: Option<String>,

    /// Verify the course's Python package in this folder, which needs python3 with NumPy
    #[arg(long, value_name = "DIR", group = "judged")]
    numpy: Option<PathBuf>,

    /// With --course-data: allow errors of at most 1e-10 of the largest reference value (1e-5 in single
    /// precision). With --subject or --numpy: conventions and checks beyond the assignment count, too
    #[arg(long, requires = "judged")]
    strict: bool,

    /// The seed of random checks
    #[arg(long, default_value_t = SEED, allow_negative_numbers = true)]
    seed: u64,

    /// The case to run, as a failing check printed it; FILTER has to select one check
    #[arg(long, value_name = "CASE", requires = "filter", conflicts_with = "course_data")]
    case: Option<String>,

    /// With --subject or --numpy: write the outcome of every check to this file, too, as JSON
    #[arg(long, value_name = "FILE", requires = "judged", conflicts_with = "course_data")]
    results: Option<PathBuf>,

    /// With --subject or --numpy: after so many seconds nothing more is asked, and the checks that remain fail
    #[arg(long, value_name = "SECONDS", requires = "judged", conflicts_with = "course_data")]
    time_limit: Option<u64>,

    /// With --subject or --numpy: seconds for one request, 20 by default
    #[arg(long, value_name = "SECONDS", requires = "judged", conflicts_with = "course_data")]
    request_limit: Option<u64>,

    /// With --subject or --numpy: look neither for a smaller case that fails nor for what failures look like, which takes
    /// most of the time where much is wrong
    #[arg(long, requires = "judged", conflicts_with = "course_data")]
    brief: bool,

    /// Try GELU at every number in single precision, which takes minutes, in place of the checks, and write the
    /// largest errors to crates/harness/src/rooms/gelu/every_f32.json
    #[arg(long, exclusive = true)]
    exhaustive: bool,

    /// List the names of the checks and run none
    #[arg(long)]
    list: bool,

    /// Add to each line what was measured
    #[arg(short, long)]
    verbose: bool,
}

/// Answer the requests of the protocol by the workspace's own implementation
#[derive(clap::Args)]
struct Serve {
    /// A deliberate bug of it, such as ReLU.relu-sign
    #[arg(long, value_name = "ROOM.BUG")]
    bug: Option<String>,
}

/// Verify the workspace's own implementation with a deliberate bug, as a program; succeeds if it fails
#[derive(clap::Args)]
struct Demonstrate {
    /// The bug, such as ReLU.relu-sign
    #[arg(value_name = "ROOM.BUG")]
    bug: String,
}

/// Succeed if all checks of a kind pass; ends at the first that does not, and tells nothing
///
/// `cargo xtask mutants` asks this of every mutant.
#[derive(clap::Args)]
struct Judge {
    #[arg(value_enum)]
    kind: Kind,
}

/// Print the gradient-check table of the course's notebook
#[derive(clap::Args)]
struct Gradcheck {
    /// One class of layers only, such as Conv2D
    layer: Option<String>,

    /// Check the layers of a program that speaks the protocol, started by this shell command
    #[arg(long, value_name = "COMMAND")]
    subject: Option<String>,

    /// The seed of inputs, parameters and upstream gradients
    #[arg(long, default_value_t = SEED, allow_negative_numbers = true)]
    seed: u64,
}

/// The whole program; it ends with status 2 for a wrong request, with 1 for whatever else fails.
pub fn main() -> ExitCode {
    run(std::env::args_os())
}

/// The whole program with these arguments, of which the first is its name.
pub fn run(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let passed = match Cli::parse_from(arguments).command {
        Command::Test(arguments) => test_or_record(&arguments),
        Command::Gradcheck(arguments) => gradients(&arguments),
        Command::Serve(Serve { bug }) => {
            serve::serve(bug.as_deref()).map(|()| true).map_err(Into::into)
        }
        Command::Demonstrate(Demonstrate { bug }) => demonstrate(&bug),
        Command::Judge(Judge { kind }) => judge(kind),
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

fn demonstrate(bug: &str) -> Result<bool> {
    let room = serve::known(bug)?.0;
    let own = std::env::current_exe().context("the path of this program is unknown")?;
    let serve = |program: &str| format!("{program} serve --bug {bug}");
    let arguments = Test {
        filter: Some(room.to_owned()),
        subject: Some(serve(&system::quoted(&own))),
        shown: Some(subject_option(&serve("cargo run --quiet --bin harness --"))),
        seed: SEED,
        ..Test::default()
    };
    Ok(!test(&arguments)?)
}

fn judge(kind: Kind) -> Result<bool> {
    let fixtures = workspace::root()?.join("fixtures");
    let context = Context { fixtures, seed: SEED, unshrunk: true, ..Context::default() };
    runner::silence_panics();
    let checks = registry::all_checks().into_iter().filter(|check| check.kind == kind);
    Ok(checks.par_bridge().all(|check| check.outcome(&context).passed()))
}

/// Runs the checks; a record of results that was asked for says why there are none.
fn test_or_record(arguments: &Test) -> Result<bool> {
    let passed = test(arguments);
    if let (Err(error), Some(file)) = (&passed, &arguments.results) {
        results::write_to(
            file,
            &json!({ "schema": results::SCHEMA, "error": format!("{error:#}") }),
        )?;
    }
    passed
}

fn test(arguments: &Test) -> Result<bool> {
    if arguments.exhaustive {
        return rooms::gelu::try_every_number(&workspace::root()?).map(|()| true);
    }
    let program = program(arguments)?;
    let checks = selected(arguments, program.as_ref())?;
    if let Some(Err(error)) = arguments.case.as_deref().map(str::parse::<Case>) {
        return Err(HarnessError::Usage(format!("there is no such case: {error}")).into());
    }
    if arguments.list {
        checks.iter().for_each(|check| println!("{:4} {}", check.question, check.id()));
        return Ok(true);
    }
    let root = workspace::root()?;
    // Of the state in which the run begins: files may change while it goes on.
    let complete =
        arguments.filter.is_none() && arguments.course_data.is_none() && program.is_none();
    let inputs_sha256 = complete.then(|| workspace::inputs_sha256(&root)).transpose()?;
    let target = complete.then(|| system::target_folder(&root)).transpose()?;
    let course_data = arguments.course_data.as_deref().map(course::data_folder).transpose()?;
    let context = Context {
        fixtures: root.join("fixtures"),
        course_data: course_data.map(|folder| CourseData { folder, strict: arguments.strict }),
        seed: arguments.seed,
        case: arguments.case.clone(),
        program: program_options(arguments).map(|options| options + strict(arguments)),
        unshrunk: arguments.brief,
        ..Context::default()
    };

    runner::silence_panics();
    if let Some(program) = &program {
        let (name, remarks) = program.introduction();
        println!("{name}");
        remarks.iter().for_each(|remark| println!("  {remark}"));
        println!();
    }
    let colors =
        io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
    let mut transcript = Transcript { colors, details: arguments.verbose, question: None };
    let start = Instant::now();
    let outcomes = runner::run(&checks, &context, |check, outcome| {
        print!("{}", transcript.check(check, outcome));
    });
    let time = start.elapsed();
    let ran = || checks.iter().zip(&outcomes);
    let passed = || ran().filter(|(_, outcome)| outcome.passed()).map(|(check, _)| check.id());
    let mut explainer = program
        .as_deref()
        .filter(|_| !arguments.brief)
        .map(|program| foreign::Explainer::new(program, &context, &root, passed().collect()));
    let decisive = ran().filter(|(check, outcome)| {
        outcome.failed() && (arguments.strict || check.level == Level::Must)
    });
    let failures: Vec<Failure<'_>> =
        decisive.map(|(check, outcome)| Failure::new(check, outcome, explainer.as_mut())).collect();
    for cause in failures::by_cause(&failures, !arguments.verbose) {
        print!("{}", cause.text(&transcript, |check| command(arguments, Some(&check.id()))));
    }
    if let Some(program) = &program {
        print!("\n{}", explainer.map(|explainer| explainer.summary()).unwrap_or_default());
        if arguments.results.is_none() && arguments.filter.is_none() {
            foreign::time_batches(program);
        }
        let passes =
            foreign::print_summary(&program.noted(), ran(), &transcript, arguments.strict, time);
        if let Some(file) = &arguments.results {
            let results = results::of_program(program, &failures, ran(), arguments.seed, time);
            results::write_to(file, &results)?;
        }
        return Ok(passes);
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
fn selected(arguments: &Test, program: Option<&Arc<Program>>) -> Result<Vec<Check>> {
    let mut checks = program.map_or_else(registry::all_checks, foreign::checks);
    if arguments.course_data.is_some() {
        checks.retain(|check| check.kind == Kind::Course);
    }
    let Some(name) = &arguments.filter else { return Ok(checks) };
    let checks = match filter::select(checks, name) {
        Err(_) if program.is_some() && filter::select(registry::all_checks(), name).is_ok() => {
            let remarks = program.map(|own| own.introduction().1).unwrap_or_default();
            let remarks: String = remarks.iter().map(|remark| format!("\n  {remark}")).collect();
            let what = format!(
                "the program has nothing that {name:?} selects; it says of itself:{remarks}"
            );
            return Err(HarnessError::Usage(what).into());
        }
        selected => selected?,
    };
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

/// The program that the options name.
fn program(arguments: &Test) -> Result<Option<Arc<Program>>> {
    let command = match (&arguments.subject, &arguments.numpy) {
        (None, None) => return Ok(None),
        (Some(command), _) => shell(command),
        (None, Some(folder)) => {
            vec!["python3".into(), "-c".into(), NUMPY_ADAPTER.into(), folder.into()]
        }
    };
    let seconds = arguments.time_limit.map(Duration::from_secs);
    let end = seconds.map(|seconds| Instant::now() + seconds);
    let allowance = Allowance { request: arguments.request_limit, end };
    Ok(Some(Program::start(command, allowance)?))
}

/// The words that run a command of the shell.
fn shell(command: &str) -> Vec<OsString> {
    vec!["sh".into(), "-c".into(), command.into()]
}

fn strict(arguments: &Test) -> &'static str {
    if arguments.strict { " --strict" } else { "" }
}

/// The options that name the program, with a space before each.
fn program_options(arguments: &Test) -> Option<String> {
    let subject = arguments.subject.as_ref().map(|command| subject_option(command));
    let numpy = arguments.numpy.as_ref();
    let numpy = numpy.map(|folder| format!("--numpy {}", system::quoted(folder)));
    let options = arguments.shown.clone().or(subject).or(numpy)?;
    Some(if options.is_empty() { options } else { format!(" {options}") })
}

fn subject_option(command: &str) -> String {
    format!("--subject {}", system::quoted(command))
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
    if let Some(options) = program_options(arguments) {
        command += &options;
    }
    command += strict(arguments);
    if arguments.seed != SEED {
        command += &format!(" --seed {}", arguments.seed);
    }
    command
}

fn gradients(Gradcheck { layer, subject, seed }: &Gradcheck) -> Result<bool> {
    let program = subject
        .as_ref()
        .map(|command| Program::start(shell(command), Allowance::default()))
        .transpose()?;
    let (rows, refusals) = gradcheck::rows(layer.as_deref(), program.as_ref(), *seed)?;
    print!("{}", gradcheck::table(&rows, &refusals, *seed));
    Ok(refusals.is_empty() && rows.iter().all(Row::passes))
}

fn inputs_hash() -> Result<bool> {
    println!("{}", workspace::inputs_sha256(&workspace::root()?)?);
    Ok(true)
}
