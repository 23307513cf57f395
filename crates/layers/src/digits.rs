//! Whole numbers of 64 bits as arrays that any [`Scalar`] holds exactly.
//!
//! An `f32` counts exactly up to 2²⁴, so a number is written with four digits in base 2¹⁶, the lowest first.

use ndarray::{ArrayD, IxDyn};
use numerics::Scalar;

/// The values of a digit, in words.
pub(crate) const DIGIT: &str = "whole numbers from 0 to 65535";

const BITS: usize = 16;
/// Digits of a number.
pub(crate) const DIGITS: usize = u64::BITS as usize / BITS;

/// The digits of `number`, of shape `(4)`.
pub(crate) fn to_digits<T: Scalar>(number: u64) -> ArrayD<T> {
    let digit = |index: usize| T::of(((number >> (BITS * index)) & 0xffff) as f64);
    ArrayD::from_shape_fn(IxDyn(&[DIGITS]), |at| digit(at[0]))
}

/// The number with these digits; an element that is none counts as the nearest one.
pub(crate) fn from_digits<T: Scalar>(digits: &ArrayD<T>) -> u64 {
    let placed = |(index, digit): (usize, &T)| u64::from(digit.as_f64() as u16) << (BITS * index);
    digits.iter().take(DIGITS).enumerate().map(placed).sum()
}

/// Whether an element is a digit.
pub(crate) fn is_digit<T: Scalar>(element: T) -> bool {
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
        assert_eq!(to_digits::<f32>(1_125_912_791_875_585), array![1.0, 2.0, 3.0, 4.0].into_dyn());
        for number in [0, 1, 65_535, 65_536, (1 << 24) + 1, (1 << 53) + 1, u64::MAX] {
            assert_eq!(from_digits(&to_digits::<f32>(number)), number);
            assert_eq!(from_digits(&to_digits::<f64>(number)), number);
            assert!(to_digits::<f32>(number).iter().all(|&digit| is_digit(digit)));
        }
        for element in [-1.0, 0.5, 65_536.0, f32::NAN, f32::INFINITY] {
            assert!(!is_digit(element), "{element}");
        }
    }
}
