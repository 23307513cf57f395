//! Checks the book as a browser will see it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Result;
use percent_encoding::percent_decode_str;

use crate::files::{files_with, read};
use crate::problem::{Place, Problems};
use html::{Page, style_targets};

/// The pages and the style sheets of a book.
#[derive(Debug)]
pub(crate) struct Pages {
    /// The folder that they lie in.
    folder: PathBuf,
    /// Every page, by its path in the folder; a style sheet is one that only loads.
    pages: BTreeMap<PathBuf, Page>,
}

/// Pages that mdBook makes of others.
const COPIES: [&str; 2] = ["index.html", "print.html"];

impl Pages {
    /// Reads every page of a folder.
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let mut pages = BTreeMap::new();
        for page in files_with(folder, "html")? {
            let text = read(&folder.join(&page))?;
            pages.insert(page, Page::read(&text));
        }
        for style in files_with(folder, "css")? {
            let loads = style_targets(&read(&folder.join(&style))?);
            pages.insert(style, Page { loads, ..Page::default() });
        }
        Ok(Self { folder: folder.to_owned(), pages })
    }

    /// Checks the pages. `shown` is how problems name the folder.
    pub(crate) fn check(&self, shown: &Path, problems: &mut Problems) {
        let is_copy = |path: &Path| COPIES.iter().any(|copy| path == Path::new(copy));
        let (copies, originals): (Vec<_>, Vec<_>) =
            self.pages.iter().partition(|(path, _)| is_copy(path));
        for pages in [originals, copies] {
            let mut sound = true;
            for (path, page) in pages {
                let links = page.links.iter().map(|target| self.linked(path, target));
                let loads = page.loads.iter().map(|target| self.loaded(path, target));
                let found = links.chain(loads).filter_map(Result::err);
                for fault in page.faults.iter().cloned().chain(found) {
                    problems.add(&Place::file(shown.join(path)), fault);
                    sound = false;
                }
            }
            // The copies would say the same once more.
            if !sound {
                return;
            }
        }
    }

    /// A link that a reader follows: within the book, to something that is there.
    fn linked(&self, page: &Path, target: &str) -> Result<(), String> {
        if ["https://", "http://", "mailto:"].iter().any(|scheme| target.starts_with(scheme)) {
            return Ok(());
        }
        if has_scheme(target) {
            return Err(format!("the link `{target}` leads to something unknown"));
        }
        let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
        let path = resolve(page, file)
            .ok_or_else(|| format!("the link `{target}` leads out of the book"))?;
        let (shown, id) = (path.display(), percent_decode_str(anchor).decode_utf8_lossy());
        match self.pages.get(&path) {
            Some(linked) if anchor.is_empty() || linked.ids.contains(&*id) => Ok(()),
            None if anchor.is_empty() && self.folder.join(&path).is_file() => Ok(()),
            Some(_) => {
                Err(format!("the link `{target}` leads nowhere: {shown} has no `#{anchor}`"))
            }
            None => Err(format!("the link `{target}` leads nowhere: there is no page {shown}")),
        }
    }

    /// Something that a page loads: a file of the book.
    fn loaded(&self, page: &Path, target: &str) -> Result<(), String> {
        if target.starts_with("data:") || target.starts_with('#') {
            return Ok(());
        }
        if has_scheme(target) || target.starts_with("//") {
            return Err(format!(
                "`{target}` would be loaded from the network: put it into the book"
            ));
        }
        let file = target.split(['#', '?']).next().unwrap_or_default();
        match resolve(page, file) {
            Some(path) if self.folder.join(&path).is_file() => Ok(()),
            _ => Err(format!("`{target}` would be loaded, but is not in the book")),
        }
    }
}

/// Whether a target begins with `scheme:`.
fn has_scheme(target: &str) -> bool {
    let scheme = target.split(['/', '#', '?']).next().unwrap_or_default();
    scheme.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    })
}

/// The file that `target` names on `page`; none if it is not in the book.
fn resolve(page: &Path, target: &str) -> Option<PathBuf> {
    if target.is_empty() {
        return Some(page.to_owned());
    }
    if target.starts_with('/') {
        return None;
    }
    let mut path = page.parent()?.to_owned();
    for part in percent_decode_str(target).decode_utf8_lossy().split('/') {
        match part {
            "" | "." => {}
            ".." if path.pop() => {}
            ".." => return None,
            part => path.push(part),
        }
    }
    Some(path)
}

#[cfg(test)]
mod tests {
    use system::for_tests::folder;

    use super::*;

    fn check(files: &[(&'static str, &str)]) -> Vec<String> {
        let written = |&(path, text): &(&'static str, &str)| {
            let head = "<!DOCTYPE html><html><head><title>t</title></head><body>";
            let is_page = path.ends_with(".html");
            (path, if is_page { format!("{head}{text}</body></html>") } else { text.to_owned() })
        };
        let folder = folder(&files.iter().map(written).collect::<Vec<_>>());
        let mut problems = Problems::default();
        let pages = Pages::read(folder.path()).unwrap();
        pages.check(Path::new("out"), &mut problems);
        problems.lines()
    }

    #[test]
    fn a_sound_book_has_no_problems() {
        let index = "<link rel=\"stylesheet\" href=\"a.css\"><p id=\"x\"><a href=\"sub/b.html#y%20z\">b</a>\
            <a href=\"https://doi.org/1\">paper</a><a href=\"#x\">x</a><a href=\"data.csv\">d</a>\
            <svg viewBox=\"0 0 1 1\"><use href=\"#x\"/></svg><math><mi>x</mi></math><img src=\"data:image/png;base64,AA\" alt=\"dot\">\
            <pre><code>{{#x}} ?? [@y] $$ <a></a></code></pre>";
        let page =
            "<p id=\"y z\"><a href=\"../index.html#x\">back</a><a href=\"mailto:a@b.c\">m</a>";
        let css = "@import url(\"b.css\"); p { background: url(data:x) }";
        let files = [
            ("index.html", index),
            ("sub/b.html", page),
            ("a.css", css),
            ("b.css", ""),
            ("data.csv", ""),
        ];
        assert_eq!(check(&files), [""; 0]);
    }

    #[test]
    fn every_fault_of_a_page_is_found() {
        for (html, expected) in [
            ("<a href=\"b.html\">b</a>", "there is no page b.html"),
            ("<a href=\"#x\">x</a>", "p.html has no `#x`"),
            ("<a href=\"../x.html\">x</a>", "leads out of the book"),
            ("<a href=\"/x.html\">x</a>", "leads out of the book"),
            ("<a href=\"file:///x\">x</a>", "something unknown"),
            ("<img src=\"a.png\" alt=\"a\">", "is not in the book"),
            ("<img src=\"data:x\">", "no alternative text"),
            ("<img src=\"https://x/a.png\" alt=\"a\">", "from the network"),
            ("<script src=\"//cdn/x.js\"></script>", "from the network"),
            ("<link href=\"https://fonts/x.css\">", "from the network"),
            ("<iframe src=\"http://x\"></iframe>", "from the network"),
            ("<style>@import 'https://x/a.css';</style>", "from the network"),
            ("<p style=\"background:url(http://x/a)\">", "from the network"),
            ("<p id=\"a\"><p id=\"a\">", "two elements have the id `a`"),
            ("<p>{{#code a.rs}}</p>", "not expanded"),
            ("<p>see [@eq:a]</p>", "not resolved"),
            ("<p>see ??</p>", "not resolved"),
            ("<p>$$ x $$</p>", "not rendered"),
            ("<span data-slot=\"1\"></span>", "a slot was not filled"),
            ("<pre class=\"playground\"></pre>", "could be run"),
        ] {
            let problems = check(&[("p.html", html)]);
            assert!(problems.len() == 1 && problems[0].contains(expected), "{html}: {problems:?}");
            assert!(problems[0].starts_with("out/p.html: "), "{problems:?}");
        }
        for html in [
            "<p><b>a</p></b>",
            "<ul><li>a</li></li></ul>",
            "<p id=a id=b>a</p>",
            "<table><p>a</p></table>",
            "<p>a &nosuch; b</p>",
            "<div>a",
        ] {
            let problems = check(&[("p.html", html)]);
            assert!(!problems.is_empty(), "{html}");
            assert!(problems.iter().all(|p| p.contains("the page is not valid HTML: ")), "{html}");
        }
        let css = check(&[("a.css", "@font-face { src: url('https://x/f.woff2') }")]);
        assert!(css[0].contains("from the network"), "{css:?}");
    }

    #[test]
    fn a_fault_that_a_copy_shares_is_reported_once() {
        let copy = ("print.html", "<a href=\"#a\">x</a>");
        for (files, expected) in [
            (&[("index.html", "<p>??</p>"), ("q.html", "<p>??</p>"), copy][..], "out/q.html: `??`"),
            (&[copy], "out/print.html: the link `#a` leads nowhere"),
        ] {
            let problems = check(files);
            assert!(problems.len() == 1 && problems[0].contains(expected), "{problems:?}");
        }
    }
}
