//! Element by element, and sums over rows, on several threads with the same bits on any number.
//!
//! Every caller's closure is compiled for itself, and in each crate again. So only the loop over a part of
//! an array is generic in it; the threads get it as a `dyn Fn`, which costs one call a part.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use ndarray::{Array, Array1, Array2, ArrayRef, ArrayView2, Dimension};
use rayon::prelude::*;

use crate::{Scalar, reused, vectorized};

/// Fewer elements than this are done on one thread: waking another takes longer.
const WORTH_A_THREAD: usize = 1 << 15;

/// Rows in one partial sum, or in one task.
const ROWS_AT_ONCE: usize = 256;

/// `f` of every task and its number, in order; on all threads if there is work for `many`.
pub fn map_tasks<X: Send, R: Send>(
    tasks: impl IntoIterator<Item = X>,
    many: bool,
    f: &(dyn Fn(usize, X) -> R + Sync),
) -> Vec<R> {
    let tasks: Vec<_> = tasks.into_iter().map(|task| Mutex::new((Some(task), None::<R>))).collect();
    run(tasks.len(), many, &|number| {
        let mut task = tasks[number].lock().unwrap_or_else(PoisonError::into_inner);
        task.1 = task.0.take().map(|task| f(number, task));
    });
    let results = tasks.into_iter().map(|task| task.into_inner().map_or(None, |task| task.1));
    results.map(|result| result.expect("every task has run")).collect()
}

/// Not generic, so that it is compiled once.
#[inline(never)]
fn run(count: usize, many: bool, task: &(dyn Fn(usize) + Sync)) {
    if many && count > 1 {
        (0..count).into_par_iter().for_each(task);
    } else {
        (0..count).for_each(task);
    }
}

/// `f` of every element.
pub fn map<T: Scalar, D: Dimension>(
    x: &ArrayRef<T, D>,
    f: impl Fn(T) -> T + Send + Sync,
) -> Array<T, D> {
    let mut out = reused(x.raw_dim());
    for_each_of_two(
        &mut out,
        x,
        #[inline(always)]
        |out, x| *out = f(x),
    );
    out
}

/// Calls `f` with every two elements at the same place, the first of which it may change.
///
/// # Panics
/// If the shapes differ.
pub fn for_each_of_two<T: Scalar, D: Dimension>(
    x: &mut ArrayRef<T, D>,
    y: &ArrayRef<T, D>,
    f: impl Fn(&mut T, T) + Send + Sync,
) {
    assert_eq!(x.shape(), y.shape(), "the arrays have the same shape");
    let y = y.as_standard_layout();
    let ys = y.as_slice().expect(STANDARD);
    with_elements(x, |xs| {
        for_each_part([xs], &|first, [xs]| {
            vectorized(
                #[inline(always)]
                || {
                    for (x, &y) in xs.iter_mut().zip(&ys[first..]) {
                        f(x, y);
                    }
                },
            );
        });
    });
}

/// Calls `f` with every three elements at the same place, the first two of which it may change.
///
/// # Panics
/// If the shapes differ.
pub fn for_each_of_three<T: Scalar, D: Dimension>(
    x: &mut ArrayRef<T, D>,
    y: &mut ArrayRef<T, D>,
    z: &ArrayRef<T, D>,
    f: impl Fn(&mut T, &mut T, T) + Send + Sync,
) {
    assert!(x.shape() == y.shape() && x.shape() == z.shape(), "the arrays have the same shape");
    let z = z.as_standard_layout();
    let zs = z.as_slice().expect(STANDARD);
    let part = |first: usize, [xs, ys]: [&mut [T]; 2]| {
        vectorized(
            #[inline(always)]
            || {
                for ((x, y), &z) in xs.iter_mut().zip(ys).zip(&zs[first..]) {
                    f(x, y, z);
                }
            },
        );
    };
    with_elements(x, |xs| with_elements(y, |ys| for_each_part([xs, ys], &part)));
}

/// Calls `f` with every part of the arrays, which have the same length, and the number of its first elements.
/// Loops over slices become vector instructions.
fn for_each_part<T: Scalar, const N: usize>(
    arrays: [&mut [T]; N],
    f: &(dyn Fn(usize, [&mut [T]; N]) + Sync),
) {
    let count = arrays[0].len().div_ceil(WORTH_A_THREAD);
    let mut parts = arrays.map(|elements| elements.chunks_mut(WORTH_A_THREAD));
    let next = |_| parts.each_mut().map(|parts| parts.next().expect("all arrays are as long"));
    map_tasks((0..count).map(next), true, &|part, elements| f(part * WORTH_A_THREAD, elements));
}

/// Lends the elements of `x` to `f`, in standard layout.
fn with_elements<T: Scalar, D: Dimension>(x: &mut ArrayRef<T, D>, f: impl FnOnce(&mut [T])) {
    if x.is_standard_layout() {
        return f(x.as_slice_mut().expect(STANDARD));
    }
    let mut copy = x.as_standard_layout().into_owned();
    f(copy.as_slice_mut().expect(STANDARD));
    x.assign(&copy);
}

const STANDARD: &str = "the standard layout is contiguous";

/// Calls `f` with every row and its number.
///
/// # Panics
/// If `x` is not in standard layout.
pub fn for_each_row<T: Scalar>(x: &mut Array2<T>, f: impl Fn(usize, &mut [T]) + Send + Sync) {
    let columns = x.ncols().max(1);
    map_row_blocks_mut(
        x,
        #[inline(always)]
        |first, rows| {
            for (i, row) in rows.chunks_exact_mut(columns).enumerate() {
                f(first + i, row);
            }
        },
    );
}

/// Calls `f` with every row of `x` and the row of `y` at the same place.
///
/// # Panics
/// If the shapes differ, or an array is not in standard layout.
pub fn for_each_row_of_two<T: Scalar>(
    x: &mut Array2<T>,
    y: &mut Array2<T>,
    f: impl Fn(&mut [T], &mut [T]) + Send + Sync,
) {
    assert_eq!(x.dim(), y.dim(), "the arrays have the same shape");
    let (many, columns) = (x.len() >= WORTH_A_THREAD, x.ncols().max(1));
    let block = ROWS_AT_ONCE * columns;
    let blocks = all_rows(x).chunks_mut(block).zip(all_rows(y).chunks_mut(block));
    map_tasks(blocks, many, &|_, (x, y): (&mut [T], &mut [T])| {
        vectorized(
            #[inline(always)]
            || {
                for (x, y) in x.chunks_exact_mut(columns).zip(y.chunks_exact_mut(columns)) {
                    f(x, y);
                }
            },
        );
    });
}

/// `f` of blocks of rows, by the number of the first row, in order.
///
/// # Panics
/// If `x` is not in standard layout.
pub fn map_row_blocks_mut<T: Scalar, R: Send>(
    x: &mut Array2<T>,
    f: impl Fn(usize, &mut [T]) -> R + Send + Sync,
) -> Vec<R> {
    let (many, block) = (x.len() >= WORTH_A_THREAD, ROWS_AT_ONCE * x.ncols().max(1));
    map_tasks(all_rows(x).chunks_mut(block), many, &|number, rows| {
        vectorized(
            #[inline(always)]
            || f(number * ROWS_AT_ONCE, rows),
        )
    })
}

/// `f` of ranges of rows that cover `rows` rows of `columns` elements, in order.
pub fn map_row_blocks<R: Send>(
    rows: usize,
    columns: usize,
    f: impl Fn(Range<usize>) -> R + Send + Sync,
) -> Vec<R> {
    let blocks = (0..rows).step_by(ROWS_AT_ONCE);
    map_tasks(blocks, rows * columns >= WORTH_A_THREAD, &|_, first| {
        vectorized(
            #[inline(always)]
            || f(first..(first + ROWS_AT_ONCE).min(rows)),
        )
    })
}

fn all_rows<T>(x: &mut Array2<T>) -> &mut [T] {
    x.as_slice_mut().expect("a batch is in standard layout")
}

/// The sum of each column.
///
/// A batch of images has some 100,000 rows, and a plain sum in `f32` would lose as many roundings.
/// This one takes partial sums of 256 rows, side by side, and adds them in order.
pub fn column_sums<T: Scalar>(x: ArrayView2<'_, T>) -> Array1<T> {
    let x = x.as_standard_layout();
    let (rows, columns) = x.dim();
    let elements = x.as_slice().expect("the standard layout is contiguous");
    let sums = map_row_blocks(
        rows,
        columns,
        #[inline(always)]
        |rows| {
            let mut sum = Array1::zeros(columns);
            let terms = sum.as_slice_mut().expect("new arrays are contiguous");
            let rows = &elements[rows.start * columns..rows.end * columns];
            for row in rows.chunks_exact(columns.max(1)) {
                terms.iter_mut().zip(row).for_each(|(sum, &x)| *sum += x);
            }
            sum
        },
    );
    sums.iter().fold(Array1::zeros(columns), |total, sum| total + sum)
}

#[cfg(test)]
mod tests {
    use ndarray::array;
    use rayon::ThreadPoolBuilder;

    use super::*;
    use crate::Rng;

    #[test]
    fn small_and_large_arrays_are_mapped_alike() {
        assert_eq!(map(&array![[1.0, -2.0]], |x| 2.0 * x), array![[2.0, -4.0]]);
        let mut product = array![1.0, 2.0];
        for_each_of_two(&mut product, &array![3.0, 5.0], |x, y| *x *= y);
        assert_eq!(product, array![3.0, 10.0]);
        let large: Array2<f32> = Rng::new(0).normal_array((300, 200), 0.0, 1.0);
        assert_eq!(map(&large, |x| x + 1.0), &large + 1.0);
        let mut difference = large.t().as_standard_layout().into_owned().reversed_axes();
        for_each_of_two(&mut difference, &large, |x, y| *x -= y);
        assert_eq!(difference, Array2::zeros(large.raw_dim()));
    }

    #[test]
    fn every_row_is_summed_once() {
        for rows in [0, 1, 255, 256, 257, 20_000] {
            // Whole numbers below 2^24 are exact in `f32`.
            let x = Array2::from_shape_fn((rows, 3), |(i, j)| (i % 5 + j) as f32);
            assert_eq!(column_sums(x.view()), x.sum_axis(ndarray::Axis(0)), "{rows}");
        }
    }

    #[test]
    fn every_row_is_visited_once_with_its_number() {
        for rows in [0, 1, 300, 20_000] {
            let mut x = Array2::<f32>::zeros((rows, 3));
            for_each_row(&mut x, |i, row| row.iter_mut().for_each(|x| *x += i as f32));
            assert_eq!(x, Array2::from_shape_fn((rows, 3), |(i, _)| i as f32));
        }
        for_each_row(&mut Array2::<f32>::zeros((3, 0)), |_, _| {});
    }

    #[test]
    fn bits_do_not_depend_on_the_number_of_threads() {
        let x: Array2<f32> = Rng::new(3).normal_array((10_000, 7), 0.1, 1.0);
        let sums = [1, 2, 3, 7].map(|threads| {
            let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| column_sums(x.view()))
        });
        assert!(sums.iter().all(|sum| *sum == sums[0]));
    }
}
