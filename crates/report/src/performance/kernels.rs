//! Tables of kernels, and of what the machine can do at most.

use std::fmt::Write as _;

use bench::{By, Pass, Record, Subject};

use super::{some, with_quartiles};
use crate::numbers::{percentage, significant};

/// Arithmetic and memory at their best.
pub(super) fn machine(record: &Record) -> Result<String, String> {
    let limits = some(record, "limits of the machine", |m| {
        matches!(m.subject, Subject::Peak | Subject::Copy)
    })?;
    let mut out = String::from("| | threads | median (quartiles) | unit |\n|---|--:|--:|---|\n");
    for limit in limits {
        let what = match limit.subject {
            Subject::Peak => "arithmetic",
            _ => "memory",
        };
        let (speed, (unit, _)) = (with_quartiles(limit.speed()), limit.work.unit());
        let _ = writeln!(out, "| {what} | {} | {speed} | {unit} |", limit.threads);
    }
    Ok(out)
}

/// Each pass of each convolution, by each algorithm; what the layer uses in bold.
pub(super) fn convolutions(record: &Record) -> Result<String, String> {
    let passes = some(record, "convolutions", |m| {
        matches!(m.subject, Subject::Convolution { .. }) && m.by == By::Im2col
    })?;
    let mut out = String::from(
        "| layer | kernel | pass | im2col | Winograd | PyTorch | tuned malloc | of the peak |\n\
         |---|---|---|--:|--:|--:|--:|--:|\n",
    );
    for im2col in passes {
        let Subject::Convolution { side, channels, filters, kernel, pass, .. } = im2col.subject
        else {
            continue;
        };
        let mut share = None;
        let mut cell = |by: By| {
            let Some(found) = record.peer(im2col, by) else { return String::new() };
            let speed = significant(found.speed().median);
            let ours = matches!(by, By::Im2col | By::Winograd);
            match found.subject {
                Subject::Convolution { chosen: true, .. } if ours => {
                    share = record.share(found);
                    format!("**{speed}**")
                }
                _ => speed,
            }
        };
        let cells = [By::Im2col, By::Winograd, By::Pytorch, By::PytorchTuned].map(&mut cell);
        let share = share.map_or_else(String::new, percentage);
        let pass = words(pass);
        let _ = writeln!(
            out,
            "| {side}×{side}, {channels} → {filters} | {kernel}×{kernel} | {pass} | {} | {share} |",
            cells.join(" | ")
        );
    }
    Ok(out)
}

/// Layers that the memory decides about.
pub(super) fn memory_bound(record: &Record) -> Result<String, String> {
    let passes = some(record, "memory-bound layers", |m| {
        matches!(m.subject, Subject::MemoryBound { .. }) && m.by == By::Ours
    })?;
    let mut out = String::from(
        "| layer | input | pass | GB/s | of the copy | PyTorch | tuned malloc |\n\
         |---|---|---|--:|--:|--:|--:|\n",
    );
    for ours in passes {
        let Subject::MemoryBound { layer, shape: [rows, cols, channels], pass } = &ours.subject
        else {
            continue;
        };
        let pass = if *pass == Pass::Forward { "forward" } else { "backward" };
        let share = record.share(ours).map_or_else(String::new, percentage);
        let theirs = theirs(record, ours);
        let speed = significant(ours.speed().median);
        let _ = writeln!(
            out,
            "| {layer} | {rows}×{cols}×{channels} | {pass} | {speed} | {share} | {theirs} |"
        );
    }
    Ok(out)
}

/// The products of the fully-connected network.
pub(super) fn products(record: &Record) -> Result<String, String> {
    let products = some(record, "matrix products", |m| {
        matches!(m.subject, Subject::Product { .. }) && m.by == By::Ours
    })?;
    let mut out = String::from(
        "| product | pass | GFLOP/s | of the peak | PyTorch | tuned malloc |\n\
         |---|---|--:|--:|--:|--:|\n",
    );
    for ours in products {
        let Subject::Product { rows, inner, cols, pass } = ours.subject else { continue };
        let share = record.share(ours).map_or_else(String::new, percentage);
        let (theirs, pass) = (theirs(record, ours), words(pass));
        let speed = significant(ours.speed().median);
        let _ = writeln!(
            out,
            "| {rows}×{inner} by {inner}×{cols} | {pass} | {speed} | {share} | {theirs} |"
        );
    }
    Ok(out)
}

/// The speeds of PyTorch, as two cells.
fn theirs(record: &Record, ours: &bench::Measurement) -> String {
    let cell = |by| {
        let found = record.peer(ours, by);
        found.map_or_else(String::new, |found| significant(found.speed().median))
    };
    [By::Pytorch, By::PytorchTuned].map(cell).join(" | ")
}

fn words(pass: Pass) -> &'static str {
    match pass {
        Pass::Forward => "forward",
        Pass::BackwardData => "dL/dX",
        Pass::BackwardWeights => "dL/dW",
    }
}
