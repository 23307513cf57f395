//! The title page, from `report.toml`.

use frontmatter::{Collaborator, FrontMatter, Source};

use html::escape;

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

/// The title page with its heading. What is missing stays visible.
pub(crate) fn page(front: &FrontMatter) -> String {
    let value = |value: &str, name: &str| match value.trim() {
        "" => format!("<strong class=\"missing\">[{name}: missing in report.toml]</strong>"),
        value => escape(value),
    };
    let heading = value(&front.title, "title");
    let row = |name: &str, value: String| format!("<dt>{name}</dt><dd>{value}</dd>\n");
    let person = |c: &Collaborator| {
        format!("{} ({})", value(&c.name, "name"), value(&c.student_id, "student ID"))
    };
    let collaborators = match (&front.collaborators[..], front.worked_alone) {
        ([], true) => "none: I worked alone".to_owned(),
        ([], false) => value("", "collaborators"),
        (all, _) => all.iter().map(person).collect::<Vec<_>>().join(", "),
    };
    let statements = HONOR_STATEMENTS.map(|(source, statement)| {
        format!(
            "<div class=\"statement\"><figure><blockquote><p>“{}”</p></blockquote>\n\
             <figcaption>{source}</figcaption></figure>\n\
             <p class=\"signature\"><span>Signature</span><span>Date</span></p></div>\n",
            escape(statement)
        )
    });
    // Not Markdown, which would change the quotation marks of what has to be copied verbatim.
    format!(
        "<h1 id=\"title\">{heading}</h1>\n<div class=\"title-page\">\n<dl>\n{}{}{}{}{}</dl>\n{}</div>\n",
        row("Author", value(&front.author, "author")),
        row("Student ID", value(&front.student_id, "student ID")),
        row("Worked with", collaborators),
        row("Kaggle user name", value(&front.kaggle_username, "Kaggle user name")),
        row("Kaggle score", value(&front.kaggle_score, "Kaggle score")),
        statements.concat(),
    )
}

/// The list of the sources, in which each has an id.
pub(crate) fn sources(front: &FrontMatter) -> String {
    let item = |source: &Source| {
        let [authors, title, published, taken] =
            [&source.authors, &source.title, &source.published, &source.taken]
                .map(|text| escape(text));
        let stop = if title.ends_with('?') { "" } else { "." };
        format!(
            "<li id=\"src:{}\">{authors}. <cite>{title}</cite>{stop} {published}. <em>Taken:</em> {taken}.</li>\n",
            source.id
        )
    };
    format!("<ol class=\"sources\">\n{}</ol>\n", front.sources.iter().map(item).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_shows_who_wrote_it_and_what_is_missing() {
        let ada = Collaborator { name: "Ada <L>".into(), student_id: "12".into() };
        let complete = FrontMatter {
            title: "Networks".into(),
            author: "A & B".into(),
            student_id: "7".into(),
            worked_alone: false,
            collaborators: vec![ada],
            kaggle_username: "ab".into(),
            kaggle_score: "0.75".into(),
            sources: Vec::new(),
        };
        let alone = FrontMatter { worked_alone: true, ..FrontMatter::default() };
        let unnamed =
            FrontMatter { collaborators: vec![Collaborator::default()], ..complete.clone() };
        for (front, missing, shown) in [
            (
                complete,
                0,
                &["<h1 id=\"title\">Networks</h1>", "A &amp; B", "Ada &lt;L&gt; (12)", "0.75"][..],
            ),
            (FrontMatter::default(), 6, &["another student's solutions"]),
            (alone, 5, &["I worked alone"]),
            (unnamed, 2, &[]),
        ] {
            let page = page(&front);
            assert_eq!(page.matches("class=\"missing\"").count(), missing);
            assert_eq!(page.matches("Signature").count(), 2);
            assert!(shown.iter().all(|shown| page.contains(shown)), "{page}");
        }
    }
}
