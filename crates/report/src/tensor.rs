//! The tensors of the worked examples, as a chapter shows them.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The decimals of a number that is not short by itself.
pub(crate) const DIGITS: usize = 4;

/// An array that an example computed.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Tensor {
    /// Its shape; empty for a single number.
    pub shape: Vec<usize>,
    /// Its elements in row-major order.
    pub values: Vec<f64>,
}

/// Every tensor of the examples, by name.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(transparent)]
pub struct Tensors(pub(crate) BTreeMap<String, Tensor>);

impl Tensors {
    /// The tensor `NAME`, or of it the part `NAME[0]` or the element `NAME[0,1]`.
    pub(crate) fn get(&self, text: &str) -> Result<Tensor, String> {
        let form = || format!("`{text}` is not of the form NAME, NAME[0] or NAME[0,1]");
        let (name, index) = match text.split_once('[') {
            None => (text, None),
            Some((name, rest)) => (name, Some(rest.strip_suffix(']').ok_or_else(form)?)),
        };
        let tensor = self.0.get(name).ok_or_else(|| {
            let example = |name: &str| name.split('.').next().map(str::to_owned);
            let near = self.0.keys().filter(|known| example(known) == example(name));
            let near: Vec<&str> = near.map(String::as_str).collect();
            match near.is_empty() {
                true => format!("no worked example has the tensor `{name}`"),
                false => {
                    format!("the worked example has no tensor `{name}`; it has {}", near.join(", "))
                }
            }
        })?;
        match index {
            None => Ok(tensor.clone()),
            Some(index) => tensor
                .part(index)
                .ok_or_else(|| format!("`{text}` is not within the shape {:?}", tensor.shape)),
        }
    }

    /// A tensor of so many axes.
    fn of_rank(&self, name: &str, rank: usize) -> Result<Tensor, String> {
        let tensor = self.get(name)?;
        match tensor.shape.len() == rank && !tensor.values.is_empty() {
            true => Ok(tensor),
            false => Err(format!("`{name}` has the shape {:?}, not {rank} axes", tensor.shape)),
        }
    }

    /// The rows of a matrix.
    pub(crate) fn matrix(&self, name: &str) -> Result<Vec<Vec<f64>>, String> {
        let Tensor { shape, values } = self.of_rank(name, 2)?;
        Ok(values.chunks(shape[1]).map(<[f64]>::to_vec).collect())
    }

    /// A list of numbers.
    pub(crate) fn vector(&self, name: &str) -> Result<Vec<f64>, String> {
        Ok(self.of_rank(name, 1)?.values)
    }

    /// A number.
    pub(crate) fn number(&self, name: &str) -> Result<f64, String> {
        Ok(self.of_rank(name, 0)?.values[0])
    }
}

impl Tensor {
    /// A single number.
    pub(crate) fn number(value: f64) -> Self {
        Self { shape: vec![], values: vec![value] }
    }

    fn part(&self, index: &str) -> Option<Self> {
        let mut part = self.clone();
        for text in index.split(',') {
            let at: usize = text.trim().parse().ok()?;
            let (_, rest) = part.shape.split_first().filter(|(length, _)| at < **length)?;
            let size: usize = rest.iter().product();
            part = Self {
                shape: rest.to_vec(),
                values: part.values[at * size..(at + 1) * size].to_vec(),
            };
        }
        Some(part)
    }

    /// The one number that it is, if it is one.
    pub(crate) fn as_number(&self) -> Option<f64> {
        match (&self.shape[..], &self.values[..]) {
            ([], [value]) => Some(*value),
            _ => None,
        }
    }

    /// Whether [`Tensor::tex`] with so many digits shows every element as it is.
    pub(crate) fn is_short(&self, digits: usize) -> bool {
        self.values.iter().all(|value| decimals(*value, digits).is_some())
    }

    /// The numbers as [`Tensor::tex`] with so many digits shows them, and one unit in the last digit of the one with
    /// the fewest, unless all are shown as they are.
    pub(crate) fn as_shown(&self, digits: usize) -> (Self, Option<f64>) {
        let shown = |value: &f64| {
            let text = plain_number(*value, digits).replace('\u{2212}', "-");
            text.parse().expect("what is shown of a number is a number")
        };
        let unit = |value: &f64| match scientific(*value, digits) {
            Some((_, exponent)) => Some(10_f64.powi(exponent - SIGNIFICANT)),
            None if decimals(*value, digits).is_some() => None,
            None => Some(10_f64.powi(-i32::try_from(digits).unwrap_or(i32::MAX))),
        };
        let values = self.values.iter().map(shown).collect();
        let units = self.values.iter().filter_map(unit);
        (Self { shape: self.shape.clone(), values }, units.reduce(f64::max))
    }

    /// TeX: a number, a tuple, or a matrix, which is small in a line of text. An error says that it has
    /// more than two axes.
    pub(crate) fn tex(&self, digits: usize, inline: bool) -> Result<String, String> {
        let number = |value| tex_number(value, digits);
        match self.shape[..] {
            [] => Ok(self.joined(number, "", "")),
            [_] => Ok(format!("({})", self.joined(number, r",\; ", ""))),
            [_, _] => {
                let rows = self.joined(number, " & ", r" \\ ");
                Ok(match inline {
                    true => {
                        format!(r"\bigl(\begin{{smallmatrix}} {rows} \end{{smallmatrix}}\bigr)")
                    }
                    false => format!(r"\begin{{pmatrix}} {rows} \end{{pmatrix}}"),
                })
            }
            _ => Err(format!("only up to two axes can be shown, not the shape {:?}", self.shape)),
        }
    }

    /// Plain text: `6`, `(1, 2)`, or rows that are separated by semicolons.
    pub(crate) fn text(&self, digits: usize) -> String {
        let text = self.joined(|value| plain_number(value, digits), ", ", "; ");
        if self.shape.is_empty() { text } else { format!("({text})") }
    }

    /// The numbers, row by row.
    fn joined(&self, number: impl Fn(f64) -> String, between: &str, between_rows: &str) -> String {
        let columns = match self.shape[..] {
            [_, columns] => columns,
            _ => self.values.len(),
        };
        let row = |row: &[f64]| row.iter().map(|v| number(*v)).collect::<Vec<_>>().join(between);
        self.values.chunks(columns.max(1)).map(row).collect::<Vec<_>>().join(between_rows)
    }
}

/// The number of decimals, up to `most`, with which a number is shown as it is, up to what a few
/// roundings change.
fn decimals(value: f64, most: usize) -> Option<usize> {
    (0..=most).find(|&decimals| {
        let scaled = value * 10_f64.powi(i32::try_from(decimals).unwrap_or(i32::MAX));
        (scaled - scaled.round()).abs() <= 1e-12 * scaled.abs() + f64::from(value == 0.0)
            && (value == 0.0 || scaled.round() != 0.0)
    })
}

/// A number with a minus of its own width: exact if it is short, else with so many decimals.
pub(crate) fn plain_number(value: f64, digits: usize) -> String {
    let text = match scientific(value, digits) {
        Some((mantissa, exponent)) => format!("{mantissa}e{exponent}"),
        None => fixed(value, digits),
    };
    text.replace('-', "\u{2212}")
}

/// The same in TeX.
fn tex_number(value: f64, digits: usize) -> String {
    match scientific(value, digits) {
        Some((mantissa, exponent)) if mantissa == "1" => format!("10^{{{exponent}}}"),
        Some((mantissa, exponent)) => format!(r"{mantissa} \cdot 10^{{{exponent}}}"),
        None => fixed(value, digits),
    }
}

fn fixed(value: f64, digits: usize) -> String {
    let decimals = decimals(value, digits).unwrap_or(digits);
    let text = format!("{value:.decimals$}");
    // What rounds to zero is zero.
    match text.trim_start_matches('-').chars().all(|c| matches!(c, '0' | '.')) {
        true => text.trim_start_matches('-').to_owned(),
        false => text,
    }
}

/// Digits behind the point of a mantissa.
const SIGNIFICANT: i32 = 2;

/// Mantissa and exponent of a number that would have too few digits otherwise, or too many.
fn scientific(value: f64, digits: usize) -> Option<(String, i32)> {
    let too_small = value != 0.0 && value.abs() < 1e-3 && decimals(value, digits).is_none();
    let too_large = value.abs() >= 1e15;
    let text = (too_small || too_large).then(|| format!("{value:.*e}", SIGNIFICANT as usize))?;
    let (mantissa, exponent) = text.split_once('e')?;
    let mantissa = mantissa.trim_end_matches('0').trim_end_matches('.');
    Some((mantissa.to_owned(), exponent.parse().ok()?))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A matrix, a vector and three numbers.
    pub(crate) fn sample() -> Tensors {
        let tensor = |shape: &[usize], values: &[f64]| Tensor {
            shape: shape.to_vec(),
            values: values.to_vec(),
        };
        Tensors(BTreeMap::from([
            ("a.w".to_owned(), tensor(&[2, 3], &[1.0, 0.0, 2.5, -1.0, 1.0, 0.1 + 0.2])),
            ("a.v".to_owned(), tensor(&[2], &[0.5, -2.0])),
            ("a.six".to_owned(), tensor(&[], &[6.0])),
            ("a.third".to_owned(), tensor(&[], &[1.0 / 3.0])),
            ("a.tiny".to_owned(), tensor(&[], &[4.25e-18])),
            ("a.unit".to_owned(), tensor(&[2], &[1.0, 0.0])),
            ("a.two-thirds".to_owned(), tensor(&[2], &[2.0 / 3.0, 1.0 / 3.0])),
        ]))
    }

    #[test]
    fn parts_are_found_and_what_is_not_there_is_said() {
        let tensors = sample();
        assert_eq!(tensors.get("a.w[0,2]").unwrap(), Tensor::number(2.5));
        assert_eq!(tensors.get("a.w[1]").unwrap().shape, [3]);
        for (name, expected) in [
            (
                "a.x",
                "no tensor `a.x`; it has a.six, a.third, a.tiny, a.two-thirds, a.unit, a.v, a.w",
            ),
            ("b.x", "no worked example has the tensor `b.x`"),
            ("a.w[0,3]", "`a.w[0,3]` is not within the shape [2, 3]"),
            ("a.w[0,0,0]", "not within the shape"),
            ("a.w[x]", "not within the shape"),
            ("a.w[0", "is not of the form"),
        ] {
            let error = tensors.get(name).unwrap_err();
            assert!(error.contains(expected), "{name}: {error}");
        }
    }

    #[test]
    fn numbers_are_exact_or_have_a_fixed_number_of_decimals() {
        for (value, expected) in [
            (6.0, "6"),
            (-0.5, "-0.5"),
            (0.1 + 0.2, "0.3"),
            (1.0 / 3.0, "0.3333"),
            (-1e-17, r"-1 \cdot 10^{-17}"),
            (4.25e-18, r"4.25 \cdot 10^{-18}"),
            (-4.494e307, r"-4.49 \cdot 10^{307}"),
            (1e-9, "10^{-9}"),
            (1234.5, "1234.5"),
            (0.0, "0"),
            (-0.0, "0"),
            (0.001, "0.001"),
        ] {
            assert_eq!(tex_number(value, DIGITS), expected, "{value}");
        }
        assert_eq!(tex_number(2.0 / 3.0, 2), "0.67");
        assert_eq!(plain_number(-4.25e-18, 4), "\u{2212}4.25e\u{2212}18");
    }

    #[test]
    fn shapes_decide_how_a_tensor_looks() {
        let get = |name: &str| sample().get(name).unwrap();
        let tex = |name: &str, inline| get(name).tex(DIGITS, inline).unwrap();
        assert_eq!(tex("a.w", false), r"\begin{pmatrix} 1 & 0 & 2.5 \\ -1 & 1 & 0.3 \end{pmatrix}");
        assert!(tex("a.w", true).contains("smallmatrix"));
        assert_eq!(tex("a.v", false), r"(0.5,\; -2)");
        assert_eq!(get("a.w").text(4), "(1, 0, 2.5; \u{2212}1, 1, 0.3)");
        assert!(Tensor { shape: vec![1, 1, 1], values: vec![1.0] }.tex(4, false).is_err());
        assert_eq!(["a.third", "a.w"].map(|name| get(name).is_short(4)), [false, true]);
    }
}
