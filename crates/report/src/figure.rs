//! SVG drawings and plots, made part of a page.

use experiment::palette;
use html::{Element, Node};

/// The drawing as an element of a page.
///
/// Ids become unique by `id`, colours have to follow the theme, and `alt` names the drawing.
pub(crate) fn inline(svg: &str, id: &str, alt: &str) -> Result<String, String> {
    if !svg.trim_end().ends_with("</svg>") {
        return Err("the drawing does not end with </svg>".to_owned());
    }
    let mut drawing = Element::read(svg).map_err(|error| format!("the drawing: {error}"))?;
    // `alt` replaces the drawing's own title and description.
    let is_about = |child: &Node| matches!(child, Node::Element(child) if child.name == "title" || child.name == "desc");
    drawing.children.retain(|child| !is_about(child));
    root(&mut drawing, alt)?;
    let mut ids = Ids { prefix: id, defined: Vec::new(), used: Vec::new() };
    rewrite(&mut drawing.children, &mut ids)?;
    let mut out = String::with_capacity(svg.len());
    drawing.write(&mut out);
    match ids.used.into_iter().find(|link| !ids.defined.contains(link)) {
        Some(link) => Err(format!("the drawing refers to `#{link}`, which it does not have")),
        None => Ok(out),
    }
}

/// The ids of a drawing, and what its ids begin with in the page.
struct Ids<'a> {
    prefix: &'a str,
    defined: Vec<String>,
    used: Vec<String>,
}

impl Ids<'_> {
    /// The id in the page, of an element that the drawing refers to.
    fn refer(&mut self, id: &str) -> String {
        self.used.push(id.to_owned());
        format!("{}-{id}", self.prefix)
    }
}

/// The `<svg>` element, which scales down with the page.
fn root(svg: &mut Element, alt: &str) -> Result<(), String> {
    let number = |text: &str| text.parse().ok();
    let view_box = svg.get("viewBox").unwrap_or_default();
    let view_box: Vec<f64> = view_box.split([' ', ',']).filter_map(number).collect();
    let &[_, _, view_width, view_height] = &view_box[..] else {
        return Err("the drawing has no viewBox of four numbers".to_owned());
    };
    let width = svg.get("width").and_then(number).unwrap_or(view_width);
    let font = match svg.get("font-family") {
        Some(_) => ";font-family:var(--drawing-font)",
        None => "",
    };
    let style = format!("width:{width}px;aspect-ratio:{view_width}/{view_height}{font}");
    let replaced = ["width", "height", "role", "font-family", "xmlns"];
    svg.attributes.retain(|(name, _)| !replaced.contains(&name.as_str()));
    for (name, value) in
        [("class", "drawing"), ("role", "img"), ("aria-label", alt), ("style", &style)]
    {
        svg.set(name, value);
    }
    Ok(())
}

fn rewrite(nodes: &mut [Node], ids: &mut Ids<'_>) -> Result<(), String> {
    for node in nodes {
        let Node::Element(element) = node else { continue };
        let mut style: Vec<String> = Vec::new();
        for (name, value) in std::mem::take(&mut element.attributes) {
            let value = match &*name {
                "id" => {
                    ids.defined.push(value.clone());
                    format!("{}-{value}", ids.prefix)
                }
                "fill" | "stroke" | "stop-color" | "color" => colour(value)?,
                "font-family" => "var(--drawing-font)".to_owned(),
                "style" => {
                    return Err("the drawing has a `style`: use attributes such as fill".to_owned());
                }
                _ => value,
            };
            let value = if let Some(id) = value.strip_prefix('#') {
                format!("#{}", ids.refer(id))
            } else if let Some(id) = value.strip_prefix("url(#").and_then(|v| v.strip_suffix(')')) {
                format!("url(#{})", ids.refer(id))
            } else {
                value
            };
            // An attribute cannot hold `var(...)` in every browser; a style can. And `pixelated` is CSS
            // that the attribute of SVG does not know.
            match name == "image-rendering" || value.contains("var(") {
                true => style.push(format!("{name}:{value}")),
                false => element.attributes.push((name, value)),
            }
        }
        if !style.is_empty() {
            element.set("style", style.join(";"));
        }
        rewrite(&mut element.children, ids)?;
    }
    Ok(())
}

/// A colour that follows the theme: itself, or the variable of a colour of the palette, which plots have.
fn colour(value: String) -> Result<String, String> {
    let follows = matches!(value.as_str(), "none" | "currentColor" | "inherit" | "transparent")
        || value.starts_with("var(--")
        || value.starts_with("url(#");
    if follows {
        return Ok(value);
    }
    let known = palette::all().find(|colour| colour.hex().eq_ignore_ascii_case(&value));
    known.map(|colour| format!("var({})", colour.css_variable)).ok_or_else(|| {
        format!(
            "the drawing has the fixed colour `{value}`, which a dark page would swallow: use \
             currentColor, var(--plot-series-1) or a colour of the palette"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawing(body: &str) -> Result<String, String> {
        let svg =
            format!("<?xml version=\"1.0\"?><svg viewBox=\"0 0 5 10\" width=\"10\">{body}</svg>\n");
        inline(&svg, "fig-a", "An \"a\"")
    }

    #[test]
    fn a_drawing_scales_is_named_and_follows_the_theme() {
        let svg = drawing("<title>old</title><g fill=\"currentColor\">text</g>").unwrap();
        let expected = "<svg viewBox=\"0 0 5 10\" class=\"drawing\" role=\"img\" \
            aria-label=\"An &quot;a&quot;\" style=\"width:10px;aspect-ratio:5/10\">\
            <g fill=\"currentColor\">text</g></svg>";
        assert_eq!(svg, expected);
        let svg = drawing("<marker id=\"m\"/><path marker-end=\"url(#m)\"/><use href=\"#m\"/>");
        let expected = "<marker id=\"fig-a-m\"/><path marker-end=\"url(#fig-a-m)\"/>\
            <use href=\"#fig-a-m\"/></svg>";
        assert!(svg.as_ref().unwrap().ends_with(expected), "{svg:?}");
        let colour = palette::SERIES[1];
        let svg = drawing(&format!("<path stroke=\"{}\" fill=\"none\"/>", colour.hex())).unwrap();
        let path = format!("<path fill=\"none\" style=\"stroke:var({})\"/>", colour.css_variable);
        assert!(svg.contains(&path), "{svg}");
    }

    #[test]
    fn what_a_page_must_not_have_is_refused() {
        for (body, expected) in [
            ("<path fill=\"black\"/>", "fixed colour `black`"),
            ("<path fill=\"#123456\"/>", "fixed colour `#123456`"),
            ("<path style=\"fill:red\"/>", "a `style`"),
            ("<use href=\"#gone\"/>", "refers to `#gone`"),
            ("<g></p>", "not well-formed"),
        ] {
            let error = drawing(body).unwrap_err();
            assert!(error.contains(expected), "{body}: {error}");
        }
        for (svg, expected) in [
            ("<svg></svg>", "no viewBox of four numbers"),
            ("<svg viewBox=\"0 0 1\"></svg>", "no viewBox of four numbers"),
            ("<svg viewBox=\"0 0 1 1\">", "does not end with"),
        ] {
            let error = inline(svg, "a", "b").unwrap_err();
            assert!(error.contains(expected), "{svg}: {error}");
        }
    }
}
