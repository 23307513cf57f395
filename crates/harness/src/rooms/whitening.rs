//! The whitening of patches, question 7. p counts patches, a and b the numbers of one, k
//! and l filters.

use std::sync::Arc;

use cnn::{patch_covariance, whitening_filters};
use layers::LayerError;
use ndarray::{Array2, Array4, ArrayView4, Axis, array, concatenate, s};
use numerics::symmetric_eigen;

use crate::cases::{Case, Failure, claim};
use crate::oracle::Fixture;
use crate::room::{Checks, PlainRoom, bugs};
use crate::transcription::array_of;
use crate::worked::Example;

/// Whitening under test: that of users, or a plain one with a bug or with none.
pub(super) struct Whitening(Option<&'static str>);

type Kernel = (usize, usize);

pub(super) static ROOM: PlainRoom<Whitening> = PlainRoom {
    name: "Whitening",
    question: "7",
    real: || Arc::new(Whitening(None)),
    faulty: |bug| Arc::new(Whitening(Some(bug))),
    of_program: |_| None,
    checks: |own| {
        oracle(own);
        formulas(own);
        proof(own);
        claims(own);
    },
    free_checks: Vec::new,
    bugs: bugs! {
        "centres" [Oracle Formula Property] "the mean patch is taken off before the covariance"
        "forgets-the-count" [Oracle Formula Property] "the covariance is a sum over the patches, not a mean"
        "leaves-out-the-last-image" [Oracle Formula Property] "the patches of the last image are left out"
        "exchanges-rows-and-columns" [Oracle Formula Property] "the numbers of a patch are taken column after column"
        "forgets-the-root" [Oracle Formula Property] "an eigenvector is divided by λ + ε, not by its root"
        "adds-eps-after-the-root" [Oracle Formula] "an eigenvector is divided by √λ + ε"
        "takes-rows-for-columns" [Oracle Formula Property] "the rows of U are taken for the eigenvectors"
        "rises" [Oracle Formula] "the filters are in rising order of the eigenvalues"
        "repeats" [Oracle Formula] "the second half of the filters repeats the first"
        "accepts-anything" [Property] "kernels that do not fit, too few patches and an ε of 0 are accepted"
    },
    examples: &[("whitening", example)],
};

impl Whitening {
    /// The covariance of the patches.
    fn covariance(&self, images: &Array4<f64>, kernel: Kernel) -> Result<Array2<f64>, LayerError> {
        let right = patch_covariance(images.view(), kernel);
        let Some(bug) = self.0 else { return right };
        if bug != "accepts-anything" {
            right?;
        }
        let (m, rows, cols, _) = images.dim();
        let kernel = (kernel.0.min(rows), kernel.1.min(cols));
        let mut patches = match bug {
            "leaves-out-the-last-image" => patches(&images.slice(s![..m - 1, .., .., ..]), kernel),
            "exchanges-rows-and-columns" => {
                patches(&images.view().permuted_axes([0, 2, 1, 3]), (kernel.1, kernel.0))
            }
            _ => patches(&images.view(), kernel),
        };
        let count = patches.nrows();
        if bug == "centres" {
            let mean = patches.sum_axis(Axis(0)) / count as f64;
            patches -= &mean;
        }
        let sum = patches.t().dot(&patches);
        Ok(if bug == "forgets-the-count" { sum } else { sum / count as f64 })
    }

    /// The filters that whiten them.
    fn filters(
        &self,
        images: &Array4<f64>,
        kernel: Kernel,
        eps: f64,
    ) -> Result<Array4<f64>, LayerError> {
        let right = whitening_filters(images.view(), kernel, eps);
        let Some(bug) = self.0 else { return right };
        if bug != "accepts-anything" {
            right?;
        }
        let c = self.covariance(images, kernel)?;
        let d = c.nrows();
        let identity = || (Array2::eye(d).diag().to_owned(), Array2::eye(d));
        let (values, mut vectors) = symmetric_eigen(c.view()).unwrap_or_else(identity);
        if bug == "takes-rows-for-columns" {
            vectors = vectors.t().to_owned();
        }
        let mut filters = vectors
            / values.mapv(|value| match bug {
                "forgets-the-root" => value + eps,
                "adds-eps-after-the-root" => value.sqrt() + eps,
                _ => (value + eps).sqrt(),
            });
        if bug == "rises" {
            filters.invert_axis(Axis(1));
        }
        let second = if bug == "repeats" { filters.clone() } else { -&filters };
        let both = concatenate![Axis(1), filters, second].as_standard_layout().to_owned();
        let (_, rows, cols, channels) = images.dim();
        let shape = (kernel.0.min(rows), kernel.1.min(cols), channels, 2 * d);
        Ok(both.into_shape_with_order(shape).expect("a row for a number"))
    }
}

/// Covariance and filters by JAX, from a singular value decomposition of the patches.
fn oracle(own: &mut Checks<Whitening>) {
    #[derive(serde::Deserialize)]
    struct Fields {
        kernel_shape: Kernel,
        eps: f64,
    }
    let (question, class) = (own.question, own.name);
    let fixture =
        Fixture { question, module: "test_layers", file: class, kind: "whitening", class };
    for (test, name) in [("test_covariance", "covariance"), ("test_filters", "output")] {
        let whitening = Arc::clone(&own.subject);
        own.list.push(fixture.check::<f64>(test, move |listed, entry, tally| {
            let Fields { kernel_shape, eps } = listed.fields()?;
            let [x] = entry.inputs()?;
            let case = format!("kernel {kernel_shape:?}, ε {eps}, images {:?}", x.shape());
            let x = x.into_dimensionality().map_err(|error| entry.refused(error))?;
            let result = match name {
                "covariance" => whitening.covariance(&x, kernel_shape).map(Array2::into_dyn),
                _ => whitening.filters(&x, kernel_shape, eps).map(Array4::into_dyn),
            };
            let result = result.map_err(|error| entry.refused(error))?;
            tally.add(&entry.key(name), &case, &result, &entry.array(name)?);
            Ok(())
        }));
    }
}

/// Sums of at most 64 terms of magnitude at most 1.
///
/// There are at most 12 numbers in a patch, each at most 1 in magnitude, so eigenvalues are at most 12. The
/// eigen-decomposition is backward stable: its vectors are orthonormal, and `C u - λ u` is zero, up to a small
/// multiple of `12 · 12 u = 1.6e-14`. With `ε >= 0.05` a filter is at most 4.5 times its vector, twice over in a
/// product of two.
const SUMS: f64 = 1e-12;

fn formulas(own: &mut Checks<Whitening>) {
    // C[a, b] = 1/N Σₚ P[p, a] P[p, b].
    own.formula("patch-covariance", SUMS, |whitening, case| {
        let (images, kernel, _) = draw(case);
        let got = whitening.covariance(&images, kernel)?;
        case.compare("C", &got, &covariance_of(&patches(&images.view(), kernel)))
    });
    // W[·, k] = u / √(λ + ε) and W[·, d + k] = -W[·, k], where C u = λ u, the u are orthonormal, λ falls, and the
    // largest component of u is positive, the first of those that differ by less than a millionth.
    own.formula("whitening-filters", SUMS, |whitening, case| {
        let (images, kernel, eps) = draw(case);
        let c = covariance_of(&patches(&images.view(), kernel));
        let d = c.nrows();
        let w = matrix(whitening.filters(&images, kernel, eps)?)?;
        let (w, negatives) = (w.slice(s![.., ..d]), w.slice(s![.., d..]));
        case.compare("the second half", &negatives, &w.mapv(|w| -w))?;
        // A multiple of an eigenvector has the same quotient `wᵀ C w / wᵀ w`, which is λ.
        let values =
            array_of(d, |k| w.column(k).dot(&c.dot(&w.column(k))) / w.column(k).dot(&w.column(k)));
        let u = &w * &values.mapv(|value| (value + eps).sqrt());
        case.compare("Uᵀ U", &u.t().dot(&u), &Array2::eye(d))?;
        case.compare("C U", &c.dot(&u), &(&u * &values))?;
        for k in 1..d {
            case.compare_numbers("the rise of λ", (values[k] - values[k - 1]).max(0.0), 0.0);
        }
        for u in u.columns() {
            let largest = u.iter().fold(0.0_f64, |largest, c| largest.max(c.abs()));
            let first = u.iter().find(|c| c.abs() >= (1.0 - 1e-6) * largest);
            claim(first.is_some_and(|&c| c > 0.0), || format!("the largest component of {u}"))?;
        }
        Ok(())
    });
    // Y[p, k] = Σₐ P[p, a] W[a, k] has 1/N Σₚ Y[p, k] Y[p, l] = λₖ / (λₖ + ε) for k = l < d and 0 for other k, l < d.
    own.formula("whitening-response", SUMS, |whitening, case| {
        let (images, kernel, eps) = draw(case);
        let patches = patches(&images.view(), kernel);
        let d = patches.ncols();
        let w = matrix(whitening.filters(&images, kernel, eps)?)?;
        let y = patches.dot(&w.slice(s![.., ..d]));
        // Neither C nor its eigenvectors are needed for λ: `wᵀ w = 1 / (λ + ε)`.
        let expected =
            array_of(
                (d, d),
                |(k, l)| {
                    if k == l { 1.0 - eps * w.column(k).dot(&w.column(k)) } else { 0.0 }
                },
            );
        case.compare("the covariance of Y", &covariance_of(&y), &expected)
    });
}

/// The covariance is a quadratic form, so all pixels that are not 0 alone, and all pairs of them, determine it. These are
/// as large as the number of patches, by which sums are divided, so nothing is rounded.
fn proof(own: &mut Checks<Whitening>) {
    let fits = |&(m, rows, cols, channels, k1, k2): &(usize, usize, usize, usize, usize, usize)| {
        k1 <= rows && k2 <= cols && m * (rows + 1 - k1) * (cols + 1 - k2) >= k1 * k2 * channels
    };
    let shapes = ndarray::indices((2, 3, 3, 2, 3, 3)).into_iter();
    let shapes = shapes.map(|(m, r, q, c, i, j)| (m + 1, r + 1, q + 1, c + 1, i + 1, j + 1));
    let shapes: Vec<_> = shapes.filter(fits).collect();
    own.proof("covariance_on_all_pairs_of_pixels", shapes.len(), move |whitening, case| {
        let number = case.pinned().unwrap_or_else(|| case.between(0, shapes.len() - 1));
        let (m, rows, cols, channels, k1, k2) = shapes[number];
        let (shape, kernel) = ((m, rows, cols, channels), (k1, k2));
        case.describe(format!("images {shape:?}, kernel {kernel:?}"));
        let pixels = m * rows * cols * channels;
        let numbers: Array4<f64> =
            ndarray::Array1::range(0.0, pixels as f64, 1.0).into_shape_with_order(shape)?;
        let patches = patches(&numbers.view(), kernel);
        let count = patches.nrows() as f64;
        for (a, b) in ndarray::indices((pixels, pixels)).into_iter().filter(|(a, b)| a <= b) {
            let bright = |number: f64| f64::from(number == a as f64 || number == b as f64);
            let c = whitening.covariance(&(numbers.mapv(bright) * count), kernel)?;
            let bright = patches.mapv(bright);
            claim(c == bright.t().dot(&bright) * count, || {
                format!("C of images in which only the pixels {a} and {b} are not 0 is {c}")
            })?;
        }
        Ok(())
    });
}

/// Images, a kernel and ε: at least 18 patches of at most 12 numbers.
fn draw(case: &mut Case) -> (Array4<f64>, Kernel, f64) {
    let kernel = (case.between(1, 2), case.between(1, 2));
    let shape = [case.between(2, 4), case.between(4, 6), case.between(4, 6), case.between(1, 3)];
    let eps = 0.05 + 0.5 * case.rng.uniform();
    case.describe(format!("images {shape:?}, kernel {kernel:?}, ε {eps}"));
    (case.rng.uniform_array(shape, -1.0, 1.0), kernel, eps)
}

/// A row for each patch: `P[p, (i, j, c)] = X[n, r + i, q + j, c]`.
fn patches(images: &ArrayView4<'_, f64>, (k1, k2): Kernel) -> Array2<f64> {
    let (m, rows, cols, channels) = images.dim();
    let places: Vec<_> = ndarray::indices((m, rows - k1 + 1, cols - k2 + 1)).into_iter().collect();
    let cells: Vec<_> = ndarray::indices((k1, k2, channels)).into_iter().collect();
    array_of((places.len(), cells.len()), |(p, cell)| {
        let ((n, r, q), (i, j, c)) = (places[p], cells[cell]);
        images[[n, r + i, q + j, c]]
    })
}

fn covariance_of(rows: &Array2<f64>) -> Array2<f64> {
    rows.t().dot(rows) / rows.nrows() as f64
}

/// A row for each number of a patch, a column for each filter.
fn matrix(filters: Array4<f64>) -> Result<Array2<f64>, Failure> {
    let (k1, k2, channels, n_out) = filters.dim();
    let d = k1 * k2 * channels;
    claim(n_out == 2 * d, || format!("expected {} filters, got {n_out}", 2 * d))?;
    Ok(filters.into_shape_with_order((d, n_out))?)
}

fn claims(own: &mut Checks<Whitening>) {
    // With ε = 1e-12 the covariance of the responses is the identity up to ε/λ, if no λ is tiny, which the sizes
    // of the filters tell: wᵀ w = 1 / (λ + ε). Rounding of the eigenvectors, 1e-14, grows by 1/λ, which is below
    // 1e3.
    own.within(1e-8, "with_a_tiny_eps_responses_are_white", |whitening, case| {
        let images = draw_images(case);
        let filters = whitening.filters(&images, (2, 2), 1e-12)?;
        let d = 4 * images.dim().3;
        let w = filters.into_shape_with_order((d, 2 * d))?;
        let w = w.slice(s![.., ..d]);
        let largest = w.columns().into_iter().map(|w| w.dot(&w)).fold(0.0, f64::max);
        claim(largest < 1e3, || format!("a filter of squared length {largest}"))?;
        let y = patches(&images.view(), (2, 2)).dot(&w);
        case.compare("the covariance of Y", &covariance_of(&y), &Array2::eye(d))
    });
    // A mean of numbers of at most 1.
    own.within(1e-14, "the_order_of_images_does_not_matter", |whitening, case| {
        let images = draw_images(case);
        let other = images.select(Axis(0), &case.permutation(3));
        let covariance = whitening.covariance(&images, (2, 2))?;
        case.compare("C", &whitening.covariance(&other, (2, 2))?, &covariance)
    });
    // Kernels that are empty or too large, too few patches, ε out of range, pixels that are not finite.
    own.exactly("what_cannot_be_whitened_is_refused", |whitening, case| {
        let images = draw_images(case);
        let few = images.slice(s![..1, ..2, ..2, ..]).to_owned();
        let mut nan = images.clone();
        nan[[1, 2, 3, 0]] = f64::NAN;
        for (images, kernel, eps) in [
            (&images, (7, 2), 0.1),
            (&images, (2, 7), 0.1),
            (&images, (0, 2), 0.1),
            (&few, (2, 2), 0.1),
            (&nan, (2, 2), 0.1),
            (&images, (2, 2), 0.0),
            (&images, (2, 2), f64::NAN),
        ] {
            let got = whitening.filters(images, kernel, eps).err();
            let typed = matches!(got, Some(LayerError::Configuration { layer: "Whitening", .. }));
            claim(typed, || format!("kernel {kernel:?}, ε {eps}: {got:?}"))?;
        }
        Ok(())
    });
}

/// Three images of 6 by 6: 75 patches of at least 4 numbers.
fn draw_images(case: &mut Case) -> Array4<f64> {
    let channels = case.between(1, 3);
    case.describe(format!("3 images of 6x6x{channels}"));
    case.rng.uniform_array((3, 6, 6, channels), -1.0, 1.0)
}

/// Eight patches of two pixels.
fn example(example: &mut Example<'_>) {
    const EPS: f64 = 0.5;
    const KERNEL: (usize, usize) = (1, 2);
    let pixels = array![
        [2.0, 2.0],
        [2.0, 0.0],
        [-2.0, -2.0],
        [0.0, 0.0],
        [0.0, -2.0],
        [0.0, 0.0],
        [2.0, 2.0],
        [0.0, 0.0]
    ];
    let images = pixels.to_shape((2, 4, 2, 1)).expect("two images of 4 by 2").to_owned();
    let whole = "the example is a valid one";
    let covariance = patch_covariance(images.view(), KERNEL).expect(whole);
    let (values, _) = symmetric_eigen(covariance.view()).expect(whole);
    let filters = whitening_filters(images.view(), KERNEL, EPS).expect(whole);
    let w = filters.into_shape_with_order((2, 4)).expect(whole);
    let y = patches(&images.view(), KERNEL).dot(&w.slice(s![.., ..2]));
    example.array("patches", &pixels);
    example.array("covariance", &covariance);
    example.array("roots", &values.mapv(|value| (value + EPS).sqrt()));
    example.array("values", &values);
    example.array("w", &w);
    example.array("responses", &covariance_of(&y));
    example.number("eps", EPS);
    example.number("count", pixels.nrows() as f64);
}
