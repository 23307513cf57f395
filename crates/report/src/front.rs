//! The title page, from `report.toml`.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::markup::escape;

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

/// The statements that the assignment asks to be copied and signed, word for word.
pub(crate) const HONOR_STATEMENTS: [(&str, &str); 2] = [
    (
        "Deliverables",
        "I certify that all solutions are entirely in my own words and that I have not looked at \
         another student's solutions. I have given credit to all external sources I consulted.",
    ),
    (
        "Section 1, Honor Code",
        "I certify that all solutions in this document are entirely my own and that I have not \
         looked at anyone else's solution. I have given credit to all external sources I consulted.",
    ),
];

impl FrontMatter {
    /// Reads `report.toml`.
    ///
    /// # Errors
    /// If the file cannot be read, has a field that is not known or lacks one, if the score is not
    /// a fraction, or if there are collaborators although the author worked alone.
    pub fn read(file: &Path) -> Result<Self> {
        let text =
            fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        let front: Self = toml::from_str(&text)
            .with_context(|| format!("{} is not as expected", file.display()))?;
        let score = front.kaggle_score.trim();
        let valid =
            score.is_empty() || score.parse::<f64>().is_ok_and(|s| (0.0..=1.0).contains(&s));
        ensure!(
            valid,
            "{}: kaggle_score must be a fraction between 0 and 1, such as \"0.75\", but is {score:?}",
            file.display()
        );
        ensure!(
            !front.worked_alone || front.collaborators.is_empty(),
            "{}: worked_alone is true, but there are collaborators: remove one of the two",
            file.display()
        );
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

    /// The title page. What is missing stays visible.
    #[must_use]
    pub fn page(&self) -> String {
        let value = |value: &str, name: &str| match value.trim() {
            "" => format!("<strong class=\"missing\">[{name}: missing in report.toml]</strong>"),
            value => escape(value).into_owned(),
        };
        let row = |name: &str, value: String| format!("<dt>{name}</dt><dd>{value}</dd>\n");
        let person = |c: &Collaborator| {
            format!("{} ({})", value(&c.name, "name"), value(&c.student_id, "student ID"))
        };
        let collaborators = match (&self.collaborators[..], self.worked_alone) {
            ([], true) => "none: I worked alone".to_owned(),
            ([], false) => value("", "collaborators"),
            (all, _) => all.iter().map(person).collect::<Vec<_>>().join(", "),
        };
        let statements = HONOR_STATEMENTS.map(|(source, statement)| {
            format!(
                "<figure class=\"statement\"><blockquote><p>“{}”</p></blockquote>\n\
                 <figcaption>{source}</figcaption>\n\
                 <p class=\"signature\"><span>Signature</span><span>Date</span></p></figure>\n",
                escape(statement)
            )
        });
        // Not Markdown, which would change the quotation marks of what has to be copied verbatim.
        format!(
            "<div class=\"title-page\">\n<dl>\n{}{}{}{}{}</dl>\n{}</div>\n",
            row("Author", value(&self.author, "author")),
            row("Student ID", value(&self.student_id, "student ID")),
            row("Worked with", collaborators),
            row("Kaggle user name", value(&self.kaggle_username, "Kaggle user name")),
            row("Kaggle score", value(&self.kaggle_score, "Kaggle score")),
            statements.concat(),
        )
    }

    /// The heading of the title page.
    #[must_use]
    pub fn heading(&self) -> String {
        match self.title.trim() {
            "" => "<strong class=\"missing\">[title: missing in report.toml]</strong>".to_owned(),
            title => escape(title).into_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complete() -> FrontMatter {
        let ada = Collaborator { name: "Ada <L>".into(), student_id: "12".into() };
        FrontMatter {
            title: "Networks".into(),
            author: "A & B".into(),
            student_id: "7".into(),
            worked_alone: false,
            collaborators: vec![ada],
            kaggle_username: "ab".into(),
            kaggle_score: "0.75".into(),
        }
    }

    #[test]
    fn a_complete_page_has_nothing_missing() {
        let front = complete();
        assert_eq!(front.missing(), [""; 0]);
        let page = front.page();
        for expected in ["A &amp; B", "Ada &lt;L&gt; (12)", "0.75", "another student's solutions"] {
            assert!(page.contains(expected), "{expected}");
        }
        assert_eq!(page.matches("Signature").count(), 2);
        assert!(!page.contains("missing"));
    }

    #[test]
    fn what_is_missing_is_shown_and_listed() {
        let front = FrontMatter::default();
        let missing = front.missing();
        assert_eq!(missing.len(), 6, "{missing:?}");
        assert_eq!(front.page().matches("class=\"missing\"").count(), 5);
        assert!(front.heading().contains("class=\"missing\""));
        let alone = FrontMatter { worked_alone: true, ..FrontMatter::default() };
        assert!(alone.page().contains("I worked alone"));
        assert_eq!(alone.missing().len(), 5);
        let unnamed = FrontMatter { collaborators: vec![Collaborator::default()], ..complete() };
        assert_eq!(unnamed.missing(), ["collaborators[0].name", "collaborators[0].student_id"]);
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
