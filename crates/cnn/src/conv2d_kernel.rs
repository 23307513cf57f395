//! im2col: convolution as matrix products over blocks of output lines, for any window.
//!
//! A line is one row of one output image: line `l` is row `l % r1` of image `l / r1`. For a block of
//! lines, im2col copies what each output cell sees into one row of a matrix, so that convolution is
//! that matrix times the weights. A block holds at most a mebibyte, which stays in the second-level
//! cache; the matrix of the whole batch never exists.
//!
//! Blocks depend on shapes alone, and partial sums are added in their order, so the result has the
//! same bits for any number of threads.

use std::ops::Range;

use ndarray::{Array2, Array4, ArrayView2, ArrayView4, ArrayViewMut2, Axis, CowArray, Ix2};
use numerics::{Scalar, add_matmul, map_tasks, matmul_into, reused};

use crate::Window;
use crate::conv2d_algorithm::assert_shapes;
use crate::lines_per_part::lines_per_part;
use crate::scratch::with_scratch;

/// Bytes of the column matrix of one block at most.
const BLOCK_BYTES: usize = 1 << 20;

/// Partial sums of `dL/dW`, taken side by side.
const PARTIAL_SUMS: usize = 8;

// ANCHOR: forward
/// `Z[n, r, q, f] = b[f] + Σ W[i, j, c, f] X[n, r stride + i - pad, q stride + j - pad, c]`.
///
/// # Shapes
/// `x: (m, rows, cols, n_in)`, `w: (kernel_rows, kernel_cols, n_in, n_out)`, `b: (1, n_out)`; the
/// result is `(m, output_rows, output_cols, n_out)`.
///
/// # Panics
/// If `x` or `w` have not the sizes of `window`, or the shapes do not agree.
pub fn im2col_forward<T: Scalar>(
    x: ArrayView4<'_, T>,
    w: ArrayView4<'_, T>,
    b: ArrayView2<'_, T>,
    window: Window,
) -> Array4<T> {
    assert_shapes(x, w, window);
    let blocks = Blocks::new::<T>(x.dim().0, w.dim().2, w.dim().3, window);
    let (r1, r2) = window.output;
    let mut z = reused((x.dim().0, r1, r2, w.dim().3));
    let x = x.as_standard_layout();
    let x = x.as_slice().expect("the standard layout is contiguous");
    let w = weight_matrix(&w);
    let b = b.as_standard_layout();
    let b = b.as_slice().expect("the standard layout is contiguous");
    let parts = z.as_slice_mut().expect("new arrays are contiguous");
    let parts = parts.chunks_mut(blocks.lines_per_block * r2 * blocks.filters);
    map_tasks(parts, true, &|block, z: &mut [T]| {
        blocks.im2col(x, blocks.block(block), |columns| {
            z.chunks_exact_mut(blocks.filters).for_each(|cell| cell.copy_from_slice(b));
            let z = ArrayViewMut2::from_shape((columns.nrows(), blocks.filters), z)
                .expect("a block of lines has one row an output cell");
            add_matmul(z, columns, w.view());
        });
    });
    z
}
// ANCHOR_END: forward

// ANCHOR: backward
/// `dL/dX` of [`im2col_forward`]: `dL/dC = dL/dZ Wᵀ` for the column matrix C of each block, and each element of
/// it added to the cell of `dL/dX` that im2col copied it from.
///
/// # Panics
/// If `w` or `dl_dz` have not the sizes of `window`, or the shapes do not agree.
pub fn im2col_backward_data<T: Scalar>(
    w: ArrayView4<'_, T>,
    dl_dz: ArrayView4<'_, T>,
    window: Window,
) -> Array4<T> {
    let (k1, k2, channels, filters) = w.dim();
    assert_eq!((k1, k2), window.kernel, "the window was made for the kernel");
    let (images, (rows, cols), r1) = (dl_dz.dim().0, window.input, window.output.0);
    let blocks = Blocks::new::<T>(images, channels, filters, window);
    let (w, dl_dz) = (weight_matrix(&w), blocks.gradient_matrix(&dl_dz));
    let images_per_task = (blocks.lines_per_block / r1).max(1);
    let mut dl_dx = reused((images, rows, cols, channels));
    let parts = dl_dx.as_slice_mut().expect("new arrays are contiguous");
    let parts = parts.chunks_mut(images_per_task * blocks.image);
    map_tasks(parts, true, &|task, dl_dx: &mut [T]| {
        dl_dx.fill(T::zero());
        // Windows overlap within an image, so one task does all lines of its images.
        let first = task * images_per_task * r1;
        let end = first + dl_dx.len() / blocks.image * r1;
        for start in (first..end).step_by(blocks.lines_per_block) {
            let lines = start..(start + blocks.lines_per_block).min(end);
            let dl_dz = blocks.rows(&dl_dz, &lines);
            let shape = (dl_dz.nrows(), blocks.patch);
            with_scratch(shape.0 * shape.1, |columns| {
                let product = ArrayViewMut2::from_shape(shape, &mut *columns);
                matmul_into(product.expect("a row for each output cell"), dl_dz, w.t());
                blocks.col2im(columns, lines, first, dl_dx);
            });
        }
    });
    dl_dx
}

/// `dL/dW` of [`im2col_forward`]: `Σ Cᵀ dL/dZ` over the blocks.
///
/// # Panics
/// If `x` or `dl_dz` have not the sizes of `window`, or the shapes do not agree.
pub fn im2col_backward_weights<T: Scalar>(
    x: ArrayView4<'_, T>,
    dl_dz: ArrayView4<'_, T>,
    window: Window,
) -> Array4<T> {
    let ((images, rows, cols, channels), filters) = (x.dim(), dl_dz.dim().3);
    assert_eq!((rows, cols), window.input, "the window was made for the input");
    let blocks = Blocks::new::<T>(images, channels, filters, window);
    let dl_dz = blocks.gradient_matrix(&dl_dz);
    let x = x.as_standard_layout();
    let x = x.as_slice().expect("the standard layout is contiguous");
    let count = blocks.lines.div_ceil(blocks.lines_per_block);
    let blocks_per_sum = count.div_ceil(PARTIAL_SUMS).max(1);
    let sums = map_tasks((0..count).step_by(blocks_per_sum), true, &|_, first| {
        let mut dl_dw = Array2::zeros((blocks.patch, filters));
        for block in first..(first + blocks_per_sum).min(count) {
            let lines = blocks.block(block);
            let dl_dz = blocks.rows(&dl_dz, &lines);
            blocks.im2col(x, lines, |columns| add_matmul(dl_dw.view_mut(), columns.t(), dl_dz));
        }
        dl_dw
    });
    let mut total = Array2::zeros((blocks.patch, filters));
    for sum in &sums {
        total += sum;
    }
    let (k1, k2) = window.kernel;
    let kernel = total.into_shape_with_order((k1, k2, channels, filters));
    kernel.expect("the matrix of the filters is a kernel")
}
// ANCHOR_END: backward

/// The weights as a matrix: a row for each kernel cell and input channel, a column for each filter.
fn weight_matrix<'a, T: Scalar>(w: &'a ArrayView4<'_, T>) -> CowArray<'a, T, Ix2> {
    let (k1, k2, channels, filters) = w.dim();
    w.to_shape((k1 * k2 * channels, filters)).expect("a kernel is a matrix of its filters")
}

/// The lines of a batch, cut into blocks.
#[derive(Clone, Copy)]
struct Blocks {
    window: Window,
    channels: usize,
    filters: usize,
    /// Lines of the batch.
    lines: usize,
    lines_per_block: usize,
    /// Elements of one input image.
    image: usize,
    /// Elements of one row of the column matrix.
    patch: usize,
}

impl Blocks {
    fn new<T: Scalar>(images: usize, channels: usize, filters: usize, window: Window) -> Self {
        let ((rows, cols), (k1, k2), (r1, r2)) = (window.input, window.kernel, window.output);
        let (image, patch, lines) = (rows * cols * channels, k1 * k2 * channels, images * r1);
        let most = (BLOCK_BYTES / (r2 * patch * size_of::<T>()).max(1)).max(1);
        let lines_per_block = lines_per_part(lines, most);
        Self { window, channels, filters, lines, lines_per_block, image, patch }
    }

    /// `dL/dZ` with a row for each output cell.
    fn gradient_matrix<'a, T: Scalar>(&self, dl_dz: &'a ArrayView4<'_, T>) -> CowArray<'a, T, Ix2> {
        let (r1, r2) = self.window.output;
        let expected = (self.lines / r1, r1, r2, self.filters);
        assert_eq!(dl_dz.dim(), expected, "dL/dZ has the shape of Z");
        dl_dz.to_shape((self.lines * r2, self.filters)).expect("Z has one row an output cell")
    }

    /// The rows of these lines.
    fn rows<'a, T>(&self, z: &'a CowArray<'_, T, Ix2>, lines: &Range<usize>) -> ArrayView2<'a, T> {
        let r2 = self.window.output.1;
        z.slice_axis(Axis(0), (lines.start * r2..lines.end * r2).into())
    }

    /// The lines of a block.
    fn block(&self, block: usize) -> Range<usize> {
        let first = block * self.lines_per_block;
        first..(first + self.lines_per_block).min(self.lines)
    }

    // ANCHOR: im2col
    /// Lends `work` the column matrix of `lines`. It has one row for each output cell: the patch of the image
    /// that it sees, padding as zeros, in the order of the weights.
    fn im2col<T: Scalar>(
        &self,
        x: &[T],
        lines: Range<usize>,
        work: impl FnOnce(ArrayView2<'_, T>),
    ) {
        let shape = (lines.len() * self.window.output.1, self.patch);
        with_scratch(shape.0 * shape.1, |columns| {
            columns.fill(T::zero());
            self.for_each_run(lines, |run, patch, image| {
                columns[patch..patch + run].copy_from_slice(&x[image..image + run]);
            });
            work(ArrayView2::from_shape(shape, columns).expect("one patch an output cell"));
        });
    }
    // ANCHOR_END: im2col

    // ANCHOR: col2im
    /// The adjoint of im2col: adds each element of `columns` to the image cell that it came from.
    /// `dl_dx` begins with the image of line `first_line`.
    fn col2im<T: Scalar>(
        &self,
        columns: &[T],
        lines: Range<usize>,
        first_line: usize,
        dl_dx: &mut [T],
    ) {
        let offset = first_line / self.window.output.0 * self.image;
        self.for_each_run(lines, |run, patch, image| {
            let cells = &mut dl_dx[image - offset..image - offset + run];
            for (cell, &column) in cells.iter_mut().zip(&columns[patch..patch + run]) {
                *cell += column;
            }
        });
    }
    // ANCHOR_END: col2im

    /// Calls `visit(run, patch, image)` for every row of the kernel at every output cell: `run`
    /// elements of the column matrix, from index `patch` on, belong to as many neighbouring elements
    /// of the batch, from index `image` on.
    fn for_each_run(&self, lines: Range<usize>, mut visit: impl FnMut(usize, usize, usize)) {
        let ((r1, r2), (k1, k2)) = (self.window.output, self.window.kernel);
        let cols = self.window.input.1;
        let first_line = lines.start;
        for line in lines {
            let (n, r) = (line / r1, line % r1);
            for q in 0..r2 {
                let (j, col, count) = self.window.visible_cols(q);
                let cell = ((line - first_line) * r2 + q) * self.patch;
                for i in 0..k1 {
                    if let Some(row) = self.window.input_row(r, i) {
                        let patch = cell + (i * k2 + j) * self.channels;
                        let image = n * self.image + (row * cols + col) * self.channels;
                        visit(count * self.channels, patch, image);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array, Dimension};
    use numerics::Rng;

    use super::*;
    use crate::{Pad, conv2d_backward as im2col_backward, reference};

    fn window(input: (usize, usize), kernel: (usize, usize), stride: usize, pad: Pad) -> Window {
        Window::new("Conv2D", input, kernel, stride, pad).unwrap()
    }

    #[test]
    fn blocks_of_many_lines_agree_with_the_loops() {
        fn assert_close<D: Dimension>(fast: &Array<f64, D>, slow: &Array<f64, D>, what: &str) {
            let largest = |a: &Array<f64, D>| a.iter().fold(0.0_f64, |max, x| x.abs().max(max));
            let error = largest(&(fast - slow));
            assert!(error <= 1e-13 * largest(slow).max(1.0), "{what}: {error:e}");
        }
        // Several blocks in a batch, blocks that end within an image, one image over several blocks.
        for (m, input, channels, filters, kernel, stride, pad) in [
            (3, (9, 7), 4, 5, (3, 3), 1, Pad::Same),
            (20, (17, 31), 5, 3, (5, 4), 1, Pad::Cells(2, 3)),
            (2, (64, 300), 3, 2, (5, 5), 2, Pad::Same),
            (5, (8, 8), 2, 3, (2, 3), 3, Pad::Valid),
            (2, (3, 3), 2, 2, (5, 5), 1, Pad::Cells(4, 4)),
        ] {
            let window = window(input, kernel, stride, pad);
            let mut rng = Rng::new(6);
            let x: Array4<f64> = rng.uniform_array((m, input.0, input.1, channels), -1.0, 1.0);
            let w = rng.uniform_array((kernel.0, kernel.1, channels, filters), -1.0, 1.0);
            let b = rng.uniform_array((1, filters), -1.0, 1.0);
            let fast = im2col_forward(x.view(), w.view(), b.view(), window);
            let slow = reference::conv2d_forward(x.view(), w.view(), b.view(), window);
            assert_close(&fast, &slow, "Z");
            let dl_dz = rng.uniform_array(fast.raw_dim(), -1.0, 1.0);
            let fast = im2col_backward(x.view(), w.view(), dl_dz.view(), window);
            let slow = reference::conv2d_backward(x.view(), w.view(), dl_dz.view(), window);
            assert_close(&fast.dl_dx, &slow.dl_dx, "dL/dX");
            assert_close(&fast.dl_dw, &slow.dl_dw, "dL/dW");
            assert_close(&fast.dl_db, &slow.dl_db, "dL/db");
        }
    }

    #[test]
    fn bits_do_not_depend_on_the_number_of_threads() {
        let window = window((20, 20), (3, 3), 1, Pad::Same);
        let mut rng = Rng::new(8);
        let x: Array4<f32> = rng.normal_array((32, 20, 20, 16), 0.0, 1.0);
        let w = rng.normal_array((3, 3, 16, 8), 0.0, 1.0);
        let b = rng.normal_array((1, 8), 0.0, 1.0);
        let [one, other] = [1, 3].map(|threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let z = im2col_forward(x.view(), w.view(), b.view(), window);
                let data = im2col_backward_data(w.view(), z.view(), window);
                let weights = im2col_backward_weights(x.view(), z.view(), window);
                (z, data, weights)
            })
        });
        assert!(one == other);
    }
}
