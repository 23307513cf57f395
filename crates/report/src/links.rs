//! Checks the book as a browser will see it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::files::files_below;
use crate::fragment::Link;
use crate::page::{Page, style_targets};
use crate::problem::{Place, Problems};

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
        for file in files_below(folder)? {
            let read = || {
                let text = fs::read_to_string(&file);
                text.with_context(|| format!("cannot read {}", file.display()))
            };
            let page = match file.extension().and_then(|extension| extension.to_str()) {
                Some("html") => Page::read(&read()?),
                Some("css") => Page { loads: style_targets(&read()?), ..Page::default() },
                _ => continue,
            };
            pages.insert(file.strip_prefix(folder).unwrap_or(&file).to_owned(), page);
        }
        Ok(Self { folder: folder.to_owned(), pages })
    }

    /// Checks the links as the chapters' sources have them, which is where an author finds them,
    /// and then the pages. `shown` is how problems name the folder.
    pub(crate) fn check(&self, sources: &[(PathBuf, Link)], shown: &Path, problems: &mut Problems) {
        let mut reported = BTreeSet::new();
        for (chapter, link) in sources {
            let page = chapter.with_extension("html");
            let target = html_target(&link.target);
            let fault = match link.image {
                true => self.loaded(&page, &target),
                false => self.linked(&page, &target),
            };
            if let Err(message) = fault {
                problems.add(&link.place, message);
                reported.insert((page, target));
            }
        }
        let is_copy = |path: &Path| COPIES.iter().any(|copy| path == Path::new(copy));
        let mut originals: BTreeSet<String> = BTreeSet::new();
        let mut sound = reported.is_empty();
        // The copies come last: of them, only what is wrong nowhere else is reported.
        let (copies, pages): (Vec<_>, Vec<_>) =
            self.pages.iter().partition(|(path, _)| is_copy(path));
        for (path, page) in pages.into_iter().chain(copies) {
            let place = Place::file(shown.join(path));
            let mut faults = page.faults.clone();
            if !is_copy(path) || sound {
                let links = page.links.iter().map(|target| (target, self.linked(path, target)));
                let loads = page.loads.iter().map(|target| (target, self.loaded(path, target)));
                for (target, fault) in links.chain(loads) {
                    let Err(message) = fault else { continue };
                    sound = false;
                    if !reported.contains(&(path.clone(), target.clone())) {
                        faults.push(message);
                    }
                }
            }
            for fault in faults {
                if !is_copy(path) {
                    originals.insert(fault.clone());
                } else if originals.contains(&fault) {
                    continue;
                }
                problems.add(&place, fault);
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
        let Some(linked) = self.pages.get(&path) else {
            return match self.folder.join(&path).is_file() {
                true if anchor.is_empty() => Ok(()),
                true => {
                    Err(format!("the link `{target}` has an anchor, but does not lead to a page"))
                }
                false => Err(format!(
                    "the link `{target}` leads nowhere: there is no {}",
                    path.display()
                )),
            };
        };
        match anchor.is_empty() || linked.ids.contains(decode_percent(anchor).as_str()) {
            true => Ok(()),
            false => Err(format!(
                "the link `{target}` leads nowhere: {} has no `#{anchor}`",
                path.display()
            )),
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

/// `chapter.md#x` as it is in the finished book.
fn html_target(target: &str) -> String {
    if has_scheme(target) {
        return target.to_owned();
    }
    let (file, anchor) = target.split_once('#').map_or((target, None), |(f, a)| (f, Some(a)));
    let file =
        file.strip_suffix(".md").map_or_else(|| file.to_owned(), |stem| format!("{stem}.html"));
    anchor.map_or_else(|| file.clone(), |anchor| format!("{file}#{anchor}"))
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
    for part in decode_percent(target).split('/') {
        match part {
            "" | "." => {}
            ".." => {
                if !path.pop() {
                    return None;
                }
            }
            part => path.push(part),
        }
    }
    Some(path)
}

/// `%20` and its like as what they stand for.
fn decode_percent(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let code = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match (first, code.and_then(|hex| u8::from_str_radix(hex, 16).ok())) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            _ => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(files: &[(&str, &str)], sources: &[(&str, &str, bool)]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            let text = match path.extension() {
                Some(extension) if extension == "html" => format!(
                    "<!DOCTYPE html><html><head><title>t</title></head><body>{text}</body></html>"
                ),
                _ => (*text).to_owned(),
            };
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let source = |&(chapter, target, image): &(&str, &str, bool)| {
            let place = Place::new(format!("src/{chapter}"), 3);
            (PathBuf::from(chapter), Link { place, target: target.to_owned(), image })
        };
        let sources: Vec<_> = sources.iter().map(source).collect();
        let mut problems = Problems::default();
        let pages = Pages::read(folder.path()).unwrap();
        pages.check(&sources, Path::new("out"), &mut problems);
        problems.sorted().iter().map(ToString::to_string).collect()
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
        let sources = [("index.md", "sub/b.md#y%20z", false), ("sub/b.md", "../data.csv", false)];
        assert_eq!(check(&files, &sources), [""; 0]);
    }

    #[test]
    fn every_fault_of_a_page_is_found() {
        for (html, expected) in [
            ("<a href=\"b.html\">b</a>", "there is no b.html"),
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
            let problems = check(&[("p.html", html)], &[]);
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
            let problems = check(&[("p.html", html)], &[]);
            assert!(!problems.is_empty(), "{html}");
            assert!(problems.iter().all(|p| p.contains("the page is not valid HTML: ")), "{html}");
        }
        let css = check(&[("a.css", "@font-face { src: url('https://x/f.woff2') }")], &[]);
        assert!(css[0].contains("from the network"), "{css:?}");
    }

    #[test]
    fn a_dead_link_is_reported_once_and_where_the_author_finds_it() {
        let html = "<a href=\"gone.html#a\">x</a>";
        let files =
            [("q.html", html), ("index.html", html), ("print.html", "<a href=\"#a\">x</a>")];
        let problems = check(&files, &[("q.md", "gone.md#a", false)]);
        let expected = "src/q.md:3: the link `gone.html#a` leads nowhere: there is no gone.html";
        assert_eq!(problems, [expected]);
        let problems = check(&[("index.html", "<p>??</p>"), ("q.html", "<p>??</p>")], &[]);
        assert_eq!(problems.len(), 1, "{problems:?}");
        let problems = check(&[("print.html", "<a href=\"#a\">x</a>")], &[]);
        assert_eq!(problems.len(), 1, "{problems:?}");
        let problems = check(&[("q.html", "")], &[("q.md", "https://x/a.png", true)]);
        assert!(problems[0].contains("from the network"), "{problems:?}");
    }
}
