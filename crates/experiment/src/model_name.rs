//! The name of a record, which is the name of its folder.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ExperimentError;

/// A name that is safe as that of a folder: 1 to 100 ASCII letters, digits, `-`, `_` or `.`, the
/// first a letter or a digit.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct ModelName(String);

impl FromStr for ModelName {
    type Err = ExperimentError;

    fn from_str(name: &str) -> Result<Self, ExperimentError> {
        let valid = name.len() <= 100
            && name.starts_with(|first: char| first.is_ascii_alphanumeric())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
        if valid {
            Ok(Self(name.to_owned()))
        } else {
            let expected =
                "1 to 100 ASCII letters, digits, '-', '_' or '.', the first a letter or digit";
            Err(ExperimentError::value("a model name", expected, format!("{name:?}")))
        }
    }
}

impl TryFrom<String> for ModelName {
    type Error = ExperimentError;

    fn try_from(name: String) -> Result<Self, ExperimentError> {
        name.parse()
    }
}

impl fmt::Display for ModelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_leave_their_folder_or_hide_in_it_are_refused() {
        let long = "x".repeat(101);
        for name in ["", ".", "..", "../x", "a/b", "a\\b", "/tmp", ".git", "a b", "a\n", &long] {
            let error = name.parse::<ModelName>().unwrap_err();
            assert!(error.to_string().starts_with("a model name must be 1 to 100"), "{name:?}");
        }
        for name in ["iris", "iris-sweep", "lr_0.01", "7"] {
            assert_eq!(name.parse::<ModelName>().unwrap().to_string(), name);
        }
    }
}
