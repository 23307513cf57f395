//! A training that is killed and continued, again and again, and one that is not.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use system::println;

use super::victim::{End, Moment, run};
use super::{Campaign, Fault, read};

const TRAINING: &str =
    "mlp --smoke --offline --checkpoint-every 5 --model-name run --quiet --output";
/// The folder of the training that nobody disturbs.
const REFERENCE: &str = "undisturbed";
const LAST_CHECKPOINT: &str = "checkpoints/last.safetensors";
const LOG: &str = "metrics.csv";

/// Kills so many times: in turns at any time after the start, while steps are made, and while a file is written.
pub(super) fn killed(campaign: &mut Campaign, kills: u64) -> Result<Vec<Fault>> {
    let reference = campaign.empty(REFERENCE)?.join("run");
    let end = train(campaign, REFERENCE, &Moment::Never)?;
    let log = reference.join(LOG).metadata().context("the training left no log")?.len();
    let fault = |what| Fault { what, times: 0, inside_a_write: 0, steps: 0 };
    let mut table = [
        fault("training killed at any time"),
        fault("training killed between two steps"),
        fault("training killed while it wrote a checkpoint"),
        fault("training killed while it wrote another file of its record"),
    ];
    let (mut done, mut trainings) = (0, 0);
    while done < kills {
        let record = campaign.empty("killed")?.join("run");
        loop {
            let begun = record.join(LOG).metadata().map_or(0, |log| log.len());
            let moment = match done % 3 {
                _ if done == kills => Moment::Never,
                0 => Moment::After(Duration::from_secs_f64(
                    end.seconds * campaign.random.below(1000) as f64 / 1000.0,
                )),
                1 => Moment::Size(record.join(LOG), begun + campaign.random.below(log)),
                _ => {
                    let delay = Duration::from_micros(campaign.random.below(2000));
                    Moment::Write(campaign.random.below(end.writes), delay)
                }
            };
            let End { killed, unfinished, .. } = train(campaign, "killed", &moment)
                .with_context(|| format!("after {done} kills, the last of {}", record.display()))?;
            if !killed || is_finished(&record) {
                break;
            }
            let kind = match (unfinished.first(), moment) {
                (Some(file), _) if file.parent().is_some_and(|at| at.ends_with("checkpoints")) => 2,
                (Some(_), _) => 3,
                (None, Moment::Size(..)) => 1,
                (None, _) => 0,
            };
            let fault = &mut table[kind];
            fault.times += 1;
            fault.inside_a_write += u64::from(!unfinished.is_empty());
            fault.steps = fault.steps.max(lost(&record)?);
            done += 1;
        }
        trainings += 1;
        compare(campaign, "killed")?;
    }
    println!("{kills} kills in {trainings} trainings, each of which came to the same bits");
    Ok(table.into())
}

/// Begins or continues the training in this folder.
pub(super) fn train(campaign: &Campaign, folder: &str, moment: &Moment) -> Result<End> {
    let record = campaign.folder.join(folder).join("run");
    let mut command = starting(campaign, folder);
    if record.join(LAST_CHECKPOINT).exists() {
        command.arg("--resume");
    }
    run(&mut command, moment, &[record.clone(), record.join("checkpoints")])
}

/// The command that begins the training in this folder.
pub(super) fn starting(campaign: &Campaign, folder: &str) -> Command {
    let mut command = campaign.command("kaggle", TRAINING);
    command.arg(folder);
    command
}

fn is_finished(record: &Path) -> bool {
    fs::read_to_string(record.join("summary.json"))
        .is_ok_and(|summary| summary.contains("\"status\": \"finished\""))
}

/// The steps that were made after the last checkpoint.
pub(super) fn lost(record: &Path) -> Result<u64> {
    Ok(steps_in_log(record)?.saturating_sub(checkpoint(record)?))
}

/// The iteration of the last whole row of the log; 0 if there is none.
fn steps_in_log(record: &Path) -> Result<u64> {
    let log = fs::read_to_string(record.join(LOG)).unwrap_or_default();
    let rows = log.rsplit_once('\n').map_or("", |(whole, _)| whole).lines().skip(1);
    let last = rows.last().and_then(|row| row.split(',').nth(1));
    last.map_or(Ok(0), |iteration| iteration.parse().context("a row without an iteration"))
}

/// The iteration of the last checkpoint; 0 if there is none.
fn checkpoint(record: &Path) -> Result<u64> {
    let file = record.join(LAST_CHECKPOINT);
    if !file.exists() {
        return Ok(0);
    }
    let header: Value = serde_json::from_slice(parts(&read(&file)?)?.0)?;
    let run = header["__metadata__"]["run"].as_str().context("a checkpoint without a state")?;
    let run: Value = serde_json::from_str(run)?;
    run["position"]["iteration"].as_u64().context("a checkpoint without a position")
}

/// The header of a safetensors file, and its numbers.
fn parts(file: &[u8]) -> Result<(&[u8], &[u8])> {
    let (length, rest) = file.split_first_chunk().context("a checkpoint of no byte")?;
    let length = usize::try_from(u64::from_le_bytes(*length))?;
    rest.split_at_checked(length).context("a checkpoint that is cut off")
}

/// Compares all numbers of the training with those of the undisturbed one: the log, which has no time, the parameters,
/// and what the checkpoints have besides their headers, which have the time that a training took.
pub(super) fn compare(campaign: &Campaign, folder: &str) -> Result<()> {
    let [record, reference] =
        [folder, REFERENCE].map(|root| campaign.folder.join(root).join("run"));
    for name in
        [LOG, "parameters.npz", "confusion.csv", LAST_CHECKPOINT, "checkpoints/best.safetensors"]
    {
        let (one, other) = (read(&record.join(name))?, read(&reference.join(name))?);
        let same = match name.ends_with(".safetensors") {
            true => parts(&one)?.1 == parts(&other)?.1,
            false => one == other,
        };
        ensure!(
            same,
            "{} differs from that of an undisturbed training",
            record.join(name).display()
        );
    }
    Ok(())
}
