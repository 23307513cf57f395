//! TeX to MathML, which a screen reader speaks and a browser does not show.
//!
//! The drawing of a formula is paths, of which nothing can be said. Beside it stands the formula's
//! structure, without what only its appearance needs.

use html::{Element, Node};
use math_core::{LatexToMathML, MathDisplay};

/// Attributes that only change how MathML looks.
const APPEARANCE: &str = "class columnspacing displaystyle lspace maxsize minsize rowspacing rspace \
    scriptlevel stretchy style symmetric";

/// The `<math>` element of a formula, of the class `spoken`.
pub(crate) fn mathml(tex: &str) -> Result<String, String> {
    let converter = LatexToMathML::new(Default::default())
        .map_err(|(error, ..)| format!("the converter to MathML cannot start: {error:?}"))?;
    // A small matrix is a matrix to all who do not see it.
    let tex = tex.replace("{smallmatrix}", "{matrix}");
    let converted = converter
        .convert_with_local_state(&tex, MathDisplay::Inline)
        .map_err(|error| format!("the formula `{tex}` has no MathML: {error:?}"))?;
    let mut math = Element::read(&converted.mathml)
        .map_err(|error| format!("the MathML of the formula `{tex}`: {error}"))?;
    strip(&mut math);
    math.set("class", "spoken");
    let mut out = String::with_capacity(converted.mathml.len());
    math.write(&mut out);
    Ok(out)
}

/// Takes away what is only seen: attributes of the appearance, and space.
fn strip(element: &mut Element) {
    element.attributes.retain(|(name, _)| !APPEARANCE.split(' ').any(|looks| looks == name));
    element.children.retain(|child| !matches!(child, Node::Element(e) if e.name == "mspace"));
    for child in &mut element.children {
        if let Node::Element(child) = child {
            strip(child);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_formula_keeps_its_structure_and_loses_its_appearance() {
        assert_eq!(
            mathml(r"\frac{\partial L}{\partial W_{ij}} < \bigl( 1 \;\times\; 2 \bigr)").unwrap(),
            "<math class=\"spoken\"><mfrac><mrow><mi>∂</mi><mi>L</mi></mrow><mrow><mi>∂</mi><msub>\
             <mi>W</mi><mrow><mi>i</mi><mi>j</mi></mrow></msub></mrow></mfrac><mo>&lt;</mo><mo>(</mo>\
             <mn>1</mn><mo>×</mo><mn>2</mn><mo>)</mo></math>"
        );
    }

    #[test]
    fn a_small_matrix_is_a_matrix_and_letters_are_what_they_mean() {
        let matrix = mathml(r"\begin{smallmatrix} 1 & 2 \\ 3 & 4 \end{smallmatrix}").unwrap();
        assert_eq!(matrix.matches("<mtr>").count(), 2);
        assert_eq!(matrix.matches("<mtd>").count(), 4);
        assert!(mathml(r"\mathbb{R}").unwrap().contains("<mi>ℝ</mi>"));
        assert!(mathml(r"x \text{ or } y").unwrap().contains("<mtext>\u{a0}or\u{a0}</mtext>"));
        for tex in [r"\frac{a", r"\nosuchcommand x", r"\begin{nosuch} a \end{nosuch}"] {
            let error = mathml(tex).unwrap_err();
            assert!(error.contains("has no MathML"), "{tex}: {error}");
        }
    }
}
