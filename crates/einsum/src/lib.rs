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

pub mod by_einsum;
mod comparison;
pub mod directly;

pub use by_einsum::EinsumError;
pub use comparison::{Comparison, Inputs, comparisons, order_of_summation};
