//! Faults of mdBook's own frame of a page, mended after mdBook has written it.

/// Texts of a page, and their replacements.
const MENDS: [(&str, &str); 2] = [
    // A picture beside the word that says the same.
    (
        "<p class=\"blockquote-tag-title\"><svg ",
        "<p class=\"blockquote-tag-title\"><svg aria-hidden=\"true\" ",
    ),
    // The label of a check box may have no name but its text and its title. `frame.js` puts a button
    // in its place, which the keyboard reaches.
    (" aria-label=\"Toggle Table of Contents\" aria-controls=\"mdbook-sidebar\"", ""),
];

/// The title of a part of the book, as mdBook begins it in the list of the chapters: within an item
/// that ends with it.
const PART: &str = "<li class=\"chapter-item expanded \"><li class=\"part-title\">";

/// A page with its frame mended. One without a title, that of the table of contents, gets `title`.
pub(crate) fn mend(page: &str, title: &str) -> String {
    let mut page = MENDS.iter().fold(page.to_owned(), |page, (from, to)| page.replace(from, to));
    while let Some((before, after)) = page.split_once(PART) {
        let after = after.replacen("</li></li>", "</li>", 1);
        page = format!("{before}<li class=\"part-title\">{after}");
    }
    match page.split_once("</head>") {
        Some((head, body)) if !head.contains("<title>") => {
            format!("{head}<title>{title}</title></head>{body}")
        }
        _ => page,
    }
}
