//! Finishing of the browser's PDF: metadata, the same bytes for the same book, a third less of them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Read as _;

use anyhow::{Context, Result};
use flate2::Compression;
use flate2::bufread::ZlibEncoder;
use frontmatter::FrontMatter;

/// Sets the metadata, and packs the file.
pub(super) fn finish(pdf: &[u8], front: &FrontMatter) -> Result<Vec<u8>> {
    let (mut sources, root, information) =
        objects(pdf).context("the browser's PDF is not built as expected")?;
    let catalog = sources.get(&root).and_then(|source| source.strip_prefix(b"<<"));
    let catalog = catalog.context("the PDF has no catalog")?;
    let catalog = [b"<</PageMode /UseOutlines\n", catalog].concat();
    sources.insert(root, catalog.into());
    // The browser's version and the date would make each file another one.
    let about = [("Title", &front.title), ("Author", &front.author)]
        .into_iter()
        .filter(|(_, value)| !value.trim().is_empty())
        .map(|(key, value)| {
            let units = value.trim().encode_utf16().map(|unit| format!("{unit:04X}"));
            format!("/{key} <FEFF{}>", units.collect::<String>())
        });
    let about = format!("<<{}>>", about.collect::<String>());
    sources.insert(information, about.into_bytes().into());
    pack(&sources, root, information)
}

/// The objects of a PDF by number, as they are written.
type Objects<'a> = BTreeMap<usize, Cow<'a, [u8]>>;

/// The objects of a PDF, and the numbers of the catalog and of the title and the like. It is cut by the table at its
/// end: `xref`, `0 2` for two objects from 0 on, `0000000000 65535 f` and `0000000015 00000 n` for where they begin,
/// and `trailer`.
fn objects(pdf: &[u8]) -> Result<(Objects<'_>, usize, usize)> {
    let end = pdf.windows(6).rposition(|part| part == b"\nxref\n").context("no table")?;
    let (table, trailer) =
        std::str::from_utf8(&pdf[end..])?.split_once("trailer").context("the table has no end")?;
    let number = |key| {
        let number = trailer.split_once(key)?.1.split_whitespace().next()?;
        number.parse::<usize>().ok()
    };
    let offsets = table.lines().filter_map(|row| row.strip_suffix(" 00000 n ")?.parse().ok());
    let mut order: Vec<(usize, usize)> = offsets.zip(1..).chain([(end, 0)]).collect();
    order.sort_unstable();
    let mut sources = Objects::new();
    for pair in order.windows(2) {
        let [(begin, id), (end, _)] = *pair else { continue };
        let source = pdf.get(begin..end).unwrap_or_default().trim_ascii();
        let source = source
            .strip_prefix(format!("{id} 0 obj\n").as_bytes())
            .and_then(|source| source.strip_suffix(b"\nendobj"))
            .with_context(|| format!("object {id} is not where it should be"))?;
        sources.insert(id, Cow::Borrowed(source));
    }
    let root = number("/Root ").context("the trailer lacks the catalog")?;
    let information = number("/Info ").context("the trailer lacks the title")?;
    Ok((sources, root, information))
}

/// Objects that are compressed together.
const TOGETHER: usize = 200;

/// A PDF with these objects. The structure for screen readers is many small ones: one by one they are
/// most of the file.
fn pack(sources: &Objects<'_>, root: usize, info: usize) -> Result<Vec<u8>> {
    let mut pdf = b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n".to_vec();
    // A row says where an object is: 1 and its place, or 2, the number of a stream, and which it is there.
    let mut rows: BTreeMap<usize, (u8, usize, usize)> = BTreeMap::new();
    let is_stream = |source: &[u8]| source.ends_with(b"endstream");
    for (&id, source) in sources.iter().filter(|(_, source)| is_stream(source)) {
        rows.insert(id, (1, pdf.len(), 0));
        add(&mut pdf, id, source);
    }
    let small: Vec<_> = sources.iter().filter(|(_, source)| !is_stream(source)).collect();
    let mut next = sources.last_key_value().map_or(0, |(last, _)| *last);
    for objects in small.chunks(TOGETHER) {
        next += 1;
        let (mut numbers, mut text) = (String::new(), Vec::new());
        for (index, (id, source)) in objects.iter().enumerate() {
            numbers.push_str(&format!("{id} {} ", text.len()));
            text.extend([source, b"\n".as_slice()].concat());
            rows.insert(**id, (2, next, index));
        }
        rows.insert(next, (1, pdf.len(), 0));
        let head = format!("/Type /ObjStm /N {} /First {}", objects.len(), numbers.len());
        add_stream(&mut pdf, next, &head, &[numbers.as_bytes(), &text].concat())?;
    }
    next += 1;
    let start = pdf.len();
    rows.insert(next, (1, start, 0));
    let table: Vec<u8> = (0..=next)
        .map(|id| rows.get(&id).copied().unwrap_or_default())
        .flat_map(|(kind, place, index)| {
            let ([a, b, c, d], [e, f]) =
                ((place as u32).to_be_bytes(), (index as u16).to_be_bytes());
            [kind, a, b, c, d, e, f]
        })
        .collect();
    let size = next + 1;
    let head = format!("/Type /XRef /Size {size} /W [1 4 2] /Root {root} 0 R /Info {info} 0 R");
    add_stream(&mut pdf, next, &head, &table)?;
    pdf.extend(format!("startxref\n{start}\n%%EOF\n").into_bytes());
    Ok(pdf)
}

fn add(pdf: &mut Vec<u8>, id: usize, source: &[u8]) {
    pdf.extend(format!("{id} 0 obj\n").into_bytes());
    pdf.extend_from_slice(source);
    pdf.extend_from_slice(b"\nendobj\n");
}

fn add_stream(pdf: &mut Vec<u8>, id: usize, head: &str, data: &[u8]) -> Result<()> {
    let mut packed = Vec::new();
    ZlibEncoder::new(data, Compression::default()).read_to_end(&mut packed)?;
    let head = format!("<<{head} /Filter /FlateDecode /Length {}>> stream\n", packed.len());
    add(pdf, id, &[head.as_bytes(), &packed, b"\nendstream"].concat());
    Ok(())
}
