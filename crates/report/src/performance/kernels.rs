//! Tables of kernels, and of what the machine can do at most.

use bench::{By, Measurement, Pass, Record, Subject};

use super::{median, some, with_quartiles};
use crate::markdown::{Table, cells};
use crate::numbers::percentage;

/// Arithmetic and memory at their best.
pub(super) fn machine(record: &Record) -> Result<String, String> {
    let mut table = Table::new(" | >threads | >median (quartiles) | unit");
    let is_limit = |m: &Measurement| matches!(m.subject, Subject::Peak | Subject::Copy);
    for limit in some(record, "limits of the machine", is_limit)? {
        let what = if limit.subject == Subject::Peak { "arithmetic" } else { "memory" };
        let (speed, (unit, _)) = (with_quartiles(limit.speed()), limit.work.unit());
        table.row(cells![what, limit.threads, speed, unit]);
    }
    Ok(table.into())
}

/// Each pass of each convolution, by each algorithm; what the layer uses in bold.
pub(super) fn convolutions(record: &Record) -> Result<String, String> {
    let mut table = Table::new(
        "layer | kernel | pass | >im2col | >Winograd | >PyTorch | >tuned malloc | >of the peak",
    );
    for im2col in some(record, "convolutions", |m| m.by == By::Im2col)? {
        let Subject::Convolution { side, channels, filters, kernel, pass, .. } = im2col.subject
        else {
            continue;
        };
        let mut share = None;
        let speeds = [By::Im2col, By::Winograd, By::Pytorch, By::PytorchTuned].map(|by| {
            let found = record.peer(im2col, by);
            match found.map(|found| (&found.subject, found)) {
                Some((Subject::Convolution { chosen: true, .. }, found))
                    if matches!(by, By::Im2col | By::Winograd) =>
                {
                    share = record.share(found);
                    format!("**{}**", median(Some(found)))
                }
                _ => median(found),
            }
        });
        let layer = format!("{side}×{side}, {channels} → {filters}");
        let share = share.map_or_else(String::new, percentage);
        let cells = cells![layer, format!("{kernel}×{kernel}"), words(pass)];
        table.row(cells.into_iter().chain(speeds).chain([share]));
    }
    Ok(table.into())
}

/// Layers that the memory decides about.
pub(super) fn memory_bound(record: &Record) -> Result<String, String> {
    let mut table =
        Table::new("layer | input | pass | >GB/s | >of the copy | >PyTorch | >tuned malloc");
    let is_ours =
        |m: &Measurement| matches!(m.subject, Subject::MemoryBound { .. }) && m.by == By::Ours;
    for ours in some(record, "memory-bound layers", is_ours)? {
        let Subject::MemoryBound { layer, shape: [rows, cols, channels], pass } = &ours.subject
        else {
            continue;
        };
        let pass = if *pass == Pass::Forward { "forward" } else { "backward" };
        let cells = cells![layer, format!("{rows}×{cols}×{channels}"), pass];
        table.row(cells.into_iter().chain(compared(record, ours)));
    }
    Ok(table.into())
}

/// The products of the fully-connected network.
pub(super) fn products(record: &Record) -> Result<String, String> {
    let mut table =
        Table::new("product | pass | >GFLOP/s | >of the peak | >PyTorch | >tuned malloc");
    let is_ours =
        |m: &Measurement| matches!(m.subject, Subject::Product { .. }) && m.by == By::Ours;
    for ours in some(record, "matrix products", is_ours)? {
        let Subject::Product { rows, inner, cols, pass } = ours.subject else { continue };
        let cells = cells![format!("{rows}×{inner} by {inner}×{cols}"), words(pass)];
        table.row(cells.into_iter().chain(compared(record, ours)));
    }
    Ok(table.into())
}

/// Our speed, its share of the limit, and the speeds of PyTorch.
fn compared(record: &Record, ours: &Measurement) -> [String; 4] {
    let [default, tuned] = [By::Pytorch, By::PytorchTuned].map(|by| median(record.peer(ours, by)));
    let share = record.share(ours).map_or_else(String::new, percentage);
    [median(Some(ours)), share, default, tuned]
}

fn words(pass: Pass) -> &'static str {
    match pass {
        Pass::Forward => "forward",
        Pass::BackwardData => "dL/dX",
        Pass::BackwardWeights => "dL/dW",
    }
}
