//! Arithmetic in TeX, done again.
//!
//! Arithmetic of a chapter, `\checked{1 \cdot 0 + 3 \cdot 2 = \worked{fully-connected.dw[0,1]}}`,
//! is evaluated here: numbers, `\worked{...}`, `+`, `-`, `\cdot`, `\odot`, `/`, products of matrices, fractions,
//! powers, transposes, roots, `\ln`, `\cos`, `\operatorname{ReLU}`, `\operatorname{softmax}` of rows, `e`, `\pi` and
//! parentheses, between `=` or `\approx`.
//!
//! That is done twice: with the numbers as they are, and with the numbers as the page shows them, which are all that
//! a reader has. What comes out of those has to be what is shown.

use crate::tensor::{DIGITS, Tensor, Tensors};

/// The rounding that `=` allows, relative to the larger side.
const EQUAL: f64 = 1e-9;

/// Evaluates every side of `tex` and compares neighbours.
///
/// `=` needs equal numbers that are shown exactly; `\approx` needs the right side to be the left one,
/// rounded to the digits that are shown, also if the left one is computed from what is shown of its numbers.
pub(crate) fn check(tex: &str, tensors: &Tensors) -> Result<(), String> {
    sides(tex, tensors, false).map_err(|error| format!("`{tex}`: {error}"))?;
    sides(tex, tensors, true).map_err(|error| {
        format!("`{tex}`: {error}, computed from what the page shows: show more digits, `\\worked[6]{{NAME}}`")
    })
}

fn sides(tex: &str, tensors: &Tensors, as_shown: bool) -> Result<(), String> {
    let mut parser = Parser { rest: tex, tensors, as_shown, rounded: false, unit: None };
    let mut left = parser.side()?;
    let mut compared = false;
    loop {
        let exactly = match parser.takes("=") {
            true => true,
            false if parser.takes(r"\approx") => false,
            false => break,
        };
        let right = parser.side()?;
        compare(&left, exactly, &right)?;
        (left, compared) = (right, true);
    }
    match parser.peek() {
        "" if compared => Ok(()),
        "" => Err("there is no `=` to check".to_owned()),
        word => Err(format!("`{word}` is not understood here")),
    }
}

/// One side: its value, and how exactly it is shown.
struct Side {
    value: Tensor,
    /// A tensor is shown with fewer digits than it has.
    rounded: bool,
    /// If it is a number or a tensor alone, and its digits are not all: one unit in the last that is shown.
    unit: Option<f64>,
}

/// Compares two sides, up to rounding or as exactly as the right one is shown.
fn compare(left: &Side, exactly: bool, right: &Side) -> Result<(), String> {
    if left.value.shape != right.value.shape {
        let (a, b) = (&left.value.shape, &right.value.shape);
        return Err(format!("the sides have the shapes {a:?} and {b:?}"));
    }
    if exactly && (left.rounded || right.rounded) {
        return Err(r"a number in it is shown rounded: write `\approx`".to_owned());
    }
    let unit = right.unit.filter(|_| !exactly);
    for (a, b) in left.value.values.iter().zip(&right.value.values) {
        let allowed = match unit {
            Some(unit) => 0.5 * unit * (1.0 + EQUAL),
            None => EQUAL * a.abs().max(b.abs()),
        };
        // A NaN is not equal to anything.
        let equal = (a - b).abs() <= allowed;
        if !equal {
            return Err(format!("{a} is not {b}"));
        }
    }
    Ok(())
}

/// Commands that only size or align; spaces of all kinds are silent too.
const SILENT: &str =
    "left right bigl bigr Bigl Bigr big Big quad qquad displaystyle textstyle , ; !";

/// The number, the command with its backslash or the character that `tex` begins with.
fn word(tex: &str) -> &str {
    let length =
        |is_part: fn(char) -> bool| tex[1..].find(|c| !is_part(c)).map_or(tex.len(), |n| n + 1);
    match tex.chars().next() {
        Some('0'..='9') => &tex[..length(|c| c.is_ascii_digit() || c == '.')],
        Some('\\') if tex[1..].starts_with(|c: char| c.is_ascii_alphabetic()) => {
            &tex[..length(|c| c.is_ascii_alphabetic())]
        }
        Some('\\') => &tex[..1 + tex[1..].chars().next().map_or(0, char::len_utf8)],
        Some(other) => &tex[..other.len_utf8()],
        None => "",
    }
}

fn is_number(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_digit())
}

/// The reference to a tensor that `tex` begins with, `\worked{NAME}` or `\worked[DIGITS]{NAME}`: its name, the
/// decimals that it is shown with, if it is not short, and what follows.
pub(crate) fn worked(tex: &str) -> Result<Option<(&str, usize, &str)>, String> {
    let Some(rest) = tex.strip_prefix(r"\worked") else { return Ok(None) };
    let usage = || r"a tensor is `\worked{NAME}` or `\worked[DIGITS]{NAME}`".to_owned();
    let (digits, rest) = match rest.strip_prefix('[') {
        None => (DIGITS, rest),
        Some(rest) => {
            let (digits, rest) = rest.split_once(']').ok_or_else(usage)?;
            (digits.parse().ok().filter(|digits| *digits <= 15).ok_or_else(usage)?, rest)
        }
    };
    let rest = rest.strip_prefix('{').ok_or_else(usage)?;
    let (name, rest) = rest.split_once('}').ok_or_else(usage)?;
    Ok(Some((name.trim(), digits, rest)))
}

struct Parser<'a> {
    /// The text that has not been read.
    rest: &'a str,
    tensors: &'a Tensors,
    /// Whether tensors are read as the page shows them.
    as_shown: bool,
    /// Whether a tensor of this side is shown rounded.
    rounded: bool,
    /// One unit in the last digit that is shown of the last tensor.
    unit: Option<f64>,
}

impl<'a> Parser<'a> {
    /// The next word, after what only sizes, aligns or spaces; nothing at the end.
    fn peek(&mut self) -> &'a str {
        loop {
            self.rest =
                self.rest.trim_start_matches(|c: char| c.is_whitespace() || "&~".contains(c));
            let word = word(self.rest);
            match word.strip_prefix('\\') {
                Some(name) if name == " " || SILENT.split(' ').any(|silent| silent == name) => {
                    self.rest = &self.rest[word.len()..];
                }
                _ => return word,
            }
        }
    }

    fn takes(&mut self, wanted: &str) -> bool {
        let found = self.peek() == wanted;
        self.rest = &self.rest[if found { wanted.len() } else { 0 }..];
        found
    }

    fn side(&mut self) -> Result<Side, String> {
        self.rounded = false;
        self.peek();
        let before = self.rest;
        let value = self.sum()?;
        let text = before[..before.len() - self.rest.len()].trim_start_matches(['-', ' ']);
        let number = text.trim_end_matches(|c: char| c.is_whitespace() || "&.".contains(c));
        let typed = (is_number(number) && word(number) == number).then(|| {
            let decimals = number.split_once('.').map_or(0, |(_, decimals)| decimals.len());
            10_f64.powi(-i32::try_from(decimals).unwrap_or(0))
        });
        // Of the numbers as they are, all digits count.
        let alone = self.as_shown && matches!(worked(number), Ok(Some((.., ""))));
        Ok(Side { value, rounded: self.rounded, unit: typed.or(self.unit.filter(|_| alone)) })
    }

    fn sum(&mut self) -> Result<Tensor, String> {
        let sign = if self.takes("-") { -1.0 } else { 1.0 };
        let mut sum = scaled(&self.product()?, sign);
        loop {
            let sign = match self.takes("-") {
                true => -1.0,
                false if self.takes("+") => 1.0,
                false => return Ok(sum),
            };
            let term = self.product()?;
            // A row is added to each row.
            let term = match (&sum.shape[..], &term.shape[..]) {
                (&[rows, columns], &[1, width]) if columns == width => {
                    Tensor { shape: sum.shape.clone(), values: term.values.repeat(rows) }
                }
                _ => term,
            };
            sum = elementwise(&sum, &term, |a, b| a + sign * b)?;
        }
    }

    fn product(&mut self) -> Result<Tensor, String> {
        let mut value = self.power()?;
        loop {
            let divides = self.takes("/");
            let by_element = !divides && self.takes(r"\odot");
            let dot = divides || by_element || self.takes(r"\cdot") || self.takes(r"\times");
            if !dot && !self.begins_factor() {
                return Ok(value);
            }
            let factor = self.power()?;
            value = match (value.as_number(), factor.as_number()) {
                (_, Some(divisor)) if divides => scaled(&value, 1.0 / divisor),
                (_, Some(number)) if !divides => scaled(&value, number),
                (Some(number), None) if !divides => scaled(&factor, number),
                (None, None) if by_element => elementwise(&value, &factor, |a, b| a * b)?,
                (None, None) if !dot && value.shape.len() == 2 => matrix_product(&value, &factor)?,
                _ => return Err("only numbers multiply and divide arrays".to_owned()),
            };
        }
    }

    /// Whether a factor follows without a sign, as in `\tfrac12 (a + b)` and `3 \ln 2`.
    fn begins_factor(&mut self) -> bool {
        const FACTORS: &str = r"( { e \worked \frac \tfrac \dfrac \sqrt \ln \cos \pi \operatorname";
        let word = self.peek();
        FACTORS.split(' ').any(|factor| factor == word)
    }

    fn power(&mut self) -> Result<Tensor, String> {
        let base = self.atom()?;
        if !self.takes("^") {
            return Ok(base);
        }
        if self.takes(r"\top") {
            return transposed(&base);
        }
        let exponent = self.argument()?.as_number().ok_or("an exponent is a number")?;
        Ok(mapped(&base, |base| base.powf(exponent)))
    }

    /// The argument of a command: a group, or one digit, as TeX takes it.
    fn argument(&mut self) -> Result<Tensor, String> {
        let Some(digit) = self.peek().chars().next().and_then(|c| c.to_digit(10)) else {
            return self.atom();
        };
        self.rest = &self.rest[1..];
        Ok(Tensor::number(f64::from(digit)))
    }

    fn atom(&mut self) -> Result<Tensor, String> {
        let word = self.peek();
        if let Some((name, digits, rest)) = worked(self.rest)? {
            self.rest = rest;
            let tensor = self.tensors.get(name)?;
            self.rounded |= !tensor.is_short(digits);
            let (shown, unit) = tensor.as_shown(digits);
            self.unit = unit;
            return Ok(if self.as_shown { shown } else { tensor });
        }
        self.rest = &self.rest[word.len()..];
        match word {
            "" => Err("something is missing at its end".to_owned()),
            "(" | "{" => {
                let inner = self.sum()?;
                match self.takes(if word == "(" { ")" } else { "}" }) {
                    true => Ok(inner),
                    false => Err(format!("a `{word}` is not closed")),
                }
            }
            "e" => Ok(Tensor::number(std::f64::consts::E)),
            r"\pi" => Ok(Tensor::number(std::f64::consts::PI)),
            r"\frac" | r"\tfrac" | r"\dfrac" => {
                let (above, below) = (self.argument()?, self.argument()?);
                let below = below.as_number().ok_or("a denominator is a number")?;
                Ok(scaled(&above, 1.0 / below))
            }
            r"\sqrt" => Ok(mapped(&self.argument()?, f64::sqrt)),
            r"\ln" => Ok(mapped(&self.power()?, f64::ln)),
            r"\cos" => Ok(mapped(&self.power()?, f64::cos)),
            r"\operatorname" => {
                let named = self.rest.strip_prefix('{').and_then(|rest| rest.split_once('}'));
                let (name, rest) = named.ok_or("a function is `\\operatorname{NAME}`")?;
                self.rest = rest;
                let argument = self.atom()?;
                match name {
                    "ReLU" => Ok(mapped(&argument, |z| z.max(0.0))),
                    "softmax" => Ok(softmax(&argument)),
                    _ => Err(format!("the function `{name}` is not understood")),
                }
            }
            number if is_number(number) => {
                // `= 6.` ends a sentence.
                let value = number.trim_end_matches('.').parse();
                Ok(Tensor::number(value.map_err(|_| format!("`{number}` is not a number"))?))
            }
            _ => Err(format!("`{word}` is not understood")),
        }
    }
}

fn mapped(tensor: &Tensor, f: impl Fn(f64) -> f64) -> Tensor {
    Tensor { shape: tensor.shape.clone(), values: tensor.values.iter().map(|v| f(*v)).collect() }
}

fn matrix_product(a: &Tensor, b: &Tensor) -> Result<Tensor, String> {
    let (&[m, n], &[rows, k]) = (&a.shape[..], &b.shape[..]) else {
        return Err("only matrices have a product".to_owned());
    };
    if n != rows {
        return Err(format!("matrices of the shapes {:?} and {:?} meet", a.shape, b.shape));
    }
    let element = |at: usize| {
        let (row, column) = (at / k, at % k);
        (0..n).map(|i| a.values[row * n + i] * b.values[i * k + column]).sum()
    };
    Ok(Tensor { shape: vec![m, k], values: (0..m * k).map(element).collect() })
}

fn transposed(tensor: &Tensor) -> Result<Tensor, String> {
    let &[rows, columns] = &tensor.shape[..] else {
        return Err("only a matrix has a transpose".to_owned());
    };
    let element = |at: usize| tensor.values[at % rows * columns + at / rows];
    Ok(Tensor { shape: vec![columns, rows], values: (0..rows * columns).map(element).collect() })
}

/// That of each row.
fn softmax(tensor: &Tensor) -> Tensor {
    let length = tensor.shape.last().copied().unwrap_or(1).max(1);
    let of_row = |row: &[f64]| {
        let sum: f64 = row.iter().map(|z| z.exp()).sum();
        row.iter().map(|z| z.exp() / sum).collect::<Vec<_>>()
    };
    let values = tensor.values.chunks(length).flat_map(of_row).collect();
    Tensor { shape: tensor.shape.clone(), values }
}

fn scaled(tensor: &Tensor, factor: f64) -> Tensor {
    mapped(tensor, |value| factor * value)
}

fn elementwise(a: &Tensor, b: &Tensor, f: impl Fn(f64, f64) -> f64) -> Result<Tensor, String> {
    if a.shape != b.shape {
        return Err(format!("arrays of the shapes {:?} and {:?} meet", a.shape, b.shape));
    }
    let values = a.values.iter().zip(&b.values).map(|(a, b)| f(*a, *b)).collect();
    Ok(Tensor { shape: a.shape.clone(), values })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::tests::sample;

    #[test]
    fn true_arithmetic_passes() {
        for tex in [
            r"1 \cdot 0 + 3 \cdot 2 = \worked{a.six}",
            r"-1 + 3.5 = \worked{a.w[0,2]} = \tfrac52",
            r"\tfrac12 \left( \ln 2 + \ln 4 \right) = \tfrac32 \ln 2",
            r"\frac{1 + 2}{6} = 0.5 = \worked{a.v[0]}",
            r"2 \worked{a.v} = \worked{a.v} + \worked{a.v}",
            r"\worked{a.v} \odot \worked{a.v} = \worked{a.v} \odot \worked{a.v}",
            r"(1.331 - 0.729) / 0.2 = 3.01",
            r"\sqrt{2 + 2} = 2^{1} = 2.",
            r"\tfrac13 \approx 0.333",
            r"\tfrac{1}{3} \approx \worked{a.third}",
            r"\cos (\pi / 3) = \tfrac12",
            r"(0.26 \cdot 5.92 - 1)^2 \approx 0.2907",
            r"e^{-\ln 2} &= 0.5",
            r"\worked{a.w} \, \worked{a.w}^\top = \worked{a.w} \worked{a.w}^\top",
            r"\operatorname{ReLU}(\worked{a.v}) = \worked{a.v[0]} \worked{a.unit}",
            r"\operatorname{softmax}(\ln 2 \worked{a.unit}) \approx \worked{a.two-thirds}",
        ] {
            assert_eq!(check(tex, &sample()), Ok(()), "{tex}");
        }
    }

    #[test]
    fn false_arithmetic_and_what_is_not_understood_fail() {
        for (tex, expected) in [
            (r"1 \cdot 0 + 3 \cdot 2 = 7", "6 is not 7"),
            (r"1 + 1 = 2 = 3", "2 is not 3"),
            (r"\worked{a.w[0,1]} = 1", "0 is not 1"),
            (r"\tfrac13 \approx 0.334", "is not 0.334"),
            (r"\worked{a.third} = \tfrac13", r"write `\approx`"),
            (r"\worked{a.v} = 1", "the shapes [2] and []"),
            (r"\worked{a.gone} = 1", "no tensor `a.gone`"),
            (r"1 + x = 2", "`x` is not understood"),
            (r"\foo = 2", r"`\foo` is not understood"),
            (r"(1 + 2 = 3", "not closed"),
            (r"1 + = 3", "`=` is not understood"),
            (r"1 + 2", "no `=`"),
            (r"2 = 2)", "`)` is not understood"),
            (r"2^10 = 1024", "`0` is not understood here"),
            (r"\worked{a.w = 1", "`\\worked{NAME}`"),
            (r"\worked{a.v} \cdot \worked{a.v} = 1", "only numbers multiply"),
            (r"\worked{a.w} \worked{a.w} = 1", "matrices of the shapes [2, 3] and [2, 3] meet"),
            (r"\worked{a.v}^\top = 1", "only a matrix has a transpose"),
            (r"\operatorname{tan}(1) = 1", "the function `tan` is not understood"),
            // As it is, a third is 0.3333 and 3000 thirds are 1000; as it is shown, 3000 times 0.3333 is 999.9.
            (
                r"3000 \worked{a.third} \approx 1000.0",
                "is not 1000, computed from what the page shows",
            ),
            (r"0 / 0 = 1", "NaN is not 1"),
        ] {
            let error = check(tex, &sample()).unwrap_err();
            assert!(error.contains(expected), "{tex}: {error}");
        }
    }
}
