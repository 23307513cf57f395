//! The two tables of a sweep: `runs.csv` and `table.csv`, whose columns depend on the axes.

use std::path::Path;

use crate::sweep::{Measured, SetSpreads, tabulate};
use crate::{ExperimentError, Role, SweepConfig, SweepRun, SweepSet, table_file};

const RUN_COLUMNS: &str = "seed,status,train_loss,train_error,val_loss,val_error";
const SET_COLUMNS: &str = "runs,diverged,train_loss_mean,train_error_mean,val_loss_mean,\
                           val_loss_sd,val_error_mean,val_error_sd";

fn header(before: &str, config: &SweepConfig, after: &str) -> Vec<String> {
    let [before, after] = [before, after].map(|names| names.split(',').map(str::to_owned));
    before.chain(config.axes.iter().map(|axis| axis.name.clone())).chain(after).collect()
}

fn texts<const N: usize>(numbers: Option<[f64; N]>) -> [String; N] {
    numbers.map_or([const { String::new() }; N], |numbers| numbers.map(|x| x.to_string()))
}

pub(crate) fn write_runs(
    file: &Path,
    config: &SweepConfig,
    table: &[SweepSet],
    runs: &[SweepRun],
) -> Result<(), ExperimentError> {
    let row = |run: &SweepRun| {
        let status = if run.result.is_some() { "finished" } else { "diverged" };
        let numbers = run.result.map(|(t, v)| [t.loss, t.error, v.loss, v.error]);
        let mut row = vec![run.set.to_string()];
        row.extend_from_slice(&table[run.set].values);
        row.extend([run.seed.to_string(), status.to_owned()]);
        row.extend(texts(numbers));
        row
    };
    let header = header("set", config, RUN_COLUMNS);
    table_file::write(file, [header].into_iter().chain(runs.iter().map(row)))
}

pub(crate) fn write_table(
    file: &Path,
    config: &SweepConfig,
    table: &[SweepSet],
) -> Result<(), ExperimentError> {
    table_file::write(file, table_rows(config, table))
}

fn table_rows(config: &SweepConfig, table: &[SweepSet]) -> Vec<Vec<String>> {
    let row = |set: &SweepSet| {
        let numbers = set.spreads.map(|spreads| {
            let SetSpreads { train_loss, train_error, val_loss, val_error } = spreads;
            let [loss, error] = [val_loss, val_error];
            [train_loss.mean, train_error.mean, loss.mean, loss.sd, error.mean, error.sd]
        });
        let mut row = vec![set.set.to_string(), set.role.name().to_owned()];
        row.extend_from_slice(&set.values);
        row.extend([set.runs.to_string(), set.diverged.to_string()]);
        row.extend(texts(numbers));
        row
    };
    [header("set,role", config, SET_COLUMNS)].into_iter().chain(table.iter().map(row)).collect()
}

/// The rows below this header.
fn read(file: &Path, header: &[String]) -> Result<Vec<Vec<String>>, ExperimentError> {
    let mut rows = table_file::read(file, false)?.into_iter();
    let got = rows.next().unwrap_or_default();
    if got != header {
        let expected = format!("the columns {}", header.join(","));
        return Err(ExperimentError::invalid(file, expected, got.join(",")));
    }
    Ok(rows.collect())
}

/// Reads `runs.csv`: every set with every seed, in order.
pub(crate) fn read_runs(
    file: &Path,
    config: &SweepConfig,
) -> Result<Vec<SweepRun>, ExperimentError> {
    let (axes, seeds) = (config.axes.len(), config.seeds.len());
    let mut runs = Vec::new();
    for (index, row) in read(file, &header("set", config, RUN_COLUMNS))?.iter().enumerate() {
        let invalid = |expected: &str| {
            let expected = format!("{expected} in line {}", index + 2);
            ExperimentError::invalid(file, expected, row.join(","))
        };
        let (set, seed) = (index / seeds.max(1), config.seeds.get(index % seeds.max(1)).copied());
        let seed =
            seed.filter(|seed| row[0] == set.to_string() && row[1 + axes] == seed.to_string());
        let Some(seed) = seed else {
            return Err(invalid("every set with every seed, in order, next: another run"));
        };
        let numbers = &row[3 + axes..];
        let number = |text: &String| text.parse().ok().filter(|x: &f64| x.is_finite());
        let result = match (row[2 + axes].as_str(), numbers) {
            ("diverged", _) if numbers.iter().all(String::is_empty) => None,
            ("finished", _) => {
                let numbers = numbers.iter().map(number).collect::<Option<Vec<_>>>();
                let numbers = numbers.ok_or_else(|| invalid("four finite numbers"))?;
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
    let rows = read(file, &header("set,role", config, SET_COLUMNS))?;
    let set = |(index, row): (usize, &Vec<String>)| {
        let role = [Role::Candidate, Role::Baseline].into_iter().find(|role| role.name() == row[1]);
        let expected = || format!("candidate or baseline in line {}", index + 2);
        let role = role.ok_or_else(|| ExperimentError::invalid(file, expected(), &*row[1]))?;
        Ok((role, row[2..2 + config.axes.len()].to_vec()))
    };
    let sets = rows.iter().enumerate().map(set).collect::<Result<Vec<_>, ExperimentError>>()?;
    let table = tabulate(&sets, runs);
    let expected = &table_rows(config, &table)[1..];
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
