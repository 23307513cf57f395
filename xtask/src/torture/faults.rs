//! Disks and folders that fail under a training, and a second one in its folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use system::println;

use super::training::{compare, lost, starting, train};
use super::victim::Moment;
use super::{Campaign, Fault};

pub(super) fn all(campaign: &Campaign) -> Result<Vec<Fault>> {
    let mut table = vec![moved_away(campaign)?, two_in_a_folder(campaign)?];
    let place = campaign.empty(DISK)?;
    match Disk::mount(&place, "size=64k") {
        Some(disk) => {
            drop(disk);
            table.extend([full_disk(campaign, &place)?, read_only(campaign, &place)?]);
        }
        None => {
            println!("skipped, because no disk can be mounted (root can): full and read-only disks")
        }
    }
    Ok(table)
}

const DISK: &str = "disk";

/// Unmounts what an earlier campaign left mounted when it was killed.
pub(super) fn tidy(campaign: &Campaign) {
    drop(Disk(campaign.folder.join(DISK)));
}

/// A fault that was tried once, and cost so many steps.
fn once(what: &'static str, steps: u64) -> Fault {
    Fault { what, times: 1, inside_a_write: 0, steps }
}

/// The message of the training in this folder, which has to fail.
fn refused(campaign: &Campaign, folder: &str, option: &str) -> Result<String> {
    let mut command = starting(campaign, folder);
    let output = command.args(option.split_whitespace()).output()?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.code() == Some(1), "{command:?}: {}: {said}", output.status);
    Ok(said)
}

/// Continues the training and compares it with the undisturbed one.
fn continued(campaign: &Campaign, folder: &str) -> Result<()> {
    train(campaign, folder, &Moment::Never)?;
    compare(campaign, folder)
}

fn moved_away(campaign: &Campaign) -> Result<Fault> {
    let root = campaign.empty("moved")?;
    let (record, aside) = (root.join("run"), root.join("aside"));
    let mut command = starting(campaign, "moved");
    let child = command.stderr(std::process::Stdio::piped()).spawn()?;
    wait_for(&record.join("metrics.csv"), 300);
    fs::rename(&record, &aside).context("cannot move the record away")?;
    let output = child.wait_with_output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(said.contains("No such file or directory"), "{}: {said}", output.status);
    ensure!(!record.exists(), "the record was begun anew without its log");
    fs::rename(&aside, &record).context("cannot move the record back")?;
    let steps = lost(&record)?;
    continued(campaign, "moved")?;
    Ok(once("folder of a training moved away under it, and back", steps))
}

fn two_in_a_folder(campaign: &Campaign) -> Result<Fault> {
    let record = campaign.empty("two")?.join("run");
    let mut first = starting(campaign, "two").spawn()?;
    wait_for(&record.join("metrics.csv"), 300);
    let said = refused(campaign, "two", "--overwrite");
    first.kill().context("the first of two trainings cannot be killed")?;
    first.wait()?;
    let said = said?;
    ensure!(said.contains("is being written by another process"), "the second of two: {said}");
    let steps = lost(&record)?;
    continued(campaign, "two")?;
    Ok(once("two trainings in one folder, of which the first is killed", steps))
}

/// Disks on which more and more of the record has room, and which are enlarged then.
fn full_disk(campaign: &Campaign, place: &Path) -> Result<Fault> {
    let record = campaign.folder.join("undisturbed/run");
    let checkpoint = record.join("checkpoints/last.safetensors").metadata()?.len();
    let (mut times, mut steps) = (0, 0);
    for quarters in 1..=12 {
        let size = checkpoint * quarters / 4;
        let disk = Disk::mount(place, &format!("size={size}")).context("cannot mount a disk")?;
        let output = starting(campaign, DISK).output()?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            ensure!(said.contains("No space left on device"), "{}: {said}", output.status);
            times += 1;
            steps = steps.max(lost(&place.join("run"))?);
            ensure!(disk.call("remount,size=100%"), "cannot enlarge a disk");
            continued(campaign, DISK)?;
        }
    }
    Ok(Fault { what: "disk full under a training, and enlarged", times, inside_a_write: 0, steps })
}

fn read_only(campaign: &Campaign, place: &Path) -> Result<Fault> {
    let _disk = Disk::mount(place, "size=64m,ro").context("cannot mount a disk")?;
    let said = refused(campaign, DISK, "")?;
    ensure!(said.contains("Read-only file system"), "{said}");
    Ok(once("training on a read-only disk", 0))
}

/// Waits until the file has so many bytes, for half a minute at most.
fn wait_for(file: &Path, bytes: u64) {
    for _ in 0..30_000 {
        if file.metadata().is_ok_and(|file| file.len() >= bytes) {
            return;
        }
        thread::sleep(Duration::from_millis(1));
    }
}

/// A small disk in memory, mounted until it is dropped.
struct Disk(PathBuf);

impl Disk {
    fn mount(place: &Path, options: &str) -> Option<Self> {
        let disk = Self(place.to_owned());
        disk.call(options).then_some(disk)
    }

    fn call(&self, options: &str) -> bool {
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(&self.0);
        mount.output().is_ok_and(|output| output.status.success())
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).output();
    }
}
