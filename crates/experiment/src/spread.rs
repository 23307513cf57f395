//! Mean and spread over seeds.

use serde::{Deserialize, Serialize};

/// The mean of a sample and how far it spreads.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spread {
    /// The mean.
    pub mean: f64,
    /// The standard deviation, with divisor n - 1.
    pub sd: f64,
    /// The smallest value.
    pub min: f64,
    /// The largest value.
    pub max: f64,
}

impl Spread {
    /// The spread of at least two values; there is none of fewer.
    pub fn of(values: &[f64]) -> Option<Self> {
        if values.len() < 2 {
            return None;
        }
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|x| (x - mean).powi(2)).sum();
        Some(Self {
            mean,
            sd: (squares / (n - 1.0)).sqrt(),
            min: values.iter().copied().fold(f64::INFINITY, f64::min),
            max: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spread_of_a_sample_by_hand() {
        // Mean 2; squares 1 + 0 + 1; divisor 2.
        let spread = Spread::of(&[1.0, 2.0, 3.0]).unwrap();
        assert_eq!(spread, Spread { mean: 2.0, sd: 1.0, min: 1.0, max: 3.0 });
        assert_eq!(Spread::of(&[1.0]), None);
    }
}
