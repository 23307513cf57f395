//! SVG drawings and plots, made part of a page.

use experiment::palette;

use crate::markup::{Tag, Token, tokens};

/// Where a drawing comes from, which decides what colours it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Drawn for the book: its colours are already those of the theme.
    Drawing,
    /// A plot of a record: its fixed colours are replaced by those of the theme.
    Plot,
}

/// The drawing as an element of a page.
///
/// Ids become unique by `id`, what a page must not have is refused, and `alt` names the drawing.
pub(crate) fn inline(svg: &str, origin: Origin, id: &str, alt: &str) -> Result<String, String> {
    let mut out = String::with_capacity(svg.len());
    let mut open: Vec<&str> = Vec::new();
    // The content of the drawing's own title and description, which `alt` replaces.
    let mut skipped: Option<&str> = None;
    let mut ids = Vec::new();
    let mut links = Vec::new();
    for token in tokens(svg) {
        if let Some(name) = skipped {
            if token == Token::Close(name) {
                skipped = None;
            }
            continue;
        }
        match token {
            Token::Open(tag) if open.is_empty() => {
                if tag.name != "svg" {
                    return Err(format!("the drawing begins with <{}>, not with <svg>", tag.name));
                }
                if !out.is_empty() {
                    return Err("there is something after the end of the drawing".to_owned());
                }
                open.push(tag.name);
                root(tag, alt)?.write(&mut out);
            }
            Token::Open(tag) => {
                if let "script" | "foreignObject" | "style" | "a" = tag.name {
                    return Err(format!(
                        "the drawing has a <{}>: use shapes and text with attributes",
                        tag.name
                    ));
                }
                if tag.name == "image" {
                    check_picture(&tag, origin)?;
                }
                if open.len() == 1 && matches!(tag.name, "title" | "desc") {
                    skipped = (!tag.self_closing).then_some(tag.name);
                    continue;
                }
                if let Some(old) = tag.get("id") {
                    ids.push(old.to_owned());
                }
                if !tag.self_closing {
                    open.push(tag.name);
                }
                rewrite(tag, origin, id, &mut links)?.write(&mut out);
            }
            Token::Close(name) => {
                if open.pop() != Some(name) {
                    return Err(format!("the drawing has a </{name}> that closes nothing"));
                }
                out.push_str(&format!("</{name}>"));
            }
            Token::Text(text) if !open.is_empty() => out.push_str(text),
            Token::Text(text) if !text.trim().is_empty() => {
                return Err("the drawing has text outside of <svg>".to_owned());
            }
            Token::Text(_) | Token::Other => {}
        }
    }
    if !open.is_empty() || out.is_empty() {
        return Err("the drawing has no end".to_owned());
    }
    match links.into_iter().find(|link| !ids.contains(link)) {
        Some(link) => Err(format!("the drawing refers to `#{link}`, which it does not have")),
        None => Ok(out),
    }
}

/// A picture of a plot is a PNG within it; a drawing has none, since its colours could not follow the
/// theme.
fn check_picture(tag: &Tag<'_>, origin: Origin) -> Result<(), String> {
    const PNG: &str = "data:image/png;base64,";
    if origin == Origin::Drawing {
        return Err("the drawing has an <image>: use shapes and text with attributes".to_owned());
    }
    let data = tag.get("href").and_then(|href| href.strip_prefix(PNG));
    // The signature of a PNG, of whose last byte base64 puts two bits into the next digit.
    let is_png = data.is_some_and(|data| {
        data.starts_with("iVBORw0KGg")
            && data.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'='))
    });
    match is_png && tag.get("xlink:href").is_none() {
        true => Ok(()),
        false => Err(format!("an <image> of a plot has its picture within it, as `{PNG}...`")),
    }
}

/// The `<svg>` tag, which scales down with the page.
fn root<'a>(mut tag: Tag<'a>, alt: &str) -> Result<Tag<'a>, String> {
    let number = |text: &str| text.parse().ok();
    let view_box = tag.get("viewBox").unwrap_or_default();
    let view_box: Vec<f64> = view_box.split([' ', ',']).filter_map(number).collect();
    let &[_, _, view_width, view_height] = &view_box[..] else {
        return Err("the drawing has no viewBox of four numbers".to_owned());
    };
    let width = tag.get("width").and_then(number).unwrap_or(view_width);
    let font = match tag.get("font-family") {
        Some(_) => ";font-family:var(--drawing-font)",
        None => "",
    };
    tag.attributes.retain(|(name, _)| {
        !matches!(*name, "width" | "height" | "style" | "class" | "id" | "role" | "font-family")
            && !name.starts_with("aria-")
            && !name.starts_with("xmlns")
    });
    tag.set("class", "drawing");
    tag.set("role", "img");
    tag.set("aria-label", alt.to_owned());
    tag.set("style", format!("width:{width}px;aspect-ratio:{view_width}/{view_height}{font}"));
    Ok(tag)
}

fn rewrite<'a>(
    mut tag: Tag<'a>,
    origin: Origin,
    id: &str,
    links: &mut Vec<String>,
) -> Result<Tag<'a>, String> {
    let outside =
        |value: &str| Err(format!("the drawing loads `{value}` from outside of the page"));
    let mut style: Vec<String> = Vec::new();
    for (name, value) in std::mem::take(&mut tag.attributes) {
        if name.starts_with("on") {
            return Err(format!("the drawing has a script in `{name}`"));
        }
        let value = match name {
            "id" => format!("{id}-{value}"),
            // A picture within the drawing, which has been checked.
            "href" if tag.name == "image" => value,
            "href" | "xlink:href" => {
                let Some(link) = value.strip_prefix('#') else { return outside(&value) };
                links.push(link.to_owned());
                format!("#{id}-{link}")
            }
            "fill" | "stroke" | "stop-color" | "color" => colour(value, origin)?,
            "font-family" => "var(--drawing-font)".to_owned(),
            "style" => {
                return Err("the drawing has a `style`: use attributes such as fill".to_owned());
            }
            _ => value,
        };
        let value = match value.strip_prefix("url(#").and_then(|rest| rest.strip_suffix(')')) {
            Some(link) => {
                links.push(link.to_owned());
                format!("url(#{id}-{link})")
            }
            None if value.contains("url(") => return outside(&value),
            None => value,
        };
        match name {
            // An attribute cannot hold `var(...)` in every browser; a style can. And `pixelated` is CSS
            // that the attribute of SVG does not know.
            "fill" | "stroke" | "stop-color" | "color" | "font-family"
                if value.contains("var(") =>
            {
                style.push(format!("{name}:{value}"));
            }
            "image-rendering" => style.push(format!("{name}:{value}")),
            "xlink:href" => tag.attributes.push(("href", value)),
            _ => tag.attributes.push((name, value)),
        }
    }
    if !style.is_empty() {
        tag.set("style", style.join(";"));
    }
    Ok(tag)
}

/// A colour that follows the theme.
fn colour(value: String, origin: Origin) -> Result<String, String> {
    let follows = matches!(value.as_str(), "none" | "currentColor" | "inherit" | "transparent")
        || value.starts_with("var(--")
        || value.starts_with("url(#");
    match origin {
        _ if follows => Ok(value),
        Origin::Drawing => Err(format!(
            "the drawing has the fixed colour `{value}`, which a dark page would swallow: \
             use currentColor or var(--plot-series-1)"
        )),
        Origin::Plot => palette::all()
            .find(|colour| colour.hex().eq_ignore_ascii_case(&value))
            .map(|colour| format!("var({})", colour.css_variable))
            .ok_or_else(|| {
                format!("the plot has the colour `{value}`, which is not in the palette")
            }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawing(body: &str) -> Result<String, String> {
        let svg =
            format!("<?xml version=\"1.0\"?><svg viewBox=\"0 0 5 10\" width=\"10\">{body}</svg>\n");
        inline(&svg, Origin::Drawing, "fig-a", "An \"a\"")
    }

    fn plot(body: &str) -> Result<String, String> {
        let svg = format!("<svg viewBox=\"0 0 1 1\">{body}</svg>");
        inline(&svg, Origin::Plot, "p", "alt")
    }

    #[test]
    fn a_drawing_scales_is_named_and_follows_the_theme() {
        let svg = drawing("<title>old</title><g fill=\"currentColor\">text</g>").unwrap();
        let expected = "<svg viewBox=\"0 0 5 10\" class=\"drawing\" role=\"img\" \
            aria-label=\"An &quot;a&quot;\" style=\"width:10px;aspect-ratio:5/10\">\
            <g fill=\"currentColor\">text</g></svg>";
        assert_eq!(svg, expected);
        let svg = drawing(
            "<marker id=\"m\"/><path marker-end=\"url(#m)\"/><use xlink:href=\"#m\" stroke=\"none\"/>",
        );
        let expected = "<marker id=\"fig-a-m\"/><path marker-end=\"url(#fig-a-m)\"/>\
            <use href=\"#fig-a-m\" stroke=\"none\"/></svg>";
        assert!(svg.as_ref().unwrap().ends_with(expected), "{svg:?}");
        let colour = palette::SERIES[1];
        let svg = plot(&format!("<path stroke=\"{}\" fill=\"none\"/>", colour.hex())).unwrap();
        let path = format!("<path fill=\"none\" style=\"stroke:var({})\"/>", colour.css_variable);
        assert!(svg.contains(&path), "{svg}");
        let picture = "<image href=\"data:image/png;base64,iVBORw0KGgoAAA+/==\"/>";
        assert!(plot(picture).unwrap().contains(picture));
    }

    #[test]
    fn what_a_page_must_not_have_is_refused() {
        for (body, expected) in [
            ("<path fill=\"black\"/>", "fixed colour `black`"),
            ("<script>x</script>", "a <script>"),
            ("<style>.a{}</style>", "a <style>"),
            ("<path style=\"fill:red\"/>", "a `style`"),
            ("<g onclick=\"x()\"/>", "a script in `onclick`"),
            ("<use href=\"http://x/y.svg#a\"/>", "from outside of the page"),
            ("<g filter=\"url(http://x/f)\"/>", "from outside of the page"),
            ("<image href=\"data:image/png;base64,iVBORw0KGgo=\"/>", "an <image>"),
            ("<use href=\"#gone\"/>", "refers to `#gone`"),
            ("<g></p>", "closes nothing"),
            ("<g>", "closes nothing"),
        ] {
            let error = drawing(body).unwrap_err();
            assert!(error.contains(expected), "{body}: {error}");
        }
        for (svg, expected) in [
            ("<p></p>", "begins with <p>"),
            ("<svg></svg>", "no viewBox of four numbers"),
            ("<svg viewBox=\"0 0 1\"></svg>", "no viewBox of four numbers"),
            ("<svg viewBox=\"0 0 1 1\">", "no end"),
            ("", "no end"),
            ("<svg viewBox=\"0 0 1 1\"></svg>text", "outside of <svg>"),
        ] {
            let error = inline(svg, Origin::Drawing, "a", "b").unwrap_err();
            assert!(error.contains(expected), "{svg}: {error}");
        }
        for bad in [
            "href=\"http://x/a.png\"",
            "href=\"data:image/svg+xml;base64,iVBORw0KGgo=\"",
            "href=\"data:image/png;base64,PHN2Zz4=\"",
            "href=\"data:image/png;base64,iVBORw0KGgo=&quot;&lt;\"",
            "xlink:href=\"http://x/a.png\" href=\"data:image/png;base64,iVBORw0KGgo=\"",
            "",
        ] {
            let error = plot(&format!("<image {bad}/>")).unwrap_err();
            assert!(error.contains("has its picture within it"), "{bad}: {error}");
        }
        assert!(plot("<path fill=\"#123456\"/>").unwrap_err().contains("not in the palette"));
    }
}
