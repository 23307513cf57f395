//! Element by element, and sums over rows, on several threads with the same bits on any number.

use std::ops::Range;

use ndarray::{Array, Array1, Array2, ArrayRef, ArrayView2, Dimension, Zip};
use rayon::prelude::*;

use crate::{Scalar, reused, vectorized};

/// Fewer elements than this are done on one thread: waking another takes longer.
const WORTH_A_THREAD: usize = 1 << 15;

/// Rows in one partial sum, or in one task.
const ROWS_AT_ONCE: usize = 256;

/// `f` of every element.
#[must_use]
pub fn map<T: Scalar, D: Dimension>(
    x: &ArrayRef<T, D>,
    f: impl Fn(T) -> T + Send + Sync,
) -> Array<T, D> {
    let Some(elements) = x.as_slice() else {
        return Zip::from(x).map_collect(|&x| f(x));
    };
    collected(x.raw_dim(), |first, out| {
        vectorized(
            #[inline(always)]
            || {
                for (out, &x) in out.iter_mut().zip(&elements[first..]) {
                    *out = f(x);
                }
            },
        );
    })
}

/// `f` of every two elements at the same place.
///
/// # Panics
/// If the shapes differ.
#[must_use]
pub fn map2<T: Scalar, D: Dimension>(
    x: &ArrayRef<T, D>,
    y: &ArrayRef<T, D>,
    f: impl Fn(T, T) -> T + Send + Sync,
) -> Array<T, D> {
    let (Some(xs), Some(ys), true) = (x.as_slice(), y.as_slice(), x.shape() == y.shape()) else {
        return Zip::from(x).and(y).map_collect(|&x, &y| f(x, y));
    };
    collected(x.raw_dim(), |first, out| {
        vectorized(
            #[inline(always)]
            || {
                for ((out, &x), &y) in out.iter_mut().zip(&xs[first..]).zip(&ys[first..]) {
                    *out = f(x, y);
                }
            },
        );
    })
}

/// An array of this shape, filled part by part: `fill(first, part)` sets the elements from number
/// `first` on. Loops over slices become vector instructions.
fn collected<T: Scalar, D: Dimension>(
    shape: D,
    fill: impl Fn(usize, &mut [T]) + Send + Sync,
) -> Array<T, D> {
    let mut out = reused(shape);
    let elements = out.as_slice_mut().expect("new arrays are contiguous");
    if elements.len() < WORTH_A_THREAD {
        fill(0, elements);
    } else {
        let parts = elements.par_chunks_mut(WORTH_A_THREAD).enumerate();
        parts.for_each(|(part, elements)| fill(part * WORTH_A_THREAD, elements));
    }
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
    let contiguous = x.is_standard_layout() && y.is_standard_layout();
    if !contiguous || x.shape() != y.shape() {
        return Zip::from(x).and(y).for_each(|x, &y| f(x, y));
    }
    let expected = "the standard layout is contiguous";
    let (xs, ys) = (x.as_slice_mut().expect(expected), y.as_slice().expect(expected));
    let part = |(xs, ys): (&mut [T], &[T])| {
        vectorized(
            #[inline(always)]
            || {
                for (x, &y) in xs.iter_mut().zip(ys) {
                    f(x, y);
                }
            },
        );
    };
    if xs.len() < WORTH_A_THREAD {
        part((xs, ys));
    } else {
        xs.par_chunks_mut(WORTH_A_THREAD).zip(ys.par_chunks(WORTH_A_THREAD)).for_each(part);
    }
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
    let contiguous = x.is_standard_layout() && y.is_standard_layout() && z.is_standard_layout();
    if !contiguous || x.shape() != y.shape() || y.shape() != z.shape() {
        return Zip::from(x).and(y).and(z).for_each(|x, y, &z| f(x, y, z));
    }
    let expected = "the standard layout is contiguous";
    let (xs, ys) = (x.as_slice_mut().expect(expected), y.as_slice_mut().expect(expected));
    let zs = z.as_slice().expect(expected);
    let part = |((xs, ys), zs): ((&mut [T], &mut [T]), &[T])| {
        vectorized(
            #[inline(always)]
            || {
                for ((x, y), &z) in xs.iter_mut().zip(ys).zip(zs) {
                    f(x, y, z);
                }
            },
        );
    };
    if xs.len() < WORTH_A_THREAD {
        part(((xs, ys), zs));
    } else {
        let parts = xs.par_chunks_mut(WORTH_A_THREAD).zip(ys.par_chunks_mut(WORTH_A_THREAD));
        parts.zip(zs.par_chunks(WORTH_A_THREAD)).for_each(part);
    }
}

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
    let (len, columns) = (x.len(), x.ncols().max(1));
    let block = ROWS_AT_ONCE * columns;
    let rows = |(x, y): (&mut [T], &mut [T])| {
        vectorized(
            #[inline(always)]
            || {
                for (x, y) in x.chunks_exact_mut(columns).zip(y.chunks_exact_mut(columns)) {
                    f(x, y);
                }
            },
        );
    };
    let (x, y) = (all_rows(x), all_rows(y));
    if len < WORTH_A_THREAD {
        rows((x, y));
    } else {
        x.par_chunks_mut(block).zip(y.par_chunks_mut(block)).for_each(rows);
    }
}

/// `f` of blocks of rows, by the number of the first row, in order.
///
/// # Panics
/// If `x` is not in standard layout.
pub fn map_row_blocks_mut<T: Scalar, R: Send>(
    x: &mut Array2<T>,
    f: impl Fn(usize, &mut [T]) -> R + Send + Sync,
) -> Vec<R> {
    let (len, block) = (x.len(), ROWS_AT_ONCE * x.ncols().max(1));
    let rows = |(number, rows): (usize, &mut [T])| {
        vectorized(
            #[inline(always)]
            || f(number * ROWS_AT_ONCE, rows),
        )
    };
    let x = all_rows(x);
    if len < WORTH_A_THREAD {
        x.chunks_mut(block).enumerate().map(rows).collect()
    } else {
        x.par_chunks_mut(block).enumerate().map(rows).collect()
    }
}

/// `f` of ranges of rows that cover `rows` rows of `columns` elements, in order.
#[must_use]
pub fn map_row_blocks<R: Send>(
    rows: usize,
    columns: usize,
    f: impl Fn(Range<usize>) -> R + Send + Sync,
) -> Vec<R> {
    let block = |block: usize| {
        let first = block * ROWS_AT_ONCE;
        vectorized(
            #[inline(always)]
            || f(first..(first + ROWS_AT_ONCE).min(rows)),
        )
    };
    let blocks = rows.div_ceil(ROWS_AT_ONCE);
    if rows * columns < WORTH_A_THREAD {
        (0..blocks).map(block).collect()
    } else {
        (0..blocks).into_par_iter().map(block).collect()
    }
}

fn all_rows<T>(x: &mut Array2<T>) -> &mut [T] {
    x.as_slice_mut().expect("a batch is in standard layout")
}

/// The sum of each column.
///
/// A batch of images has some 100,000 rows, and a plain sum in `f32` would lose as many roundings.
/// This one takes partial sums of 256 rows, side by side, and adds them in order.
#[must_use]
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
        assert_eq!(map2(&array![1.0, 2.0], &array![3.0, 5.0], |x, y| x * y), array![3.0, 10.0]);
        let large: Array2<f32> = Rng::new(0).normal_array((300, 200), 0.0, 1.0);
        assert_eq!(map(&large, |x| x + 1.0), &large + 1.0);
        assert_eq!(map2(&large, &large, |x, y| x - y), Array2::zeros(large.raw_dim()));
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
