//! A small book, printed by a real browser; and PDFs that lack something, which the checks have to find.

use std::fs;
use std::ops::Range;

use browser::{Browser, for_tests};
use frontmatter::FrontMatter;
use report::pdf::layout::{Listed, Role};
use report::pdf::read::{Pdf, Spot};
use report::pdf::text::Run;
use report::pdf::{ASKED, Printed, check, print, questions};

const STYLE: &str = include_str!("../../../book/theme/report.css");

/// What mdBook puts between two chapters.
const SEPARATOR: &str = "<div style=\"break-before: page; page-break-before: always;\"></div>\n";

const CHAPTERS: [(&str, &str); 4] = [
    ("Background", "2.1 Networks"),
    ("Questions", "4.1 ReLU"),
    ("Questions", "4.2 Layer"),
    ("Evidence", "Appendix"),
];

/// What its questions have to have.
const ASKED_OF_IT: &str = "\
4.1 fig:net
4.1 crates/relu.rs
4.2 test_forward (Layer) ... ok
";

/// The files of its appendix: the folder that begins with each, its path and its last line.
const FILES: [(&str, &str, &str); 3] = [
    ("crates/cnn", "crates/cnn/src/conv2d.rs", "fn forward<T>() {}"),
    ("", "crates/cnn/src/pool2d.rs", "impl Layer for Pool2D {}"),
    ("crates/losses", "crates/losses/src/l2.rs", "pub fn l2() {}"),
];

/// A chapter's heading as mdBook writes it.
fn heading(level: u8, id: &str, text: &str) -> String {
    format!("<h{level} id=\"{id}\"><a class=\"header\" href=\"#{id}\">{text}</a></h{level}>\n")
}

/// `print.html` of a book with two questions, a figure, code, and an appendix.
fn book() -> String {
    let networks = heading(1, "net", "Networks")
        + &heading(2, "one", "One")
        + "<p>Text, then \
        <a href=\"#fig:net\">Figure 4.1.1</a>.</p>";
    let relu = heading(1, "relu", "Question 4.1: ReLU")
        + &heading(2, "code", "The code")
        + "<figure class=\"figure\" id=\"fig:net\"><div class=\"figure-body\"><svg class=\"drawing\" \
         viewBox=\"0 0 40 40\"><circle cx=\"20\" cy=\"20\" r=\"9\"/></svg></div><figcaption><p><strong>\
         Figure 4.1.1.</strong> A unit.</p></figcaption></figure>\n<p>crates/relu.rs</p>\
         <pre><code class=\"language-rust\">fn relu(z: f64) -&gt; f64 {\n    z.max(0.0) // first\n}</code></pre>";
    let layer = heading(1, "layer", "Question 4.2: \"layer\"")
        + "<p>Its text.</p><p>test_forward (Layer) ... ok</p>";
    let mut appendix =
        heading(1, "appendix", "Appendix") + "<p>All of it.</p>\n<div class=\"appendix\">\n";
    for (folder, file, code) in FILES {
        if !folder.is_empty() {
            let id = folder.replace('/', "");
            appendix += &heading(2, &id, &format!("<code>{folder}</code>"));
        }
        appendix += &heading(3, &file.replace(['/', '.'], ""), &format!("<code>{file}</code>"));
        let code = code.replace('<', "&lt;");
        appendix +=
            &format!("<pre><code class=\"language-rust\">//! Σ and X̂.\n{code}\n</code></pre>\n");
    }
    appendix += "</div>\n";
    format!(
        "<head>\n<link rel=\"stylesheet\" href=\"report.css\">\n</head><body><main>{}</main>\n\
         <script src=\"highlight-x.js\"></script>\n</body>",
        [networks, relu, layer, appendix].join(SEPARATOR)
    )
}

fn front() -> FrontMatter {
    let (title, author) = ("Networks".to_owned(), "Ada & Co".to_owned());
    FrontMatter { title, author, ..FrontMatter::default() }
}

/// Prints a book with everything that it has.
fn print_book(browser: &Browser, book: &str) -> anyhow::Result<Printed> {
    print_crates(browser, book, None)
}

/// Prints a book with these crates in its appendix.
fn print_crates(
    browser: &Browser,
    book: &str,
    crates: Option<&[String]>,
) -> anyhow::Result<Printed> {
    let folder = tempfile::tempdir()?;
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text);
    // As mdBook's own style has it.
    write("report.css", &format!("body {{ margin: 0; }}\n{STYLE}"))?;
    write("highlight-x.js", "hljs = { highlightBlock() {} };")?;
    write("print.html", book)?;
    let listed =
        CHAPTERS.map(|(part, name)| Listed { part: part.to_owned(), name: name.to_owned() });
    let printed = print(browser, folder.path(), &listed, &front(), ASKED_OF_IT, crates)?;
    let left: Vec<_> = fs::read_dir(folder.path())?.collect();
    assert_eq!(left.len(), 3, "the printed page is still there: {left:?}");
    Ok(printed)
}

#[test]
fn a_good_book_passes_and_is_the_same_each_time() {
    let Some(browser) = for_tests("a book is printed").unwrap() else { return };
    let first = print_book(&browser, &book()).unwrap();
    assert_eq!(first.problems, [""; 0]);
    // Title, contents, three chapters, the appendix's first page and a page for each of its crates.
    assert_eq!((first.pdf.pages.len(), first.appendix), (8, 6));
    let second = print_book(&browser, &book()).unwrap();
    assert!(first.bytes == second.bytes, "{} and {}", first.bytes.len(), second.bytes.len());
}

#[test]
fn a_title_page_of_the_books_own_is_the_only_one() {
    let Some(browser) = for_tests("a book with a title page").unwrap() else { return };
    let printed = print_book(&browser, &book()).unwrap();
    assert_eq!(printed.chapters.iter().map(|c| c.role).filter(|r| *r == Role::Title).count(), 1);
    let own = book().replacen("<p>Text, then", "<div class=\"title-page\">x</div><p>Text, then", 1);
    let problems = print_book(&browser, &own).unwrap().problems;
    assert!(
        problems.iter().any(|p| p.contains("page 1 lacks the honor statement")),
        "{problems:?}"
    );
}

#[test]
fn solutions_come_last_what_is_folded_stays_so_and_crates_can_be_left_out() {
    let Some(browser) = for_tests("folded text").unwrap() else { return };
    let folded = "<details class=\"solution\" data-of=\"Exercise 4.2.1\"><summary>Solution</summary><p>It is 2.</p>\
        </details><details><summary>Three more</summary><pre><code>hidden</code></pre></details><p>Its text.</p>";
    let book = book().replace("<p>Its text.</p>", folded);
    let crates = Some(&["crates/cnn".to_owned()][..]);
    let printed = print_crates(&browser, &book, crates).unwrap();
    assert_eq!(printed.problems, [""; 0]);
    let layer = printed.chapters.iter().find(|chapter| chapter.name == "4.2 Layer").unwrap();
    assert_eq!(layer.sections.last().unwrap().name, "Solutions");
    let place = |words: &str| find(&printed.pdf, 5, words).map(|range| range.start);
    assert!(place("Its text.") < place("Exercise 4.2.1.") && place("Exercise") < place("It is 2."));
    assert!(
        place("Three more").is_some() && place("hidden").is_none() && place("Solution\n").is_none()
    );
    let appendix = printed.chapters.last().unwrap();
    let files: Vec<&str> = appendix.listings.iter().map(|listing| &*listing.name).collect();
    assert_eq!(files, ["crates/cnn/src/conv2d.rs", "crates/cnn/src/pool2d.rs"]);
}

#[test]
fn a_chapter_too_few_or_without_a_heading_is_an_error() {
    let Some(browser) = for_tests("incomplete books").unwrap() else { return };
    for (kept, lost, expected) in [
        (SEPARATOR, "", "print.html has 4 chapters, but SUMMARY.md lists 5"),
        ("<h1 id=\"relu\">", "<h2 id=\"relu\">", "the chapter \"4.1 ReLU\" does not begin"),
    ] {
        let error = print_book(&browser, &book().replacen(kept, lost, 1)).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn what_does_not_fit_or_cannot_be_loaded_is_found() {
    let Some(browser) = for_tests("misfits").unwrap() else { return };
    let wide = "<p id=\"wide\" style=\"width: 900px\">x</p><img src=\"none.png\" alt=\"\">\
        <img src=\"http://example.org/a.png\" alt=\"\">\
        <figure class=\"figure\" id=\"high\"><div style=\"height: 1000px\">y</div></figure>\
        <script>missing()</script><p>an undefined thing</p><p><code>undefined</code></p><p>Its text.</p>";
    let book = book().replace("<p>Its text.</p>", wide);
    let book =
        book.replacen("//! Σ", "<b style=\"display: inline-block; width: 2000px\">b</b>//! Σ", 1);
    let problems = print_book(&browser, &book).unwrap().problems;
    for expected in [
        "<p> 'wide' of 'Question 4.2: \"layer\"' does not fit on a page: it ends at 900 px of 696",
        "<figure> 'high' of 'Question 4.2: \"layer\"' does not fit",
        "none.png: net::ERR_FILE_NOT_FOUND",
        "http://example.org/a.png is not in the book",
        "missing is not defined",
        "of the appendix is wider than its column",
        "a value that it does not have: 'an undefined thing'",
    ] {
        assert!(problems.iter().any(|p| p.contains(expected)), "{expected}: {problems:#?}");
    }
    assert!(!problems.iter().any(|p| p.contains("'undefined'")), "code may: {problems:#?}");
}

/// Keeps some of the text of a page.
fn keep(pdf: &mut Pdf, page: usize, kept: impl Fn(&Run) -> bool) {
    pdf.pages[page - 1].runs.retain(kept);
}

/// The pieces of text on a page that have these words: a word may be drawn in one piece or letter by
/// letter.
fn find(pdf: &Pdf, page: usize, words: &str) -> Option<Range<usize>> {
    let runs = &pdf.pages[page - 1].runs;
    let text: String = runs.iter().map(|run| run.text.as_str()).collect();
    let begin = text.find(words)?;
    let mut at = 0;
    let touched = runs.iter().enumerate().filter(|(_, run)| {
        at += run.text.len();
        at > begin && at - run.text.len() < begin + words.len()
    });
    let touched: Vec<usize> = touched.map(|(index, _)| index).collect();
    Some(*touched.first()?..touched.last()? + 1)
}

/// Takes these words away.
fn lose(pdf: &mut Pdf, page: usize, words: &str) {
    let range = find(pdf, page, words).expect("the page has these words");
    pdf.pages[page - 1].runs.drain(range);
}

/// The first piece of these words.
fn run<'a>(pdf: &'a mut Pdf, page: usize, words: &str) -> &'a mut Run {
    let range = find(pdf, page, words).expect("the page has these words");
    &mut pdf.pages[page - 1].runs[range.start]
}

type Damage = (&'static str, fn(&mut Pdf));

const DAMAGES: [Damage; 29] = [
    ("page 1 has 1 signature lines, not 2", |pdf| lose(pdf, 1, "Signature")),
    ("page 1 lacks the honor statement of Deliverables", |pdf| lose(pdf, 1, "another")),
    ("page 1 lacks \"Ada & Co\"", |pdf| lose(pdf, 1, "Ada & Co")),
    ("page 1 lacks \"Networks\"", |pdf| lose(pdf, 1, "Networks")),
    ("page 2 does not begin with the table of contents", |pdf| keep(pdf, 2, |run| !run.is_bold)),
    ("the file's Title is \"Other\", not \"Networks\"", |pdf| pdf.title = "Other".to_owned()),
    ("the file's Author is \"\", not \"Ada & Co\"", |pdf| pdf.author.clear()),
    ("the file's language is \"\"", |pdf| pdf.language.clear()),
    ("page 3 is (500.0, 700.0) points: not letter", |pdf| {
        (pdf.pages[2].width, pdf.pages[2].height) = (500.0, 700.0)
    }),
    ("page 5 is blank", |pdf| keep(pdf, 5, |run| run.y < 34.0 || run.y > 762.0)),
    ("page 4 has the number \"\" at its foot", |pdf| keep(pdf, 4, |run| run.y < 762.0)),
    ("page 4 has \"\" at its head, not \"Question 4.1: ReLU\"", |pdf| {
        keep(pdf, 4, |run| run.y > 34.0)
    }),
    ("reaches beyond the margin", |pdf| run(pdf, 4, "fn relu").x = 600.0),
    ("is in no font of this machine", |pdf| run(pdf, 4, "fn relu").text = "\u{fffd}".to_owned()),
    ("page 3 links to \"gone\", which is nowhere", |pdf| {
        pdf.pages[2].links.push("#gone".to_owned())
    }),
    ("page 3 links to file:///a.html, which readers do not have", |pdf| {
        pdf.pages[2].links.push("file:///a.html".to_owned())
    }),
    ("the bookmarks are [\"Networks\", \"Contents\", \"2.1 Networks\"", |pdf| {
        pdf.outline.retain(|bookmark| !bookmark.title.contains("4.2"))
    }),
    ("the bookmark \"One\" leads nowhere", |pdf| {
        pdf.outline.iter_mut().filter(|b| b.title == "One").for_each(|b| b.spot = None)
    }),
    ("the heading \"One\" stands alone at the foot of page 3", |pdf| {
        lose(pdf, 3, "Text, then Figure 4.1.1.")
    }),
    ("does not have, in its place, \"One\" on page 4", |pdf| {
        pdf.destinations.insert("one".to_owned(), Spot { page: 4, x: 0.0, y: 0.0 });
    }),
    ("\"4.2 Layer\" does not begin at the top of page 5", |pdf| keep(pdf, 5, |run| !run.is_bold)),
    ("\"4.1 ReLU\" lacks Figure 4.1.1. It is nowhere", |pdf| lose(pdf, 4, "Figure 4.1.1.")),
    ("\"4.1 ReLU\" lacks the line of code `z.max(0.0) // first`", |pdf| lose(pdf, 4, "first")),
    ("question 4.1 needs `fig:net`, which is nowhere", |pdf| {
        pdf.destinations.remove("fig:net");
    }),
    ("question 4.1 needs `fig:net`, which is on page 5", |pdf| {
        pdf.destinations.insert("fig:net".to_owned(), Spot { page: 5, x: 0.0, y: 0.0 });
    }),
    ("question 4.1 shows no code of crates/relu.rs", |pdf| lose(pdf, 4, "crates/relu.rs")),
    ("question 4.2 does not say \"test_forward (Layer) ... ok\"", |pdf| lose(pdf, 5, "ok")),
    ("question 4.2 of the assignment has no pages", |pdf| {
        pdf.destinations.remove("layer");
    }),
    ("crates/cnn does not begin at the top of a page", |pdf| {
        pdf.destinations.remove("cratescnn");
    }),
];

#[test]
fn every_damage_is_found() {
    let Some(browser) = for_tests("damaged PDFs").unwrap() else { return };
    let Printed { pdf: good, chapters, appendix, .. } = print_book(&browser, &book()).unwrap();
    let check = |pdf: &Pdf| check(pdf, &chapters, &front(), ASKED_OF_IT);
    assert_eq!(check(&good), [""; 0]);
    for (expected, damage) in DAMAGES {
        let mut pdf = good.clone();
        damage(&mut pdf);
        assert!(pdf != good, "{expected}: nothing was damaged");
        let found = check(&pdf);
        assert!(found.iter().any(|p| p.contains(expected)), "{expected}: {found:#?}");
    }
    // Whatever line of the appendix is lost, its file is named.
    for (_, file, line) in FILES {
        let mut pdf = good.clone();
        let page = (appendix..=good.pages.len())
            .find(|page| find(&pdf, *page, file).is_some() && find(&pdf, *page, line).is_some());
        lose(&mut pdf, page.unwrap(), line);
        let found = check(&pdf);
        assert!(found.iter().any(|p| p.contains(&format!("of {file}"))), "{file}: {found:#?}");
    }
}

#[test]
fn every_question_of_the_assignment_is_asked_for() {
    let questions: Vec<_> = questions(ASKED).into_keys().collect();
    assert_eq!(questions, ["4.1", "4.2", "4.3", "4.4", "5", "6.1", "6.2", "6.3", "7.1", "7.2"]);
}

#[test]
fn no_pdf_is_an_error() {
    assert!(Pdf::read(b"%PDF-1.4\nnothing").is_err());
    assert!(Pdf::read(b"").is_err());
}
