//! Tables of kernels, and of what the machine can do at most.

use bench::{By, Pass, Record, Subject};

use super::{median, some, with_quartiles};
use crate::markdown::{Table, cells};
use crate::numbers::percentage;

/// Arithmetic and memory at their best.
pub(super) fn machine(record: &Record) -> Result<String, String> {
    let mut table = Table::new(" | >threads | >median (quartiles) | unit");
    let limits = some(record, "limits of the machine", |m| match m.subject {
        Subject::Peak => Some("arithmetic"),
        Subject::Copy => Some("memory"),
        _ => None,
    })?;
    for (limit, what) in limits {
        let (speed, (unit, _)) = (with_quartiles(limit.speed()), limit.work.unit());
        table.row(cells![what, limit.threads, speed, unit]);
    }
    Ok(table.0)
}

/// Each pass of each convolution, by each algorithm; what the layer uses in bold.
pub(super) fn convolutions(record: &Record) -> Result<String, String> {
    let mut table = Table::new(
        "layer | kernel | pass | >im2col | >Winograd | >PyTorch | >tuned malloc | >of the peak",
    );
    let convolutions = some(record, "convolutions", |m| match m.subject {
        Subject::Convolution { side, channels, filters, kernel, pass, .. }
            if m.by == By::Im2col =>
        {
            let layer = format!("{side}×{side}, {channels} → {filters}");
            Some(cells![layer, format!("{kernel}×{kernel}"), words(pass)])
        }
        _ => None,
    })?;
    for (im2col, name) in convolutions {
        let mut share = String::new();
        let speeds = [By::Im2col, By::Winograd, By::Pytorch, By::PytorchTuned].map(|by| {
            let found = record.peer(im2col, by);
            match found.map(|found| (&found.subject, found)) {
                Some((Subject::Convolution { chosen: true, .. }, found))
                    if matches!(by, By::Im2col | By::Winograd) =>
                {
                    share = record.share(found).map_or_else(String::new, percentage);
                    format!("**{}**", median(Some(found)))
                }
                _ => median(found),
            }
        });
        table.row(name.into_iter().chain(speeds).chain([share]));
    }
    Ok(table.0)
}

/// Layers that the memory decides about.
pub(super) fn memory_bound(record: &Record) -> Result<String, String> {
    let titles = "layer | input | pass | >GB/s | >of the copy";
    compared(record, "memory-bound layers", titles, |subject| match subject {
        Subject::MemoryBound { layer, shape: [rows, cols, channels], pass } => {
            let pass = if *pass == Pass::Forward { "forward" } else { "backward" };
            Some(cells![layer, format!("{rows}×{cols}×{channels}"), pass])
        }
        _ => None,
    })
}

/// The products of the fully-connected network.
pub(super) fn products(record: &Record) -> Result<String, String> {
    let titles = "product | pass | >GFLOP/s | >of the peak";
    compared(record, "matrix products", titles, |subject| match subject {
        Subject::Product { rows, inner, cols, pass } => {
            Some(cells![format!("{rows}×{inner} by {inner}×{cols}"), words(*pass)])
        }
        _ => None,
    })
}

/// The speed of each of our kernels with a name, its share of the limit, and the speeds of PyTorch.
fn compared<const N: usize>(
    record: &Record,
    what: &str,
    titles: &str,
    name: impl Fn(&Subject) -> Option<[String; N]>,
) -> Result<String, String> {
    let mut table = Table::new(&format!("{titles} | >PyTorch | >tuned malloc"));
    let kernels = some(record, what, |m| name(&m.subject).filter(|_| m.by == By::Ours))?;
    for (ours, name) in kernels {
        let peers = [By::Pytorch, By::PytorchTuned].map(|by| median(record.peer(ours, by)));
        let share = record.share(ours).map_or_else(String::new, percentage);
        table.row(name.into_iter().chain([median(Some(ours)), share]).chain(peers));
    }
    Ok(table.0)
}

fn words(pass: Pass) -> &'static str {
    match pass {
        Pass::Forward => "forward",
        Pass::BackwardData => "dL/dX",
        Pass::BackwardWeights => "dL/dW",
    }
}
