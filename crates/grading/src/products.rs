//! Products of the results: points, and the files that were asked for.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use harness::Asked;
use system::{eprintln, print, println};

use crate::grade::{ISOLATION, ONLY};
use crate::points::{self, Grade, Points, Scored, Visibility};
use crate::verification::Record;
use crate::{class, gradescope};

/// Files that are made of the results.
#[derive(clap::Args, Default)]
pub(crate) struct Products {
    /// Points of groups of checks, in the form that --print-points prints
    #[arg(long, value_name = "FILE")]
    points: Option<PathBuf>,

    /// Write the results of one hand-in for Gradescope
    #[arg(long, value_name = "FILE")]
    pub(crate) gradescope: Option<PathBuf>,

    /// Write a text for each hand-in into this folder: its points, and the reasons for those that it lost
    #[arg(long, value_name = "DIR")]
    feedback: Option<PathBuf>,

    /// Write a table of all hand-ins
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,

    /// Write a page on the class, in Markdown: how points are distributed, which mistakes are frequent
    #[arg(long, value_name = "FILE")]
    page: Option<PathBuf>,
}

impl Products {
    pub(crate) fn points(&self) -> Result<Points> {
        let asked = harness::asked(None)?;
        let Some(path) = &self.points else { return Points::read(points::DEFAULT, &asked) };
        let text = fs::read_to_string(path)
            .with_context(|| format!("{} cannot be read", path.display()))?;
        Points::read(&text, &asked).with_context(|| format!("{} cannot be used", path.display()))
    }

    /// Refuses files in folders that are not there.
    pub(crate) fn check_folders(&self) -> Result<()> {
        for path in [&self.gradescope, &self.feedback, &self.csv, &self.page].into_iter().flatten()
        {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            if folder.is_some_and(|folder| !folder.is_dir()) {
                bail!("{} cannot be written: its folder does not exist", path.display());
            }
        }
        Ok(())
    }

    /// Prints the points, and writes what was asked for.
    pub(crate) fn write(&self, records: &[Record]) -> Result<()> {
        let points = self.points()?;
        let mut asked: BTreeMap<String, Vec<Asked>> = BTreeMap::new();
        let mut grades = Vec::new();
        for record in records {
            let only = record.versions.get(ONLY).cloned().unwrap_or_default();
            if !asked.contains_key(&only) {
                let filter = Some(&*only).filter(|only| !only.is_empty());
                let selected = harness::asked(filter)?;
                points.expect_earned(&selected, &only)?;
                asked.insert(only.clone(), selected);
            }
            grades.push(points.grade(record, &asked[&only]));
        }
        match &*grades {
            [grade] => {
                print!("{}", table(grade));
                let remarks = records.iter().flat_map(|record| &record.verified.remarks);
                remarks.for_each(|remark| println!("noted: {remark}"));
            }
            grades => grades.iter().for_each(|grade| {
                let not = if grade.error.is_some() { " (not verified)" } else { "" };
                println!("{:>7} of {} {}{not}", grade.score(), grade.points(), grade.name);
            }),
        }
        if let Some(path) = &self.gradescope {
            let ([record], [grade]) = (records, &*grades) else {
                bail!("--gradescope is for one hand-in, but there are {}", records.len());
            };
            let isolation = record.versions.get(ISOLATION).map_or("", String::as_str);
            let results = gradescope::results(grade, isolation);
            let faults = gradescope::faults(&results);
            if !faults.is_empty() {
                bail!("Gradescope would not read the results: {}", faults.join("; "));
            }
            write(path, format!("{results:#}\n").as_bytes())?;
            if grade.groups.iter().any(|group| group.visibility != Visibility::Visible) {
                eprintln!(
                    "students see no total at Gradescope as long as they cannot see all tests"
                );
            }
        }
        if let Some(folder) = &self.feedback {
            fs::create_dir_all(folder)
                .with_context(|| format!("{} cannot be made", folder.display()))?;
            for grade in &grades {
                write(&folder.join(format!("{}.txt", grade.name)), feedback(grade).as_bytes())?;
            }
        }
        if let Some(path) = &self.csv {
            write(path, &class::csv(&grades)?)?;
        }
        if let Some(path) = &self.page {
            write(path, class::page(&grades).as_bytes())?;
        }
        Ok(())
    }
}

fn write(path: &Path, contents: &[u8]) -> Result<()> {
    system::replace(path, contents).with_context(|| format!("{} cannot be written", path.display()))
}

/// The points of one hand-in, and the reasons for those that it lost.
fn feedback(grade: &Grade) -> String {
    let mut text = table(grade);
    let has_reasons = |group: &&Scored| !(group.failures.is_empty() && group.loops.is_empty());
    for group in grade.groups.iter().filter(has_reasons) {
        text += &format!(
            "\n{}\n{}\n{}",
            group.name,
            "=".repeat(group.name.len()),
            gradescope::report(group)
        );
    }
    text
}

/// The points of one hand-in, group by group.
fn table(grade: &Grade) -> String {
    let mut text = match &grade.error {
        Some(error) => format!("{}: nothing could be verified: {error}\n", grade.name),
        None => format!("{}\n", grade.name),
    };
    let width = grade.groups.iter().map(|group| group.name.chars().count()).max().unwrap_or(0);
    for group in &grade.groups {
        let gap = " ".repeat(width - group.name.chars().count());
        text += &format!(
            "  {}{gap} {:>6} of {:>2} points, {:>3} of {:>2} checks{}\n",
            group.name,
            group.score,
            group.points,
            group.passed,
            group.asked,
            if group.loops.is_empty() { "" } else { ", loops over the examples" }
        );
    }
    text + &format!("{} of {} points\n", grade.score(), grade.points())
}
