//! The record of the benchmark, `book/records/performance/bench.json`, as the performance chapter
//! shows it: `{{#performance VIEW}}`.

mod kernels;
mod steps;
mod targets;

use bench::{Framework, Measurement, Quartiles, Record};

use crate::markdown::{Table, cells, named};
use crate::numbers::significant;

/// The record, below `book/records/`.
pub(crate) const RECORD: &str = "performance/bench.json";

/// A function that makes a view.
type Show = fn(&Record) -> Result<String, String>;

/// Every view by its name.
const VIEWS: [(&str, Show); 13] = [
    ("provenance", provenance),
    ("machine", kernels::machine),
    ("convolutions", kernels::convolutions),
    ("memory-bound", kernels::memory_bound),
    ("products", kernels::products),
    ("steps", steps::steps),
    ("profile-air", |record| steps::profile(record, "air")),
    ("profile-simple", |record| steps::profile(record, "simple")),
    ("profile-mlp", |record| steps::profile(record, "mlp")),
    ("scaling-batch", |record| steps::scaling(record, "batch")),
    ("scaling-threads", |record| steps::scaling(record, "threads")),
    ("scaling-width", |record| steps::scaling(record, "width")),
    ("targets", targets::targets),
];

/// A view of the record, as Markdown.
pub(crate) fn view(record: &Record, view: &str) -> Result<String, String> {
    let unknown = || format!("the record of performance has no view `{view}`");
    let show = named(&VIEWS, view, unknown)?;
    show(record).map_err(|error| format!("the view `{view}` of records/{RECORD}: {error}"))
}

/// Where and how all of it was measured.
fn provenance(record: &Record) -> Result<String, String> {
    let Record { command, date, program, compiler, machine, features, threads, rounds, .. } =
        record;
    let mut rows = vec![
        ("command", format!("`{command}`")),
        ("begun", date.clone()),
        ("machine", machine.cpu.clone().unwrap_or_else(|| machine.arch.clone())),
        ("processors", machine.cores.to_string()),
        ("instruction sets", features.join(", ")),
        ("threads", threads.to_string()),
        ("rounds", rounds.to_string()),
    ];
    rows.extend(compiler.rustc.clone().map(|rustc| ("compiler", format!("`{rustc}`"))));
    let revision = program.revision.clone().unwrap_or_else(|| "unknown".to_owned());
    rows.push(("revision of the source", format!("`{revision}`")));
    if let Some(torch) = &record.torch {
        rows.push(("PyTorch", format!("{}, with Python {}", torch.version, torch.python)));
        let tuned = torch.tuned.iter().map(|set| format!("`{set}`")).collect::<Vec<_>>();
        rows.push(("tuned malloc", tuned.join(" ")));
    }
    for Framework { name, version, optimiser, .. } in &record.frameworks {
        rows.push((name, format!("{version}, {optimiser}")));
    }
    let mut table = Table::new(" | ");
    rows.into_iter().for_each(|(name, value)| table.row(cells![name, value]));
    Ok(table.0)
}

/// The measurements of a kind with what `of` says of them; there has to be one.
fn some<'a, T>(
    record: &'a Record,
    what: &str,
    of: impl Fn(&'a Measurement) -> Option<T>,
) -> Result<Vec<(&'a Measurement, T)>, String> {
    let found: Vec<_> =
        record.measurements.iter().filter_map(|m| of(m).map(|said| (m, said))).collect();
    match found.is_empty() {
        true => Err(format!("it has no {what}: measure them with cargo xtask bench")),
        false => Ok(found),
    }
}

/// `1.53 (1.40 to 1.62)`.
fn ratio(spread: Quartiles) -> String {
    let [median, min, max] = [spread.median, spread.min, spread.max].map(|r| format!("{r:.2}"));
    format!("{median} ({min} to {max})")
}

/// The median speed; nothing where nothing was measured.
fn median(measurement: Option<&Measurement>) -> String {
    measurement.map_or_else(String::new, |found| significant(found.speed().median))
}

/// The median, with the quartiles in brackets.
fn with_quartiles(spread: Quartiles) -> String {
    let [median, lower, upper] = [spread.median, spread.lower, spread.upper].map(significant);
    format!("{median} ({lower} to {upper})")
}

#[cfg(test)]
pub(crate) mod tests {
    use std::path::Path;

    use bench::{By, Work};

    use super::*;

    /// The committed record with times that are easy to compute with: ours reach 200 GFLOP/s and 30 GB/s,
    /// and half of the steps of 500 examples take 1 s, the others 2 s.
    pub(crate) fn record() -> Record {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../book/records").join(RECORD);
        let mut record = Record::read(&file).unwrap();
        for measurement in &mut record.measurements {
            let slower = match measurement.by {
                By::Ours | By::Winograd => 1.0,
                By::PytorchTuned => 1.25,
                By::Pytorch => 1.75,
                By::Im2col => 2.0,
                By::Burn => 3.5,
                By::Candle => 12.0,
            };
            measurement.seconds = match measurement.work {
                Work::Flop(flop) => vec![slower * flop as f64 / 200e9; 2],
                Work::Bytes(bytes) => vec![slower * bytes as f64 / 30e9; 2],
                Work::Examples(examples) => {
                    [1.0, 2.0].map(|s| slower * s * examples as f64 / 500.0).to_vec()
                }
            };
        }
        for memory in &mut record.memory {
            memory.bytes = if memory.by == By::Ours { 1_000_000_000 } else { 1_500_000_000 };
        }
        let table = &mut record.profiles.iter_mut().find(|p| p.model == "air").unwrap().table;
        (table.step, table.examples) = (0.5, 500.0);
        let row = table.layers.iter_mut().find(|row| row.flop.is_some()).unwrap();
        (row.forward, row.backward) = (0.1, 0.3);
        (row.flop, row.backward_flop) = (Some(1_000_000), Some(2_000_000));
        record
    }

    fn shown(record: &Record, name: &str) -> String {
        view(record, name).unwrap().replace('\u{a0}', " ")
    }

    #[test]
    fn numbers_are_those_of_the_record() {
        let record = record();
        let ratios = "1.75 (1.75 to 1.75) | 1.25 (1.25 to 1.25) | meets what is required |";
        for (view, expected) in [
            ("machine", "| arithmetic | 2 | 200 (200 to 200) | GFLOP/s |"),
            (
                "convolutions",
                "| 31×31, 24 → 64 | 3×3 | forward | 100 | **200** | 114 | 160 | 100.0 % |",
            ),
            ("memory-bound", "| GELU | 7×7×256 | forward | 30 | 100.0 % | 17.1 | 24 |"),
            ("products", "| 64×784 by 784×256 | forward | 200 | 100.0 % | 114 | 160 |"),
            ("targets", &format!("| air, batch 500 | 1.5 | 2 | {ratios}")),
            // 1.5 GB to 1 GB.
            ("targets", "| 1.5 | | meets what is required |"),
            (
                "targets",
                "| simple, batch 64 / candle | 10 | | 12.00 (12.00 to 12.00) | | meets what is required |",
            ),
            ("targets", "| simple, batch 64 / burn | 4 | | 3.50 (3.50 to 3.50) | | **missed** |"),
            // 64 images in 12 times 0.128 s and 0.256 s.
            ("steps", "| simple / candle | 64 | 2304 (1920 to 2688) |"),
            // 0.4 s of 0.5 s; 0.5 GFLOP forward in 0.1 s, twice as many backward in 0.3 s.
            ("profile-air", "| 100 | 300 | 80.0 % | 5 / 3.33 |"),
        ] {
            let text = shown(&record, view);
            assert!(text.contains(expected), "{view}: {expected} is not in {text}");
        }
    }

    #[test]
    fn every_view_is_a_table_of_what_the_record_has() {
        let record = record();
        let none = Record { measurements: Vec::new(), profiles: Vec::new(), ..record.clone() };
        for (name, _) in VIEWS {
            let text = shown(&record, name);
            let columns = |line: &str| line.replace("\\|", "").matches('|').count();
            let rows: Vec<_> = text.lines().take_while(|line| line.starts_with('|')).collect();
            assert!(rows.len() > 2 && rows[1].starts_with("|--"), "{name}: {text}");
            assert!(rows.iter().all(|row| columns(row) == columns(rows[0])), "{name}: {text}");
            if name != "provenance" {
                let error = view(&none, name).unwrap_err();
                let expected = format!("the view `{name}` of records/{RECORD}: ");
                assert!(error.starts_with(&expected), "{error}");
            }
        }
        let error = view(&record, "speed").unwrap_err();
        assert!(error.contains("no view `speed`; known are provenance, machine"), "{error}");
        let mut without = record;
        without.measurements.retain(|m| !matches!(m.by, By::Candle | By::Burn));
        without.frameworks.clear();
        for view in ["targets", "steps", "provenance"] {
            let text = shown(&without, view).replace(&without.command, "");
            assert!(!text.contains("candle"), "{text}");
        }
        without.measurements.retain(|m| !matches!(m.by, By::Pytorch | By::PytorchTuned));
        let error = view(&without, "targets").unwrap_err();
        assert!(error.contains("measured without --torch"), "{error}");
    }
}
