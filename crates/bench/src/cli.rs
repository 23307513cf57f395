//! The command line.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use anyhow::{Context, Result, bail};
use bench::{
    Allocator, BenchModel, By, Case, Measurement, PeakMemory, Peer, Record, SCHEMA, StepProfile,
    machine_cases, profile_step, steps_for_peak_memory, vector_lanes,
};
use clap::Parser;
use stdio::{print, println};

use crate::plan::{self, Group};
use crate::{provenance, tables};

/// Time kernels and whole training steps, and compare them with PyTorch, candle and burn
///
/// Cases run in turn, round after round, after a warm-up. What is printed is the median over the rounds
/// with the smallest and the largest value. A ratio is the median of the ratios of each round. GFLOP/s of
/// a convolution are counted on the products of the definition, so Winograd's can exceed the peak.
#[derive(Debug, Parser)]
#[command(name = "bench", bin_name = "cargo xtask bench", version)]
#[command(after_help = "\
Examples:
  cargo xtask bench                        everything but scaling
  cargo xtask bench conv/31x31 --rounds 9  the passes of one convolution
  cargo xtask bench step/air --torch=venv/bin/python
  cargo xtask bench step/simple --candle --burn
  cargo xtask bench --torch --candle --burn --scaling --json book/records/performance/bench.json")]
struct Arguments {
    /// Parts of names: what is timed has one of them in its name [default: everything]
    #[arg(value_name = "NAME-FILTER")]
    filters: Vec<String>,
    /// How often each case is timed
    #[arg(long, value_name = "N", default_value_t = 7, allow_negative_numbers = true)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// Write the record, with the time of every round
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Number of threads [default: one for each processor]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Time PyTorch in turn with us, run by this Python [default: python3]
    #[arg(long, value_name = "PYTHON", num_args = 0..=1, require_equals = true, default_missing_value = "python3")]
    torch: Option<String>,
    /// Time the steps of the small networks with candle in turn with us; the first time this builds it
    #[arg(long)]
    candle: bool,
    /// Time the same with burn, backend flex; the first time this builds it
    #[arg(long)]
    burn: bool,
    /// Also vary batch size, threads and width of the network "air"
    #[arg(long)]
    scaling: bool,
    /// Make training steps of MODEL-BATCH, and print the peak memory of the process
    #[arg(long, hide = true, value_name = "MODEL-BATCH")]
    peak_memory: Option<String>,
}

pub(crate) fn run() -> Result<()> {
    let arguments = Arguments::parse();
    if let Some(threads) = arguments.threads {
        // The pool of what runs outside of a case, such as profiles.
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.into());
        pool.build_global().context("cannot start threads")?;
    }
    if let Some(name) = &arguments.peak_memory {
        let (model, batch) = model_and_batch(name)?;
        println!("{}", steps_for_peak_memory(&model, batch)?);
        return Ok(());
    }
    Session::begin(&arguments)?.measure()
}

/// `air-500`.
fn model_and_batch(name: &str) -> Result<(BenchModel, usize)> {
    let parts = name.rsplit_once('-').and_then(|(model, batch)| {
        Some((BenchModel::named(model)?, batch.parse().ok().filter(|batch| *batch > 0)?))
    });
    parts
        .with_context(|| format!("expected a model and a batch size such as air-500, got {name:?}"))
}

/// What is measured, and what came of it so far.
struct Session<'a> {
    arguments: &'a Arguments,
    threads: usize,
    peers: Vec<(By, Arc<Mutex<Peer>>)>,
    record: Record,
}

impl<'a> Session<'a> {
    fn begin(arguments: &'a Arguments) -> Result<Self> {
        let threads = rayon::current_num_threads();
        let mut peers = Vec::new();
        let mut torch = None;
        if let Some(python) = &arguments.torch {
            for allocator in [Allocator::Default, Allocator::Tuned] {
                let (peer, description) = Peer::torch(python, allocator)?;
                torch = Some(description);
                peers.push(peer);
            }
        }
        let mut frameworks = Vec::new();
        if arguments.candle {
            let (peer, framework) = Peer::candle(threads)?;
            peers.push(peer);
            frameworks.push(framework);
        }
        if arguments.burn {
            let (peer, framework) = Peer::burn(threads)?;
            peers.push(peer);
            frameworks.push(framework);
        }
        let peers = peers.into_iter().map(|peer| (peer.by(), Arc::new(Mutex::new(peer)))).collect();
        let record = Record {
            schema: SCHEMA,
            command: provenance::command_line(),
            date: provenance::now(),
            program: provenance::program(),
            compiler: provenance::compiler(),
            machine: experiment::Machine::current(),
            features: provenance::features(),
            lanes: vector_lanes(),
            threads,
            rounds: arguments.rounds.into(),
            torch,
            frameworks,
            measurements: Vec::new(),
            profiles: Vec::new(),
            memory: Vec::new(),
        };
        Ok(Self { arguments, threads, peers, record })
    }

    fn measure(mut self) -> Result<()> {
        print!("{}", tables::head(&self.record));
        let mut machine: Vec<Measurement> = Vec::new();
        let profiled = self.profiles()?;
        let mut any = self.memory()? || profiled;
        for group in Group::all(self.arguments.scaling) {
            let planned = plan::cases(group, self.threads, |name| self.wanted(name))?;
            if planned.is_empty() {
                continue;
            }
            any = true;
            let cases = self.with_peers(planned)?;
            let count = cases.len();
            let mut all = machine_cases(self.threads);
            let limits = all.len();
            all.extend(cases);
            let mut measured = bench::run(all, self.record.rounds, progress)?;
            clear_progress();
            let measurements = measured.split_off(limits);
            debug_assert_eq!(measurements.len(), count, "every case was measured");
            // The machine is measured along with every group, and all of that counts.
            if machine.is_empty() {
                machine = measured;
            } else {
                for (all, more) in machine.iter_mut().zip(measured) {
                    all.seconds.extend(more.seconds);
                }
            }
            self.record.measurements.retain(|m| !m.name.starts_with("machine/"));
            self.record.measurements.splice(0..0, machine.clone());
            print!("{}", tables::group(group, &self.record, &measurements));
            self.record.measurements.extend(measurements);
            self.save()?;
        }
        if !any {
            bail!(
                "nothing is called like {}: see the names of a run without a filter",
                self.arguments.filters.join(" or ")
            );
        }
        self.save()?;
        if let Some(file) = &self.arguments.json {
            println!("\nrecord: {}", file.display());
        }
        Ok(())
    }

    /// Writes what there is so far: a run that is stopped keeps the groups that were complete.
    fn save(&self) -> Result<()> {
        if let Some(file) = &self.arguments.json {
            self.record.write(file)?;
        }
        Ok(())
    }

    fn wanted(&self, name: &str) -> bool {
        wanted(&self.arguments.filters, name)
    }

    /// Behind each of our cases the same by its peers; behind the last, where there are several.
    fn with_peers(&self, planned: Vec<(Case, Option<BenchModel>)>) -> Result<Vec<Case>> {
        let mut cases: Vec<Case> = Vec::new();
        let mut planned = planned.into_iter().peekable();
        while let Some((case, model)) = planned.next() {
            let key = |name: &str| name.rsplit_once('/').map(|(key, _)| key.to_owned());
            let last = planned.peek().is_none_or(|(next, _)| key(&next.name) != key(&case.name));
            let mut theirs = Vec::new();
            if last {
                for (by, peer) in &self.peers {
                    if plan::takes_part(*by, &case.name) {
                        theirs.push(Peer::case(peer, &case, model.as_ref())?);
                    }
                }
            }
            cases.push(case);
            cases.extend(theirs);
        }
        Ok(cases)
    }

    fn profiles(&mut self) -> Result<bool> {
        let mut any = false;
        for (model, batch) in plan::profiled() {
            if !self.wanted(&format!("profile/{}-{batch}", model.name)) {
                continue;
            }
            any = true;
            let table = profile_step(&model, batch, self.record.rounds)?;
            println!("\n{}, batches of {batch}, {table}", model.name);
            self.record.profiles.push(StepProfile { model: model.name.to_owned(), batch, table });
        }
        Ok(any)
    }

    fn memory(&mut self) -> Result<bool> {
        let (model, batch) = (BenchModel::air(1.0), 500);
        let name = format!("{}-{batch}", model.name);
        if !self.wanted(&format!("peak-memory/{name}")) {
            return Ok(false);
        }
        let ours = ours_in_a_process_of_its_own(&name, self.threads)?;
        let mut found = vec![(By::Ours, ours)];
        if let Some(python) = &self.arguments.torch {
            found
                .push((By::Pytorch, Peer::torch_peak_memory(python, &model, batch, self.threads)?));
        }
        println!("\npeak memory of training {}, batches of {batch}", model.name);
        for (by, bytes) in found {
            println!("  {by:14} {:8.2} GB", bytes as f64 / 1e9);
            self.record.memory.push(PeakMemory { model: model.name.to_owned(), batch, by, bytes });
        }
        Ok(true)
    }
}

fn wanted(filters: &[String], name: &str) -> bool {
    filters.is_empty() || filters.iter().any(|filter| name.contains(filter.as_str()))
}

fn ours_in_a_process_of_its_own(name: &str, threads: usize) -> Result<u64> {
    let program = std::env::current_exe().context("cannot find this program")?;
    let output = std::process::Command::new(program)
        .args(["--peak-memory", name, "--threads", &threads.to_string()])
        .output()
        .context("cannot start this program again")?;
    let text = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        bail!("training {name} failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    text.trim().parse().with_context(|| format!("expected a number of bytes, got {text:?}"))
}

/// What comes next, on a terminal.
fn progress(what: &str) {
    let mut out = std::io::stderr();
    if out.is_terminal() {
        // A reader who has gone away is no reason to stop.
        let _ = write!(out, "\r\x1b[K{what}").and_then(|()| out.flush());
    }
}

fn clear_progress() {
    progress("");
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn python_is_an_option_of_an_option() {
        let torch = |line: &[&str]| {
            Arguments::try_parse_from([&["bench"], line].concat()).map(|arguments| arguments.torch)
        };
        assert_eq!(torch(&[]).unwrap(), None);
        assert_eq!(torch(&["--torch"]).unwrap().as_deref(), Some("python3"));
        assert_eq!(torch(&["--torch=a/python"]).unwrap().as_deref(), Some("a/python"));
        // What follows without `=` is a filter.
        let arguments = Arguments::try_parse_from(["bench", "--torch", "step/air"]).unwrap();
        assert_eq!(arguments.filters, ["step/air"]);
        assert!(torch(&["--rounds", "0"]).is_err());
    }

    #[test]
    fn candle_and_burn_are_asked_for() {
        let arguments = Arguments::try_parse_from(["bench", "step", "--candle"]).unwrap();
        assert!(arguments.candle && !arguments.burn);
        let arguments = Arguments::try_parse_from(["bench", "--burn", "step"]).unwrap();
        assert!(arguments.burn && !arguments.candle);
        assert_eq!(arguments.filters, ["step"]);
        assert!(Arguments::try_parse_from(["bench", "--burn=flex"]).is_err());
    }

    #[test]
    fn a_filter_is_a_part_of_a_name_and_one_of_several_is_enough() {
        let filters =
            |filters: &[&str]| filters.iter().map(|f| (*f).to_owned()).collect::<Vec<_>>();
        assert!(wanted(&filters(&[]), "conv/31x31"));
        assert!(wanted(&filters(&["conv", "step"]), "step/air-500/ours"));
        assert!(!wanted(&filters(&["air-64"]), "step/air-500/ours"));
    }

    #[test]
    fn a_model_and_its_batch_are_read() {
        let (model, batch) = model_and_batch("air-500").unwrap();
        assert_eq!((model.name, batch), ("air", 500));
        for wrong in ["air", "air-0", "water-1", "air-x"] {
            assert!(model_and_batch(wrong).unwrap_err().to_string().contains("such as air-500"));
        }
    }
}
