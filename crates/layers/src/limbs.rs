//! Whole numbers of 64 bits as arrays that any [`Scalar`] holds exactly.
//!
//! An `f32` is exact up to 2²⁴, so a number is split into four limbs of 16 bits, the lowest first.

use ndarray::{ArrayD, IxDyn};
use numerics::Scalar;

/// What an element is, in words.
pub(crate) const LIMB: &str = "whole numbers from 0 to 65535";

const BITS: usize = 16;
/// Limbs of a number.
pub(crate) const COUNT: usize = u64::BITS as usize / BITS;

/// The limbs of `number`, of shape `(4)`.
pub(crate) fn to_limbs<T: Scalar>(number: u64) -> ArrayD<T> {
    let limb = |index: usize| T::of(((number >> (BITS * index)) & 0xffff) as f64);
    ArrayD::from_shape_fn(IxDyn(&[COUNT]), |at| limb(at[0]))
}

/// The number with these limbs; what is none counts as the nearest one.
pub(crate) fn from_limbs<T: Scalar>(limbs: &ArrayD<T>) -> u64 {
    let placed = |(index, limb): (usize, &T)| u64::from(limb.as_f64() as u16) << (BITS * index);
    limbs.iter().take(COUNT).enumerate().map(placed).sum()
}

/// Whether an element is a limb.
pub(crate) fn is_limb<T: Scalar>(element: T) -> bool {
    let element = element.as_f64();
    f64::from(element as u16) == element
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn a_number_comes_back_through_single_precision() {
        // 0x0004_0003_0002_0001.
        assert_eq!(to_limbs::<f32>(1_125_912_791_875_585), array![1.0, 2.0, 3.0, 4.0].into_dyn());
        for number in [0, 1, 65_535, 65_536, (1 << 24) + 1, (1 << 53) + 1, u64::MAX] {
            assert_eq!(from_limbs(&to_limbs::<f32>(number)), number);
            assert_eq!(from_limbs(&to_limbs::<f64>(number)), number);
            assert!(to_limbs::<f32>(number).iter().all(|&limb| is_limb(limb)));
        }
    }

    #[test]
    fn what_is_no_limb_is_recognised() {
        for element in [-1.0, 0.5, 65_536.0, f32::NAN, f32::INFINITY] {
            assert!(!is_limb(element), "{element}");
        }
    }
}
