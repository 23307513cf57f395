//! TeX to SVG, at build time.
//!
//! MathJax draws every glyph as a path and refers to it with `<use>`. A page holds each glyph
//! once (see [`Formula::glyphs`]), so a formula costs little more than its TeX.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use mathjax_svg_rs::{MathJax, Options};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::files::write_atomically;
use crate::markup::{Tag, Token, escape, tokens};
use crate::mathml;

/// Part of every cache key: raise it when the SVG that this file writes changes.
const FORMAT: &str = "mathjax-svg-rs 0.4.0, math-core 0.7.0, format 2";

/// The height of a lower-case letter, as a fraction of the font size, that formulas are scaled to.
///
/// MathJax measures in `ex`, whose size depends on the font that the browser finds. Fixing it makes
/// a formula as large everywhere; Open Sans has 0.535, which looks large beside text in it.
const X_HEIGHT_EM: f64 = 0.49;

/// How many missing formulas are worth another renderer, which takes half a second to start.
const FORMULAS_PER_RENDERER: usize = 40;

/// Whether a formula stands in a line of text or on lines of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Style {
    /// `$...$`
    Inline,
    /// `$$ ... $$`
    Display,
}

/// What to render.
pub type Request = (Style, String);

/// A rendered formula.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Formula {
    /// The TeX source.
    pub tex: String,
    /// The `<svg>` element.
    pub svg: String,
    /// The `<math>` element, which is spoken and not shown.
    pub mathml: String,
    /// The paths it uses, by id. An id names one path in every formula.
    pub glyphs: BTreeMap<String, String>,
}

impl Formula {
    /// The formula for a page that is read: a drawing for the eyes, MathML for the ears.
    #[must_use]
    pub fn to_read(&self) -> String {
        format!("{}{}", self.svg.replacen("<svg", "<svg aria-hidden=\"true\"", 1), self.mathml)
    }

    /// The formula for a page that is printed, where MathML would become text in a font that may be
    /// missing: a drawing whose label is the TeX, as in the PDF files that LaTeX tags.
    #[must_use]
    pub fn to_print(&self) -> String {
        let label = format!("<svg role=\"img\" aria-label=\"{}\"", mathml::label(&self.tex));
        self.svg.replacen("<svg", &label, 1)
    }
}

/// Renders formulas and remembers them on disk.
#[derive(Clone, Debug)]
pub struct Formulas {
    cache: PathBuf,
}

impl Formulas {
    /// A renderer that keeps its results in `cache`.
    #[must_use]
    pub fn new(cache: &Path) -> Self {
        Self { cache: cache.to_owned() }
    }

    /// Renders each formula; an error says what is wrong with the TeX.
    #[must_use]
    pub fn render(
        &self,
        requests: &BTreeSet<Request>,
    ) -> BTreeMap<Request, Result<Arc<Formula>, String>> {
        let mut rendered = BTreeMap::new();
        let mut missing = Vec::new();
        for request in requests {
            match self.cached(request) {
                Some(formula) => {
                    rendered.insert(request.clone(), Ok(Arc::new(formula)));
                }
                None => missing.push(request),
            }
        }
        if missing.is_empty() {
            return rendered;
        }
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let renderers = cores.min(missing.len().div_ceil(FORMULAS_PER_RENDERER));
        let share = missing.len().div_ceil(renderers);
        let results = thread::scope(|scope| {
            let parts = missing.chunks(share).map(|part| {
                scope.spawn(|| {
                    let mathjax = MathJax::new();
                    part.iter().map(|request| render(&mathjax, request)).collect::<Vec<_>>()
                })
            });
            let parts: Vec<_> = parts.collect();
            let join = |part: thread::ScopedJoinHandle<'_, _>| {
                part.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            };
            parts.into_iter().flat_map(join).collect::<Vec<_>>()
        });
        for (request, result) in missing.into_iter().zip(results) {
            let result = result.and_then(|formula| {
                self.remember(request, &formula)?;
                Ok(Arc::new(formula))
            });
            rendered.insert(request.clone(), result);
        }
        rendered
    }

    fn path(&self, (style, tex): &Request) -> PathBuf {
        let key = format!("{FORMAT}\n{X_HEIGHT_EM}\n{style:?}\n{tex}");
        let hash: String = Sha256::digest(key).iter().map(|byte| format!("{byte:02x}")).collect();
        self.cache.join(format!("{hash}.json"))
    }

    /// A cached result; one that cannot be read is rendered again.
    fn cached(&self, request: &Request) -> Option<Formula> {
        serde_json::from_slice(&fs::read(self.path(request)).ok()?).ok()
    }

    fn remember(&self, request: &Request, formula: &Formula) -> Result<(), String> {
        let json = serde_json::to_vec(formula).map_err(|error| error.to_string())?;
        write_atomically(&self.path(request), &json).map_err(|error| format!("{error:#}"))
    }
}

fn render(mathjax: &MathJax, (style, tex): &Request) -> Result<Formula, String> {
    check_commands(tex)?;
    let prefix = match style {
        Style::Inline => r"\textstyle ",
        Style::Display => "",
    };
    let source = format!("{BLACKBOARD_BOLD}{prefix}{tex}");
    let svg = mathjax.render_tex(&source, &Options::default()).map_err(|error| {
        let error = explain(&error);
        format!("the formula `{tex}` does not render: {error}")
    })?;
    if let Some(command) = undefined_command(&svg) {
        return Err(format!("the formula `{tex}` uses the unknown command `{command}`"));
    }
    let (svg, glyphs) = convert(&svg, tex)
        .map_err(|error| format!("the formula `{tex}` does not render: {error}"))?;
    Ok(Formula { tex: tex.clone(), svg, mathml: mathml::mathml(tex)?, glyphs })
}

/// Blackboard bold is not among the fonts that the renderer carries: plain bold is its older form.
const BLACKBOARD_BOLD: &str = r"\def\mathbb#1{\mathbf{#1}}";

/// Refuses commands that would work and do harm.
fn check_commands(tex: &str) -> Result<(), String> {
    if tex.trim().is_empty() {
        return Err("the formula is empty".to_owned());
    }
    for (command, advice) in [
        ("tag", "equations are numbered by `$$ ... $$ {#eq:ID}`"),
        ("label", "write `$$ ... $$ {#eq:ID}`"),
        ("ref", "write `[@eq:ID]` outside of the formula"),
        ("eqref", "write `[@eq:ID]` outside of the formula"),
        // A definition would hold for every formula that the same renderer draws later.
        ("def", "definitions are not kept apart between formulas; write it out"),
        ("let", "definitions are not kept apart between formulas; write it out"),
        ("newcommand", "definitions are not kept apart between formulas; write it out"),
        ("renewcommand", "definitions are not kept apart between formulas; write it out"),
        ("newenvironment", "definitions are not kept apart between formulas; write it out"),
    ] {
        let used = tex.match_indices(&format!(r"\{command}")).any(|(at, found)| {
            let after = tex[at + found.len()..].chars().next();
            let escaped = tex[..at].chars().rev().take_while(|c| *c == '\\').count() % 2 == 1;
            !escaped && !after.is_some_and(|c| c.is_ascii_alphabetic())
        });
        if used {
            return Err(format!(r"the formula `{tex}` uses `\{command}`: {advice}"));
        }
    }
    Ok(())
}

/// The part of the renderer's message that an author can use.
fn explain(error: &str) -> String {
    if error.contains("MathJax retry") {
        return r"it needs a font that the renderer does not carry (\mathcal, \mathsf, \mathtt, \texttt, \ell, accented letters): use \mathrm, \mathbf, \text, or backticks outside of the formula".to_owned();
    }
    let message = error.rsplit_once("MathJax error: ").map_or(error, |(_, message)| message);
    message.split(" (unknown at").next().unwrap_or(message).to_owned()
}

/// The first command that MathJax set in red because it does not know it.
fn undefined_command(svg: &str) -> Option<String> {
    tokens(svg).find_map(|token| match token {
        Token::Open(tag) if tag.get("fill") == Some("red") => {
            Some(tag.get("data-latex").unwrap_or("?").to_owned())
        }
        _ => None,
    })
}

/// MathJax's SVG without what only MathJax needs, scaled to the text, its glyphs apart.
fn convert(svg: &str, tex: &str) -> Result<(String, BTreeMap<String, String>), String> {
    let mut out = String::with_capacity(svg.len() / 2);
    let mut glyphs = BTreeMap::new();
    let mut in_definitions = false;
    let mut depth = 0_usize;
    for token in tokens(svg) {
        match token {
            Token::Open(tag) if tag.name == "defs" => in_definitions = true,
            Token::Close("defs") => in_definitions = false,
            Token::Open(tag) if in_definitions => {
                if let (Some(id), Some(path)) = (tag.get("id"), tag.get("d")) {
                    glyphs.insert(glyph_id(id)?, path.to_owned());
                }
            }
            _ if in_definitions => {}
            Token::Open(tag) if tag.name == "text" => {
                return Err("it has a character that is not in the mathematical font".to_owned());
            }
            Token::Open(tag) if depth == 0 => {
                depth = 1;
                root(&tag)?.write(&mut out);
                out.push_str(&format!("<title>{}</title>", escape(tex)));
            }
            Token::Open(mut tag) => {
                depth += usize::from(!tag.self_closing);
                let link = tag.get("xlink:href").map(glyph_id).transpose()?;
                tag.attributes
                    .retain(|(name, _)| !name.starts_with("data-") && *name != "xlink:href");
                if let Some(id) = link {
                    tag.set("href", format!("#{id}"));
                }
                tag.write(&mut out);
            }
            Token::Close(name) => {
                depth = depth.saturating_sub(1);
                out.push_str(&format!("</{name}>"));
            }
            Token::Text(text) => out.push_str(text),
            Token::Other => {}
        }
    }
    Ok((out, glyphs))
}

/// `MJX-12-NCM-I-1D465`, with or without `#`, without the number of the formula.
fn glyph_id(id: &str) -> Result<String, String> {
    let unexpected = || format!("the renderer wrote the unexpected glyph name {id:?}");
    let rest = id.trim_start_matches('#').strip_prefix("MJX-").ok_or_else(unexpected)?;
    let (_, glyph) = rest.split_once('-').ok_or_else(unexpected)?;
    Ok(format!("g-{glyph}"))
}

/// The outermost tag.
fn root(tag: &Tag<'_>) -> Result<Tag<'static>, String> {
    let length = |value: Option<&str>| -> Result<f64, String> {
        let text = value.map(|value| value.trim().trim_end_matches(';')).unwrap_or_default();
        let ex = text.strip_suffix("ex").or((text == "0").then_some(text));
        let ex = ex.and_then(|ex| ex.parse::<f64>().ok());
        Ok(ex.ok_or_else(|| format!("unexpected length {value:?}"))? * X_HEIGHT_EM)
    };
    let align = tag.get("style").and_then(|style| style.strip_prefix("vertical-align:"));
    let align = match align {
        Some(align) => length(Some(align))?,
        None => 0.0,
    };
    let view_box = tag.get("viewBox").ok_or("it has no fixed size")?.to_owned();
    let (width, height) = (length(tag.get("width"))?, length(tag.get("height"))?);
    let attributes = [
        ("class", "formula".to_owned()),
        ("width", format!("{width:.3}em")),
        ("height", format!("{height:.3}em")),
        ("viewBox", view_box),
        ("style", format!("vertical-align:{align:.3}em")),
    ];
    let attributes = attributes.into_iter().map(|(name, value)| (name, value.into())).collect();
    Ok(Tag { name: "svg", attributes, self_closing: false })
}

/// The element that holds the glyphs of a page.
#[must_use]
pub fn glyph_definitions<'a>(glyphs: impl IntoIterator<Item = (&'a String, &'a String)>) -> String {
    let mut out = String::from("<svg class=\"glyphs\" aria-hidden=\"true\"><defs>");
    for (id, path) in glyphs {
        out.push_str(&format!("<path id=\"{}\" d=\"{}\"/>", escape(id), escape(path)));
    }
    out.push_str("</defs></svg>");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render_one(style: Style, tex: &str) -> Result<Arc<Formula>, String> {
        let cache = tempfile::tempdir().unwrap();
        let request = (style, tex.to_owned());
        let mut all = Formulas::new(cache.path()).render(&BTreeSet::from([request.clone()]));
        all.remove(&request).unwrap()
    }

    #[test]
    fn a_formula_becomes_svg_that_follows_the_theme_and_can_be_read_aloud() {
        let formula = render_one(Style::Display, r"\frac{\partial L}{\partial W} < 1").unwrap();
        assert!(formula.svg.starts_with("<svg class=\"formula\" width="), "{}", formula.svg);
        let read = formula.to_read();
        assert!(read.starts_with("<svg aria-hidden=\"true\" class=\"formula\""), "{read}");
        assert!(read.ends_with("<mo>&lt;</mo><mn>1</mn></math>"), "{read}");
        let print = formula.to_print();
        let label = r#"<svg role="img" aria-label="\frac{\partial L}{\partial W} &lt; 1""#;
        assert!(print.starts_with(label) && print.ends_with("</svg>"), "{print}");
        assert!(formula.svg.contains(r"<title>\frac{\partial L}{\partial W} &lt; 1</title>"));
        assert!(formula.svg.contains("fill=\"currentColor\""));
        assert!(formula.svg.contains("style=\"vertical-align:-"));
        assert!(formula.svg.ends_with("</svg>"));
        assert!(!formula.svg.contains("data-") && !formula.svg.contains("xlink"));
    }

    #[test]
    fn a_formula_stands_on_the_line() {
        assert!(render_one(Style::Inline, "X").unwrap().svg.contains("vertical-align:0.000em"));
        assert!(render_one(Style::Inline, "y").unwrap().svg.contains("vertical-align:-0."));
    }

    #[test]
    fn every_glyph_used_is_defined() {
        let formula = render_one(Style::Inline, r"\hat y_{ij} = x^2").unwrap();
        let mut used = 0;
        for token in tokens(&formula.svg) {
            let Token::Open(tag) = token else { continue };
            let Some(link) = tag.get("href") else { continue };
            assert!(formula.glyphs.contains_key(&link[1..]), "{link} in {:?}", formula.glyphs);
            used += 1;
        }
        assert_eq!(used, 7);
    }

    #[test]
    fn inline_formulas_are_lower_than_displayed_ones() {
        let height = |style| {
            let formula = render_one(style, r"\sum_{i=1}^m x_i").unwrap();
            let Some(Token::Open(tag)) = tokens(&formula.svg).next() else { panic!("no tag") };
            let height = tag.get("height").unwrap().trim_end_matches("em").to_owned();
            height.parse::<f64>().unwrap()
        };
        assert!(height(Style::Inline) < 0.7 * height(Style::Display));
    }

    #[test]
    fn tex_that_mathjax_rejects_is_an_error() {
        for (tex, expected) in [
            (r"\frac{a", "Missing close brace"),
            ("a & b", "Misplaced &"),
            (r"\foo x", r"unknown command `\foo`"),
            (r"\boldsymbol{x}", r"unknown command `\boldsymbol`"),
            (r"\mathcal{L}", "font that the renderer does not carry"),
            ("xᵀ", "not in the mathematical font"),
            (r"x \tag{3}", "{#eq:ID}"),
            (r"\ref{a}", "[@eq:ID]"),
            (r"\def\x{y} \x", "write it out"),
            ("  ", "empty"),
        ] {
            let error = render_one(Style::Display, tex).unwrap_err();
            assert!(error.contains(expected), "{tex}: {error}");
        }
        check_commands(r"a \\ \leftarrow \\reference \defined").unwrap();
        render_one(Style::Inline, r"A \in \mathbb{R}^{5 \times 5}").unwrap();
    }

    #[test]
    fn the_cache_answers_and_a_damaged_entry_is_rendered_again() {
        let cache = tempfile::tempdir().unwrap();
        let formulas = Formulas::new(cache.path());
        let request = (Style::Inline, "x".to_owned());
        let requests = BTreeSet::from([request.clone()]);
        let first = formulas.render(&requests);

        let mut other = first[&request].clone().unwrap().as_ref().clone();
        other.svg = "<svg>from the cache</svg>".to_owned();
        formulas.remember(&request, &other).unwrap();
        assert_eq!(formulas.render(&requests)[&request].as_ref().unwrap().svg, other.svg);

        fs::write(formulas.path(&request), "{").unwrap();
        assert_eq!(formulas.render(&requests), first);
    }

    #[test]
    fn results_do_not_depend_on_the_number_of_renderers() {
        let requests: BTreeSet<Request> =
            (0..90).map(|i| (Style::Inline, format!("x_{{{i}}}"))).collect();
        let cache = tempfile::tempdir().unwrap();
        let all = Formulas::new(cache.path()).render(&requests);
        assert_eq!(all.len(), 90);
        let alone = render_one(Style::Inline, "x_{89}").unwrap();
        assert_eq!(all[&(Style::Inline, "x_{89}".to_owned())].as_ref().unwrap(), &alone);
    }
}
