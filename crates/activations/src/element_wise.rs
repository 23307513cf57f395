//! Functions of single numbers, applied to every element of an array.

use ndarray::{Array, ArrayRef, Dimension};
use numerics::{Scalar, for_each_of_two, map};

/// An activation that acts on each element by itself: `Y = σ(Z)` and `dL/dZ = dL/dY ⊙ σ'(Z)`.
///
/// Each function is its value and its gradient at one number; the loops over arrays, on all threads, are
/// the same for all of them.
pub trait ElementWise {
    /// `σ(z)`.
    fn value<T: Scalar>(z: T) -> T;

    /// `dL/dz = dL/dy σ'(z)`.
    fn gradient<T: Scalar>(z: T, dl_dy: T) -> T;

    // ANCHOR: arrays
    /// `Y = σ(Z)`; the shapes agree.
    fn forward<T: Scalar, D: Dimension>(z: &ArrayRef<T, D>) -> Array<T, D> {
        map(z, Self::value)
    }

    /// `dL/dZ`, in the memory of `dL/dY`; the shapes agree.
    fn backward<T: Scalar, D: Dimension>(
        z: &ArrayRef<T, D>,
        mut dl_dy: Array<T, D>,
    ) -> Array<T, D> {
        for_each_of_two(&mut dl_dy, z, |dl_dy, z| *dl_dy = Self::gradient(z, *dl_dy));
        dl_dy
    }
    // ANCHOR_END: arrays
}
