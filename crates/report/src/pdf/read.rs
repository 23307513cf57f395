//! A PDF, read back.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use lopdf::{Dictionary, Document, Object, ObjectId};

use super::text::{Run, dictionary, runs};

/// What the checks need of a PDF.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pdf {
    /// The pages; the first has the number 1.
    pub pages: Vec<Page>,
    /// Where ids of the document are.
    pub destinations: BTreeMap<String, Spot>,
    /// The bookmarks, in order.
    pub outline: Vec<Bookmark>,
    /// The fonts, and whether they are in the file.
    pub fonts: BTreeMap<String, bool>,
    /// Title, author and whatever else the file says of itself.
    pub information: BTreeMap<String, String>,
    /// The language.
    pub language: String,
}

/// A page.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// In points.
    pub width: f64,
    /// In points.
    pub height: f64,
    /// Its text, in the order in which it is drawn.
    pub runs: Vec<Run>,
    /// What its links lead to.
    pub links: Vec<Link>,
}

/// What a link leads to.
#[derive(Clone, Debug, PartialEq)]
pub enum Link {
    /// A destination of the document.
    Inside(String),
    /// An address.
    Address(String),
}

/// A place in the document.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spot {
    /// The number of the page, from 1.
    pub page: usize,
    /// In points from the left.
    pub x: f64,
    /// In points from the top.
    pub y: f64,
}

/// An entry of the outline.
#[derive(Clone, Debug, PartialEq)]
pub struct Bookmark {
    /// How deep it is, from 1.
    pub level: usize,
    /// What it says.
    pub title: String,
    /// Where it leads.
    pub spot: Option<Spot>,
}

impl Pdf {
    /// Reads a PDF as Chromium writes them.
    ///
    /// # Errors
    /// If it is none, or a page of it cannot be read.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        let document = Document::load_mem(bytes).context("the PDF cannot be read")?;
        let mut pdf = Self::read_frame(&document)?;
        for (number, id) in document.get_pages() {
            let page = &mut pdf.pages[number as usize - 1];
            page.runs = runs(&document, id, page.height)
                .with_context(|| format!("page {number} of the PDF"))?;
            page.links = links(&document, id);
            for font in document.get_page_fonts(id).unwrap_or_default().into_values() {
                let (name, embedded) = font_file(&document, font);
                pdf.fonts.entry(name).and_modify(|all| *all &= embedded).or_insert(embedded);
            }
        }
        Ok(pdf)
    }

    /// Reads everything but what is on the pages.
    ///
    /// # Errors
    /// If a page has no size.
    pub(super) fn read_frame(document: &Document) -> Result<Self> {
        let mut pdf = Self::default();
        let mut numbers = BTreeMap::new();
        for (number, id) in document.get_pages() {
            numbers.insert(id, number as usize);
            let (width, height) =
                size(document, id).with_context(|| format!("page {number} has no size"))?;
            pdf.pages.push(Page { width, height, ..Page::default() });
        }
        let places = Places { document, numbers, pages: pdf.pages.clone() };
        let catalog = document.catalog().context("the PDF has no catalog")?;
        pdf.language = catalog.get(b"Lang").map(string).unwrap_or_default();
        if let Ok(all) = catalog.get_deref(b"Dests", document).and_then(Object::as_dict) {
            for (name, target) in all {
                if let Some(spot) = places.spot(target) {
                    pdf.destinations.insert(String::from_utf8_lossy(name).into_owned(), spot);
                }
            }
        }
        if let Ok(root) = catalog.get_deref(b"Outlines", document).and_then(Object::as_dict) {
            places.bookmarks(root, 1, &mut pdf.outline);
        }
        if let Ok(information) =
            document.trailer.get_deref(b"Info", document).and_then(Object::as_dict)
        {
            for (key, value) in information {
                let key = String::from_utf8_lossy(key).into_owned();
                pdf.information.insert(key, string(value));
            }
        }
        Ok(pdf)
    }
}

impl Page {
    /// All text without white space, which is not drawn.
    #[must_use]
    pub fn squeezed(&self) -> String {
        squeezed(self.runs.iter().map(|run| run.text.as_str()))
    }
}

/// Some texts as one, without white space and without combining marks: the browser draws a letter and
/// its mark as one sign, which has no character of its own. Ligatures are taken apart.
pub fn squeezed<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let is_mark = |c: char| matches!(c, '\u{300}'..='\u{36f}' | '\u{200b}' | '\0');
    let mut out = String::new();
    for c in texts.into_iter().flat_map(str::chars) {
        match c {
            'ﬁ' => out.push_str("fi"),
            'ﬂ' => out.push_str("fl"),
            'ﬀ' => out.push_str("ff"),
            'ﬃ' => out.push_str("ffi"),
            'ﬄ' => out.push_str("ffl"),
            c if c.is_whitespace() || is_mark(c) => {}
            c => out.push(c),
        }
    }
    out
}

struct Places<'a> {
    document: &'a Document,
    numbers: BTreeMap<ObjectId, usize>,
    pages: Vec<Page>,
}

impl Places<'_> {
    /// `[page /XYZ x y zoom]`, or a dictionary that has it.
    fn spot(&self, target: &Object) -> Option<Spot> {
        let (_, target) = self.document.dereference(target).ok()?;
        if let Ok(dictionary) = target.as_dict() {
            return self.spot(dictionary.get(b"D").ok()?);
        }
        let target = target.as_array().ok()?;
        let page = *self.numbers.get(&target.first()?.as_reference().ok()?)?;
        let number = |at: usize| target.get(at).and_then(|n| n.as_float().ok()).map(f64::from);
        let top = self.pages.get(page - 1)?.height;
        Some(Spot { page, x: number(2).unwrap_or(0.0), y: top - number(3).unwrap_or(top) })
    }

    fn bookmarks(&self, parent: &Dictionary, level: usize, found: &mut Vec<Bookmark>) {
        let mut next = parent.get_deref(b"First", self.document).and_then(Object::as_dict).ok();
        while let Some(item) = next {
            let title = item.get(b"Title").map(string).unwrap_or_default();
            let action = || dictionary(self.document, item.get(b"A").ok()?)?.get(b"D").ok();
            let target = item.get(b"Dest").ok().or_else(action);
            let spot = target.and_then(|target| self.spot(target));
            found.push(Bookmark { level, title, spot });
            self.bookmarks(item, level + 1, found);
            next = item.get_deref(b"Next", self.document).and_then(Object::as_dict).ok();
        }
    }
}

/// The page's own box, or the one that it inherits.
fn size(document: &Document, page: ObjectId) -> Option<(f64, f64)> {
    let mut node = document.get_dictionary(page).ok()?;
    loop {
        if let Ok(corners) = node.get_deref(b"MediaBox", document).and_then(Object::as_array) {
            let at = |i: usize| corners.get(i).and_then(|n| n.as_float().ok()).map(f64::from);
            return Some((at(2)? - at(0)?, at(3)? - at(1)?));
        }
        node = node.get_deref(b"Parent", document).and_then(Object::as_dict).ok()?;
    }
}

fn links(document: &Document, page: ObjectId) -> Vec<Link> {
    let annotations = document.get_page_annotations(page).unwrap_or_default();
    let mut links = Vec::new();
    for annotation in annotations {
        if let Ok(target) = annotation.get(b"Dest") {
            links.push(Link::Inside(string(target)));
        } else if let Some(action) =
            annotation.get(b"A").ok().and_then(|action| dictionary(document, action))
        {
            if let Ok(target) = action.get(b"D") {
                links.push(Link::Inside(string(target)));
            } else if let Ok(address) = action.get(b"URI") {
                links.push(Link::Address(string(address)));
            }
        }
    }
    links
}

/// The name of a font, and whether it is in the file.
fn font_file(document: &Document, font: &Dictionary) -> (String, bool) {
    let name = font.get(b"BaseFont").or_else(|_| font.get(b"Name")).map(string).unwrap_or_default();
    // A font of this type consists of drawings in the file.
    if font.get(b"Subtype").and_then(Object::as_name).is_ok_and(|subtype| subtype == b"Type3") {
        return (name, true);
    }
    let descendant = font.get_deref(b"DescendantFonts", document).and_then(Object::as_array).ok();
    let descendant = descendant.and_then(|fonts| dictionary(document, fonts.first()?));
    let descriptor = descendant.unwrap_or(font).get_deref(b"FontDescriptor", document);
    let embedded = descriptor.and_then(Object::as_dict).is_ok_and(|descriptor| {
        [b"FontFile".as_slice(), b"FontFile2", b"FontFile3"].iter().any(|key| descriptor.has(key))
    });
    (name, embedded)
}

/// A name or a text.
fn string(object: &Object) -> String {
    match object {
        Object::Name(name) => String::from_utf8_lossy(name).into_owned(),
        other => lopdf::decode_text_string(other).unwrap_or_default(),
    }
}
