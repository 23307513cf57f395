//! Median and quartiles of a sample.

/// The five numbers that divide a sorted sample into quarters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quartiles {
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

impl Quartiles {
    /// The five numbers of these values; between two of them, quantiles are interpolated.
    ///
    /// # Panics
    /// If there is no value.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        assert!(!values.is_empty(), "a sample has at least one value");
        values.sort_by(f64::total_cmp);
        let [min, lower, median, upper, max] = [0.0, 0.25, 0.5, 0.75, 1.0].map(|share| {
            let at = share * (values.len() - 1) as f64;
            let (low, high) = (values[at.floor() as usize], values[at.ceil() as usize]);
            low + at.fract() * (high - low)
        });
        Self { min, lower, median, upper, max }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_numbers_by_hand() {
        for (values, [min, lower, median, upper, max]) in [
            // Sorted: 1 2 4 8 16. The quartiles are at 1 and 3.
            (&[16.0, 1.0, 8.0, 2.0, 4.0][..], [1.0, 2.0, 4.0, 8.0, 16.0]),
            // Sorted: 1 2 3 6. The quartiles are at 0.75, 1.5 and 2.25.
            (&[6.0, 3.0, 2.0, 1.0], [1.0, 1.75, 2.5, 3.75, 6.0]),
            (&[3.0], [3.0; 5]),
        ] {
            let expected = Quartiles { min, lower, median, upper, max };
            assert_eq!(Quartiles::of(values.iter().copied()), expected);
        }
    }
}
