//! A neural network from scratch: two layers learn to tell three kinds of iris flowers apart.
//!
//! It needs arrays and nothing else; layers, losses and optimisers of the other crates do the same for any
//! network. Read it from top to bottom, and run it:
//!
//! ```text
//! cargo run --example from_scratch
//! ```
//!
//! An example is a row: X has shape (m, 4), its targets Y have (m, 3) with a 1 in the column of the class.
//! A name such as `dl_dz` is dL/dZ, the derivative of the loss by every element of Z, of Z's shape.
#![expect(clippy::print_stdout, reason = "the program shows what it learns")]

use ndarray::{Array2, Axis};

const HIDDEN: usize = 8;
const LEARNING_RATE: f64 = 0.3;
const STEPS: usize = 500;
const SEED: u64 = 189;

fn main() {
    let ([mut x, y], [mut x_test, y_test]) = (matrices(TRAINING), matrices(TEST));
    // Features of mean 0 and deviation 1, as measured on what is learned from.
    let (mean, deviation) = (x.mean_axis(Axis(0)).expect("it has rows"), x.std_axis(Axis(0), 0.0));
    x = (x - &mean) / &deviation;
    x_test = (x_test - mean) / deviation;

    let mut network = Network::new(4, 3, &mut Random(SEED));
    for step in 0..=STEPS {
        let pass = network.forward(&x);
        if step % 100 == 0 {
            let (loss, percent) = (loss(&pass.p, &y), 100.0 * accuracy(&pass.p, &y));
            println!("step {step:3}: loss {loss:.4}, training accuracy {percent:.0} %");
        }
        let gradient = network.backward(&x, &y, &pass);
        network.descend(&gradient, LEARNING_RATE);
    }
    let percent = 100.0 * accuracy(&network.forward(&x_test).p, &y_test);
    println!("test accuracy {percent:.0} % of {} flowers", y_test.nrows());
}

/// The parameters of `P = softmax(relu(X W1 + b1) W2 + b2)`, or, in the same shapes, a gradient of them.
struct Network {
    w1: Array2<f64>,
    b1: Array2<f64>,
    w2: Array2<f64>,
    b2: Array2<f64>,
}

/// The results on the way from X to the probabilities P, which backward needs.
struct Pass {
    z: Array2<f64>,
    h: Array2<f64>,
    p: Array2<f64>,
}

impl Network {
    /// Random weights, and biases of 0.
    fn new(n_in: usize, n_out: usize, random: &mut Random) -> Self {
        // Uniform in ±√(6/rows), of variance 2/rows: ReLU halves it, and signals neither fade nor grow.
        let mut weights = |rows: usize, columns: usize| {
            let bound = (6.0 / rows as f64).sqrt();
            Array2::from_shape_simple_fn((rows, columns), || bound * random.between_minus_1_and_1())
        };
        let (w1, w2) = (weights(n_in, HIDDEN), weights(HIDDEN, n_out));
        Self { w1, b1: Array2::zeros((1, HIDDEN)), w2, b2: Array2::zeros((1, n_out)) }
    }

    /// Forward: what the network makes of X.
    fn forward(&self, x: &Array2<f64>) -> Pass {
        let z = x.dot(&self.w1) + &self.b1;
        let h = z.mapv(|z| z.max(0.0)); // ReLU
        let p = softmax(h.dot(&self.w2) + &self.b2);
        Pass { z, h, p }
    }

    /// Backward: the gradient of the loss by the parameters, by the chain rule from the end to the start.
    fn backward(&self, x: &Array2<f64>, y: &Array2<f64>, pass: &Pass) -> Self {
        let Pass { z, h, p } = pass;
        // Softmax and cross-entropy together.
        let dl_dlogits = (p - y) / x.nrows() as f64;
        let (w2, b2) = (h.t().dot(&dl_dlogits), sum_of_rows(&dl_dlogits));
        let dl_dh = dl_dlogits.dot(&self.w2.t());
        // ReLU lets the gradient through where its input was not negative.
        let dl_dz = dl_dh * z.mapv(|z| if z >= 0.0 { 1.0 } else { 0.0 });
        let (w1, b1) = (x.t().dot(&dl_dz), sum_of_rows(&dl_dz));
        Self { w1, b1, w2, b2 }
    }

    /// A step of gradient descent.
    fn descend(&mut self, gradient: &Self, learning_rate: f64) {
        for (parameter, gradient) in self.arrays_mut().into_iter().zip(gradient.arrays()) {
            parameter.scaled_add(-learning_rate, gradient);
        }
    }

    fn arrays(&self) -> [&Array2<f64>; 4] {
        [&self.w1, &self.b1, &self.w2, &self.b2]
    }

    fn arrays_mut(&mut self) -> [&mut Array2<f64>; 4] {
        [&mut self.w1, &mut self.b1, &mut self.w2, &mut self.b2]
    }
}

/// `eᶻ / Σ eᶻ` of each row; the largest number is subtracted first, so that nothing overflows.
fn softmax(mut logits: Array2<f64>) -> Array2<f64> {
    for mut row in logits.rows_mut() {
        let largest = row.fold(f64::NEG_INFINITY, |largest, &z| largest.max(z));
        row.mapv_inplace(|z| (z - largest).exp());
        row /= row.sum();
    }
    logits
}

/// Cross-entropy `-(1/m) Σ Y ln P`: the mean surprise at the right class.
fn loss(p: &Array2<f64>, y: &Array2<f64>) -> f64 {
    -(y * &p.mapv(f64::ln)).sum() / y.nrows() as f64
}

/// The share of rows whose most probable class is the right one.
fn accuracy(p: &Array2<f64>, y: &Array2<f64>) -> f64 {
    let rows = p.rows().into_iter().zip(y.rows());
    let right = rows.filter(|(p, y)| p.iter().all(|&other| other <= p.dot(y)));
    right.count() as f64 / y.nrows() as f64
}

fn sum_of_rows(rows: &Array2<f64>) -> Array2<f64> {
    rows.sum_axis(Axis(0)).insert_axis(Axis(0))
}

/// A seeded source of numbers (splitmix64).
struct Random(u64);

impl Random {
    fn between_minus_1_and_1(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((bits ^ (bits >> 31)) >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }
}

/// Features and targets: 100 flowers to learn from, 25 others to test on.
const TRAINING: [&[u8]; 2] = [
    include_bytes!("../datasets/iris/iris_train_data.npy"),
    include_bytes!("../datasets/iris/iris_train_labels.npy"),
];
const TEST: [&[u8]; 2] = [
    include_bytes!("../datasets/iris/iris_test_data.npy"),
    include_bytes!("../datasets/iris/iris_test_labels.npy"),
];

/// The matrices in two `.npy` files of NumPy, which have the length of their header in bytes 8 and 9, and
/// after the header the numbers row by row.
fn matrices([features, targets]: [&[u8]; 2]) -> [Array2<f64>; 2] {
    [(features, 4), (targets, 3)].map(|(npy, columns)| {
        let start = 10 + usize::from(u16::from_le_bytes([npy[8], npy[9]]));
        let numbers = npy[start..].as_chunks().0.iter().map(|&bytes| f64::from_le_bytes(bytes));
        let numbers: Vec<f64> = numbers.collect();
        let shape = (numbers.len() / columns, columns);
        Array2::from_shape_vec(shape, numbers).expect("the file has whole rows")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The largest difference between a gradient and the slope of the loss that two evaluations on either
    /// side of each parameter give.
    fn error(network: &mut Network, gradient: &Network, x: &Array2<f64>, y: &Array2<f64>) -> f64 {
        const STEP: f64 = 1e-5;
        let mut largest = 0.0_f64;
        for (array, gradient) in gradient.arrays().into_iter().enumerate() {
            for (at, derivative) in gradient.indexed_iter() {
                let mut loss_at = |step: f64| {
                    network.arrays_mut()[array][at] += step;
                    let loss = loss(&network.forward(x).p, y);
                    network.arrays_mut()[array][at] -= step;
                    loss
                };
                let slope = (loss_at(STEP) - loss_at(-STEP)) / (2.0 * STEP);
                largest = largest.max((slope - derivative).abs());
            }
        }
        largest
    }

    #[test]
    fn the_gradient_is_the_slope_of_the_loss() {
        let [x, y] = matrices(TEST);
        let mut network = Network::new(4, 3, &mut Random(1));
        let pass = network.forward(&x);
        // No unit is so near its kink that a step crosses it.
        assert!(pass.z.iter().all(|z| z.abs() > 1e-4));
        let mut gradient = network.backward(&x, &y, &pass);
        let found = error(&mut network, &gradient, &x, &y);
        assert!(found < 1e-7, "{found:e}");
        // The same comparison finds a gradient that is wrong.
        gradient.w1 *= -1.0;
        assert!(error(&mut network, &gradient, &x, &y) > 1e-2);
    }

    #[test]
    fn the_loss_falls_as_far_as_its_gradient_says() {
        let [x, y] = matrices(TEST);
        let mut network = Network::new(4, 3, &mut Random(2));
        let pass = network.forward(&x);
        let gradient = network.backward(&x, &y, &pass);
        let squares: f64 = gradient.arrays().iter().map(|g| (*g * *g).sum()).sum();
        network.descend(&gradient, 1e-6);
        let fall = loss(&pass.p, &y) - loss(&network.forward(&x).p, &y);
        assert!((fall / (1e-6 * squares) - 1.0).abs() < 1e-2, "{fall:e} for {squares}");
    }
}
