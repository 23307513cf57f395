//! What is printed.

use std::fmt::Write as _;

use bench::{By, Measurement, Record, Spread, Subject};

use crate::plan::Group;

/// Where all this is measured.
pub(crate) fn head(record: &Record) -> String {
    let Record { machine, features, lanes, threads, rounds, torch, compiler, .. } = record;
    let cpu = machine.cpu.as_deref().unwrap_or(&machine.arch);
    let mut out = format!(
        "{cpu}, {} processors, {}; {threads} threads, {rounds} rounds; vectors of {lanes} f32\n",
        machine.cores,
        features.join(" ")
    );
    if let Some(torch) = torch {
        let _ = writeln!(out, "PyTorch {}, Python {}", torch.version, torch.python);
    }
    if !compiler.release {
        out += "not compiled for release: these are not the times of the record\n";
    }
    out
}

/// The table of a group, whose machine cases are in `record` already.
pub(crate) fn group(group: Group, record: &Record, measured: &[Measurement]) -> String {
    let mut out = String::new();
    for limit in record.measurements.iter().filter(|m| m.name.starts_with("machine/")) {
        let (unit, _) = limit.work.unit();
        let Spread { median, min, max, .. } = limit.speed();
        let _ = write!(out, "\n{:24} {median:8.1} {unit} ({min:.1} to {max:.1})", limit.name);
    }
    let width = measured.iter().map(|m| m.name.len()).max().unwrap_or(0);
    let batch = match measured.first().map(|m| m.batch) {
        Some(batch) if measured.iter().all(|m| m.batch == batch) => format!(", batches of {batch}"),
        _ => String::new(),
    };
    let _ = writeln!(out, "\n\n{}{batch}", group.title());
    for measurement in measured {
        let Measurement { name, work, by, .. } = measurement;
        let (time, speed) = (measurement.time(), measurement.speed());
        let (unit, _) = work.unit();
        let _ = write!(
            out,
            "{name:width$}  {:9.3} ms ({:.3} to {:.3})  {:8.1} {unit}",
            1e3 * time.median,
            1e3 * time.min,
            1e3 * time.max,
            speed.median
        );
        if let Some(share) = record.share(measurement) {
            let _ = write!(out, "  {:5.1} %", 100.0 * share);
        }
        if matches!(measurement.subject, Subject::Convolution { chosen: true, .. })
            && matches!(by, By::Im2col | By::Winograd)
        {
            out += " *";
        }
        if let Some(faults) = measurement.page_faults.filter(|faults| *faults >= 1.0) {
            let _ = write!(out, "  {faults:.0} page faults");
        }
        out.push('\n');
    }
    let ratios = ratios(measured);
    if !ratios.is_empty() {
        let _ =
            writeln!(out, "\n{:width$}  ours to PyTorch, and to PyTorch with a tuned malloc", "");
        out += &ratios;
    }
    out
}

/// Ours, as the layer uses it, to each PyTorch.
fn ratios(measured: &[Measurement]) -> String {
    let mut out = String::new();
    let width = measured.iter().map(|m| m.name.len()).max().unwrap_or(0);
    for ours in measured {
        let used = match ours.subject {
            Subject::Convolution { chosen, .. } => chosen,
            _ => true,
        };
        if !used || matches!(ours.by, By::Pytorch | By::PytorchTuned) {
            continue;
        }
        let key = ours.name.rsplit_once('/').map_or("", |(key, _)| key);
        let theirs = |by: By| measured.iter().find(|m| m.name == format!("{key}/{by}"));
        let mut line = String::new();
        for by in [By::Pytorch, By::PytorchTuned] {
            if let Some(theirs) = theirs(by) {
                let Spread { median, min, max, .. } = ours.ratio(theirs);
                let _ = write!(line, "  {median:6.2} ({min:.2} to {max:.2})");
            }
        }
        if !line.is_empty() {
            let _ = writeln!(out, "{key:width$}{line}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use bench::Work;

    use super::*;

    #[test]
    fn ratios_are_those_of_what_the_layer_uses() {
        let measurement = |by: By, chosen: bool, seconds: f64| Measurement {
            name: format!("conv/a/forward/{by}"),
            subject: Subject::Convolution {
                side: 3,
                channels: 1,
                filters: 1,
                kernel: 3,
                pass: bench::Pass::Forward,
                chosen,
            },
            by,
            batch: 1,
            threads: 1,
            work: Work::Flop(2),
            seconds: vec![seconds],
            page_faults: None,
        };
        let measured = [
            measurement(By::Im2col, false, 9.0),
            measurement(By::Winograd, true, 1.0),
            measurement(By::Pytorch, true, 2.0),
        ];
        let text = ratios(&measured);
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(text.contains("conv/a/forward") && text.contains("2.00 (2.00 to 2.00)"), "{text}");
        assert_eq!(ratios(&measured[..2]), "");
    }
}
