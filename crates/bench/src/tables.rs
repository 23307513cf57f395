//! The tables on the standard output.

use std::fmt::Write as _;

use bench::{By, Framework, Measurement, Quartiles, Record, Subject};

/// The circumstances of the measurements.
pub(crate) fn head(record: &Record) -> String {
    let Record { machine, features, lanes, threads, rounds, torch, frameworks, compiler, .. } =
        record;
    let cpu = machine.cpu.as_deref().unwrap_or(&machine.arch);
    let mut out = format!(
        "{cpu}, {} processors, {}; {threads} threads, {rounds} rounds; vectors of {lanes} f32\n",
        machine.cores,
        features.join(" ")
    );
    if let Some(torch) = torch {
        let _ = writeln!(out, "PyTorch {}, Python {}", torch.version, torch.python);
    }
    for Framework { name, version, optimiser, .. } in frameworks {
        let _ = writeln!(out, "{name} {version}, {optimiser}");
    }
    if !compiler.release {
        out += "not compiled for release: these are not the times of the record\n";
    }
    out
}

/// The table of a group, whose machine cases are in `record` already.
pub(crate) fn group(title: &str, record: &Record, measured: &[Measurement]) -> String {
    let mut out = String::new();
    for limit in record.measurements.iter().filter(|m| m.name.starts_with("machine/")) {
        let (unit, _) = limit.work.unit();
        let Quartiles { median, min, max, .. } = limit.speed();
        let _ = write!(out, "\n{:24} {median:8.1} {unit} ({min:.1} to {max:.1})", limit.name);
    }
    let width = measured.iter().map(|m| m.name.len()).max().unwrap_or(0);
    let batch = match measured.first().map(|m| m.batch) {
        Some(batch) if measured.iter().all(|m| m.batch == batch) => format!(", batches of {batch}"),
        _ => String::new(),
    };
    let _ = writeln!(out, "\n\n{title}{batch}");
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
    out += &ratios(measured);
    out
}

/// Ours, as the layer uses it, to each peer; nothing if none took part.
fn ratios(measured: &[Measurement]) -> String {
    const HEAD: &str = "ours, times as fast as";
    let width = measured.iter().map(|m| m.name.len()).max().unwrap_or(0).max(HEAD.len());
    let takes_part = |by: &By| measured.iter().any(|m| m.by == *by);
    let peers: Vec<By> = By::PEERS.into_iter().filter(takes_part).collect();
    let mut rows = String::new();
    for ours in measured {
        let unused = matches!(ours.subject, Subject::Convolution { chosen: false, .. });
        if unused || By::PEERS.contains(&ours.by) {
            continue;
        }
        let key = ours.key();
        let cells = peers.iter().map(|by| {
            let theirs = measured.iter().find(|m| m.name == format!("{key}/{by}"));
            theirs.map_or_else(String::new, |theirs| {
                let Quartiles { median, min, max, .. } = ours.ratio(theirs);
                format!("{median:.2} ({min:.2} to {max:.2})")
            })
        });
        rows += &row(key, width, cells);
    }
    if peers.is_empty() || rows.is_empty() {
        return String::new();
    }
    let head = row(HEAD, width, peers.iter().map(By::to_string));
    format!("\n{head}{rows}")
}

/// A name and the cells behind it.
fn row(name: &str, width: usize, cells: impl Iterator<Item = String>) -> String {
    let cells: String = cells.map(|cell| format!("  {cell:<24}")).collect();
    format!("{name:width$}{}\n", cells.trim_end())
}

#[cfg(test)]
mod tests {
    use bench::Work;

    use super::*;

    #[test]
    fn ratios_are_those_of_what_the_layer_uses() {
        let measurement = |key: &str, by: By, chosen: bool, seconds: f64| {
            let (side, channels, filters, kernel) = (3, 1, 1, 3);
            let pass = bench::Pass::Forward;
            let subject = Subject::Convolution { side, channels, filters, kernel, pass, chosen };
            let (name, work, seconds) = (format!("{key}/{by}"), Work::Flop(2), vec![seconds]);
            let (batch, threads, page_faults) = (1, 1, None);
            Measurement { name, subject, by, batch, threads, work, seconds, page_faults }
        };
        let measured = [
            measurement("conv/a/forward", By::Im2col, false, 9.0),
            measurement("conv/a/forward", By::Winograd, true, 1.0),
            measurement("conv/a/forward", By::Pytorch, true, 2.0),
        ];
        let text = ratios(&measured);
        let lines: Vec<&str> = text.trim_start().lines().collect();
        assert_eq!(lines.len(), 2, "{text}");
        assert!(lines[0].ends_with("pytorch"), "{text}");
        assert!(lines[1].contains("conv/a/forward") && lines[1].ends_with("2.00 (2.00 to 2.00)"));
        assert_eq!(ratios(&measured[..2]), "");
    }
}
