//! Convolution as matrix products over blocks of output lines.
//!
//! A line is one row of one output image: line `l` is row `l % r1` of image `l / r1`. For a block of
//! lines, im2col copies what each output cell sees into one row of a matrix, so that convolution is
//! that matrix times the weights. A block holds about a mebibyte, which stays in the second-level
//! cache; the matrix of the whole batch never exists.
//!
//! Blocks depend on shapes alone, and partial sums are added in their order, so the result has the
//! same bits for any number of threads.

use std::ops::Range;

use ndarray::{Array2, Array4, ArrayView2, ArrayView4, ArrayViewMut2, Axis, CowArray, Ix2};
use numerics::{Scalar, add_matmul, column_sums, matmul};
use rayon::prelude::*;

use crate::Window;

/// Bytes of the column matrix of one block.
const BLOCK_BYTES: usize = 1 << 20;

/// Partial sums of `dL/dW`, taken side by side.
const PARTIAL_SUMS: usize = 8;

/// What [`conv2d_backward`] returns.
#[derive(Clone, Debug, PartialEq)]
pub struct Conv2DGradients<T> {
    /// `dL/dX`, of shape `(m, rows, cols, n_in)`.
    pub dl_dx: Array4<T>,
    /// `dL/dW`, of shape `(kernel_rows, kernel_cols, n_in, n_out)`.
    pub dl_dw: Array4<T>,
    /// `dL/db`, of shape `(1, n_out)`.
    pub dl_db: Array2<T>,
}

// ANCHOR: forward
/// `Z[n, r, q, f] = b[f] + Σ W[i, j, c, f] X[n, r stride + i - pad, q stride + j - pad, c]`.
///
/// # Shapes
/// `x: (m, rows, cols, n_in)`, `w: (kernel_rows, kernel_cols, n_in, n_out)`, `b: (1, n_out)`; the
/// result is `(m, output_rows, output_cols, n_out)`.
///
/// # Panics
/// If `x` or `w` have not the sizes of `window`, or the shapes do not agree.
#[must_use]
pub fn conv2d_forward<T: Scalar>(
    x: ArrayView4<'_, T>,
    w: ArrayView4<'_, T>,
    b: ArrayView2<'_, T>,
    window: Window,
) -> Array4<T> {
    let blocks = Blocks::new::<T>(x, w, window);
    let x = x.as_standard_layout();
    let x = x.as_slice().expect("the standard layout is contiguous");
    let w = weight_matrix(&w);
    let b = b.as_standard_layout();
    let b = b.as_slice().expect("the standard layout is contiguous");
    let mut z = Array4::zeros(blocks.output_shape());
    z.as_slice_mut()
        .expect("new arrays are contiguous")
        .par_chunks_mut(blocks.lines_per_block * blocks.output_line())
        .enumerate()
        .for_each_init(Vec::new, |columns, (block, z)| {
            let columns = blocks.im2col(x, blocks.lines(block), columns);
            z.chunks_exact_mut(blocks.filters).for_each(|cell| cell.copy_from_slice(b));
            let z = ArrayViewMut2::from_shape((columns.nrows(), blocks.filters), z)
                .expect("a block of lines has one row an output cell");
            add_matmul(z, columns, w.view());
        });
    z
}
// ANCHOR_END: forward

// ANCHOR: backward
/// The gradients of [`conv2d_forward`], from `dL/dZ` of the shape of its result.
///
/// With `C` the column matrix of a block: `dL/dW = Σ Cᵀ dL/dZ` over the blocks, `dL/dC = dL/dZ Wᵀ`,
/// and `dL/dX` adds each element of `dL/dC` to the cell that im2col copied it from.
///
/// # Panics
/// As [`conv2d_forward`].
#[must_use]
pub fn conv2d_backward<T: Scalar>(
    x: ArrayView4<'_, T>,
    w: ArrayView4<'_, T>,
    dl_dz: ArrayView4<'_, T>,
    window: Window,
) -> Conv2DGradients<T> {
    let blocks = Blocks::new::<T>(x, w, window);
    assert_eq!(dl_dz.dim(), blocks.output_shape(), "dL/dZ has the shape of Z");
    let dl_dz = dl_dz.as_standard_layout();
    let dl_dz = dl_dz.to_shape((blocks.total_lines() * window.output().1, blocks.filters));
    let dl_dz = dl_dz.expect("Z has one row an output cell");
    Conv2DGradients {
        dl_dx: blocks.backward_data(&weight_matrix(&w), dl_dz.view()),
        dl_dw: blocks.backward_weights(x, dl_dz.view()),
        dl_db: column_sums(dl_dz.view()).insert_axis(Axis(0)),
    }
}
// ANCHOR_END: backward

/// The weights as a matrix: a row for each kernel cell and input channel, a column for each filter.
fn weight_matrix<'a, T: Scalar>(w: &'a ArrayView4<'_, T>) -> CowArray<'a, T, Ix2> {
    let (k1, k2, channels, filters) = w.dim();
    w.to_shape((k1 * k2 * channels, filters)).expect("a kernel is a matrix of its filters")
}

/// How the lines of a batch are cut into blocks.
#[derive(Clone, Copy)]
struct Blocks {
    window: Window,
    images: usize,
    channels: usize,
    filters: usize,
    lines_per_block: usize,
}

impl Blocks {
    fn new<T: Scalar>(x: ArrayView4<'_, T>, w: ArrayView4<'_, T>, window: Window) -> Self {
        let (images, rows, cols, channels) = x.dim();
        let (k1, k2, w_channels, filters) = w.dim();
        assert_eq!((rows, cols), window.input(), "the window was made for the input");
        assert_eq!((k1, k2), window.kernel(), "the window was made for the kernel");
        assert_eq!(channels, w_channels, "every input channel has its weights");
        let line_bytes = window.output().1 * k1 * k2 * channels * size_of::<T>();
        let lines_per_block = (BLOCK_BYTES / line_bytes.max(1)).max(1);
        Self { window, images, channels, filters, lines_per_block }
    }

    fn output_shape(&self) -> (usize, usize, usize, usize) {
        let (r1, r2) = self.window.output();
        (self.images, r1, r2, self.filters)
    }

    fn total_lines(&self) -> usize {
        self.images * self.window.output().0
    }

    fn lines(&self, block: usize) -> Range<usize> {
        let first = block * self.lines_per_block;
        first..(first + self.lines_per_block).min(self.total_lines())
    }

    /// Elements of one line of the output.
    fn output_line(&self) -> usize {
        self.window.output().1 * self.filters
    }

    /// Elements of one input image.
    fn image(&self) -> usize {
        let (rows, cols) = self.window.input();
        rows * cols * self.channels
    }

    /// Elements of one row of the column matrix.
    fn patch(&self) -> usize {
        let (k1, k2) = self.window.kernel();
        k1 * k2 * self.channels
    }

    // ANCHOR: im2col
    /// One row for each output cell of `lines`: the patch of the image that it sees, padding as
    /// zeros, in the order of the weights.
    fn im2col<'a, T: Scalar>(
        &self,
        x: &[T],
        lines: Range<usize>,
        columns: &'a mut Vec<T>,
    ) -> ArrayView2<'a, T> {
        let rows = lines.len() * self.window.output().1;
        columns.clear();
        columns.resize(rows * self.patch(), T::zero());
        self.for_each_run(lines, |run, patch, image| {
            columns[patch..patch + run].copy_from_slice(&x[image..image + run]);
        });
        ArrayView2::from_shape((rows, self.patch()), columns).expect("one patch an output cell")
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
        let offset = first_line / self.window.output().0 * self.image();
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
        let ((r1, r2), (k1, k2)) = (self.window.output(), self.window.kernel());
        let cols = self.window.input().1;
        let first_line = lines.start;
        for line in lines {
            let (n, r) = (line / r1, line % r1);
            for q in 0..r2 {
                let (j, col, count) = self.window.visible_cols(q);
                let cell = ((line - first_line) * r2 + q) * self.patch();
                for i in 0..k1 {
                    if let Some(row) = self.window.input_row(r, i) {
                        let patch = cell + (i * k2 + j) * self.channels;
                        let image = n * self.image() + (row * cols + col) * self.channels;
                        visit(count * self.channels, patch, image);
                    }
                }
            }
        }
    }

    fn backward_data<T: Scalar>(
        &self,
        w: &CowArray<'_, T, Ix2>,
        dl_dz: ArrayView2<'_, T>,
    ) -> Array4<T> {
        let ((r1, r2), (rows, cols)) = (self.window.output(), self.window.input());
        let images_per_task = (self.lines_per_block / r1).max(1);
        let mut dl_dx = Array4::zeros((self.images, rows, cols, self.channels));
        dl_dx
            .as_slice_mut()
            .expect("new arrays are contiguous")
            .par_chunks_mut(images_per_task * self.image())
            .enumerate()
            .for_each(|(task, dl_dx)| {
                // Windows overlap within an image, so one task does all lines of its images.
                let first = task * images_per_task * r1;
                let end = first + dl_dx.len() / self.image() * r1;
                for start in (first..end).step_by(self.lines_per_block) {
                    let lines = start..(start + self.lines_per_block).min(end);
                    let dl_dz =
                        dl_dz.slice_axis(Axis(0), (lines.start * r2..lines.end * r2).into());
                    let columns = matmul(dl_dz, w.t());
                    let columns = columns.as_slice().expect("products are contiguous");
                    self.col2im(columns, lines, first, dl_dx);
                }
            });
        dl_dx
    }

    fn backward_weights<T: Scalar>(
        &self,
        x: ArrayView4<'_, T>,
        dl_dz: ArrayView2<'_, T>,
    ) -> Array4<T> {
        let x = x.as_standard_layout();
        let x = x.as_slice().expect("the standard layout is contiguous");
        let r2 = self.window.output().1;
        let blocks = self.total_lines().div_ceil(self.lines_per_block);
        let blocks_per_sum = blocks.div_ceil(PARTIAL_SUMS).max(1);
        let sums: Vec<Array2<T>> = (0..blocks.div_ceil(blocks_per_sum))
            .into_par_iter()
            .map(|sum| {
                let mut dl_dw = Array2::zeros((self.patch(), self.filters));
                let mut columns = Vec::new();
                for block in sum * blocks_per_sum..((sum + 1) * blocks_per_sum).min(blocks) {
                    let lines = self.lines(block);
                    let dl_dz =
                        dl_dz.slice_axis(Axis(0), (lines.start * r2..lines.end * r2).into());
                    let columns = self.im2col(x, lines, &mut columns);
                    add_matmul(dl_dw.view_mut(), columns.t(), dl_dz);
                }
                dl_dw
            })
            .collect();
        let mut total = Array2::zeros((self.patch(), self.filters));
        for sum in &sums {
            total += sum;
        }
        let (k1, k2) = self.window.kernel();
        total
            .into_shape_with_order((k1, k2, self.channels, self.filters))
            .expect("the matrix of the filters is a kernel")
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array, Dimension, array};
    use numerics::Rng;

    use super::*;
    use crate::{Pad, reference};

    fn window(input: (usize, usize), kernel: (usize, usize), stride: usize, pad: Pad) -> Window {
        Window::new("Conv2D", input, kernel, stride, pad).unwrap()
    }

    #[test]
    fn one_filter_over_one_image_by_hand() {
        let x = array![[1.0, 2.0, 0.0], [0.0, 1.0, 3.0], [2.0, 1.0, 1.0]];
        let x = x.into_shape_with_order((1, 3, 3, 1)).unwrap();
        let w = array![[1.0, 0.0], [-1.0, 2.0]].into_shape_with_order((2, 2, 1, 1)).unwrap();
        let b = array![[0.5]];
        let window = window((3, 3), (2, 2), 1, Pad::Valid);
        let z = conv2d_forward(x.view(), w.view(), b.view(), window);
        // 1 - 0 + 2 * 1 + 0.5 = 3.5; 2 - 1 + 2 * 3 + 0.5 = 7.5; ...
        assert_eq!(z.into_raw_vec_and_offset().0, [3.5, 7.5, 0.5, 2.5]);

        let dl_dz = array![[1.0, 0.0], [0.0, 2.0]].into_shape_with_order((1, 2, 2, 1)).unwrap();
        let gradients = conv2d_backward(x.view(), w.view(), dl_dz.view(), window);
        assert_eq!(gradients.dl_db, array![[3.0]]);
        // The patch at (0, 0) once plus the patch at (1, 1) twice.
        assert_eq!(gradients.dl_dw.into_raw_vec_and_offset().0, [3.0, 8.0, 2.0, 3.0]);
        // The filter at (0, 0) once plus the filter at (1, 1) twice.
        let dl_dx = gradients.dl_dx.into_raw_vec_and_offset().0;
        assert_eq!(dl_dx, [1.0, 0.0, 0.0, -1.0, 4.0, 0.0, 0.0, -2.0, 4.0]);
    }

    fn largest<D: Dimension>(a: &Array<f64, D>) -> f64 {
        a.iter().fold(0.0, |max, x| x.abs().max(max))
    }

    fn assert_close<D: Dimension>(fast: &Array<f64, D>, slow: &Array<f64, D>, what: &str) {
        assert_eq!(fast.shape(), slow.shape(), "{what}");
        let error = largest(&(fast - slow));
        assert!(error <= 1e-13 * largest(slow).max(1.0), "{what}: {error:e}");
    }

    #[test]
    fn blocks_of_many_lines_agree_with_the_loops() {
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
            let fast = conv2d_forward(x.view(), w.view(), b.view(), window);
            let slow = reference::conv2d_forward(x.view(), w.view(), b.view(), window);
            assert_close(&fast, &slow, "Z");
            let dl_dz = rng.uniform_array(fast.raw_dim(), -1.0, 1.0);
            let fast = conv2d_backward(x.view(), w.view(), dl_dz.view(), window);
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
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let z = conv2d_forward(x.view(), w.view(), b.view(), window);
                let gradients = conv2d_backward(x.view(), w.view(), z.view(), window);
                (z, gradients)
            })
        };
        let one = run(1);
        for threads in [2, 3, 7] {
            assert_eq!(run(threads), one, "{threads} threads");
        }
    }
}
