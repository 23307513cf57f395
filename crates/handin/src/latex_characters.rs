//! The characters beyond ASCII that comments use, in mathematics that every LaTeX has.

/// The LaTeX of a character in mathematics; `None` if it is not known.
pub(crate) fn math(character: char) -> Option<&'static str> {
    CHARACTERS.iter().find(|(known, _)| *known == character).map(|(_, latex)| *latex)
}

/// The LaTeX of a letter and the combining accent that follows it.
pub(crate) fn accented(letter: char, accent: char) -> Option<String> {
    let command = match accent {
        '\u{302}' => "hat",
        '\u{303}' => "tilde",
        '\u{304}' => "bar",
        _ => return None,
    };
    let letter = match letter {
        letter if letter.is_ascii_alphanumeric() => letter.to_string(),
        letter => math(letter)?.to_owned(),
    };
    Some(format!("\\ensuremath{{\\{command}{{{letter}}}}}"))
}

/// `\sp` and `\sb` are the kernel's names of `^` and `_`, which a document may have redefined;
/// `\handinR` is a sign of the roman font, by its number.
const CHARACTERS: [(char, &str); 115] = [
    ('α', "\\alpha"),
    ('β', "\\beta"),
    ('γ', "\\gamma"),
    ('δ', "\\delta"),
    ('ε', "\\varepsilon"),
    ('ζ', "\\zeta"),
    ('η', "\\eta"),
    ('θ', "\\theta"),
    ('κ', "\\kappa"),
    ('λ', "\\lambda"),
    ('μ', "\\mu"),
    ('ν', "\\nu"),
    ('ξ', "\\xi"),
    ('π', "\\pi"),
    ('ρ', "\\rho"),
    ('σ', "\\sigma"),
    ('τ', "\\tau"),
    ('φ', "\\varphi"),
    ('χ', "\\chi"),
    ('ψ', "\\psi"),
    ('ω', "\\omega"),
    ('Γ', "\\Gamma"),
    ('Δ', "\\Delta"),
    ('Θ', "\\Theta"),
    ('Λ', "\\Lambda"),
    ('Π', "\\Pi"),
    ('Σ', "\\Sigma"),
    ('Φ', "\\Phi"),
    ('Ψ', "\\Psi"),
    ('Ω', "\\Omega"),
    ('Ŷ', "\\hat{Y}"),
    ('ŷ', "\\hat{y}"),
    ('Ỹ', "\\tilde{Y}"),
    ('∂', "\\partial"),
    ('∇', "\\nabla"),
    ('∫', "\\int"),
    ('√', "\\surd"),
    ('∞', "\\infty"),
    ('½', "\\frac{1}{2}"),
    ('±', "\\pm"),
    ('−', "-"),
    ('×', "\\times"),
    ('÷', "\\div"),
    ('·', "\\cdot"),
    ('⋅', "\\cdot"),
    ('⋆', "\\star"),
    ('⊙', "\\odot"),
    ('⊗', "\\otimes"),
    ('∘', "\\circ"),
    ('°', "{}\\sp{\\circ}"),
    ('≤', "\\leq"),
    ('≥', "\\geq"),
    ('≠', "\\neq"),
    ('≈', "\\approx"),
    ('≡', "\\equiv"),
    ('∝', "\\propto"),
    ('∈', "\\in"),
    ('∉', "\\notin"),
    ('∀', "\\forall"),
    ('∃', "\\exists"),
    ('∪', "\\cup"),
    ('∩', "\\cap"),
    ('→', "\\rightarrow"),
    ('←', "\\leftarrow"),
    ('↔', "\\leftrightarrow"),
    ('⇒', "\\Rightarrow"),
    ('↦', "\\mapsto"),
    ('‖', "\\Vert"),
    ('⟨', "\\langle"),
    ('⟩', "\\rangle"),
    ('⌊', "\\lfloor"),
    ('⌋', "\\rfloor"),
    ('⌈', "\\lceil"),
    ('⌉', "\\rceil"),
    ('…', "\\ldots"),
    ('–', "\\handinR{123}"),
    ('—', "\\handinR{124}"),
    ('‘', "\\handinR{96}"),
    ('’', "\\handinR{39}"),
    ('“', "\\handinR{92}"),
    ('”', "\\handinR{34}"),
    ('′', "{}\\sp{\\prime}"),
    ('⁰', "{}\\sp{0}"),
    ('¹', "{}\\sp{1}"),
    ('²', "{}\\sp{2}"),
    ('³', "{}\\sp{3}"),
    ('⁴', "{}\\sp{4}"),
    ('⁵', "{}\\sp{5}"),
    ('⁶', "{}\\sp{6}"),
    ('⁷', "{}\\sp{7}"),
    ('⁸', "{}\\sp{8}"),
    ('⁹', "{}\\sp{9}"),
    ('⁺', "{}\\sp{+}"),
    ('⁻', "{}\\sp{-}"),
    ('ⁱ', "{}\\sp{i}"),
    ('ʲ', "{}\\sp{j}"),
    ('ⁿ', "{}\\sp{n}"),
    ('ᵖ', "{}\\sp{p}"),
    ('ᵀ', "{}\\sp{T}"),
    ('ᶻ', "{}\\sp{z}"),
    ('₀', "{}\\sb{0}"),
    ('₁', "{}\\sb{1}"),
    ('₂', "{}\\sb{2}"),
    ('₃', "{}\\sb{3}"),
    ('₄', "{}\\sb{4}"),
    ('₊', "{}\\sb{+}"),
    ('₋', "{}\\sb{-}"),
    ('ᵢ', "{}\\sb{i}"),
    ('ⱼ', "{}\\sb{j}"),
    ('ₖ', "{}\\sb{k}"),
    ('ₘ', "{}\\sb{m}"),
    ('ₙ', "{}\\sb{n}"),
    ('ᵣ', "{}\\sb{r}"),
    ('ₜ', "{}\\sb{t}"),
    ('ₓ', "{}\\sb{x}"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_is_listed_once_and_its_braces_match() {
        for (index, (character, latex)) in CHARACTERS.iter().enumerate() {
            assert!(
                !CHARACTERS[..index].iter().any(|(other, _)| other == character),
                "{character}"
            );
            assert!(!character.is_ascii(), "{character}");
            assert_eq!(latex.matches('{').count(), latex.matches('}').count(), "{character}");
        }
    }

    #[test]
    fn accents_go_over_letters_that_are_known() {
        assert_eq!(accented('x', '\u{302}').as_deref(), Some("\\ensuremath{\\hat{x}}"));
        assert_eq!(accented('σ', '\u{303}').as_deref(), Some("\\ensuremath{\\tilde{\\sigma}}"));
        assert_eq!(accented('\u{6c49}', '\u{302}'), None);
        assert_eq!(accented('x', 'y'), None);
    }
}
