//! Matrices of the same size, one for each of the 36 points, behind each other in memory.

use super::POINTS;

/// Elements between two matrices. Without them the same cell of all points would lie a power of two
/// apart for the usual sizes, where a cache has room for a dozen of them.
const GAP: usize = 16;

/// Elements that the matrices of all points take, with `len` elements each.
pub(super) fn planes_len(len: usize) -> usize {
    POINTS * (len + GAP)
}

/// The matrices in `memory`, which holds `planes_len(len)` elements.
pub(super) fn planes<T>(memory: &[T], len: usize) -> Vec<&[T]> {
    memory.chunks_exact(len + GAP).map(|plane| &plane[..len]).collect()
}

/// [`planes`], to write to.
pub(super) fn planes_mut<T>(memory: &mut [T], len: usize) -> Vec<&mut [T]> {
    memory.chunks_exact_mut(len + GAP).map(|plane| &mut plane[..len]).collect()
}

/// Cuts each plane into parts of `part` elements, the last of which may be shorter: element `k` of the
/// result has part `k` of every plane.
pub(super) fn parts_of_planes<'a, T>(
    planes: impl IntoIterator<Item = &'a mut [T]>,
    part: usize,
) -> Vec<Vec<&'a mut [T]>> {
    let mut parts: Vec<Vec<&mut [T]>> = Vec::new();
    for plane in planes {
        parts.resize_with(plane.len().div_ceil(part), || Vec::with_capacity(POINTS));
        for (parts, part) in parts.iter_mut().zip(plane.chunks_mut(part)) {
            parts.push(part);
        }
    }
    parts
}
