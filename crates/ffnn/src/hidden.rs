//! The hidden layers of a network.

use std::fmt;

use serde::{Deserialize, Serialize};
use training::TrainingError;

/// The sizes of the hidden layers: `"8"`, `"16,8"`, or `"none"`, which makes the network a softmax
/// regression.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Hidden(pub Vec<usize>);

impl fmt::Display for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("none");
        }
        f.write_str(&self.0.iter().map(usize::to_string).collect::<Vec<_>>().join(","))
    }
}

impl TryFrom<String> for Hidden {
    type Error = TrainingError;

    fn try_from(text: String) -> Result<Self, TrainingError> {
        if text == "none" {
            return Ok(Self::default());
        }
        let sizes = text.split(',').map(|size| size.trim().parse()).collect::<Result<_, _>>();
        Ok(Self(sizes.map_err(|_| {
            let (what, expected) =
                ("the sizes of hidden layers", "numbers separated by commas, or none");
            TrainingError::config(what, expected, format!("{text:?}"))
        })?))
    }
}

impl From<Hidden> for String {
    fn from(hidden: Hidden) -> Self {
        hidden.to_string()
    }
}
