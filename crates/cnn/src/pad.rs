//! Zero padding around an image.

use std::fmt;

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
