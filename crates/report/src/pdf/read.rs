//! Reading of a finished PDF.

use std::collections::{BTreeMap, HashMap};

use anyhow::{Context, Result, anyhow};
use hayro_syntax::Pdf as File;
use hayro_syntax::object::{Array, Dict, MaybeRef, Name, Object, ObjectIdentifier, String as Text};
use unicode_normalization::UnicodeNormalization;

use super::text::{Font, Run, runs, utf16};

/// Content of a PDF that is checked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pdf {
    /// The pages; the first has the number 1.
    pub pages: Vec<Page>,
    /// Places of the document's ids, as far as something refers to them.
    pub destinations: BTreeMap<String, Spot>,
    /// The bookmarks, in order.
    pub outline: Vec<Bookmark>,
    /// The title that the file names.
    pub title: String,
    /// The author that the file names.
    pub author: String,
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
    /// Targets of its links: `#id` within the document, else an address.
    pub links: Vec<String>,
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
    /// Not below another.
    pub is_top: bool,
    /// Its words.
    pub title: String,
    /// Its target.
    pub spot: Option<Spot>,
}

impl Pdf {
    /// Reads a PDF as Chromium writes them.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        let file = open(bytes)?;
        let mut pdf = Self::default();
        let mut fonts = HashMap::new();
        for page in file.pages().iter() {
            let named = &page.resources().fonts;
            for font in named.keys().filter_map(|name| named.get::<Dict<'_>>(name)) {
                if let Some(id) = font.obj_id() {
                    fonts.entry(id).or_insert_with(|| Font::read(&font));
                }
            }
            let (width, height) = page.base_dimensions();
            let (width, height) = (f64::from(width), f64::from(height));
            let links = links(page.raw());
            pdf.pages.push(Page { width, height, runs: runs(page, height, &fonts), links });
        }
        let text = |bytes: &Option<Box<[u8]>>| bytes.as_deref().map(utf16).unwrap_or_default();
        let about = file.metadata();
        (pdf.title, pdf.author) = (text(&about.title), text(&about.author));
        let catalog = catalog(&file)?;
        pdf.language = catalog.get("Lang").map(|lang| string(&lang)).unwrap_or_default();
        let places = Places::of(&file);
        pdf.destinations = places.destinations(&catalog);
        if let Some(root) = catalog.get::<Dict<'_>>("Outlines") {
            places.bookmarks(&root, true, &mut pdf.outline);
        }
        Ok(pdf)
    }
}

/// The page of each id of the document.
pub(super) fn pages_of_ids(bytes: &[u8]) -> Result<BTreeMap<String, usize>> {
    let file = open(bytes)?;
    let spots = Places::of(&file).destinations(&catalog(&file)?);
    Ok(spots.into_iter().map(|(id, spot)| (id, spot.page)).collect())
}

fn open(bytes: &[u8]) -> Result<File> {
    File::new(bytes.to_vec()).map_err(|error| anyhow!("the PDF cannot be read: {error:?}"))
}

fn catalog(file: &File) -> Result<Dict<'_>> {
    file.xref().get(file.xref().root_id()).context("the PDF has no catalog")
}

/// A text without white space and without combining marks: the browser draws a letter and its mark as
/// one sign, which has no character of its own. Ligatures are taken apart.
pub(super) fn squeezed(text: &str) -> String {
    let is_mark = |c: char| matches!(c, '\u{300}'..='\u{36f}' | '\u{200b}' | '\0');
    text.nfkd().filter(|c| !c.is_whitespace() && !is_mark(*c)).collect()
}

/// The pages by the objects that they are, with their heights.
struct Places(HashMap<ObjectIdentifier, (usize, f64)>);

impl Places {
    fn of(file: &File) -> Self {
        let pages = file.pages().iter().zip(1..);
        let height = |page: &hayro_syntax::page::Page<'_>| f64::from(page.base_dimensions().1);
        Self(
            pages
                .filter_map(|(p, number)| Some((p.raw().obj_id()?, (number, height(p)))))
                .collect(),
        )
    }

    fn destinations(&self, catalog: &Dict<'_>) -> BTreeMap<String, Spot> {
        let all = catalog.get::<Dict<'_>>("Dests").unwrap_or_default();
        let spot = |name: Name<'_>| Some((name.as_str().to_owned(), self.spot(&all.get(&name)?)?));
        all.keys().filter_map(spot).collect()
    }

    /// `[page /XYZ x y zoom]`.
    fn spot(&self, target: &Array<'_>) -> Option<Spot> {
        let mut target = target.raw_iter();
        let (page, height) = *self.0.get(&target.next()?.as_obj_ref()?.into())?;
        let mut number = || match target.next() {
            Some(MaybeRef::NotRef(Object::Number(number))) => Some(number.as_f64()),
            _ => None,
        };
        let (_, x, y) = (number(), number(), number());
        Some(Spot { page, x: x.unwrap_or(0.0), y: y.map_or(0.0, |y| height - y) })
    }

    fn bookmarks(&self, parent: &Dict<'_>, is_top: bool, found: &mut Vec<Bookmark>) {
        let mut next = parent.get::<Dict<'_>>("First");
        while let Some(item) = next {
            let title = item.get("Title").map(|title| string(&title)).unwrap_or_default();
            let action = || item.get::<Dict<'_>>("A")?.get::<Array<'_>>("D");
            let target = item.get::<Array<'_>>("Dest").or_else(action);
            let spot = target.and_then(|target| self.spot(&target));
            found.push(Bookmark { is_top, title, spot });
            self.bookmarks(&item, false, found);
            next = item.get("Next");
        }
    }
}

fn links(page: &Dict<'_>) -> Vec<String> {
    let annotations = page.get::<Array<'_>>("Annots");
    let annotations = annotations.iter().flat_map(|all| all.iter::<Dict<'_>>());
    let link = |annotation: Dict<'_>| {
        let action = annotation.get::<Dict<'_>>("A").unwrap_or_default();
        let inside = annotation.get("Dest").or_else(|| action.get("D"));
        let address = || action.get("URI").map(|address| string(&address));
        inside.map(|name| format!("#{}", string(&name))).or_else(address)
    };
    annotations.filter_map(link).collect()
}

/// A name or a text.
fn string(object: &Object<'_>) -> String {
    match object {
        Object::Name(name) => name.as_str().to_owned(),
        Object::String(text) => utf16(Text::as_bytes(text)),
        _ => String::new(),
    }
}
