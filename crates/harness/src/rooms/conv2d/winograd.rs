//! Winograd's F(4x4, 3x3): the chapter on faster convolution. n counts images, (t, u) tiles, (a, b) the
//! 6 by 6 points of a tile, (r, q) output cells, (i, j) kernel cells, c input channels and f filters.

use cnn::{
    Pad, Window, conv2d_forward, winograd_backward_data, winograd_backward_weights,
    winograd_forward,
};
use ndarray::{Array1, Array2, Array4, array, s};

use crate::Check;
use crate::cases::{Case, Failure, claim};
use crate::layer::window::Geometry;
use crate::room::free_formula;
use crate::transcription::{array_of, sum};
use crate::worked::Example;

/// In exact arithmetic there would be no difference. Three channels or filters, times terms that grow to
/// 54² times the largest product, give terms of at most 9e3 in magnitude, summed over at most 12 tiles,
/// each rounded some thirty times on its way: `12 · 9e3 · 30 u = 3.6e-10` on either side.
const GROWN: f64 = 8e-10;

/// The transcriptions of the algorithm and of its gradients.
pub(super) fn checks() -> Vec<Check> {
    vec![
        // (p * w)ₖ = Σᵢ pᵢ wₖ₋ᵢ = B [(A p) ⊙ (G w)], and yᵢ = Σⱼ wⱼ dᵢ₊ⱼ = Aᵀ [(G w) ⊙ (Bᵀ d)].
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
        }),
        // Z[n, 4t.., 4u.., f] = Aᵀ [Σ_c (G W_cf Gᵀ) ⊙ (Bᵀ D_ntuc B)] A + b[f].
        free_formula("6.2", "winograd-forward", GROWN, |case| {
            let Convolution { geometry, window, x, w, b, .. } = Convolution::draw(case)?;
            let (p1, p2) = geometry.padding();
            let z = tiled(&x, &w, &b, (p1 as isize, p2 as isize), geometry.output());
            case.compare("Z", &winograd_forward(x.view(), w.view(), b.view(), window), &z)
        }),
        // The same of dL/dZ, by the kernel turned by 180 degrees, with channels and filters exchanged, padded by
        // 2 - p.
        free_formula("6.2", "winograd-dx", GROWN, |case| {
            let Convolution { geometry, window, w, dl_dz, .. } = Convolution::draw(case)?;
            let turned = w.slice(s![..;-1, ..;-1, .., ..]).permuted_axes([0, 1, 3, 2]).to_owned();
            let none = Array2::zeros((1, geometry.channels));
            let (p1, p2) = geometry.padding();
            let pad = (2 - p1 as isize, 2 - p2 as isize);
            let dl_dx = tiled(&dl_dz, &turned, &none, pad, (geometry.rows, geometry.cols));
            case.compare("dL/dX", &winograd_backward_data(w.view(), dl_dz.view(), window), &dl_dx)
        }),
        // dL/dW[.., c, f] = Gᵀ [Σ_ntu (Bᵀ D_ntuc B) ⊙ (A G_ntuf Aᵀ)] G.
        free_formula("6.2", "winograd-dw", GROWN, |case| {
            let Convolution { geometry, window, x, w, dl_dz, .. } = Convolution::draw(case)?;
            let ((p1, p2), (r1, r2)) = (geometry.padding(), geometry.output());
            let mut dl_dw = Array4::zeros(w.dim());
            for (c, f) in ndarray::indices((x.dim().3, w.dim().3)) {
                let mut sum = Array2::zeros((6, 6));
                for (n, t, u) in ndarray::indices((geometry.m, r1.div_ceil(4), r2.div_ceil(4))) {
                    let at = [4 * t, 4 * u].map(|at| at as isize);
                    let d = patch::<6>(&x, n, c, [at[0] - p1 as isize, at[1] - p2 as isize]);
                    let gradient = patch::<4>(&dl_dz, n, f, at);
                    sum += &(bt().dot(&d).dot(&bt().t()) * a().dot(&gradient).dot(&a().t()));
                }
                dl_dw.slice_mut(s![.., .., c, f]).assign(&g().t().dot(&sum).dot(&g()));
            }
            let got = winograd_backward_weights(x.view(), dl_dz.view(), window);
            case.compare("dL/dW", &got, &dl_dw)
        }),
    ]
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
