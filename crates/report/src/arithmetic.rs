//! Arithmetic in TeX, done again.
//!
//! Arithmetic of a chapter, `\checked{1 \cdot 0 + 3 \cdot 2 = \worked{fully-connected.dw[0,1]}}`,
//! is evaluated here: numbers, `\worked{...}`, `+`, `-`, `\cdot`, `\odot`, `/`, fractions, powers,
//! roots, `\ln`, `\cos`, `e`, `\pi` and parentheses, between `=` or `\approx`.

use crate::tensor::{DIGITS, Tensor, Tensors};

/// The rounding that `=` allows, relative to the larger side.
const EQUAL: f64 = 1e-9;

/// Evaluates every side of `tex` and compares neighbours.
///
/// `=` needs equal numbers that are shown exactly; `\approx` needs the right side to be the left one,
/// rounded to the digits that are shown.
pub(crate) fn check(tex: &str, tensors: &Tensors) -> Result<(), String> {
    let problem = |error: String| format!("`{tex}`: {error}");
    let tokens = tokens(tex).map_err(problem)?;
    let mut parser = Parser { tokens: &tokens, at: 0, tensors };
    let mut left = parser.side().map_err(problem)?;
    let mut relations = 0;
    while let Some(exactly) = parser.relation() {
        let right = parser.side().map_err(problem)?;
        compare(&left, exactly, &right).map_err(problem)?;
        left = right;
        relations += 1;
    }
    match parser.peek() {
        Some(token) => Err(problem(format!("`{}` is not understood here", token.shown()))),
        None if relations == 0 => Err(problem("there is no `=` to check".to_owned())),
        None => Ok(()),
    }
}

/// One side: its value, and how exactly it is shown.
struct Side {
    value: Tensor,
    /// A tensor is shown with fewer digits than it has.
    rounded: bool,
    /// If it is a typed number alone: one unit in its last digit.
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

#[derive(Clone, Debug, PartialEq)]
enum TexToken {
    Number(String),
    Command(String),
    Worked(Worked),
    Symbol(char),
}

impl TexToken {
    fn shown(&self) -> String {
        match self {
            Self::Number(text) => text.clone(),
            Self::Command(name) => format!("\\{name}"),
            Self::Worked(Worked { name, .. }) => format!("\\worked{{{name}}}"),
            Self::Symbol(symbol) => symbol.to_string(),
        }
    }
}

/// Commands that only size or align; spaces of all kinds are silent too.
const SILENT: &str =
    "left right bigl bigr Bigl Bigr big Big quad qquad displaystyle textstyle , ; !";

fn tokens(tex: &str) -> Result<Vec<TexToken>, String> {
    let mut tokens = Vec::new();
    let mut rest = tex.trim_start();
    while let Some(first) = rest.chars().next() {
        if let Some((worked, after)) = Worked::read(rest)? {
            tokens.push(TexToken::Worked(worked));
            rest = after;
        } else if first.is_ascii_digit() {
            let length = rest.find(|c: char| !(c.is_ascii_digit() || c == '.'));
            let (number, after) = rest.split_at(length.unwrap_or(rest.len()));
            // `= 6.` ends a sentence.
            tokens.push(TexToken::Number(number.trim_end_matches('.').to_owned()));
            rest = after;
        } else if let Some(after) = rest.strip_prefix('\\') {
            let letters = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
            let length = letters.max(after.chars().next().map_or(0, char::len_utf8));
            let (name, after) = after.split_at(length);
            if name != " " && SILENT.split(' ').all(|silent| silent != name) {
                tokens.push(TexToken::Command(name.to_owned()));
            }
            rest = after;
        } else {
            if !matches!(first, '&' | '~') && !first.is_whitespace() {
                tokens.push(TexToken::Symbol(first));
            }
            rest = &rest[first.len_utf8()..];
        }
    }
    Ok(tokens)
}

/// A reference to a tensor: `\worked{NAME}` or `\worked[DIGITS]{NAME}`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Worked {
    /// The tensor, or a part of it.
    pub(crate) name: String,
    /// The decimals that it is shown with, if it is not short.
    pub(crate) digits: usize,
}

impl Worked {
    /// The reference that `tex` begins with, and what follows it.
    pub(crate) fn read(tex: &str) -> Result<Option<(Self, &str)>, String> {
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
        Ok(Some((Self { name: name.trim().to_owned(), digits }, rest)))
    }
}

struct Parser<'a> {
    tokens: &'a [TexToken],
    at: usize,
    tensors: &'a Tensors,
}

/// A value, and whether it is shown rounded.
type Operand = (Tensor, bool);

impl Parser<'_> {
    fn peek(&self) -> Option<&TexToken> {
        self.tokens.get(self.at)
    }

    fn takes(&mut self, wanted: &TexToken) -> bool {
        let found = self.peek() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    fn takes_symbol(&mut self, symbol: char) -> bool {
        self.takes(&TexToken::Symbol(symbol))
    }

    fn takes_command(&mut self, name: &str) -> bool {
        self.takes(&TexToken::Command(name.to_owned()))
    }

    /// Whether two sides are compared here, and if so, whether exactly.
    fn relation(&mut self) -> Option<bool> {
        match self.takes_symbol('=') {
            true => Some(true),
            false => self.takes_command("approx").then_some(false),
        }
    }

    fn side(&mut self) -> Result<Side, String> {
        let start = self.at;
        let (value, rounded) = self.sum()?;
        let unit = match &self.tokens[start..self.at] {
            [TexToken::Number(number)] | [TexToken::Symbol('-'), TexToken::Number(number)] => {
                let decimals = number.split_once('.').map_or(0, |(_, decimals)| decimals.len());
                Some(10_f64.powi(-i32::try_from(decimals).unwrap_or(0)))
            }
            _ => None,
        };
        Ok(Side { value, rounded, unit })
    }

    fn sum(&mut self) -> Result<Operand, String> {
        let sign = if self.takes_symbol('-') { -1.0 } else { 1.0 };
        let (term, mut rounded) = self.product()?;
        let mut sum = scaled(&term, sign);
        loop {
            let sign = match self.takes_symbol('-') {
                true => -1.0,
                false if self.takes_symbol('+') => 1.0,
                false => return Ok((sum, rounded)),
            };
            let (term, also) = self.product()?;
            sum = elementwise(&sum, &term, |a, b| a + sign * b)?;
            rounded |= also;
        }
    }

    fn product(&mut self) -> Result<Operand, String> {
        let (mut value, mut rounded) = self.power()?;
        loop {
            let divides = self.takes_symbol('/');
            let by_element = !divides && self.takes_command("odot");
            let dot =
                divides || by_element || self.takes_command("cdot") || self.takes_command("times");
            if !dot && !self.begins_factor() {
                return Ok((value, rounded));
            }
            let (factor, also) = self.power()?;
            value = match (value.as_number(), factor.as_number()) {
                (_, Some(divisor)) if divides => scaled(&value, 1.0 / divisor),
                (_, Some(number)) if !divides => scaled(&value, number),
                (Some(number), None) if !divides => scaled(&factor, number),
                (None, None) if by_element => elementwise(&value, &factor, |a, b| a * b)?,
                _ => return Err("only numbers multiply and divide arrays".to_owned()),
            };
            rounded |= also;
        }
    }

    /// Whether a factor follows without a sign, as in `\tfrac12 (a + b)` and `3 \ln 2`.
    fn begins_factor(&self) -> bool {
        match self.peek() {
            Some(TexToken::Symbol(symbol)) => "({e".contains(*symbol),
            Some(TexToken::Command(name)) => {
                matches!(name.as_str(), "frac" | "tfrac" | "dfrac" | "sqrt" | "ln" | "cos" | "pi")
            }
            Some(TexToken::Worked(_)) => true,
            _ => false,
        }
    }

    fn power(&mut self) -> Result<Operand, String> {
        let (base, rounded) = self.atom()?;
        if !self.takes_symbol('^') {
            return Ok((base, rounded));
        }
        let (exponent, also) = self.argument()?;
        let exponent = exponent.as_number().ok_or("an exponent is a number")?;
        Ok((mapped(&base, |base| base.powf(exponent)), rounded || also))
    }

    /// The argument of a command: a group, or one digit.
    fn argument(&mut self) -> Result<Operand, String> {
        let Some(TexToken::Number(number)) = self.peek() else { return self.atom() };
        let number = number.clone();
        let (first, rest) = number.split_at(1);
        let value = first.parse().map_err(|_| format!("`{first}` is not a digit"))?;
        if rest.is_empty() {
            self.at += 1;
            return Ok((Tensor::number(value), false));
        }
        Err(format!("`{number}` needs braces: TeX takes one digit"))
    }

    fn fraction(&mut self) -> Result<Operand, String> {
        // `\tfrac12` is one token of two digits.
        if let Some(TexToken::Number(number)) = self.peek()
            && let [above, below] = number.as_bytes()
            && above.is_ascii_digit()
            && below.is_ascii_digit()
        {
            let (above, below) = (f64::from(above - b'0'), f64::from(below - b'0'));
            self.at += 1;
            return Ok((Tensor::number(above / below), false));
        }
        let ((above, rounded), (below, also)) = (self.argument()?, self.argument()?);
        let below = below.as_number().ok_or("a denominator is a number")?;
        Ok((scaled(&above, 1.0 / below), rounded || also))
    }

    fn atom(&mut self) -> Result<Operand, String> {
        let Some(token) = self.peek().cloned() else {
            return Err("something is missing at its end".to_owned());
        };
        self.at += 1;
        match token {
            TexToken::Number(number) => {
                let value = number.parse().map_err(|_| format!("`{number}` is not a number"))?;
                Ok((Tensor::number(value), false))
            }
            TexToken::Worked(Worked { name, digits }) => {
                let tensor = self.tensors.get(&name)?;
                let rounded = !tensor.is_short(digits);
                Ok((tensor, rounded))
            }
            TexToken::Symbol(open @ ('(' | '{')) => {
                let inner = self.sum()?;
                match self.takes_symbol(if open == '(' { ')' } else { '}' }) {
                    true => Ok(inner),
                    false => Err(format!("a `{open}` is not closed")),
                }
            }
            TexToken::Symbol('e') => Ok((Tensor::number(std::f64::consts::E), false)),
            TexToken::Command(name) => match name.as_str() {
                "frac" | "tfrac" | "dfrac" => self.fraction(),
                "pi" => Ok((Tensor::number(std::f64::consts::PI), false)),
                "sqrt" => self.argument().map(|(value, r)| (mapped(&value, f64::sqrt), r)),
                "ln" => self.power().map(|(value, r)| (mapped(&value, f64::ln), r)),
                "cos" => self.power().map(|(value, r)| (mapped(&value, f64::cos), r)),
                _ => Err(format!("the command `\\{name}` is not understood")),
            },
            TexToken::Symbol(symbol) => Err(format!("`{symbol}` is not understood")),
        }
    }
}

fn mapped(tensor: &Tensor, f: impl Fn(f64) -> f64) -> Tensor {
    Tensor { shape: tensor.shape.clone(), values: tensor.values.iter().map(|v| f(*v)).collect() }
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
            (r"2^10 = 1024", "needs braces"),
            (r"\worked{a.w = 1", "`\\worked{NAME}`"),
            (r"\worked{a.v} \cdot \worked{a.v} = 1", "only numbers multiply"),
            (r"0 / 0 = 1", "NaN is not 1"),
        ] {
            let error = check(tex, &sample()).unwrap_err();
            assert!(error.contains(expected), "{tex}: {error}");
        }
    }
}
