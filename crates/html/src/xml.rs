//! SVG and MathML as trees, which keep the case of names (`viewBox`).

use markup5ever_rcdom::{Handle, NodeData, RcDom};
use xml5ever::driver::parse_document;
use xml5ever::tendril::TendrilSink;

/// An element.
#[derive(Clone, Debug, PartialEq)]
pub struct Element {
    /// Its name.
    pub name: String,
    /// Its attributes, in order.
    pub attributes: Vec<(String, String)>,
    /// Its content.
    pub children: Vec<Node>,
}

/// A part of the content of an element.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// An element.
    Element(Element),
    /// Text.
    Text(String),
}

impl Element {
    /// Reads an XML document; comments and the like are left out.
    pub fn read(text: &str) -> Result<Self, String> {
        let dom = parse_document(RcDom::default(), Default::default()).one(text);
        if let Some(error) = dom.errors.borrow().first() {
            return Err(format!("it is not well-formed: {error}"));
        }
        let mut root = None;
        for node in dom.document.children.borrow().iter() {
            match (nodes(node), &root) {
                (Some(Node::Element(element)), None) => root = Some(element),
                (Some(Node::Text(text)), _) if text.trim().is_empty() => {}
                (None, _) => {}
                _ => return Err("it is not one element".to_owned()),
            }
        }
        root.ok_or_else(|| "it has no element".to_owned())
    }

    /// The value of an attribute.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Sets an attribute, where it stands or at the end.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        match self.attributes.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => *old = value.into(),
            None => self.attributes.push((name.to_owned(), value.into())),
        }
    }

    /// Writes the element.
    pub fn write(&self, out: &mut String) {
        *out += &format!("<{}", self.name);
        for (name, value) in &self.attributes {
            *out += &format!(" {name}=\"{}\"", escape(value));
        }
        if self.children.is_empty() {
            *out += "/>";
            return;
        }
        *out += ">";
        for child in &self.children {
            match child {
                Node::Element(element) => element.write(out),
                Node::Text(text) => *out += &escape(text),
            }
        }
        *out += &format!("</{}>", self.name);
    }
}

fn nodes(node: &Handle) -> Option<Node> {
    match &node.data {
        NodeData::Element { name, attrs, .. } => {
            let attributes = attrs.borrow();
            let attributes =
                attributes.iter().map(|a| (a.name.local.to_string(), a.value.to_string()));
            Some(Node::Element(Element {
                name: name.local.to_string(),
                attributes: attributes.collect(),
                children: node.children.borrow().iter().filter_map(nodes).collect(),
            }))
        }
        NodeData::Text { contents } => Some(Node::Text(contents.borrow().to_string())),
        _ => None,
    }
}

/// `text` with entities for the characters that text and attribute values cannot hold.
pub fn escape(text: &str) -> String {
    [("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\"", "&quot;")]
        .iter()
        .fold(text.to_owned(), |text, (character, entity)| text.replace(character, entity))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_well_formed_is_written_as_it_was_read() {
        let text = "<?xml version=\"1.0\"?><!-- a <b> --><svg viewBox=\"&amp; > y\"><g a='1'/>1 &lt; 2</svg>\n";
        let mut written = String::new();
        Element::read(text).unwrap().write(&mut written);
        assert_eq!(written, "<svg viewBox=\"&amp; &gt; y\"><g a=\"1\"/>1 &lt; 2</svg>");
        for text in ["", "text", "<g></p>", "<g/>text", "<g/><g/>"] {
            assert!(Element::read(text).is_err(), "{text}: {:?}", Element::read(text));
        }
    }
}
