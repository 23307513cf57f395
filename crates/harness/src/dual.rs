//! Dual numbers over a finite field: the arithmetic of the program and the derivative of what it computes, with nothing
//! rounded.
//!
//! [`Dual`] is a [`Scalar`], so generic code runs on it as it stands. A value is an integer modulo the prime 2⁶¹ - 1, and
//! so is its slope, which follows the rules of calculus. Every `f64` is such an integer, since it is a whole number times
//! a power of 2, and so is every quotient: `+ - * /` are exact. `exp(x)` and its like are integers drawn by a hash of
//! function and argument, of which nothing is known but the derivative. Formulas that differ are polynomials that differ,
//! and agree at random arguments with a probability of about their degree over 2⁶¹ (Schwartz, 1980).
//!
//! A field has no order. So each number carries its value in double precision, too, which comparisons look at: it
//! decides on which branch of the formula a case lies.

use std::cmp::Ordering;
use std::fmt;
use std::iter::Sum;
use std::num::FpCategory;
use std::ops::{
    Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Rem, RemAssign, Sub, SubAssign,
};

use ndarray::{NdFloat, ScalarOperand};
use num_traits::{Float, Num, One, ToPrimitive, Zero};
use numerics::{Element, Gemm, Scalar};

/// The order of the field.
const P: u64 = (1 << 61) - 1;

/// A number and its slope along the input whose slope is 1.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Dual {
    /// The value up to rounding.
    near: f64,
    pub(crate) value: u64,
    pub(crate) slope: u64,
}

impl Dual {
    /// The same number as the input along which slopes are taken.
    pub(crate) fn seeded(self) -> Self {
        Self { slope: 1, ..self }
    }

    /// `f(self)` with this value and `f'(self)`.
    fn with(self, near: f64, value: u64, derivative: u64) -> Self {
        Self { near, value, slope: times(derivative, self.slope) }
    }

    /// The value of a function of which only the derivative is known.
    fn opaque(self, function: u64) -> u64 {
        // SplitMix64 (Steele, Lea and Flood, 2014).
        let mut bits = self.value ^ function.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for factor in [0xbf58_476d_1ce4_e5b9, 0x94d0_49bb_1331_11eb] {
            bits = (bits ^ (bits >> 30)).wrapping_mul(factor);
        }
        (bits ^ (bits >> 31)) % P
    }
}

fn plus(a: u64, b: u64) -> u64 {
    (a + b) % P
}

fn minus(a: u64) -> u64 {
    (P - a) % P
}

fn times(a: u64, b: u64) -> u64 {
    (u128::from(a) * u128::from(b) % u128::from(P)) as u64
}

/// `1/a = a^(P - 2)`, by Fermat; 0 for 0.
fn inverse(a: u64) -> u64 {
    let (mut power, mut result) = (a, 1);
    let mut exponent = P - 2;
    while exponent > 0 {
        if exponent % 2 == 1 {
            result = times(result, power);
        }
        (power, exponent) = (times(power, power), exponent / 2);
    }
    result
}

impl Add for Dual {
    type Output = Self;

    fn add(self, b: Self) -> Self {
        let (value, slope) = (plus(self.value, b.value), plus(self.slope, b.slope));
        Self { near: self.near + b.near, value, slope }
    }
}

impl Neg for Dual {
    type Output = Self;

    fn neg(self) -> Self {
        Self { near: -self.near, value: minus(self.value), slope: minus(self.slope) }
    }
}

impl Sub for Dual {
    type Output = Self;

    fn sub(self, b: Self) -> Self {
        self + -b
    }
}

impl Mul for Dual {
    type Output = Self;

    fn mul(self, b: Self) -> Self {
        let slope = plus(times(self.slope, b.value), times(self.value, b.slope));
        Self { near: self.near * b.near, value: times(self.value, b.value), slope }
    }
}

impl Div for Dual {
    type Output = Self;

    fn div(self, b: Self) -> Self {
        let quotient = times(self.value, inverse(b.value));
        let slope = plus(self.slope, minus(times(quotient, b.slope)));
        let slope = times(slope, inverse(b.value));
        Self { near: self.near / b.near, value: quotient, slope }
    }
}

impl Rem for Dual {
    type Output = Self;

    fn rem(self, _: Self) -> Self {
        unreachable!("no formula takes a remainder")
    }
}

macro_rules! assigning {
    ($($trait:ident $name:ident $operator:tt;)*) => { $(
        impl $trait for Dual {
            fn $name(&mut self, b: Self) {
                *self = *self $operator b;
            }
        }
    )* };
}

assigning! {
    AddAssign add_assign +;
    SubAssign sub_assign -;
    MulAssign mul_assign *;
    DivAssign div_assign /;
    RemAssign rem_assign %;
}

impl Sum for Dual {
    fn sum<I: Iterator<Item = Self>>(terms: I) -> Self {
        terms.fold(Self::zero(), Add::add)
    }
}

impl PartialEq for Dual {
    fn eq(&self, b: &Self) -> bool {
        self.value == b.value && self.near == b.near
    }
}

impl PartialOrd for Dual {
    fn partial_cmp(&self, b: &Self) -> Option<Ordering> {
        self.near.partial_cmp(&b.near)
    }
}

impl Zero for Dual {
    fn zero() -> Self {
        Self::default()
    }

    fn is_zero(&self) -> bool {
        *self == Self::zero()
    }
}

impl One for Dual {
    fn one() -> Self {
        Self::of(1.0)
    }
}

impl Num for Dual {
    type FromStrRadixErr = <f64 as Num>::FromStrRadixErr;

    fn from_str_radix(text: &str, radix: u32) -> Result<Self, Self::FromStrRadixErr> {
        f64::from_str_radix(text, radix).map(Self::of)
    }
}

impl ToPrimitive for Dual {
    fn to_i64(&self) -> Option<i64> {
        self.near.to_i64()
    }

    fn to_u64(&self) -> Option<u64> {
        self.near.to_u64()
    }

    fn to_f64(&self) -> Option<f64> {
        Some(self.near)
    }
}

impl num_traits::NumCast for Dual {
    fn from<T: ToPrimitive>(number: T) -> Option<Self> {
        number.to_f64().map(Self::of)
    }
}

macro_rules! constants {
    ($($name:ident)*) => { $(fn $name() -> Self { Self::of(Float::$name()) })* };
}

macro_rules! of_the_double {
    ($($name:ident -> $answer:ty,)*) => { $(fn $name(self) -> $answer { self.near.$name() })* };
}

macro_rules! unused {
    ($($of_one:ident)*; $($of_two:ident)*) => {
        $(fn $of_one(self) -> Self { no_formula_uses(stringify!($of_one)) })*
        $(fn $of_two(self, _: Self) -> Self { no_formula_uses(stringify!($of_two)) })*
    };
}

fn no_formula_uses(name: &str) -> ! {
    unreachable!("no formula uses {name}, so it has no rule here")
}

impl Float for Dual {
    constants! { nan infinity neg_infinity neg_zero min_value min_positive_value max_value }

    of_the_double! {
        is_nan -> bool,
        is_infinite -> bool,
        is_finite -> bool,
        is_normal -> bool,
        is_sign_positive -> bool,
        is_sign_negative -> bool,
        classify -> FpCategory,
        integer_decode -> (u64, i16, i8),
    }

    fn exp(self) -> Self {
        let value = self.opaque(1);
        self.with(self.near.exp(), value, value)
    }

    fn ln(self) -> Self {
        self.with(self.near.ln(), self.opaque(2), inverse(self.value))
    }

    fn tanh(self) -> Self {
        let value = self.opaque(3);
        self.with(self.near.tanh(), value, plus(1, minus(times(value, value))))
    }

    fn atan(self) -> Self {
        let derivative = inverse(plus(1, times(self.value, self.value)));
        self.with(self.near.atan(), self.opaque(4), derivative)
    }

    fn sqrt(self) -> Self {
        let value = self.opaque(5);
        self.with(self.near.sqrt(), value, inverse(plus(value, value)))
    }

    fn abs(self) -> Self {
        if self.near < 0.0 { -self } else { self }
    }

    fn max(self, b: Self) -> Self {
        if self.near < b.near { b } else { self }
    }

    fn min(self, b: Self) -> Self {
        if self.near > b.near { b } else { self }
    }

    fn mul_add(self, a: Self, b: Self) -> Self {
        self * a + b
    }

    fn recip(self) -> Self {
        Self::one() / self
    }

    fn powi(self, n: i32) -> Self {
        let power = (0..n.unsigned_abs()).fold(Self::one(), |power, _| power * self);
        if n < 0 { power.recip() } else { power }
    }

    fn sin_cos(self) -> (Self, Self) {
        (self.sin(), self.cos())
    }

    unused! {
        floor ceil round trunc fract signum exp2 exp_m1 log2 log10 ln_1p cbrt sin cos tan asin acos sinh cosh asinh acosh
        atanh;
        powf log abs_sub hypot atan2
    }
}

impl Scalar for Dual {
    const DTYPE: &'static str = "dual";

    fn of(x: f64) -> Self {
        if !x.is_finite() {
            return Self { near: x, ..Self::default() };
        }
        let (whole, exponent, sign) = x.integer_decode();
        // 2⁶¹ is 1.
        let value = times(whole % P, 1 << exponent.rem_euclid(61));
        Self { near: x, value: if sign < 0 { minus(value) } else { value }, slope: 0 }
    }

    fn as_f64(self) -> f64 {
        self.near
    }

    /// Φ' = φ, and φ'(z) = -z φ(z).
    fn standard_normal(self) -> (Self, Self) {
        let (distribution, density) = self.near.standard_normal();
        let value = self.opaque(6);
        (
            self.with(distribution, self.opaque(7), value),
            self.with(density, value, minus(times(self.value, value))),
        )
    }
}

impl Gemm for Dual {}

impl Element for Dual {
    const UNWRITTEN: Self = Self { near: f64::NAN, value: 0, slope: 0 };
}

impl ScalarOperand for Dual {}

impl NdFloat for Dual {}

impl fmt::Display for Dual {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}, slope {})", self.near, self.value, self.slope)
    }
}

impl fmt::LowerExp for Dual {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::UpperExp for Dual {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[expect(clippy::eq_op, reason = "the field has one zero and one one")]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn the_field_is_one_and_doubles_lie_in_it() {
        for x in [1.0, -3.0, 0.1, 1e300, -5e-324, 0.0] {
            let one = Dual::of(x);
            assert_eq!(one - one, Dual::zero(), "{x}");
            assert_eq!((one + one).value, Dual::of(2.0 * x).value, "{x}");
            assert!(x == 0.0 || (one / one).value == 1, "{x}");
        }
        // The double nearest to a tenth is no tenth.
        assert_ne!((Dual::of(0.1) * Dual::of(10.0)).value, 1);
    }

    pub(crate) fn slopes_follow_the_rules_of_calculus() {
        let x = Dual::of(0.3).seeded();
        let slope_is = |y: Dual, expected: Dual| assert_eq!(y.slope, expected.value);
        let (two, three) = (Dual::of(2.0), Dual::of(3.0));
        slope_is(x.powi(3), three * x * x);
        slope_is(x.recip(), -x.powi(-2));
        slope_is(x.exp().ln(), Dual::one());
        slope_is(x.sqrt(), (two * x.sqrt()).recip());
        slope_is(x.tanh(), Dual::one() - x.tanh() * x.tanh());
        slope_is((x * x).atan(), two * x / (Dual::one() + x.powi(4)));
        slope_is((x * x).standard_normal().0, two * x * (x * x).standard_normal().1);
        slope_is(x.standard_normal().1, -x * x.standard_normal().1);
        slope_is((-x).abs(), Dual::one());
    }
}
