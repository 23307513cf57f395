//! Pooling as a walk over the cells of every window.
//!
//! The channels of a pixel are neighbours in memory, so the innermost loop runs over them, for one
//! cell of one window at a time.

use std::ops::Range;

use ndarray::{Array4, ArrayView4, ArrayViewMut4, Axis, CowArray, Ix4, s};
use numerics::{Scalar, map_tasks, reused, vectorized};

use crate::Window;

// ANCHOR: max_forward
/// The maximum of every window, and which cell of the kernel it was: `i * kernel_cols + j`, the
/// first in row-major order on ties. Padding takes part as zeros; NaN wins.
///
/// # Shapes
/// `x: (m, rows, cols, n)`; both results are `(m, output_rows, output_cols, n)`.
///
/// # Panics
/// If `x` has not the size of `window`, or the kernel has more than 65,536 cells.
pub fn max_pool_forward<T: Scalar>(
    x: ArrayView4<'_, T>,
    window: Window,
) -> (Array4<T>, Array4<u16>) {
    assert!(cells(window) <= MOST_CELLS, "the number of a cell has 16 bits");
    let mut y = outputs(x, window);
    let mut winner = reused(y.raw_dim());
    let (each, one) = (Axis(0), images_per_task::<T>(window, x.dim().3));
    let outputs = y.axis_chunks_iter_mut(each, one).zip(winner.axis_chunks_iter_mut(each, one));
    map_tasks(outputs.zip(x.axis_chunks_iter(each, one)), true, &|_, ((mut y, mut winner), x)| {
        let (images, _, _, channels) = x.dim();
        let x = padded(&x, window);
        let (x, y, winner) = (contiguous(&x), all(&mut y), all(&mut winner));
        for_each_cell(
            window,
            images,
            channels,
            #[inline(always)]
            |cell, input, output| {
                let best = y[output.clone()].iter_mut().zip(&mut winner[output]);
                for ((y, winner), &x) in best.zip(&x[input]) {
                    // No branch, so that it becomes vector instructions.
                    let wins = (cell == 0) | (x > *y) | (x.is_nan() & !y.is_nan());
                    *y = if wins { x } else { *y };
                    *winner = if wins { cell } else { *winner };
                }
            },
        );
    });
    (y, winner)
}
// ANCHOR_END: max_forward

// ANCHOR: max_backward
/// `dL/dX` of max pooling: each output's gradient goes to the cell that won, and adds up where one
/// cell won several overlapping windows.
///
/// # Shapes
/// `dl_dy` and `winner`: `(m, output_rows, output_cols, n)`; the result is `(m, rows, cols, n)`.
///
/// # Panics
/// If `dl_dy` has not the size of `window`, or `winner` not that of `dl_dy`.
pub fn max_pool_backward<T: Scalar>(
    dl_dy: ArrayView4<'_, T>,
    winner: ArrayView4<'_, u16>,
    window: Window,
) -> Array4<T> {
    assert_eq!(winner.dim(), dl_dy.dim(), "every output has its winner");
    let channels = dl_dy.dim().3;
    inputs(dl_dy, window, |images, dl_dy, dl_dx| {
        let winner = winner.slice_axis(Axis(0), images.clone().into());
        let winner = winner.as_standard_layout();
        let winner = contiguous(&winner);
        for_each_cell(
            window,
            images.len(),
            channels,
            #[inline(always)]
            |cell, input, output| {
                let gradients = dl_dy[output.clone()].iter().zip(&winner[output]);
                for (dl_dx, (&dl_dy, &winner)) in dl_dx[input].iter_mut().zip(gradients) {
                    *dl_dx += if winner == cell { dl_dy } else { T::zero() };
                }
            },
        );
    })
}
// ANCHOR_END: max_backward

// ANCHOR: average_forward
/// The mean of every window. Padding takes part as zeros: the divisor is the whole kernel.
///
/// # Shapes
/// `x: (m, rows, cols, n)`; the result is `(m, output_rows, output_cols, n)`.
///
/// # Panics
/// If `x` has not the size of `window`.
pub fn average_pool_forward<T: Scalar>(x: ArrayView4<'_, T>, window: Window) -> Array4<T> {
    let mut y = outputs(x, window);
    let divisor = T::of(cells(window) as f64);
    let (each, one) = (Axis(0), images_per_task::<T>(window, x.dim().3));
    let tasks = y.axis_chunks_iter_mut(each, one).zip(x.axis_chunks_iter(each, one));
    map_tasks(tasks, true, &|_, (mut y, x)| {
        let (images, _, _, channels) = x.dim();
        let x = padded(&x, window);
        let (x, y) = (contiguous(&x), all(&mut y));
        y.fill(T::zero());
        for_each_cell(
            window,
            images,
            channels,
            #[inline(always)]
            |_, input, output| y[output].iter_mut().zip(&x[input]).for_each(|(y, &x)| *y += x),
        );
        y.iter_mut().for_each(|y| *y /= divisor);
    });
    y
}
// ANCHOR_END: average_forward

// ANCHOR: average_backward
/// `dL/dX` of average pooling: each output's gradient is shared equally among the cells of its
/// window, and adds up where windows overlap.
///
/// # Shapes
/// `dl_dy: (m, output_rows, output_cols, n)`; the result is `(m, rows, cols, n)`.
///
/// # Panics
/// If `dl_dy` has not the size of `window`.
pub fn average_pool_backward<T: Scalar>(dl_dy: ArrayView4<'_, T>, window: Window) -> Array4<T> {
    let (divisor, channels) = (T::of(cells(window) as f64), dl_dy.dim().3);
    inputs(dl_dy, window, |images, dl_dy, dl_dx| {
        for_each_cell(
            window,
            images.len(),
            channels,
            #[inline(always)]
            |_, input, output| {
                let gradients = dl_dx[input].iter_mut().zip(&dl_dy[output]);
                gradients.for_each(|(dl_dx, &dl_dy)| *dl_dx += dl_dy / divisor);
            },
        );
    })
}
// ANCHOR_END: average_backward

/// As many as 16 bits can number.
pub(crate) const MOST_CELLS: usize = 1 << 16;

/// The number of cells of the kernel.
fn cells(window: Window) -> usize {
    window.kernel.0 * window.kernel.1
}

// ANCHOR: for_each_cell
/// Calls `visit(cell, input, output)` for every cell of every window of these images: the elements
/// `input` of the padded images are the channels that this cell of the kernel sees, the elements
/// `output` those of the window's output. A window's cells come in row-major order.
fn for_each_cell(
    window: Window,
    images: usize,
    channels: usize,
    mut visit: impl FnMut(u16, Range<usize>, Range<usize>),
) {
    let ((r1, r2), (k1, k2), stride) = (window.output, window.kernel, window.stride);
    let (padded_rows, padded_cols) = window.padded();
    vectorized(
        #[inline(always)]
        || {
            for n in 0..images {
                for r in 0..r1 {
                    for q in 0..r2 {
                        let output = ((n * r1 + r) * r2 + q) * channels;
                        for i in 0..k1 {
                            for j in 0..k2 {
                                let row = n * padded_rows + r * stride + i;
                                let input = (row * padded_cols + q * stride + j) * channels;
                                let cell = (i * k2 + j) as u16;
                                visit(cell, input..input + channels, output..output + channels);
                            }
                        }
                    }
                }
            }
        },
    );
}
// ANCHOR_END: for_each_cell

/// The images with their padding, in standard layout; a view if nothing has to change.
fn padded<'a, T: Scalar>(x: &'a ArrayView4<'_, T>, window: Window) -> CowArray<'a, T, Ix4> {
    let ((m, rows, cols, channels), (p1, p2)) = (x.dim(), window.pad);
    if (p1, p2) == (0, 0) {
        return x.as_standard_layout();
    }
    let (padded_rows, padded_cols) = window.padded();
    let mut padded = Array4::zeros((m, padded_rows, padded_cols, channels));
    padded.slice_mut(s![.., p1..p1 + rows, p2..p2 + cols, ..]).assign(x);
    padded.into()
}

/// An array of the shape of the output.
fn outputs<T: Scalar>(x: ArrayView4<'_, T>, window: Window) -> Array4<T> {
    let (m, rows, cols, channels) = x.dim();
    assert_eq!((rows, cols), window.input, "the window was made for the input");
    let (r1, r2) = window.output;
    reused((m, r1, r2, channels))
}

/// The gradient of the input: `add(images, dl_dy, dl_dx)` adds that of these images to zeros of
/// their padded shape. What falls on the padding is nobody's gradient.
fn inputs<T: Scalar>(
    dl_dy: ArrayView4<'_, T>,
    window: Window,
    add: impl Fn(Range<usize>, &[T], &mut [T]) + Sync,
) -> Array4<T> {
    let (m, r1, r2, channels) = dl_dy.dim();
    assert_eq!((r1, r2), window.output, "the window was made for the output");
    let ((rows, cols), (p1, p2)) = (window.input, window.pad);
    let mut dl_dx = reused((m, rows, cols, channels));
    let (padded_rows, padded_cols) = window.padded();
    let at_once = images_per_task::<T>(window, channels);
    let tasks = dl_dx.axis_chunks_iter_mut(Axis(0), at_once);
    let tasks = tasks.zip(dl_dy.axis_chunks_iter(Axis(0), at_once));
    map_tasks(tasks, true, &|task, (mut dl_dx, dl_dy)| {
        let count = dl_dy.len_of(Axis(0));
        let images = task * at_once..task * at_once + count;
        let dl_dy = dl_dy.as_standard_layout();
        let dl_dy = contiguous(&dl_dy);
        if (p1, p2) == (0, 0) {
            let dl_dx = all(&mut dl_dx);
            dl_dx.fill(T::zero());
            return add(images, dl_dy, dl_dx);
        }
        let mut padded = Array4::zeros((count, padded_rows, padded_cols, channels));
        add(images, dl_dy, all(&mut padded.view_mut()));
        dl_dx.assign(&padded.slice(s![.., p1..p1 + rows, p2..p2 + cols, ..]));
    });
    dl_dx
}

fn contiguous<'a, T>(x: &'a CowArray<'_, T, Ix4>) -> &'a [T] {
    x.as_slice().expect("the standard layout is contiguous")
}

/// All elements of some images of a new array.
fn all<'a, T>(images: &'a mut ArrayViewMut4<'_, T>) -> &'a mut [T] {
    images.as_slice_mut().expect("images of a new array are contiguous")
}

/// Images do not meet in pooling, so they can be shared out in any way; each task gets a quarter of a
/// mebibyte or so with their padding, which stays in the second-level cache.
fn images_per_task<T: Scalar>(window: Window, channels: usize) -> usize {
    let (rows, cols) = window.padded();
    ((1 << 18) / (rows * cols * channels * size_of::<T>()).max(1)).max(1)
}

#[cfg(test)]
mod tests {
    use numerics::Rng;

    use super::*;
    use crate::Pad;

    /// The harness compares batches that one task takes with the formulas.
    #[test]
    fn batches_of_several_tasks_are_pooled_image_by_image() {
        let each = |a: &Array4<f64>, n: usize| a.slice(s![n..n + 1, .., .., ..]).to_owned();
        for (kernel, stride, pad) in [((3, 2), 2, Pad::Valid), ((3, 5), 1, Pad::Same)] {
            let window = Window::new("Pool2D", (27, 29), kernel, stride, pad).unwrap();
            let at_once = images_per_task::<f64>(window, 8);
            let x: Array4<f64> = Rng::new(2).normal_array((2 * at_once + 1, 27, 29, 8), 0.0, 1.0);
            let pool = |x: &Array4<f64>| {
                let (y, winner) = max_pool_forward(x.view(), window);
                let dl_dx = max_pool_backward(y.view(), winner.view(), window);
                let mean = average_pool_forward(x.view(), window);
                let of_mean = average_pool_backward(mean.view(), window);
                [y, dl_dx, mean, of_mean]
            };
            let all = pool(&x);
            for n in 0..x.dim().0 {
                assert!(pool(&each(&x, n)) == all.each_ref().map(|all| each(all, n)), "{n}");
            }
        }
    }
}
