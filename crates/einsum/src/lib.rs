//! Question 6.1: three exercises by einsum, each compared with its direct counterpart.
//!
//! | exercise | einsum | directly |
//! |---|---|---|
//! | trace | [`by_einsum::trace`] | [`directly::trace`] |
//! | matrix times vector | [`by_einsum::matrix_vector`] | [`directly::matrix_vector`] |
//! | outer product | [`by_einsum::outer_product`] | [`directly::outer_product`] |
//!
//! [`Comparison`] holds both results of an exercise, the norm of their difference and the largest
//! norm that rounding can explain. `cargo run -p einsum` prints them.
//!
//! ```
//! use ndarray::array;
//!
//! let a = array![[1.0, 2.0], [3.0, 4.0]];
//! assert_eq!(einsum::by_einsum::trace(a.view())?, 5.0);
//! assert_eq!(einsum::by_einsum::trace(a.view())?, einsum::directly::trace(a.view())?);
//! # Ok::<(), einsum::EinsumError>(())
//! ```

pub mod by_einsum;
mod comparison;
pub mod directly;
mod error;
mod inputs;
mod operands;
mod survey;

pub use comparison::{Comparison, Exercise};
pub use error::EinsumError;
pub use inputs::{Inputs, Numbers};
pub use survey::Survey;
