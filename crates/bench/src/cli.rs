//! The command line.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use anyhow::{Context, Result, bail, ensure};
use bench::{By, Measurement, PeakMemory, Record, SCHEMA, StepProfile};
use clap::Parser;
use experiment::Program;
use system::{print, println};

use crate::machine::{machine_cases, vector_lanes};
use crate::models::BenchModel;
use crate::peer::Peer;
use crate::plan::{GROUPS, profiled, takes_part};
use crate::rounds::{self, Case};
use crate::steps::{profile_step, steps_for_peak_memory};
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

    fn wants(&self, name: &str) -> bool {
        self.filters.is_empty() || self.filters.iter().any(|filter| name.contains(filter.as_str()))
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
            let peer = Peer::start(by, arguments.python(), threads)?;
            peer.introduce(&mut session.record);
            session.peers.push((by, Arc::new(Mutex::new(peer))));
        }
        Ok(session)
    }

    fn measure(mut self) -> Result<()> {
        print!("{}", tables::head(&self.record));
        self.profiles()?;
        self.memory()?;
        for group in GROUPS.iter().filter(|group| self.arguments.scaling || !group.scaling) {
            let cases = group.cases(self.threads, &|name| self.arguments.wants(name))?;
            if cases.is_empty() {
                continue;
            }
            let mut all = machine_cases(self.threads);
            let limits = all.len();
            all.extend(self.with_peers(cases)?);
            let mut machine = rounds::run(all, self.record.rounds, progress)?;
            progress("");
            let measurements = machine.split_off(limits);
            // The machine is measured along with every group, and all of that counts.
            let record = &mut self.record.measurements;
            for more in machine {
                match record.iter_mut().find(|known| known.name == more.name) {
                    Some(known) => known.seconds.extend(more.seconds),
                    None => record.push(more),
                }
            }
            print!("{}", tables::group(group.title, &self.record, &measurements));
            self.record.measurements.extend(measurements);
            self.save()?;
        }
        let filters = &self.arguments.filters.join(" or ");
        let Record { measurements, profiles, memory, .. } = &self.record;
        ensure!(
            !(measurements.is_empty() && profiles.is_empty() && memory.is_empty()),
            "nothing is called like {filters}: see the names of a run without a filter"
        );
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

    /// Adds the cases of the peers, each behind ours; where ours are several algorithms, behind the last.
    fn with_peers(&self, ours: Vec<Case>) -> Result<Vec<Case>> {
        let mut cases: Vec<Case> = Vec::new();
        let mut ours = ours.into_iter().peekable();
        while let Some(case) = ours.next() {
            let Measurement { name, .. } = &case.measurement;
            let key = |case: &Case| case.measurement.key().to_owned();
            let last = ours.peek().is_none_or(|next| key(next) != key(&case));
            let peers = self.peers.iter().filter(|(by, _)| last && takes_part(*by, name));
            let theirs: Vec<Case> =
                peers.map(|(_, peer)| Peer::case(peer, &case)).collect::<Result<_>>()?;
            cases.push(case);
            cases.extend(theirs);
        }
        Ok(cases)
    }

    fn profiles(&mut self) -> Result<()> {
        for (model, batch) in profiled() {
            if self.arguments.wants(&format!("profile/{}-{batch}", model.name)) {
                let table = profile_step(&model, batch, self.record.rounds)?;
                println!("\n{}, batches of {batch}, {table}", model.name);
                let model = model.name.to_owned();
                self.record.profiles.push(StepProfile { model, batch, table });
            }
        }
        Ok(())
    }

    fn memory(&mut self) -> Result<()> {
        let (model, batch) = (BenchModel::air(1.0), MEMORY_BATCH);
        if !self.arguments.wants(&format!("peak-memory/{}-{batch}", model.name)) {
            return Ok(());
        }
        let mut found = vec![(By::Ours, ours_in_a_process_of_its_own(self.threads)?)];
        if self.arguments.torch.is_some() {
            let peer = Peer::start(By::Pytorch, self.arguments.python(), self.threads)?;
            found.push((By::Pytorch, peer.peak_memory(&model, batch, self.threads)?));
        }
        println!("\npeak memory of training {}, batches of {batch}", model.name);
        for (by, bytes) in found {
            println!("  {by:14} {:8.2} GB", bytes as f64 / 1e9);
            self.record.memory.push(PeakMemory { model: model.name.to_owned(), batch, by, bytes });
        }
        Ok(())
    }
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
    use super::*;

    fn parsed(line: &str) -> Result<Arguments, clap::Error> {
        Arguments::try_parse_from(["bench"].into_iter().chain(line.split_whitespace()))
    }

    #[test]
    fn peers_are_asked_for_and_python_is_an_option_of_an_option() {
        for (line, peers, python) in [
            ("step", &[][..], ""),
            ("step --candle", &[By::Candle], ""),
            ("--burn step --torch", &[By::Pytorch, By::PytorchTuned, By::Burn], "python3"),
            ("--torch=a/python step", &[By::Pytorch, By::PytorchTuned], "a/python"),
            // What follows without `=` is a filter.
            ("--torch step", &[By::Pytorch, By::PytorchTuned], "python3"),
        ] {
            let arguments = parsed(line).unwrap();
            assert_eq!(arguments.filters, ["step"], "{line}");
            assert_eq!(arguments.peers().collect::<Vec<_>>(), peers, "{line}");
            assert_eq!(arguments.python(), python, "{line}");
        }
        assert!(parsed("--burn=flex").is_err() && parsed("--rounds 0").is_err());
    }

    #[test]
    fn a_filter_is_a_part_of_a_name_and_one_of_several_is_enough() {
        assert!(parsed("").unwrap().wants("conv/31x31"));
        assert!(parsed("conv step").unwrap().wants("step/air-500/ours"));
        assert!(!parsed("air-64").unwrap().wants("step/air-500/ours"));
    }
}
