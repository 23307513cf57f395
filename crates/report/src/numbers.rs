//! Numbers as the book shows them.

/// A fraction in percent.
pub(crate) fn percentage(value: f64) -> String {
    // A space at which no line is broken.
    format!("{:.1}\u{a0}%", 100.0 * value)
}

/// The mean of at least one value.
pub(crate) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Three significant digits, without trailing zeros behind the point.
pub(crate) fn significant(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return format!("{value}");
    }
    let exponent = value.abs().log10().floor() as i32;
    if !(-4..6).contains(&exponent) {
        return format!("{value:.2e}");
    }
    let digits = usize::try_from(2 - exponent).unwrap_or(0);
    let text = format!("{value:.digits$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

/// `0`, `1.2e-16`, `1e-10`.
pub(crate) fn short(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let text = format!("{value:.1e}");
    text.replace(".0e", "e")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits_errors_two_and_fractions_are_percentages() {
        let numbers = [0.0, 0.25, 0.123_456, 1234.5, 100.0, 0.000_012_34, 2.0].map(significant);
        assert_eq!(numbers, ["0", "0.25", "0.123", "1234", "100", "1.23e-5", "2"]);
        assert_eq!([0.0, 1.23e-16, 1e-10].map(short), ["0", "1.2e-16", "1e-10"]);
        assert_eq!([0.0, 0.04, 1.0].map(percentage), ["0.0\u{a0}%", "4.0\u{a0}%", "100.0\u{a0}%"]);
    }
}
