//! The ground that every layer stands on: the number type, the matrix product, eigenvalues, sums and maps on several
//! threads, the random source, and the largest size of an array.
//!
//! All mathematics of the workspace is generic over [`Scalar`]: gradients are verified in `f64`, training runs in `f32`.

mod matmul;
mod memory;
mod normal;
mod parallel;
mod random;
mod scalar;
mod size;
mod symmetric_eigen;
mod vectorized;

/// The complementary error function `1 - erf(x) = 2/√π ∫ₓ^∞ e^(-t²) dt`.
pub use libm::{erf, erfc};
pub use matmul::{add_matmul, matmul, matmul_into};
pub use memory::{Element, kept_bytes, mark_unwritten, recycle, reused};
pub use parallel::{
    column_sums, for_each_of_three, for_each_of_two, for_each_row, for_each_row_of_two, map,
    map_row_blocks, map_row_blocks_mut, map_tasks,
};
pub use random::Rng;
pub use scalar::{Gemm, Scalar};
pub use size::{MOST_ELEMENTS, element_count};
pub use symmetric_eigen::symmetric_eigen;
pub use vectorized::vectorized;
