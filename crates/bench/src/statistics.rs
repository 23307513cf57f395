//! The median of a sample, and how far it spreads.

/// The five numbers of a sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// The smallest value.
    pub min: f64,
    /// A quarter of the values is below.
    pub lower: f64,
    /// The middle.
    pub median: f64,
    /// A quarter of the values is above.
    pub upper: f64,
    /// The largest value.
    pub max: f64,
}

impl Spread {
    /// The five numbers of these values; between two of them, quantiles are interpolated.
    ///
    /// # Panics
    /// If there is no value.
    #[must_use]
    pub fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        assert!(!values.is_empty(), "a sample has at least one value");
        values.sort_by(f64::total_cmp);
        let quantile = |share: f64| {
            let at = share * (values.len() - 1) as f64;
            let (low, high) = (values[at.floor() as usize], values[at.ceil() as usize]);
            low + at.fract() * (high - low)
        };
        Self {
            min: quantile(0.0),
            lower: quantile(0.25),
            median: quantile(0.5),
            upper: quantile(0.75),
            max: quantile(1.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_numbers_by_hand() {
        // Sorted: 1 2 4 8 16. The quartiles are at 1 and 3.
        let spread = Spread::of([16.0, 1.0, 8.0, 2.0, 4.0]);
        assert_eq!(spread, Spread { min: 1.0, lower: 2.0, median: 4.0, upper: 8.0, max: 16.0 });
        // Sorted: 1 2 3 6. The quartiles are at 0.75, 1.5 and 2.25.
        let spread = Spread::of([6.0, 3.0, 2.0, 1.0]);
        assert_eq!(spread, Spread { min: 1.0, lower: 1.75, median: 2.5, upper: 3.75, max: 6.0 });
    }

    #[test]
    fn one_value_spreads_nowhere() {
        let spread = Spread::of([3.0]);
        assert_eq!((spread.min, spread.median, spread.max), (3.0, 3.0, 3.0));
    }
}
