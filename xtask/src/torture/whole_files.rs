//! Files that are written in place of good ones by a program that is killed.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::victim::{End, Moment, run};
use super::{Campaign, Fault, read};

/// Kills each of two programs so many times, in turns at any time and while a file is written.
pub(super) fn killed(campaign: &mut Campaign, kills: u64) -> Result<Vec<Fault>> {
    let folder = campaign.empty("predicted")?;
    fs::write(campaign.folder.join("two.npy"), two_images()).context("cannot write images")?;
    let predict = |campaign: &Campaign, moment: &Moment| {
        let mut command = campaign
            .command("kaggle", "--offline --checkpoint shipped --tta none --test-data ../two.npy");
        command.current_dir(&folder);
        run(&mut command, moment, std::slice::from_ref(&folder))
    };
    let predictions = again_and_again(campaign, kills, &predict, &folder)?;

    let (place, source) = (campaign.empty("data")?, fashion_mnist(campaign)?);
    let folder = place.join("fashion-mnist");
    let import = |campaign: &Campaign, moment: &Moment| {
        let mut command = campaign.command("data", "fashion-mnist --from");
        command.arg(&source).arg("--data-dir").arg(&place);
        run(&mut command, moment, std::slice::from_ref(&folder))
    };
    let imports = again_and_again(campaign, kills, &import, &folder)?;
    let fault = |what, inside_a_write| Fault { what, times: kills, inside_a_write, steps: 0 };
    Ok(vec![fault("prediction killed", predictions), fault("import of data killed", imports)])
}

type Program<'a> = &'a dyn Fn(&Campaign, &Moment) -> Result<End>;

/// The number of kills within the write of a file. After each, every file is the one that a program writes that
/// is not killed, or not there, or as it was before.
fn again_and_again(
    campaign: &mut Campaign,
    kills: u64,
    program: Program<'_>,
    folder: &Path,
) -> Result<u64> {
    let End { seconds, writes, .. } = program(campaign, &Moment::Never)?;
    let entries = fs::read_dir(folder).context("the program wrote nothing")?.flatten();
    let files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    let good = files.iter().map(|file| read(file)).collect::<Result<Vec<_>>>()?;
    let (mut done, mut inside) = (0, 0);
    while done < kills {
        // An older file on every other turn.
        let older = (done % 4 < 2).then_some(&b"older"[..]);
        for file in &files {
            match older {
                Some(bytes) => fs::write(file, bytes),
                None => fs::remove_file(file),
            }
            .with_context(|| format!("cannot change {}", file.display()))?;
        }
        let moment = match done % 2 {
            0 => Moment::After(Duration::from_secs_f64(
                seconds * campaign.random.below(1000) as f64 / 1000.0,
            )),
            _ => Moment::Write(
                campaign.random.below(writes),
                Duration::from_micros(campaign.random.below(1000)),
            ),
        };
        let End { killed, unfinished, .. } = program(campaign, &moment)?;
        for (file, good) in files.iter().zip(&good) {
            let there = if file.exists() { Some(read(file)?) } else { None };
            let is_whole = there.as_deref() == Some(good) || (killed && there.as_deref() == older);
            ensure!(is_whole, "{} is neither the old nor the new file", file.display());
        }
        // What comes after it is as if nobody had been killed.
        program(campaign, &Moment::Never)?;
        for (file, good) in files.iter().zip(&good) {
            ensure!(read(file)? == *good, "{} is not the new file", file.display());
        }
        done += u64::from(killed);
        inside += u64::from(!unfinished.is_empty());
    }
    Ok(inside)
}

/// Two images as an array of NumPy.
fn two_images() -> Vec<u8> {
    let header = "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3072), }";
    // The length of all that comes before the numbers is a multiple of 64.
    let header = format!("{header:117}\n");
    let numbers = (0..2 * 3072_u32).map(|n| (n * n % 251) as u8);
    b"\x93NUMPY\x01\x00\x76\x00".iter().copied().chain(header.bytes()).chain(numbers).collect()
}

/// The folder with the files of Fashion-MNIST on this machine.
fn fashion_mnist(campaign: &Campaign) -> Result<PathBuf> {
    let output = campaign.command("data", "where fashion-mnist").output()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let folder = said.lines().find_map(|line| line.strip_prefix("fashion-mnist: "));
    let folder = folder.map(PathBuf::from).filter(|folder| folder.is_dir());
    folder.with_context(|| format!("no folder of Fashion-MNIST in {said:?}"))
}
