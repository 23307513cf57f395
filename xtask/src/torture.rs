//! `cargo xtask torture`: programs that are killed at any moment, and continued.

mod faults;
mod training;
mod victim;
mod whole_files;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};
use serde::Serialize;
use system::println;

use crate::{command, workspace};

/// Kill trainings, predictions and imports of data at random moments, and check what is left
///
/// A training of Fashion-MNIST on a subset is killed, continued and killed again; whenever one has come to its
/// end, its log and its parameters are compared with those of one that nobody killed. Then files that
/// are written while the program is killed are looked at, and disks that are full and the like are tried. It
/// takes minutes. Needs Fashion-MNIST (`cargo xtask data fashion-mnist`); root, to mount small disks.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Kills of trainings; a quarter of them each for predictions and imports of data
    #[arg(long, value_name = "N", default_value_t = 100)]
    kills: u64,
    /// Seed of the moments
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// File that gets the outcome as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// A fault: what was done to a program, how often, and what was lost.
#[derive(Serialize)]
struct Fault {
    what: &'static str,
    times: u64,
    /// The number of times that it left a file half-written, under a temporary name.
    inside_a_write: u64,
    /// The most steps that had to be made again.
    steps: u64,
}

/// The outcome of a campaign, as the book reads it.
#[derive(Serialize)]
struct Outcome {
    command: String,
    /// The commit of the programs, and its date.
    revision: String,
    faults: Vec<Fault>,
}

/// The programs, the folder for what they write, and the random numbers.
struct Campaign {
    programs: PathBuf,
    folder: PathBuf,
    random: Random,
}

impl Campaign {
    /// A call of a program of the workspace in the folder of the campaign.
    fn command(&self, program: &str, arguments: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command.args(arguments.split_whitespace()).current_dir(&self.folder);
        command
    }

    /// A folder of this name that is empty.
    fn empty(&self, name: &str) -> Result<PathBuf> {
        let folder = self.folder.join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder)
                .with_context(|| format!("cannot remove {}", folder.display()))?;
        }
        fs::create_dir_all(&folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
        Ok(folder)
    }
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let Arguments { kills, seed, json } = arguments;
    for program in ["kaggle", "data"] {
        if command::program(program)?.is_none() {
            return Ok(ExitCode::FAILURE);
        }
    }
    let target = system::target_folder(&workspace::root()?)?;
    let (programs, folder) = (target.join("debug"), target.join("torture"));
    let mut campaign = Campaign { programs, folder, random: Random(*seed) };
    faults::tidy(&campaign);
    campaign.empty("")?;
    let mut table = training::killed(&mut campaign, *kills)?;
    table.extend(whole_files::killed(&mut campaign, kills.div_ceil(4))?);
    table.extend(faults::all(&campaign)?);

    println!("\ntimes  inside a write  steps lost at most  fault");
    for Fault { what, times, inside_a_write, steps } in &table {
        println!("{times:5}  {inside_a_write:14}  {steps:18}  {what}");
    }
    if let Some(file) = json {
        let outcome = Outcome {
            command: format!("cargo xtask torture --kills {kills} --seed {seed}"),
            revision: command::revision()?,
            faults: table,
        };
        let text = serde_json::to_string_pretty(&outcome).context("no JSON of the table")?;
        system::replace(file, format!("{text}\n").as_bytes())
            .with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The contents of a file.
fn read(file: &Path) -> Result<Vec<u8>> {
    fs::read(file).with_context(|| format!("cannot read {}", file.display()))
}

/// Random numbers by SplitMix64.
struct Random(u64);

impl Random {
    /// A number below `n`, which is not 0.
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % n.max(1)
    }
}
