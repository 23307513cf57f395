//! How much zero padding goes around an image.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Zero padding, the same on both sides of an axis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pad {
    /// No padding.
    #[default]
    Valid,
    /// `((kernel_rows - 1) / 2, (kernel_cols - 1) / 2)`, integer division, whatever the stride. The
    /// output has the size of the input only if the stride is 1 and the kernel odd.
    Same,
    /// So many rows and columns.
    Cells(usize, usize),
}

impl Pad {
    /// Padded rows and columns on each side, for a kernel of this shape, whose sides are at least 1.
    #[must_use]
    pub fn cells(self, kernel_shape: (usize, usize)) -> (usize, usize) {
        match self {
            Self::Valid => (0, 0),
            Self::Same => ((kernel_shape.0 - 1) / 2, (kernel_shape.1 - 1) / 2),
            Self::Cells(rows, cols) => (rows, cols),
        }
    }
}

impl fmt::Display for Pad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Valid => f.write_str("valid"),
            Self::Same => f.write_str("same"),
            Self::Cells(rows, cols) if rows == cols => rows.fmt(f),
            Self::Cells(rows, cols) => write!(f, "{rows},{cols}"),
        }
    }
}

/// The text is no padding.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown padding {got:?}: expected \"same\", \"valid\", an integer or a pair like \"1,2\"")]
pub struct ParsePadError {
    got: String,
}

impl FromStr for Pad {
    type Err = ParsePadError;

    fn from_str(text: &str) -> Result<Self, ParsePadError> {
        let error = || ParsePadError { got: text.to_owned() };
        let number = |text: &str| text.trim().parse().map_err(|_| error());
        match (text, text.split_once(',')) {
            ("same", _) => Ok(Self::Same),
            ("valid", _) => Ok(Self::Valid),
            (_, Some((rows, cols))) => Ok(Self::Cells(number(rows)?, number(cols)?)),
            (_, None) => number(text).map(|cells| Self::Cells(cells, cells)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_padding_is_the_half_of_the_kernel_rounded_down() {
        assert_eq!(Pad::Same.cells((3, 5)), (1, 2));
        assert_eq!(Pad::Same.cells((4, 1)), (1, 0));
    }

    #[test]
    fn paddings_parse_back() {
        for pad in [Pad::Valid, Pad::Same, Pad::Cells(2, 2), Pad::Cells(1, 3)] {
            assert_eq!(pad.to_string().parse(), Ok(pad));
        }
        let error = "full".parse::<Pad>().unwrap_err().to_string();
        assert!(error.starts_with("unknown padding \"full\": expected \"same\""), "{error}");
    }
}
