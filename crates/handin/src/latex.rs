//! The submission as LaTeX that any document can `\input`.
//!
//! The document's packages and language are not known, and nothing can be added to its preamble. So
//! the code is neither verbatim, which breaks inside of other commands, nor in the document's own
//! typewriter font, which may lack a straight quote: each sign that is not a letter or digit is set
//! by its number in the font `cmtt`, which every LaTeX has. A line that is too long is broken,
//! preferably at a space, and continued with an indent.

use std::fmt::Write as _;

use anyhow::{Context, Result};

use crate::markdown::lines;
use crate::submission::{GatheredEntry, Listing};

/// The submission as LaTeX; the sections are `\section`, `\subsection` or `\subsubsection`.
///
/// # Errors
/// If a character has no LaTeX here.
pub fn latex(submission: &[GatheredEntry], level: usize) -> Result<String> {
    let command = format!("\\{}section", "sub".repeat(level.saturating_sub(1)));
    let mut out = PREAMBLE.to_owned();
    let mut section = "";
    for GatheredEntry { entry, listings } in submission {
        if entry.section != section {
            section = entry.section;
            let _ = writeln!(out, "\n{command}{{{section}}}");
        }
        let name = typewriter(entry.name, "the name of an entry")?;
        let _ = writeln!(out, "\n\\handinEntry{{Implementation of \\handinName{{{name}}}:}}");
        for listing in listings {
            write_listing(&mut out, listing)?;
        }
    }
    Ok(out)
}

/// The commands that the rest of the file uses. Their names are those of no package.
const PREAMBLE: &str = r"% Written by `cargo xtask submission --format latex`. \input it where the code is to stand, anywhere
% in the body of a document. It needs no package, and no sign
% in it means anything special in a language, as the equals sign does in Turkish.
\def\handinFont{\footnotesize\fontencoding{OT1}\fontfamily{cmtt}\fontseries{m}\fontshape{n}\selectfont
  \spaceskip\fontdimen2\font\relax\xspaceskip\spaceskip}
\def\handinName#1{{\handinFont#1}}
\def\handinParagraph#1{\par\begingroup\parindent 0pt\rightskip 0pt plus 1fil\relax
  \noindent#1\par\endgroup}
\def\handinEntry#1{\par\addvspace{\medskipamount}\handinParagraph{#1}\nobreak}
\def\handinBegin{\par\begingroup\handinFont\parindent 0pt\parskip 0pt plus 0.2pt\relax
  \rightskip 0pt plus 1fil\relax\parfillskip 0pt plus 1fil\relax
  \tolerance 9999\hbadness 10000\clubpenalty 150\widowpenalty 150\relax}
\def\handinEnd{\par\endgroup\smallskip}
% A line of code: how far it is indented, and what is in it. Where it is broken, it goes on four
% characters further to the right.
\def\handinLine#1#2{\par\leftskip#1\fontdimen2\font\advance\leftskip by4\fontdimen2\font
  \noindent\kern-4\fontdimen2\font#2\par}
\def\handinBlank{\par\penalty-50\vskip0.5\baselineskip}
% A character by its number; the second may be followed by a line break, the third is one.
\def\handinC#1{\char#1\relax}
\def\handinP#1{\char#1\relax\penalty50\relax}
\def\handinB{\penalty500\relax}
% The quotes and dashes of the roman font.
\def\handinR#1{\hbox{\fontfamily{cmr}\selectfont\char#1\relax}}
";

fn write_listing(out: &mut String, listing: &Listing) -> Result<()> {
    let file = typewriter(listing.file, listing.file)?;
    let lines = lines(listing).replace('-', "--");
    let _ =
        writeln!(out, "\\handinParagraph{{\\handinName{{{file}}}, {lines}:}}\\nobreak\\smallskip");
    out.push_str("\\handinBegin\n");
    for line in listing.code.lines() {
        let line = line.trim_end();
        let code = line.trim_start_matches(' ');
        if code.is_empty() {
            out.push_str("\\handinBlank\n");
            continue;
        }
        let indent = line.len() - code.len();
        let code = typewriter(code, listing.file)?;
        let _ = writeln!(out, "\\handinLine{{{indent}}}{{{code}}}");
    }
    out.push_str("\\handinEnd\n");
    Ok(())
}

/// After so many letters and digits without a break, one is allowed.
const LONG_WORD: usize = 24;

/// The LaTeX of a line in the typewriter font.
fn typewriter(line: &str, file: &str) -> Result<String> {
    let mut out = String::new();
    let mut word = 0;
    let mut characters = line.chars().peekable();
    while let Some(c) = characters.next() {
        word = if c.is_ascii_alphanumeric() { word + 1 } else { 0 };
        if let Some(accent) = characters.peek().and_then(|&next| accented(c, next)) {
            out.push_str(&accent);
            characters.next();
            continue;
        }
        match c {
            ' ' => out.push_str("\\ "),
            c if c.is_ascii_alphanumeric() => {
                out.push(c);
                if word % LONG_WORD == 0 {
                    out.push_str("\\handinB{}");
                }
            }
            c if c.is_ascii_graphic() => {
                let next_is_sign = characters.peek().is_some_and(char::is_ascii_punctuation);
                // Operators of two signs stay together.
                let command = if next_is_sign { 'C' } else { 'P' };
                let _ = write!(out, "\\handin{command}{{{}}}", place_in_font(c));
            }
            c => {
                let math = math(c).with_context(|| {
                    format!(
                        "{file}: the character {c:?} (U+{:04X}) in the line {line:?} has no LaTeX; add it to \
                         crates/handin/src/latex.rs, or write the line without it",
                        u32::from(c)
                    )
                })?;
                let _ = write!(out, "\\ensuremath{{{math}}}");
            }
        }
    }
    Ok(out)
}

/// The number of a sign in the font: that of ASCII, but for the straight quotes.
fn place_in_font(sign: char) -> u32 {
    match sign {
        '\'' => 13,
        '`' => 18,
        sign => u32::from(sign),
    }
}

/// Characters beyond ASCII that comments use, each before its mathematics, which every LaTeX has.
/// `\handinR` is a sign of the roman font, by its number.
const MATHEMATICS: &str = r"
    α\alpha β\beta γ\gamma δ\delta ε\varepsilon ζ\zeta η\eta θ\theta κ\kappa λ\lambda μ\mu ν\nu
    ξ\xi π\pi ρ\rho σ\sigma τ\tau φ\varphi χ\chi ψ\psi ω\omega Γ\Gamma Δ\Delta Θ\Theta Λ\Lambda
    Π\Pi Σ\Sigma Φ\Phi Ψ\Psi Ω\Omega Ŷ\hat{Y} ŷ\hat{y} Ỹ\tilde{Y} ∂\partial ∇\nabla ∫\int √\surd
    ∞\infty ½\frac{1}{2} ±\pm −- ×\times ÷\div ·\cdot ⋅\cdot ⋆\star ⊙\odot ⊗\otimes ∘\circ
    °{}\sp{\circ} ≤\leq ≥\geq ≠\neq ≈\approx ≡\equiv ∝\propto ∈\in ∉\notin ∀\forall ∃\exists ∪\cup
    ∩\cap →\rightarrow ←\leftarrow ↔\leftrightarrow ⇒\Rightarrow ↦\mapsto ‖\Vert ⟨\langle ⟩\rangle
    ⌊\lfloor ⌋\rfloor ⌈\lceil ⌉\rceil …\ldots –\handinR{123} —\handinR{124} ‘\handinR{96}
    ’\handinR{39} “\handinR{92} ”\handinR{34} ′{}\sp{\prime}
";

/// Raised and lowered characters, and what is raised or lowered, by `\sp` and `\sb`: the kernel's names of
/// `^` and `_`, which a document may have redefined.
const SCRIPTS: [(&str, &str, &str); 2] = [
    ("sp", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁱʲⁿᵖᵀᶻ", "0123456789+-ijnpTz"),
    ("sb", "₀₁₂₃₄₊₋ᵢⱼₖₘₙᵣₜₓ", "01234+-ijkmnrtx"),
];

/// The LaTeX of a character in mathematics; `None` if it is not known.
fn math(character: char) -> Option<String> {
    let script = SCRIPTS.iter().find_map(|(command, scripts, plain)| {
        let (_, plain) =
            scripts.chars().zip(plain.chars()).find(|(script, _)| *script == character)?;
        Some(format!("{{}}\\{command}{{{plain}}}"))
    });
    script.or_else(|| {
        MATHEMATICS
            .split_whitespace()
            .find_map(|known| Some(known.strip_prefix(character)?.to_owned()))
    })
}

/// The LaTeX of a letter and the combining accent that follows it.
fn accented(letter: char, accent: char) -> Option<String> {
    let command = match accent {
        '\u{302}' => "hat",
        '\u{303}' => "tilde",
        '\u{304}' => "bar",
        _ => return None,
    };
    let letter = if letter.is_ascii_alphanumeric() { letter.to_string() } else { math(letter)? };
    Some(format!("\\ensuremath{{\\{command}{{{letter}}}}}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entries::Entry;

    const ENTRY: Entry = Entry { section: "A:", name: "a._b", items: &[], files: &[] };

    fn submission(code: &str) -> [GatheredEntry; 1] {
        let listing = Listing { file: "a_b.rs", lines: vec![(3, 5)], code: code.to_owned() };
        [GatheredEntry { entry: &ENTRY, listings: vec![listing] }]
    }

    #[test]
    fn headings_follow_the_level_and_indentation_is_in_columns() {
        for (level, heading) in [(1, "section"), (2, "subsection"), (3, "subsubsection")] {
            let text = latex(&submission("  a\n\n    b\n"), level).unwrap();
            assert!(text.contains(&format!("\n\\{heading}{{A:}}\n")), "{text}");
            let listing = "\\handinLine{2}{a}\n\\handinBlank\n\\handinLine{4}{b}\n";
            assert!(text.ends_with(&format!("\\handinBegin\n{listing}\\handinEnd\n")), "{text}");
        }
    }

    #[test]
    fn only_letters_digits_and_commands_stand_in_the_code() {
        let signs: String = (' '..='~').collect();
        let text = typewriter(&signs, "a.rs").unwrap();
        assert!(text.chars().all(|c| c.is_ascii_alphanumeric() || "\\{} ".contains(c)), "{text}");
        for (code, expected) in [
            ("\"'{", "\\handinC{34}\\handinC{13}\\handinP{123}"),
            ("a `b`", "a\\ \\handinP{18}b\\handinP{18}"),
            // Operators stay whole, and long words can break.
            ("->x", "\\handinC{45}\\handinP{62}x"),
            (&"a".repeat(25), "aaaaaaaaaaaaaaaaaaaaaaaa\\handinB{}a"),
            ("∂ᵢ²", "\\ensuremath{\\partial}\\ensuremath{{}\\sb{i}}\\ensuremath{{}\\sp{2}}"),
            ("X\u{302}σ\u{303}", "\\ensuremath{\\hat{X}}\\ensuremath{\\tilde{\\sigma}}"),
        ] {
            assert_eq!(typewriter(code, "a.rs").unwrap(), expected, "{code}");
        }
    }

    #[test]
    fn a_character_is_listed_once_and_others_are_refused() {
        let listed = MATHEMATICS.split_whitespace().filter_map(|known| known.chars().next());
        let scripts = SCRIPTS.iter().flat_map(|(_, scripts, plain)| {
            assert_eq!(scripts.chars().count(), plain.len());
            scripts.chars()
        });
        let mut known: Vec<_> = listed.chain(scripts).collect();
        known.sort_unstable();
        assert!(known.iter().all(|c| !c.is_ascii()) && known.windows(2).all(|w| w[0] != w[1]));
        let error = latex(&submission("// \u{6c49}\n"), 1).unwrap_err().to_string();
        assert!(error.contains("a_b.rs: the character '\u{6c49}' (U+6C49)"), "{error}");
        for code in ["\u{7}", "\u{6c49}\u{302}"] {
            assert!(latex(&submission(code), 1).is_err());
        }
    }
}
