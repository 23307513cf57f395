//! The two tables of a sweep: `runs.csv` and `table.csv`, whose columns depend on the axes.

use std::path::Path;

use crate::sweep::{Measured, SetSpreads, tabulate};
use crate::{ExperimentError, Role, SweepConfig, SweepRun, SweepSet, atomic};

const RUN_COLUMNS: [&str; 6] =
    ["seed", "status", "train_loss", "train_error", "val_loss", "val_error"];

const SET_COLUMNS: [&str; 8] = [
    "runs",
    "diverged",
    "train_loss_mean",
    "train_error_mean",
    "val_loss_mean",
    "val_loss_sd",
    "val_error_mean",
    "val_error_sd",
];

pub(crate) fn write_runs(
    file: &Path,
    config: &SweepConfig,
    table: &[SweepSet],
    runs: &[SweepRun],
) -> Result<(), ExperimentError> {
    let header = header(&["set"], config, &RUN_COLUMNS);
    let rows = runs.iter().map(|run| run_row(run, &table[run.set].values));
    write(file, header, rows)
}

fn run_row(run: &SweepRun, values: &[String]) -> Vec<String> {
    let mut row = vec![run.set.to_string()];
    row.extend_from_slice(values);
    row.push(run.seed.to_string());
    match run.result {
        Some((train, validation)) => {
            row.push("finished".to_owned());
            let numbers = [train.loss, train.error, validation.loss, validation.error];
            row.extend(numbers.map(|number| number.to_string()));
        }
        None => {
            row.push("diverged".to_owned());
            row.extend([const { String::new() }; 4]);
        }
    }
    row
}

pub(crate) fn write_table(
    file: &Path,
    config: &SweepConfig,
    table: &[SweepSet],
) -> Result<(), ExperimentError> {
    let header = header(&["set", "role"], config, &SET_COLUMNS);
    write(file, header, table.iter().map(set_row))
}

fn set_row(set: &SweepSet) -> Vec<String> {
    let mut row = vec![set.set.to_string(), set.role.name().to_owned()];
    row.extend_from_slice(&set.values);
    row.extend([set.runs.to_string(), set.diverged.to_string()]);
    match set.spreads {
        Some(SetSpreads { train_loss, train_error, val_loss, val_error }) => {
            let means = [train_loss.mean, train_error.mean];
            let spreads = [val_loss.mean, val_loss.sd, val_error.mean, val_error.sd];
            row.extend(means.iter().chain(&spreads).map(f64::to_string));
        }
        None => row.extend([const { String::new() }; 6]),
    }
    row
}

/// Reads `runs.csv`: every set with every seed, in order.
pub(crate) fn read_runs(
    file: &Path,
    config: &SweepConfig,
) -> Result<Vec<SweepRun>, ExperimentError> {
    let rows = read(file, header(&["set"], config, &RUN_COLUMNS))?;
    let axes = config.axes.len();
    let seeds = config.seeds.len();
    let mut runs = Vec::with_capacity(rows.len());
    for (index, row) in rows.iter().enumerate() {
        let invalid = |expected: &str| {
            let expected = format!("{expected} in line {}", index + 2);
            ExperimentError::invalid(file, expected, row.join(","))
        };
        let (set, seed) = (index / seeds.max(1), config.seeds.get(index % seeds.max(1)));
        if row[0] != set.to_string() || Some(&row[1 + axes]) != seed.map(u64::to_string).as_ref() {
            return Err(invalid("every set with every seed, in order, next: another run"));
        }
        let [seed, status, numbers @ ..] = &row[1 + axes..] else {
            return Err(invalid("seed and status"));
        };
        let seed = seed.parse().map_err(|_| invalid("a seed"))?;
        let result = match status.as_str() {
            "diverged" if numbers.iter().all(String::is_empty) => None,
            "finished" => {
                let numbers: Vec<f64> = numbers
                    .iter()
                    .map(|text| text.parse().ok().filter(|x: &f64| x.is_finite()))
                    .collect::<Option<_>>()
                    .ok_or_else(|| invalid("four finite numbers"))?;
                let measured = |at: usize| Measured { loss: numbers[at], error: numbers[at + 1] };
                Some((measured(0), measured(2)))
            }
            _ => return Err(invalid("finished with numbers, or diverged without")),
        };
        runs.push(SweepRun { set, seed, result });
    }
    if runs.is_empty() || runs.len() % seeds != 0 {
        let expected = format!("{seeds} runs for each set");
        return Err(ExperimentError::invalid(file, expected, format!("{} runs", runs.len())));
    }
    Ok(runs)
}

/// Reads `table.csv`, which must be what follows from the runs.
pub(crate) fn read_table(
    file: &Path,
    config: &SweepConfig,
    runs: &[SweepRun],
) -> Result<Vec<SweepSet>, ExperimentError> {
    let rows = read(file, header(&["set", "role"], config, &SET_COLUMNS))?;
    let mut sets = Vec::with_capacity(rows.len());
    for (index, row) in rows.iter().enumerate() {
        let role = match row[1].as_str() {
            "candidate" => Role::Candidate,
            "baseline" => Role::Baseline,
            other => {
                let expected = format!("candidate or baseline in line {}", index + 2);
                return Err(ExperimentError::invalid(file, expected, other));
            }
        };
        sets.push((role, row[2..2 + config.axes.len()].to_vec()));
    }
    let table = tabulate(&sets, runs);
    let expected: Vec<_> = table.iter().map(set_row).collect();
    for (index, (expected, row)) in expected.iter().zip(&rows).enumerate() {
        if expected != row {
            let expected = format!("{} in line {}, from runs.csv", expected.join(","), index + 2);
            return Err(ExperimentError::invalid(file, expected, row.join(",")));
        }
    }
    let of_runs = runs.last().map_or(0, |run| run.set + 1);
    if table.len() != of_runs {
        let expected = format!("the {of_runs} sets of runs.csv");
        return Err(ExperimentError::invalid(file, expected, format!("{} sets", table.len())));
    }
    Ok(table)
}

fn header(before: &[&str], config: &SweepConfig, after: &[&str]) -> Vec<String> {
    let axes = config.axes.iter().map(|axis| axis.name.as_str());
    before.iter().copied().chain(axes).chain(after.iter().copied()).map(str::to_owned).collect()
}

fn write(
    file: &Path,
    header: Vec<String>,
    rows: impl Iterator<Item = Vec<String>>,
) -> Result<(), ExperimentError> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let failed = |error: csv::Error| ExperimentError::io("write", file)(error.into());
    for row in std::iter::once(header).chain(rows) {
        writer.write_record(row).map_err(failed)?;
    }
    let bytes = writer
        .into_inner()
        .map_err(|error| ExperimentError::io("write", file)(error.into_error()))?;
    atomic::write(file, &bytes)
}

/// The rows below this header; the reader makes sure that each has as many cells.
fn read(file: &Path, header: Vec<String>) -> Result<Vec<Vec<String>>, ExperimentError> {
    let mut reader = csv::Reader::from_path(file)
        .map_err(|error| ExperimentError::io("read", file)(error.into()))?;
    let invalid = |error: csv::Error| ExperimentError::invalid(file, "CSV", error.to_string());
    let got = reader.headers().map_err(invalid)?;
    if got.iter().ne(header.iter().map(String::as_str)) {
        let expected = format!("the columns {}", header.join(","));
        return Err(ExperimentError::invalid(
            file,
            expected,
            got.iter().collect::<Vec<_>>().join(","),
        ));
    }
    reader
        .records()
        .map(|row| Ok(row.map_err(invalid)?.iter().map(str::to_owned).collect()))
        .collect()
}
