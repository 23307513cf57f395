//! Winograd's kernel against the loops of `cnn::reference`, in both types, and on several numbers of
//! threads.

use cnn::{
    Pad, Window, im2col_backward_data, im2col_backward_weights, im2col_forward, reference,
    winograd_backward_data, winograd_backward_weights, winograd_forward,
};
use ndarray::{Array2, Array4};
use numerics::{Rng, Scalar};
use rayon::ThreadPoolBuilder;

const SIZES: [usize; 13] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 31, 32];
const CHANNELS: [usize; 5] = [1, 3, 5, 16, 24];
const FILTERS: [usize; 4] = [1, 2, 8, 32];
const PADS: [(usize, usize); 4] = [(0, 0), (1, 1), (0, 2), (4, 7)];

/// A convolution and what goes into it, from `[-1, 1)`.
struct Case<T> {
    window: Window,
    x: Array4<T>,
    w: Array4<T>,
    b: Array2<T>,
    dl_dz: Array4<T>,
}

impl<T: Scalar> Case<T> {
    fn new(images: usize, window: Window, channels: usize, filters: usize) -> Self {
        let ((rows, cols), (r1, r2)) = (window.input, window.output);
        let mut rng = Rng::new(189);
        Self {
            window,
            x: rng.uniform_array((images, rows, cols, channels), -1.0, 1.0),
            w: rng.uniform_array((3, 3, channels, filters), -1.0, 1.0),
            b: rng.uniform_array((1, filters), -1.0, 1.0),
            dl_dz: rng.uniform_array((images, r1, r2, filters), -1.0, 1.0),
        }
    }

    fn forward(&self) -> Array4<T> {
        winograd_forward(self.x.view(), self.w.view(), self.b.view(), self.window)
    }

    /// `dL/dX` and `dL/dW`.
    fn backward(&self) -> [Array4<T>; 2] {
        let dl_dz = self.dl_dz.view();
        [
            winograd_backward_data(self.w.view(), dl_dz, self.window),
            winograd_backward_weights(self.x.view(), dl_dz, self.window),
        ]
    }

    /// The largest differences of Z, `dL/dX` and `dL/dW` from these.
    fn errors(&self, [z, dl_dx, dl_dw]: &[Array4<f64>; 3]) -> [f64; 3] {
        let [fast_dx, fast_dw] = self.backward();
        [error(&self.forward(), z), error(&fast_dx, dl_dx), error(&fast_dw, dl_dw)]
    }

    /// The same numbers, exactly.
    fn wide(&self) -> Case<f64> {
        Case {
            window: self.window,
            x: self.x.mapv(Scalar::as_f64),
            w: self.w.mapv(Scalar::as_f64),
            b: self.b.mapv(Scalar::as_f64),
            dl_dz: self.dl_dz.mapv(Scalar::as_f64),
        }
    }
}

impl Case<f64> {
    /// Z, `dL/dX` and `dL/dW` by the loops of the formulas.
    fn loops(&self) -> [Array4<f64>; 3] {
        let (x, w) = (self.x.view(), self.w.view());
        let z = reference::conv2d_forward(x, w, self.b.view(), self.window);
        let slow = reference::conv2d_backward(x, w, self.dl_dz.view(), self.window);
        [z, slow.dl_dx, slow.dl_dw]
    }
}

fn window(input: (usize, usize), pad: Pad) -> Option<Window> {
    Window::new("Conv2D", input, (3, 3), 1, pad).ok()
}

/// Calls `check` for every size and padding that a window of 3 by 3 fits into, with some numbers of channels and
/// filters, more of them for small sizes: over all sizes each of them comes with each other.
fn for_each_shape(mut check: impl FnMut(usize, Window, usize, usize)) {
    let mut count = 0;
    for (i, size) in SIZES.into_iter().enumerate() {
        for (j, pad) in PADS.into_iter().enumerate() {
            // Every other image is not square.
            let cols = if i % 2 == 0 { size } else { SIZES[(i + 1 + j) % SIZES.len()] };
            let Some(window) = window((size, cols), Pad::Cells(pad.0, pad.1)) else { continue };
            for channels in CHANNELS {
                for filters in FILTERS {
                    count += 1;
                    if count % if size.max(cols) < 10 { 3 } else { 7 } == 0 {
                        check(1 + count / 3 % 3, window, channels, filters);
                    }
                }
            }
        }
    }
}

fn largest(values: &Array4<f64>) -> f64 {
    values.iter().fold(0.0, |max, x| x.abs().max(max))
}

fn error<T: Scalar>(fast: &Array4<T>, slow: &Array4<f64>) -> f64 {
    assert_eq!(fast.shape(), slow.shape());
    largest(&(fast.mapv(Scalar::as_f64) - slow))
}

/// How far a sum of `terms` products per point can be off in `f64`, if no input is above 1.
///
/// Along the way from an input to an output there are at most 25 roundings in the transforms (4 for
/// each pass over rows or columns, 1 for the product), and one for each addition at a point. The terms
/// that meet in an output add up to `growth²` at most for each product: `growth` is 48 for outputs, and
/// 54 for the gradients of weights (computed in the unit tests of the transforms).
fn bound(terms: usize, growth: f64) -> f64 {
    let roundings = (terms + 25) as f64;
    growth * growth * terms as f64 * roundings * (f64::EPSILON / 2.0)
}

// ANCHOR: bounds
/// What may be lost in practice, relative to the largest element: some dozens of times what direct
/// convolution loses, and far less than a training in half precision does.
const F32_LOSS: f64 = 5e-5;

/// The same algorithm, with roundings smaller by 2^29.
const F64_LOSS: f64 = F32_LOSS / (1 << 29) as f64;
// ANCHOR_END: bounds

#[test]
fn agrees_with_the_loops_within_the_derived_bound_and_loses_little_in_either_type() {
    let (mut worst_f32, mut worst_f64) = (0.0_f64, 0.0_f64);
    for_each_shape(|images, window, channels, filters| {
        let narrow = Case::<f32>::new(images, window, channels, filters);
        let wide = narrow.wide();
        let slow = wide.loops();
        let sizes = slow.each_ref().map(largest);
        let worst = |errors: [f64; 3]| {
            errors.iter().zip(sizes).map(|(error, size)| error / size).fold(0.0, f64::max)
        };
        worst_f32 = worst_f32.max(worst(narrow.errors(&slow)));
        let errors = wide.errors(&slow);
        worst_f64 = worst_f64.max(worst(errors));
        let (rows, cols) = window.output;
        let tiles = images * rows.div_ceil(4) * cols.div_ceil(4);
        let bounds = [bound(channels, 48.0), bound(filters, 48.0), bound(tiles, 54.0)];
        for ((name, error), bound) in ["Z", "dL/dX", "dL/dW"].iter().zip(errors).zip(bounds) {
            assert!(
                error <= bound,
                "{name}: {error:e} > {bound:e}, {images} images, {window:?}, {channels} channels, \
                 {filters} filters"
            );
        }
    });
    println!(
        "largest error, relative to the largest element: {worst_f32:e} in f32, {worst_f64:e} in f64"
    );
    assert!(worst_f32 <= F32_LOSS, "{worst_f32:e}");
    assert!(worst_f64 <= F64_LOSS, "{worst_f64:e}");
}

/// The outputs of one tile, rows and columns 4 to 7, share the cell in row and column 5; those in rows and columns
/// 4 to 6 see it.
#[test]
fn a_cell_that_is_not_finite_or_large_reaches_the_outputs_of_its_tile_that_do_not_see_it() {
    let case = Case::<f32>::new(1, window((16, 16), Pad::Same).unwrap(), 16, 8);
    let (w, b) = (case.w.view(), case.b.view());
    let winograd = |x: &Array4<f32>| winograd_forward(x.view(), w, b, case.window);
    let im2col = |x: &Array4<f32>| im2col_forward(x.view(), w, b, case.window);
    let with = |cell: f32| {
        let mut x = case.x.clone();
        x[[0, 5, 5, 3]] = cell;
        x
    };
    let is_in = |(_, row, col, _): (usize, usize, usize, usize), last: usize| {
        (4..=last).contains(&row) && (4..=last).contains(&col)
    };
    type Convolution<'a> = &'a dyn Fn(&Array4<f32>) -> Array4<f32>;
    let both: [(Convolution<'_>, usize); 2] = [(&winograd, 7), (&im2col, 6)];
    for (convolution, last) in both {
        let without = convolution(&case.x);
        for cell in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            for (at, z) in convolution(&with(cell)).indexed_iter() {
                assert!(
                    if is_in(at, last) { !z.is_finite() } else { *z == without[at] },
                    "{at:?}: {z}"
                );
            }
        }
        let mut worst = 0.0_f32;
        for (at, z) in convolution(&with(1e6)).indexed_iter().filter(|(at, _)| !is_in(*at, 6)) {
            assert!(is_in(at, last) || *z == without[at], "{at:?}");
            worst = worst.max((z - without[at]).abs());
        }
        println!("a cell of 1e6 moves outputs that do not see it by up to {worst}");
        let expected = if last == 7 { 0.01..=1e6 * F32_LOSS as f32 } else { 0.0..=0.0 };
        assert!(expected.contains(&worst), "{worst}");
    }
}

#[test]
fn chunks_end_within_images_and_between_them() {
    // A chunk has 227 tiles of 16 + 16 channels at most, so that it has 20 of 240 tile rows, of which an image
    // has 8, or 5 of 76, of which an image has 38.
    for (images, input, pad) in [(30, (32, 31), Pad::Same), (2, (150, 149), Pad::Cells(2, 1))] {
        let case = Case::<f64>::new(images, window(input, pad).unwrap(), 16, 16);
        let (x, w, b) = (case.x.view(), case.w.view(), case.b.view());
        let dl_dz = case.dl_dz.view();
        let slow = [
            im2col_forward(x, w, b, case.window),
            im2col_backward_data(w, dl_dz, case.window),
            im2col_backward_weights(x, dl_dz, case.window),
        ];
        let [z, dl_dx, dl_dw] = case.errors(&slow);
        assert!(z <= bound(16, 48.0) && dl_dx <= bound(16, 48.0), "{z:e}, {dl_dx:e}");
        assert!(dl_dw <= F64_LOSS * largest(&slow[2]), "{dl_dw:e}");
    }
}

#[test]
fn views_in_any_order_are_read_as_their_elements() {
    let case = Case::<f64>::new(2, window((6, 7), Pad::Same).unwrap(), 16, 17);
    let backwards = |array: &Array4<f64>| {
        array.view().reversed_axes().as_standard_layout().into_owned().reversed_axes()
    };
    let [x, w, dl_dz] = [&case.x, &case.w, &case.dl_dz].map(backwards);
    assert!(x.as_slice().is_none() && x == case.x);
    let turned = Case { window: case.window, x, w, b: case.b.clone(), dl_dz };
    assert_eq!(turned.forward(), case.forward());
    assert_eq!(turned.backward(), case.backward());
}

#[test]
fn no_images_give_no_outputs_and_zero_gradients() {
    let case = Case::<f32>::new(0, window((5, 5), Pad::Same).unwrap(), 16, 16);
    assert_eq!(case.forward().dim(), (0, 5, 5, 16));
    // What the working memory held before must not come through.
    let other = Case::<f32>::new(3, case.window, 16, 16);
    drop(other.backward());
    assert_eq!(
        winograd_backward_weights(case.x.view(), case.dl_dz.view(), case.window),
        case.w * 0.0
    );
}

#[test]
fn bits_depend_neither_on_the_number_of_threads_nor_on_earlier_calls() {
    let case = Case::<f32>::new(30, window((32, 32), Pad::Same).unwrap(), 16, 24);
    let small = Case::<f32>::new(3, window((7, 5), Pad::Valid).unwrap(), 24, 16);
    let run = |threads| {
        let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let first = small.backward();
            let large = (case.forward(), case.backward());
            assert_eq!(small.backward(), first, "{threads} threads");
            (first, large)
        })
    };
    let one = run(1);
    assert!(run(2) == one && run(3) == one);
}

#[test]
fn an_image_has_the_same_gradient_in_any_batch() {
    let case = Case::<f32>::new(4, window((9, 9), Pad::Same).unwrap(), 16, 16);
    let last = case.dl_dz.slice(ndarray::s![3.., .., .., ..]);
    let alone = winograd_backward_data(case.w.view(), last, case.window);
    assert_eq!(case.backward()[0].slice(ndarray::s![3.., .., .., ..]), alone);
}
