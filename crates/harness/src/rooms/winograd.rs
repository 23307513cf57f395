//! Winograd's F(4x4, 3x3): the chapter on faster convolution. n counts images, (t, u) tiles, (a, b) the
//! 6 by 6 points of a tile, (r, q) output cells, (i, j) kernel cells, c input channels and f filters.
//!
//! A layer in `f64`, which all other rooms check, never asks for it, so everything here calls its kernels.

mod faulty;
mod proof;

use std::sync::Arc;

use activations::Activation;
use cnn::{
    Conv2DConfig, Pad, Window, conv2d_forward, reference, winograd_applies, winograd_backward_data,
    winograd_backward_weights, winograd_forward,
};
use ndarray::{Array1, Array2, Array4, array, s};
use numerics::Scalar;

use self::faulty::Faulty;
use crate::cases::{Case, Failure, Verdict, claim};
use crate::course::{Entry, Pass, Tally, cast};
use crate::layer::adjoint;
use crate::layer::window::Geometry;
use crate::oracle::Fixture;
use crate::oracle::listed::Listed;
use crate::room::{Checks, PlainRoom, bugs, free_formula};
use crate::transcription::{array_of, sum};
use crate::worked::Example;
use crate::{Check, Result};

/// The kernels under test: those of users, or plain ones with a bug or with none.
pub(super) struct Winograd(Option<&'static str>);

pub(super) static ROOM: PlainRoom<Winograd> = PlainRoom {
    name: "Winograd",
    question: "6.2",
    real: || Arc::new(Winograd(None)),
    faulty: |bug| Arc::new(Winograd(Some(bug))),
    of_program: |_| None,
    checks: |own| {
        oracle::<f64>(own);
        oracle::<f32>(own);
        formulas(own);
        adjoints(own);
        proof::add(own);
        claims(own);
    },
    free_checks: || vec![one_dimension()],
    bugs: bugs! {
        "tiles-apart" [Oracle Formula Adjoint Property] "each tile sees six new cells: neighbouring tiles do not overlap"
        "edge-repeated" [Oracle Formula Adjoint Property] "cells of a tile outside the image repeat the nearest pixel instead of being zero"
        "tap-lost-at-the-clip" [Oracle Formula Adjoint Property] "of a tile that reaches beyond the image the last row and column of cells that count are left out"
        "transform-sign" [Oracle Formula Adjoint Property] "one sign in Bᵀ is wrong, in all passes"
        "transform-transposed" [Oracle Formula Adjoint Property] "cells are transformed by B in place of Bᵀ"
        "points-exchanged" [Oracle Formula Property] "filters are evaluated at -1 where cells are evaluated at 1, and the other way round, in all passes"
        "filter-transposed" [Oracle Formula Adjoint Property] "rows and columns of each filter are exchanged before its transform"
        "filter-not-turned" [Oracle Formula Adjoint Property] "dL/dX takes the filter as it is, not turned by 180 degrees"
        "padding-of-forward" [Oracle Formula Adjoint Property] "dL/dX pads by p and not by 2 - p, which is the same for p = 1"
        "bias-at-the-point-0" [Oracle Formula Property] "the bias is added to the product at the point (0, 0), which enters one of the 16 outputs only"
        "clipped-tiles-left-out" [Oracle Formula Adjoint Property] "dL/dW sums only the tiles that lie within the image"
        "weight-gradient-transposed" [Oracle Formula Adjoint Property] "dL/dW has its rows and columns exchanged"
        "half-precision" [Oracle Property] "in single precision the transformed cells are kept with 8 significant bits"
    },
    examples: &[("winograd", worked)],
};

impl Winograd {
    fn faulty<T: Scalar>(&self) -> Option<Faulty> {
        let narrow = size_of::<T>() < size_of::<f64>();
        self.0.map(|bug| Faulty { bug, narrow })
    }

    fn forward<T: Scalar>(
        &self,
        x: &Array4<T>,
        w: &Array4<T>,
        b: &Array2<T>,
        window: Window,
    ) -> Array4<T> {
        match self.faulty::<T>() {
            None => winograd_forward(x.view(), w.view(), b.view(), window),
            Some(own) => {
                let b = b.mapv(Scalar::as_f64);
                own.forward(&wide(x), &wide(w), &b, padding(window), window.output).mapv(T::of)
            }
        }
    }

    fn backward_data<T: Scalar>(
        &self,
        w: &Array4<T>,
        dl_dz: &Array4<T>,
        window: Window,
    ) -> Array4<T> {
        match self.faulty::<T>() {
            None => winograd_backward_data(w.view(), dl_dz.view(), window),
            Some(own) => {
                own.backward_data(&wide(w), &wide(dl_dz), padding(window), window.input).mapv(T::of)
            }
        }
    }

    fn backward_weights<T: Scalar>(
        &self,
        x: &Array4<T>,
        dl_dz: &Array4<T>,
        window: Window,
    ) -> Array4<T> {
        match self.faulty::<T>() {
            None => winograd_backward_weights(x.view(), dl_dz.view(), window),
            Some(own) => own.backward_weights(&wide(x), &wide(dl_dz), padding(window)).mapv(T::of),
        }
    }

    /// Compares a pass with an entry of convolutions that Winograd's algorithm can compute.
    fn compare<T: Scalar>(
        &self,
        pass: Pass,
        (listed, entry): (&Listed, Entry<'_>),
        tally: &mut Tally,
    ) -> Result<()> {
        let config = listed.declaration(&Conv2DConfig::new(1, (1, 1)))?;
        let [x] = entry.inputs()?;
        let input = (x.shape()[1], x.shape()[2]);
        let window = Window::new("Conv2D", input, config.kernel_shape, config.stride, config.pad);
        let window = window.map_err(|error| entry.refused(error))?;
        // Of the others, Z is not what the file has.
        if !winograd_applies(window) || config.activation != Activation::Linear {
            return Ok(());
        }
        let four = |name: &str| -> Result<Array4<T>> {
            let array = cast::<T>(&entry.array(name)?);
            array.into_dimensionality().map_err(|error| entry.refused(error))
        };
        let x = cast::<T>(&x).into_dimensionality().map_err(|error| entry.refused(error))?;
        let (w, dl_dz) = (four("W")?, four("upstream_grad")?);
        let b = cast::<T>(&entry.shaped("b", &[1, w.dim().3])?);
        let b = b.into_dimensionality().map_err(|error| entry.refused(error))?;
        let (name, result) = match pass {
            Pass::Forward => ("output", self.forward(&x, &w, &b, window)),
            Pass::Backward => ("backward", self.backward_data(&w, &dl_dz, window)),
            _ => ("dW", self.backward_weights(&x, &dl_dz, window)),
        };
        let case = format!("{window:?}, input {:?}", x.dim());
        tally.add(&entry.key(name), &case, &result.into_dyn(), &entry.array(name)?);
        Ok(())
    }
}

fn wide<T: Scalar>(array: &Array4<T>) -> Array4<f64> {
    array.mapv(Scalar::as_f64)
}

fn padding(window: Window) -> (isize, isize) {
    (window.pad.0.cast_signed(), window.pad.1.cast_signed())
}

fn oracle<T: Scalar>(own: &mut Checks<Winograd>) {
    let (question, class) = (own.question, own.name);
    let (module, file, kind) = ("test_layers", "Conv2DPads", "conv2d");
    let fixture = Fixture { question, module, file, kind, class };
    for pass in [Pass::Forward, Pass::Backward, Pass::Gradients] {
        let winograd = Arc::clone(&own.subject);
        own.list.push(fixture.check::<T>(pass.test_name(), move |listed, entry, tally| {
            winograd.compare::<T>(pass, (listed, entry), tally)
        }));
    }
}

/// In exact arithmetic there would be no difference. Three channels or filters, times terms that grow to
/// 54² times the largest product, give terms of at most 9e3 in magnitude, summed over at most 12 tiles,
/// each rounded some thirty times on its way: `12 · 9e3 · 30 u = 3.6e-10` on either side.
const GROWN: f64 = 8e-10;

/// (p * w)ₖ = Σᵢ pᵢ wₖ₋ᵢ = B [(A p) ⊙ (G w)], and yᵢ = Σⱼ wⱼ dᵢ₊ⱼ = Aᵀ [(G w) ⊙ (Bᵀ d)].
fn one_dimension() -> Check {
    free_formula("6.2", "winograd-1d", GROWN, |case| {
        let [p, w, d]: [Array1<f64>; 3] =
            [4, 3, 6].map(|len| case.rng.uniform_array(len, -1.0, 1.0));
        let mut product = Array1::zeros(6);
        for (i, j) in ndarray::indices((4, 3)) {
            product[i + j] += p[i] * w[j];
        }
        case.compare("p * w", &bt().t().dot(&(a().dot(&p) * g().dot(&w))), &product)?;
        let y = array_of(4, |i| sum(3, |j| w[j] * d[i + j]));
        case.compare("y", &a().t().dot(&(g().dot(&w) * bt().dot(&d))), &y)
    })
}

/// The transcriptions of the algorithm and of its gradients.
fn formulas(own: &mut Checks<Winograd>) {
    // Z[n, 4t.., 4u.., f] = Aᵀ [Σ_c (G W_cf Gᵀ) ⊙ (Bᵀ D_ntuc B)] A + b[f].
    own.formula("winograd-forward", GROWN, |winograd, case| {
        let Convolution { geometry, window, x, w, b, .. } = Convolution::draw(case)?;
        let z = tiled(&x, &w, &b, padding(window), geometry.output());
        case.compare("Z", &winograd.forward(&x, &w, &b, window), &z)
    });
    // The same of dL/dZ, by the kernel turned by 180 degrees, with channels and filters exchanged, padded by
    // 2 - p.
    own.formula("winograd-dx", GROWN, |winograd, case| {
        let Convolution { geometry, window, w, dl_dz, .. } = Convolution::draw(case)?;
        let turned = w.slice(s![..;-1, ..;-1, .., ..]).permuted_axes([0, 1, 3, 2]).to_owned();
        let none = Array2::zeros((1, geometry.channels));
        let (p1, p2) = padding(window);
        let input = (geometry.rows, geometry.cols);
        let dl_dx = tiled(&dl_dz, &turned, &none, (2 - p1, 2 - p2), input);
        case.compare("dL/dX", &winograd.backward_data(&w, &dl_dz, window), &dl_dx)
    });
    // dL/dW[.., c, f] = Gᵀ [Σ_ntu (Bᵀ D_ntuc B) ⊙ (A G_ntuf Aᵀ)] G.
    own.formula("winograd-dw", GROWN, |winograd, case| {
        let Convolution { geometry, window, x, w, dl_dz, .. } = Convolution::draw(case)?;
        let ((p1, p2), (r1, r2)) = (padding(window), geometry.output());
        let mut dl_dw = Array4::zeros(w.dim());
        for (c, f) in ndarray::indices((x.dim().3, w.dim().3)) {
            let mut sum = Array2::zeros((6, 6));
            for (n, t, u) in ndarray::indices((geometry.m, r1.div_ceil(4), r2.div_ceil(4))) {
                let at = [4 * t, 4 * u].map(|at| at as isize);
                let d = patch::<6>(&x, n, c, [at[0] - p1, at[1] - p2]);
                let gradient = patch::<4>(&dl_dz, n, f, at);
                sum += &(bt().dot(&d).dot(&bt().t()) * a().dot(&gradient).dot(&a().t()));
            }
            dl_dw.slice_mut(s![.., .., c, f]).assign(&g().t().dot(&sum).dot(&g()));
        }
        case.compare("dL/dW", &winograd.backward_weights(&x, &dl_dz, window), &dl_dw)
    });
}

/// Forward and backward, on numbers for which neither rounds: see [`Convolution::whole`].
fn adjoints(own: &mut Checks<Winograd>) {
    own.adjoint(0.0, "in_x", |winograd, case| {
        let Convolution { window, x, w, dl_dz, .. } = Convolution::draw(case)?.whole(case);
        let z = winograd.forward(&x, &w, &Array2::zeros((1, w.dim().3)), window);
        let dl_dx = winograd.backward_data(&w, &dl_dz, window);
        adjoint::compare(case, &z.into_dyn(), &dl_dz.into_dyn(), &x.into_dyn(), &dl_dx.into_dyn())
    });
    own.adjoint(0.0, "in_w", |winograd, case| {
        let Convolution { window, x, w, dl_dz, .. } = Convolution::draw(case)?.whole(case);
        let z = winograd.forward(&x, &w, &Array2::zeros((1, w.dim().3)), window);
        let dl_dw = winograd.backward_weights(&x, &(&dl_dz * GRID), window) / GRID;
        adjoint::compare(case, &z.into_dyn(), &dl_dz.into_dyn(), &w.into_dyn(), &dl_dw.into_dyn())
    });
}

/// The square of the least common denominator of G: whole multiples of it have whole transforms.
const GRID: f64 = 576.0;

fn claims(own: &mut Checks<Winograd>) {
    own.exactly("on_whole_numbers_nothing_is_rounded", exact::<f64>);
    own.exactly("on_whole_numbers_single_precision_rounds_nothing", exact::<f32>);
    // Some dozens of times what direct convolution loses. The tests of the crate `cnn` ask for as much.
    own.within(5e-5, "single_precision_stays_close_to_the_loops", |winograd, case| {
        let [rows, cols] = [case.between(3, 9), case.between(3, 9)];
        let (m, channels, filters) = (case.between(1, 2), case.between(1, 24), case.between(1, 16));
        let pad = case.one_of(&[Pad::Same, Pad::Valid, Pad::Cells(0, 2)]);
        let window = Window::new("Conv2D", (rows, cols), (3, 3), 1, pad)?;
        case.describe(format!("{m} images, {window:?}, {channels} channels, {filters} filters"));
        let (r1, r2) = window.output;
        let mut images = |shape: [usize; 4]| case.rng.uniform_array(shape, -1.0, 1.0);
        let x: Array4<f32> = images([m, rows, cols, channels]);
        let (w, dl_dz) = (images([3, 3, channels, filters]), images([m, r1, r2, filters]));
        let b: Array2<f32> = case.rng.uniform_array((1, filters), -1.0, 1.0);
        let (wx, ww, wb) = (wide(&x), wide(&w), b.mapv(f64::from));
        let z = reference::conv2d_forward(wx.view(), ww.view(), wb.view(), window);
        let slow = reference::conv2d_backward(wx.view(), ww.view(), wide(&dl_dz).view(), window);
        for (name, got, expected) in [
            ("Z", winograd.forward(&x, &w, &b, window), z),
            ("dL/dX", winograd.backward_data(&w, &dl_dz, window), slow.dl_dx),
            ("dL/dW", winograd.backward_weights(&x, &dl_dz, window), slow.dl_dw),
        ] {
            let largest = expected.iter().fold(0.0_f64, |largest, x| largest.max(x.abs()));
            case.compare(name, &(wide(&got) / largest), &(expected / largest))?;
        }
        Ok(())
    });
}

/// On the numbers of [`Convolution::whole`] the algorithm gives what the loops give, to the bit.
fn exact<T: Scalar>(winograd: &Winograd, case: &mut Case) -> Verdict {
    let Convolution { window, x, w, b, dl_dz, .. } = Convolution::draw(case)?.whole(case);
    let z = reference::conv2d_forward(x.view(), w.view(), b.view(), window);
    let slow = reference::conv2d_backward(x.view(), w.view(), dl_dz.view(), window);
    let [x, w, dl_dz] = [x, w, dl_dz].map(|array| array.mapv(T::of));
    let z_fast = winograd.forward(&x, &w, &b.mapv(T::of), window);
    case.compare("Z", &wide(&z_fast), &z)?;
    case.compare("dL/dX", &wide(&winograd.backward_data(&w, &dl_dz, window)), &slow.dl_dx)?;
    let large = dl_dz.mapv(|g| g * T::of(GRID));
    let dl_dw = winograd.backward_weights(&x, &large, window);
    case.compare("dL/dW", &(wide(&dl_dw) / GRID), &slow.dl_dw)
}

/// The values of a polynomial with four coefficients at 0, 1, -1, 2, -2 and infinity.
fn a() -> Array2<f64> {
    array![
        [1.0, 0.0, 0.0, 0.0],
        [1.0, 1.0, 1.0, 1.0],
        [1.0, -1.0, 1.0, -1.0],
        [1.0, 2.0, 4.0, 8.0],
        [1.0, -2.0, 4.0, -8.0],
        [0.0, 0.0, 0.0, 1.0],
    ]
}

/// Those of one with three, each divided by its point's Lagrange denominator.
fn g() -> Array2<f64> {
    array![
        [1.0 / 4.0, 0.0, 0.0],
        [-1.0 / 6.0, -1.0 / 6.0, -1.0 / 6.0],
        [-1.0 / 6.0, 1.0 / 6.0, -1.0 / 6.0],
        [1.0 / 24.0, 1.0 / 12.0, 1.0 / 6.0],
        [1.0 / 24.0, -1.0 / 12.0, 1.0 / 6.0],
        [0.0, 0.0, 1.0],
    ]
}

/// Interpolation, transposed: a row has the coefficients of the product of `t - other points`.
fn bt() -> Array2<f64> {
    array![
        [4.0, 0.0, -5.0, 0.0, 1.0, 0.0],
        [0.0, -4.0, -4.0, 1.0, 1.0, 0.0],
        [0.0, 4.0, -4.0, -1.0, 1.0, 0.0],
        [0.0, -2.0, -1.0, 2.0, 1.0, 0.0],
        [0.0, 2.0, -1.0, -2.0, 1.0, 0.0],
        [0.0, 4.0, 0.0, -5.0, 0.0, 1.0],
    ]
}

/// A convolution with a 3 by 3 kernel and stride 1.
struct Convolution {
    geometry: Geometry,
    window: Window,
    x: Array4<f64>,
    w: Array4<f64>,
    b: Array2<f64>,
    dl_dz: Array4<f64>,
}

impl Convolution {
    fn draw(case: &mut Case) -> Result<Self, Failure> {
        let geometry = loop {
            let geometry = Geometry { kernel: (3, 3), stride: 1, ..Geometry::draw(case) };
            let (p1, p2) = geometry.padding();
            if geometry.rows + 2 * p1 >= 3 && geometry.cols + 2 * p2 >= 3 {
                break geometry;
            }
        };
        let filters = case.between(1, 3);
        case.describe(format!("{geometry}, {filters} filters"));
        let input = (geometry.rows, geometry.cols);
        let window = Window::new("Conv2D", input, (3, 3), 1, geometry.pad)?;
        claim(window.output == geometry.output(), || "another output size".to_owned())?;
        let mut images = |shape: [usize; 4]| case.rng.uniform_array(shape, -1.0, 1.0);
        let (x, w) = (images(geometry.x_shape()), images([3, 3, geometry.channels, filters]));
        let b = case.rng.uniform_array((1, filters), -1.0, 1.0);
        let dl_dz = case.rng.uniform_array(geometry.y_shape(filters), -1.0, 1.0);
        Ok(Self { geometry, window, x, w, b, dl_dz })
    }

    /// The same with -1, 0 and 1 in all arrays, those of w times [`GRID`].
    ///
    /// Then all that the algorithm computes is a whole number: the transforms of x and of `dL/dZ` have whole
    /// factors, and `G w Gᵀ` has the denominator 576. A multiple of 24 times 1/24 as it is rounded, by a share
    /// of half a unit in the last place at most, rounds to the whole number that it should be. Three channels
    /// times terms that grow to 48² times the largest product give less than `3 · 48² · 576 = 4e6`, which `f32`
    /// holds. For `dL/dW` it is `dL/dZ` that has to be a multiple of 576; the sums over at most 12 tiles are such
    /// multiples too, up to `12 · 90² · 576 = 5.6e7`, so they need 20 bits.
    fn whole(mut self, case: &mut Case) -> Self {
        let mut draw = |_: f64| case.rng.below(3) as f64 - 1.0;
        self.x.mapv_inplace(&mut draw);
        self.b.mapv_inplace(&mut draw);
        self.dl_dz.mapv_inplace(&mut draw);
        self.w.mapv_inplace(|w| GRID * draw(w));
        self
    }
}

/// The forward formula, tile by tile.
fn tiled(
    x: &Array4<f64>,
    w: &Array4<f64>,
    b: &Array2<f64>,
    pad: (isize, isize),
    output: (usize, usize),
) -> Array4<f64> {
    let (m, channels, filters) = (x.dim().0, x.dim().3, w.dim().3);
    let mut z = Array4::zeros((m, output.0, output.1, filters));
    for ((n, r, q, f), z) in z.indexed_iter_mut() {
        let (t, u) = (r / 4, q / 4);
        let corner = [4 * t as isize - pad.0, 4 * u as isize - pad.1];
        let mut products = Array2::<f64>::zeros((6, 6));
        for c in 0..channels {
            let kernel = w.slice(s![.., .., c, f]);
            let d = patch::<6>(x, n, c, corner);
            products += &(g().dot(&kernel).dot(&g().t()) * bt().dot(&d).dot(&bt().t()));
        }
        *z = a().t().dot(&products).dot(&a())[[r - 4 * t, q - 4 * u]] + b[[0, f]];
    }
    z
}

/// `N` by `N` cells of a channel of an image from a corner on, zero outside the image.
fn patch<const N: usize>(x: &Array4<f64>, n: usize, c: usize, corner: [isize; 2]) -> Array2<f64> {
    array_of((N, N), |(i, j)| {
        let row = corner[0].checked_add_unsigned(i).and_then(|row| usize::try_from(row).ok());
        let col = corner[1].checked_add_unsigned(j).and_then(|col| usize::try_from(col).ok());
        let cell = row.zip(col).and_then(|(row, col)| x.get((n, row, col, c)));
        cell.copied().unwrap_or(0.0)
    })
}

/// Six inputs and a filter of three weights, by the kernel and by the algorithm's transcription.
pub(super) fn worked(example: &mut Example<'_>) {
    let inputs = array![1.0, 2.0, 0.0, 1.0, 3.0, 2.0];
    let weights = array![6.0, 12.0, 24.0];
    let x = array_of((1, 1, 6, 1), |(_, _, col, _)| inputs[col]);
    let w = array_of((1, 3, 1, 1), |(_, j, _, _)| weights[j]);
    let window = Window::new("Conv2D", (1, 6), (1, 3), 1, Pad::Valid);
    let window = window.expect("three cells fit into six");
    let outputs = conv2d_forward(x.view(), w.view(), array![[0.0]].view(), window);
    let (of_inputs, of_weights) = (bt().dot(&inputs), g().dot(&weights));
    let products = &of_weights * &of_inputs;
    example.array("from-products", &a().t().dot(&products));
    example.array("y", &outputs.slice(s![0, 0, .., 0]).to_owned());
    example.array("d", &inputs);
    example.array("g", &weights);
    example.array("bt-d", &of_inputs);
    example.array("g-g", &of_weights);
    example.array("products", &products);
    example.array("a", &a());
    example.array("bt", &bt());
}
