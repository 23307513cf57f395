//! The command line.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use anyhow::{Context, Result, bail};
use bench::{
    BenchModel, By, Case, Introduction, Measurement, PeakMemory, Peer, Record, SCHEMA, StepProfile,
    machine_cases, profile_step, steps_for_peak_memory, vector_lanes,
};
use clap::Parser;
use experiment::Program;
use system::{print, println};

use crate::plan::{GROUPS, profiled, takes_part};
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
    /// Make some training steps of the network air, and print the peak memory of the process
    #[arg(long, hide = true)]
    peak_memory: bool,
}

impl Arguments {
    /// The frameworks that take part.
    fn peers(&self) -> impl Iterator<Item = By> {
        let takes_part = |by: &By| match by {
            By::Pytorch | By::PytorchTuned => self.torch.is_some(),
            By::Candle => self.candle,
            By::Burn => self.burn,
            _ => false,
        };
        By::PEERS.into_iter().filter(takes_part)
    }

    fn python(&self) -> &str {
        self.torch.as_deref().unwrap_or_default()
    }
}

pub(crate) fn run() -> Result<()> {
    let arguments = Arguments::parse();
    if let Some(threads) = arguments.threads {
        // The pool of what runs outside of a case, such as profiles.
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.into());
        pool.build_global().context("cannot start threads")?;
    }
    if arguments.peak_memory {
        println!("{}", steps_for_peak_memory(&BenchModel::air(1.0), MEMORY_BATCH)?);
        return Ok(());
    }
    Session::begin(&arguments)?.measure()
}

/// The batch of the training whose peak memory is measured.
const MEMORY_BATCH: usize = 500;

/// A benchmark under way.
struct Session<'a> {
    arguments: &'a Arguments,
    threads: usize,
    peers: Vec<(By, Arc<Mutex<Peer>>)>,
    record: Record,
}

impl<'a> Session<'a> {
    fn begin(arguments: &'a Arguments) -> Result<Self> {
        let threads = rayon::current_num_threads();
        let mut session = Self {
            arguments,
            threads,
            peers: Vec::new(),
            record: Record {
                schema: SCHEMA,
                command: provenance::command_line(),
                date: provenance::now(),
                program: Program::current(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION")),
                compiler: provenance::compiler(),
                machine: experiment::Machine::current(),
                features: provenance::features(),
                lanes: vector_lanes(),
                threads,
                rounds: arguments.rounds.into(),
                torch: None,
                frameworks: Vec::new(),
                measurements: Vec::new(),
                profiles: Vec::new(),
                memory: Vec::new(),
            },
        };
        for by in arguments.peers() {
            let (peer, introduction) = Peer::start(by, arguments.python(), threads)?;
            match introduction {
                Introduction::Torch(torch) => session.record.torch = Some(torch),
                Introduction::Framework(framework) => session.record.frameworks.push(framework),
            }
            session.peers.push((by, Arc::new(Mutex::new(peer))));
        }
        Ok(session)
    }

    fn measure(mut self) -> Result<()> {
        print!("{}", tables::head(&self.record));
        let profiled = self.profiles()?;
        let mut any = self.memory()? || profiled;
        // The machine is measured along with every group, and all of that counts.
        let mut machine: Vec<Measurement> = Vec::new();
        for group in GROUPS.iter().filter(|group| self.arguments.scaling || !group.scaling) {
            let cases = group.cases(self.threads, &|name| self.wanted(name))?;
            if cases.is_empty() {
                continue;
            }
            any = true;
            let mut all = machine_cases(self.threads);
            let limits = all.len();
            all.extend(self.with_peers(cases)?);
            let mut measured = bench::run(all, self.record.rounds, progress)?;
            progress("");
            let measurements = measured.split_off(limits);
            if machine.is_empty() {
                machine = measured;
            } else {
                for (all, more) in machine.iter_mut().zip(measured) {
                    all.seconds.extend(more.seconds);
                }
            }
            self.record.measurements.retain(|m| !m.name.starts_with("machine/"));
            self.record.measurements.splice(0..0, machine.clone());
            print!("{}", tables::group(group.title, &self.record, &measurements));
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

    /// Adds the cases of the peers, each behind ours; where ours are several algorithms, behind the last.
    fn with_peers(&self, ours: Vec<Case>) -> Result<Vec<Case>> {
        let mut cases: Vec<Case> = Vec::new();
        let mut ours = ours.into_iter().peekable();
        while let Some(case) = ours.next() {
            let Measurement { name, .. } = &case.measurement;
            let key = |case: &Case| case.measurement.key().to_owned();
            let last = ours.peek().is_none_or(|next| key(next) != key(&case));
            let peers = self.peers.iter().filter(|(by, _)| last && takes_part(*by, name));
            let theirs: Result<Vec<Case>> =
                peers.map(|(_, peer)| Peer::case(peer, &case)).collect();
            let theirs = theirs?;
            cases.push(case);
            cases.extend(theirs);
        }
        Ok(cases)
    }

    fn profiles(&mut self) -> Result<bool> {
        let mut any = false;
        for (model, batch) in profiled() {
            if self.wanted(&format!("profile/{}-{batch}", model.name)) {
                any = true;
                let table = profile_step(&model, batch, self.record.rounds)?;
                println!("\n{}, batches of {batch}, {table}", model.name);
                let model = model.name.to_owned();
                self.record.profiles.push(StepProfile { model, batch, table });
            }
        }
        Ok(any)
    }

    fn memory(&mut self) -> Result<bool> {
        let (model, batch) = (BenchModel::air(1.0), MEMORY_BATCH);
        if !self.wanted(&format!("peak-memory/{}-{batch}", model.name)) {
            return Ok(false);
        }
        let mut found = vec![(By::Ours, ours_in_a_process_of_its_own(self.threads)?)];
        if self.arguments.torch.is_some() {
            let (peer, _) = Peer::start(By::Pytorch, self.arguments.python(), self.threads)?;
            found.push((By::Pytorch, peer.peak_memory(&model, batch, self.threads)?));
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

fn ours_in_a_process_of_its_own(threads: usize) -> Result<u64> {
    let program = std::env::current_exe().context("cannot find this program")?;
    let output = std::process::Command::new(program)
        .args(["--peak-memory", "--threads", &threads.to_string()])
        .output()
        .context("cannot start this program again")?;
    let text = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        bail!("a training failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    text.trim().parse().with_context(|| format!("expected a number of bytes, got {text:?}"))
}

/// Replaces the line of progress, on a terminal.
fn progress(what: &str) {
    let mut out = std::io::stderr();
    if out.is_terminal() {
        // A reader who has gone away is no reason to stop.
        let _ = write!(out, "\r\x1b[K{what}").and_then(|()| out.flush());
    }
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
    fn peers_are_asked_for() {
        let peers = |line: &str| -> Vec<By> {
            let line = ["bench"].into_iter().chain(line.split(' '));
            let arguments = Arguments::try_parse_from(line).unwrap();
            assert_eq!(arguments.filters, ["step"]);
            arguments.peers().collect()
        };
        assert_eq!(peers("step --candle"), [By::Candle]);
        assert_eq!(peers("--burn step --torch"), [By::Pytorch, By::PytorchTuned, By::Burn]);
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
}
