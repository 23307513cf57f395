//! Who wrote the report: `book/report.toml`, read once for the book and for the code archive.
//!
//! An empty value is one that is missing. It is listed by [`FrontMatter::missing`] and shown as missing
//! wherever it would stand; nothing is made up.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

/// Who wrote the report, and what they declare.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrontMatter {
    /// The title of the report.
    pub title: String,
    /// The author's name.
    pub author: String,
    /// The author's student ID.
    pub student_id: String,
    /// The author worked with nobody.
    pub worked_alone: bool,
    /// With whom the author worked.
    #[serde(default)]
    pub collaborators: Vec<Collaborator>,
    /// The name on Kaggle.
    pub kaggle_username: String,
    /// The score on Kaggle, a fraction between 0 and 1.
    pub kaggle_score: String,
    /// Works that the report relies on.
    #[serde(default)]
    pub sources: Vec<Source>,
}

/// A work that the report relies on, all of it in plain text.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// The name by which the text cites it.
    pub id: String,
    /// Who made it.
    pub authors: String,
    /// Its title.
    pub title: String,
    /// Where and when it appeared.
    pub published: String,
    /// The part of it that was used.
    pub taken: String,
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
    pub fn read(file: &Path) -> Result<Self> {
        let shown = file.display();
        let text = fs::read_to_string(file).with_context(|| format!("cannot read {shown}"))?;
        let front: Self =
            toml::from_str(&text).with_context(|| format!("{shown} is not as expected"))?;
        let score = front.kaggle_score.trim();
        if !score.is_empty() && !score.parse::<f64>().is_ok_and(|s| (0.0..=1.0).contains(&s)) {
            bail!(
                "{shown}: kaggle_score must be a fraction between 0 and 1, such as \"0.75\", but is {score:?}"
            );
        }
        if front.worked_alone && !front.collaborators.is_empty() {
            bail!(
                "{shown}: worked_alone is true, but there are collaborators: remove one of the two"
            );
        }
        Ok(front)
    }

    /// The values that are still missing, by the names they have in `report.toml`.
    pub fn missing(&self) -> Vec<String> {
        let mut values = vec![
            ("title".to_owned(), &self.title),
            ("author".to_owned(), &self.author),
            ("student_id".to_owned(), &self.student_id),
            ("kaggle_username".to_owned(), &self.kaggle_username),
            ("kaggle_score".to_owned(), &self.kaggle_score),
        ];
        for (index, Collaborator { name, student_id }) in self.collaborators.iter().enumerate() {
            values.push((format!("collaborators[{index}].name"), name));
            values.push((format!("collaborators[{index}].student_id"), student_id));
        }
        values.retain(|(_, value)| value.trim().is_empty());
        let nobody = self.collaborators.is_empty() && !self.worked_alone;
        let nobody = nobody.then(|| "collaborators (or worked_alone = true)".to_owned());
        values.into_iter().map(|(name, _)| name).chain(nobody).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_listed() {
        let own = ["title", "author", "student_id", "kaggle_username", "kaggle_score"];
        for (worked_alone, collaborators, rest) in [
            (false, vec![], &["collaborators (or worked_alone = true)"][..]),
            (true, vec![], &[]),
            (
                false,
                vec![Collaborator::default()],
                &["collaborators[0].name", "collaborators[0].student_id"],
            ),
        ] {
            let front = FrontMatter { worked_alone, collaborators, ..FrontMatter::default() };
            assert_eq!(front.missing(), [&own, rest].concat());
        }
    }

    #[test]
    fn a_wrong_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("report.toml");
        let base = "title=''\nauthor=''\nstudent_id=''\nkaggle_username=''\n";
        let read = |text: String| {
            fs::write(&file, text).unwrap();
            FrontMatter::read(&file).map_err(|error| format!("{error:#}"))
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
