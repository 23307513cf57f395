//! Loss functions: `forward(Y, Ŷ) -> L` and `backward(Y, Ŷ) -> dL/dŶ`.
//!
//! The loss of a mini-batch is the mean over its examples (the assignment calls it the cost). A
//! loss is a value of [`Loss`], chosen by variant or by name. NaN in the output is passed on;
//! targets that are no distribution are refused. [`smooth_labels`] makes other targets of targets.
//!
//! ```
//! use losses::Loss;
//! use ndarray::array;
//!
//! let target = array![[0.0, 1.0]];
//! let output = array![[0.5, 0.5_f64]];
//! let loss = Loss::CrossEntropy.forward(target.view(), output.view())?;
//! assert_eq!(loss, 2.0_f64.ln());
//! # Ok::<(), losses::LossError>(())
//! ```

mod cross_entropy;
mod error;
mod l2;
mod loss;
mod smooth_labels;
mod softmax_cross_entropy;

pub use cross_entropy::CrossEntropy;
pub use error::LossError;
pub use l2::L2;
pub use loss::Loss;
pub use smooth_labels::smooth_labels;
pub use softmax_cross_entropy::SoftmaxCrossEntropy;
