//! What every layer shares: the number type, the matrix product and the random source.
//!
//! All mathematics of the workspace is generic over [`Scalar`], which is `f32` or `f64`: gradients
//! are verified in `f64`, training runs in `f32`.

mod matmul;
mod random;
mod scalar;

pub use matmul::{add_matmul, matmul};
pub use random::Rng;
pub use scalar::Scalar;
