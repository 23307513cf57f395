//! The record of the benchmark, `book/records/performance/bench.json`, as the performance chapter
//! shows it: `{{#performance VIEW}}`.

mod kernels;
mod steps;
mod targets;

use bench::{Framework, Measurement, Record, Spread};

use crate::numbers::significant;

/// The record, below `book/records/`.
pub(crate) const RECORD: &str = "performance/bench.json";

/// What makes a view.
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
///
/// # Errors
/// If there is no such view, or the record lacks what it shows.
pub(crate) fn view(record: &Record, view: &str) -> Result<String, String> {
    let Some((_, show)) = VIEWS.iter().find(|(name, _)| *name == view) else {
        let known: Vec<&str> = VIEWS.iter().map(|(name, _)| *name).collect();
        return Err(format!(
            "the record of performance has no view `{view}`; known are {}",
            known.join(", ")
        ));
    };
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
    let mut out = String::from("| | |\n|---|---|\n");
    for (name, value) in rows {
        out += &format!("| {name} | {} |\n", value.replace('|', "\\|"));
    }
    Ok(out)
}

/// The measurements of a kind, of which there has to be one.
fn some<'a>(
    record: &'a Record,
    what: &str,
    wanted: impl Fn(&Measurement) -> bool,
) -> Result<Vec<&'a Measurement>, String> {
    let found: Vec<_> = record.measurements.iter().filter(|m| wanted(m)).collect();
    if found.is_empty() {
        return Err(format!("it has no {what}: measure them with cargo xtask bench"));
    }
    Ok(found)
}

/// `1.53 (1.40 to 1.62)`.
fn ratio(spread: Spread) -> String {
    let [median, min, max] = [spread.median, spread.min, spread.max].map(|r| format!("{r:.2}"));
    format!("{median} ({min} to {max})")
}

/// The median, with the quartiles in brackets.
fn with_quartiles(spread: Spread) -> String {
    let [median, lower, upper] = [spread.median, spread.lower, spread.upper].map(significant);
    format!("{median} ({lower} to {upper})")
}

#[cfg(test)]
pub(crate) mod tests {
    use bench::{By, Compiler, Pass, PeakMemory, SCHEMA, StepProfile, Subject, Torch, Work};
    use experiment::{Machine, Program};
    use training::{StepRow, StepTable};

    use super::*;

    pub(crate) fn record() -> Record {
        let measurement = |name: &str, subject, by: By, work, seconds: [f64; 2]| Measurement {
            name: format!("{name}/{by}"),
            subject,
            by,
            batch: 500,
            threads: 2,
            work,
            seconds: seconds.to_vec(),
            page_faults: None,
        };
        let mut measurements = vec![
            measurement("machine/fma", Subject::Peak, By::Ours, Work::Flop(200_000_000), [1e-3; 2]),
            measurement(
                "machine/copy",
                Subject::Copy,
                By::Ours,
                Work::Bytes(30_000_000),
                [1e-3; 2],
            ),
        ];
        for pass in Pass::ALL {
            for (by, ms) in [
                (By::Im2col, 4.0),
                (By::Winograd, 2.0),
                (By::Pytorch, 3.0),
                (By::PytorchTuned, 2.5),
            ] {
                let subject = Subject::Convolution {
                    side: 31,
                    channels: 24,
                    filters: 64,
                    kernel: 3,
                    pass,
                    chosen: by != By::Im2col,
                };
                let name = format!("conv/31x31-24-64/{pass}");
                let work = Work::Flop(400_000_000);
                measurements.push(measurement(&name, subject, by, work, [1e-3 * ms; 2]));
            }
        }
        let gelu = Subject::MemoryBound {
            layer: "GELU".to_owned(),
            shape: [7, 7, 256],
            pass: Pass::Forward,
        };
        let product = Subject::Product { rows: 64, inner: 784, cols: 256, pass: Pass::Forward };
        measurements.extend([
            measurement("memory/GELU", gelu, By::Ours, Work::Bytes(15_000_000), [1e-3; 2]),
            measurement("product/a", product, By::Ours, Work::Flop(25_690_112), [1e-3; 2]),
        ]);
        for (name, model, seconds) in [
            ("step/air-500", "air", [1.0, 2.0]),
            ("step/air-64", "air", [1.0, 2.0]),
            ("step/simple-64", "simple", [1.0, 2.0]),
            ("step/mlp-64", "mlp", [1.0, 2.0]),
            ("scaling/batch-64", "air", [1.0, 2.0]),
            ("scaling/threads-1", "air", [1.0, 2.0]),
            ("scaling/width-2", "air", [1.0, 2.0]),
        ] {
            for (by, slower) in [(By::Ours, 1.0), (By::Pytorch, 1.75), (By::PytorchTuned, 1.25)] {
                let subject = Subject::Step { model: model.to_owned(), width: 1.0 };
                let seconds = seconds.map(|s| s * slower);
                measurements.push(measurement(name, subject, by, Work::Examples(500), seconds));
            }
        }
        let row = StepRow {
            layer: "Conv2D".to_owned(),
            input: vec![31, 31, 24],
            output: vec![31, 31, 64],
            algorithm: Some("im2col".to_owned()),
            forward: 0.1,
            backward: 0.3,
            flop: Some(1_000_000),
            backward_flop: Some(2_000_000),
        };
        let table = StepTable {
            steps: 2,
            examples: 500.0,
            step: 0.5,
            data: 0.0,
            layers: vec![row],
            loss: 0.01,
            update: 0.04,
        };
        let memory = |by, bytes| PeakMemory { model: "air".into(), batch: 500, by, bytes };
        Record {
            schema: SCHEMA,
            command: "cargo xtask bench --torch".to_owned(),
            date: "2026-01-31T23:59:59Z".to_owned(),
            program: Program { name: "bench".into(), version: "0".into(), revision: None },
            compiler: Compiler { rustc: Some("rustc 1".into()), release: true },
            machine: Machine { arch: "x".into(), os: "y".into(), cores: 2, cpu: None },
            features: vec!["avx2".to_owned()],
            lanes: 8,
            threads: 2,
            rounds: 2,
            frameworks: Vec::new(),
            torch: Some(Torch {
                version: "2".into(),
                python: "3".into(),
                tuned: vec!["MALLOC_MMAP_MAX_=0".into()],
            }),
            measurements,
            profiles: ["air", "simple", "mlp"]
                .map(|model| StepProfile {
                    model: model.to_owned(),
                    batch: 500,
                    table: table.clone(),
                })
                .to_vec(),
            memory: vec![memory(By::Ours, 1_000_000_000), memory(By::Pytorch, 1_500_000_000)],
        }
    }

    /// The same, measured with candle and burn as well.
    fn with_frameworks() -> Record {
        let mut record = record();
        let ours = record.find("step/simple-64/ours").unwrap().clone();
        for (by, slower) in [(By::Candle, 12.0), (By::Burn, 3.5)] {
            let seconds = ours.seconds.iter().map(|s| s * slower).collect();
            let name = format!("step/simple-64/{by}");
            record.measurements.push(Measurement { name, by, seconds, ..ours.clone() });
            let [version, optimiser] = ["0.1", "SGD"].map(str::to_owned);
            record.frameworks.push(Framework { by, name: by.to_string(), version, optimiser });
        }
        record
    }

    fn shown(record: &Record, name: &str) -> String {
        view(record, name).unwrap().replace('\u{a0}', " ")
    }

    #[test]
    fn every_view_is_a_table() {
        let records = [record(), with_frameworks()];
        for (record, name) in records.iter().flat_map(|r| VIEWS.map(|(name, _)| (r, name))) {
            let text = shown(record, name);
            assert!(text.starts_with('|') && text.contains("\n|--"), "{name}: {text}");
            let columns = |line: &str| line.replace("\\|", "").matches('|').count();
            let rows: Vec<_> = text.lines().take_while(|line| line.starts_with('|')).collect();
            assert!(rows.len() > 2, "{name}: {text}");
            assert!(rows.iter().all(|row| columns(row) == columns(rows[0])), "{name}: {text}");
        }
    }

    #[test]
    fn numbers_are_those_of_the_record() {
        let record = record();
        // 0.4 GFLOP in 2 ms, of 200 GFLOP/s.
        let text = shown(&record, "convolutions");
        assert!(
            text.contains(
                "| 31×31, 24 → 64 | 3×3 | forward | 100 | **200** | 133 | 160 | 100.0 % |"
            ),
            "{text}"
        );
        // 15 MB in 1 ms, of 30 GB/s.
        assert!(shown(&record, "memory-bound").contains("| 15 | 50.0 % |"));
        let text = shown(&record, "targets");
        assert!(
            text.contains(
                "| air, batch 500 | 1.5 | 2 | 1.75 (1.75 to 1.75) | 1.25 (1.25 to 1.25) | reached |"
            ),
            "{text}"
        );
        // 1.5 GB to 1 GB.
        assert!(text.contains("| 1.5 | | reached |"), "{text}");
        // 0.4 s of 0.5 s; 0.5 GFLOP forward in 0.1 s, twice as many backward in 0.3 s.
        let text = shown(&record, "profile-air");
        assert!(text.contains("| im2col | 100 | 300 | 80.0 % | 5 / 3.33 |"), "{text}");
    }

    #[test]
    fn other_frameworks_are_shown_where_they_took_part() {
        let (with, without) = (with_frameworks(), record());
        let text = shown(&with, "targets");
        for expected in [
            "| simple, batch 64 / candle | 10 | | 12.00 (12.00 to 12.00) | | reached |",
            "| simple, batch 64 / burn | 4 | | 3.50 (3.50 to 3.50) | | **missed** |",
        ] {
            assert!(text.contains(expected), "{text}");
        }
        // 500 images in 12 s and 24 s.
        let text = shown(&with, "steps");
        assert!(text.contains("| simple / candle | 500 | 18000 ("), "{text}");
        assert!(shown(&with, "provenance").contains("| candle | 0.1, SGD |"));
        for view in ["targets", "steps", "provenance"] {
            assert!(!shown(&without, view).contains("candle"));
        }
    }

    #[test]
    fn what_is_not_in_the_record_is_not_shown() {
        let error = view(&record(), "speed").unwrap_err();
        assert!(error.contains("no view `speed`; known are provenance, machine"), "{error}");
        let mut none = record();
        none.measurements.clear();
        none.profiles.clear();
        for (name, _) in VIEWS.iter().filter(|(name, _)| *name != "provenance") {
            let error = view(&none, name).unwrap_err();
            assert!(error.contains(&format!("the view `{name}` of records/{RECORD}: ")), "{error}");
        }
        let mut alone = record();
        alone.measurements.retain(|m| !matches!(m.by, By::Pytorch | By::PytorchTuned));
        let error = view(&alone, "targets").unwrap_err();
        assert!(error.contains("measured without --torch"), "{error}");
    }
}
