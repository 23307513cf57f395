//! The values of `report.toml`.

use std::fs;
use std::path::Path;

use serde::Deserialize;

use crate::FrontMatterError;

/// Who wrote the report, and what they declare. An empty value is one that is missing.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrontMatter {
    /// The title of the report.
    pub title: String,
    /// The author's name.
    pub author: String,
    /// The author's student ID.
    pub student_id: String,
    /// Whether the author worked with nobody.
    pub worked_alone: bool,
    /// With whom the author worked.
    #[serde(default)]
    pub collaborators: Vec<Collaborator>,
    /// The name on Kaggle.
    pub kaggle_username: String,
    /// The score on Kaggle, a fraction between 0 and 1.
    pub kaggle_score: String,
}

/// Somebody with whom the author worked.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Collaborator {
    /// The name.
    pub name: String,
    /// The student ID.
    pub student_id: String,
}

impl FrontMatter {
    /// Reads `report.toml`.
    ///
    /// # Errors
    /// If the file cannot be read, has a field that is not known or lacks one, if the score is not
    /// a fraction, or if there are collaborators although the author worked alone.
    pub fn read(file: &Path) -> Result<Self, FrontMatterError> {
        let path = file.to_owned();
        let text = match fs::read_to_string(file) {
            Ok(text) => text,
            Err(cause) => return Err(FrontMatterError::Read { path, cause }),
        };
        let front: Self = match toml::from_str(&text) {
            Ok(front) => front,
            Err(cause) => return Err(FrontMatterError::Parse { path, cause: Box::new(cause) }),
        };
        let score = front.kaggle_score.trim();
        let valid =
            score.is_empty() || score.parse::<f64>().is_ok_and(|s| (0.0..=1.0).contains(&s));
        if !valid {
            return Err(FrontMatterError::Score { path, got: score.to_owned() });
        }
        if front.worked_alone && !front.collaborators.is_empty() {
            return Err(FrontMatterError::AloneWithOthers { path });
        }
        Ok(front)
    }

    /// What is still missing, by the name it has in `report.toml`.
    #[must_use]
    pub fn missing(&self) -> Vec<String> {
        let mut missing: Vec<String> = [
            ("title", &self.title),
            ("author", &self.author),
            ("student_id", &self.student_id),
            ("kaggle_username", &self.kaggle_username),
            ("kaggle_score", &self.kaggle_score),
        ]
        .into_iter()
        .filter(|(_, value)| value.trim().is_empty())
        .map(|(name, _)| name.to_owned())
        .collect();
        if self.collaborators.is_empty() && !self.worked_alone {
            missing.push("collaborators (or worked_alone = true)".to_owned());
        }
        for (index, collaborator) in self.collaborators.iter().enumerate() {
            for (name, value) in
                [("name", &collaborator.name), ("student_id", &collaborator.student_id)]
            {
                if value.trim().is_empty() {
                    missing.push(format!("collaborators[{index}].{name}"));
                }
            }
        }
        missing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_listed() {
        let none = FrontMatter::default();
        assert_eq!(none.missing().len(), 6, "{:?}", none.missing());
        let alone = FrontMatter { worked_alone: true, ..FrontMatter::default() };
        assert_eq!(
            alone.missing(),
            ["title", "author", "student_id", "kaggle_username", "kaggle_score"]
        );
        let unnamed =
            FrontMatter { collaborators: vec![Collaborator::default()], ..FrontMatter::default() };
        assert_eq!(
            unnamed.missing()[5..],
            ["collaborators[0].name", "collaborators[0].student_id"]
        );
    }

    #[test]
    fn a_wrong_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("report.toml");
        let base = "title=''\nauthor=''\nstudent_id=''\nkaggle_username=''\n";
        let read = |text: String| {
            fs::write(&file, text).unwrap();
            FrontMatter::read(&file).map_err(|error| error.to_string())
        };
        assert!(read(format!("{base}worked_alone=false\nkaggle_score=''\n")).is_ok());
        for (rest, expected) in [
            ("worked_alone=false\nkaggle_score='75 %'\n", "a fraction between 0 and 1"),
            ("worked_alone=false\nkaggle_score='75'\n", "a fraction between 0 and 1"),
            ("worked_alone=false\n", "kaggle_score"),
            ("worked_alone=false\nkaggle_score=''\nmood='good'\n", "unknown field"),
            (
                "worked_alone=true\nkaggle_score=''\n[[collaborators]]\nname='a'\nstudent_id='b'\n",
                "remove one of the two",
            ),
        ] {
            let error = read(format!("{base}{rest}")).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
        assert!(FrontMatter::read(&folder.path().join("none.toml")).is_err());
    }
}
