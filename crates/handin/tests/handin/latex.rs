//! The LaTeX of the submission inside of documents that know nothing of it, where LaTeX is installed.

use std::process::{Command, Stdio};

use handin::{Entry, GatheredEntry, Listing, gather, latex};
use system::println;

use crate::root;

/// Documents that read the submission: plain; in two columns, within a list, with the encoding and
/// the active signs that packages and languages bring.
const DOCUMENTS: [&str; 2] = [
    "\\documentclass{article}\n\\begin{document}\n\\input{submission}\n\\end{document}\n",
    "\\documentclass[twocolumn]{report}\n\\usepackage[T1]{fontenc}\n\\begin{document}\n\
     \\begin{enumerate}\\item Text.\n\
     \\catcode`\\_=\\active \\def_{no}\\catcode`\\^=\\active \\def^{no}\n\
     \\catcode`\\<=\\active \\def<{no}\\catcode`\\\"=\\active \\def\"{no}\n\
     \\catcode`\\==\\active \\input{submission}\n\\end{enumerate}\n\\end{document}\n",
];

/// The program's messages on this document, which reads this submission; `None`, and a line that says so, where
/// there is no such program.
fn compile(program: &str, document: &str, submission: &str) -> Option<String> {
    let folder =
        system::for_tests::folder(&[("document.tex", document), ("submission.tex", submission)]);
    let mut command = Command::new(program);
    command.args(["-interaction=nonstopmode", "-halt-on-error", "document.tex"]);
    let Ok(output) = command.current_dir(folder.path()).stdin(Stdio::null()).output() else {
        println!("skipped: there is no {program} on this machine");
        return None;
    };
    let log = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && folder.path().join("document.pdf").exists(), "{log}");
    Some(log)
}

/// Every character that comments may use, and every sign of ASCII.
#[test]
fn every_known_character_can_be_set() {
    let known = "αβγδεζηθκλμνξπρστφχψωΓΔΘΛΠΣΦΨΩŶŷỸ∂∇∫√∞½±−×÷·⋅⋆⊙⊗∘°≤≥≠≈≡∝∈∉∀∃∪∩→←↔⇒↦‖⟨⟩⌊⌋⌈⌉…–—‘’“”′\
                 ⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁱʲⁿᵖᵀᶻ₀₁₂₃₄₊₋ᵢⱼₖₘₙᵣₜₓ x̂σ̃";
    let signs: String = (' '..='~').collect();
    let listing =
        Listing { file: "a.rs", lines: vec![(1, 2)], code: format!("// {known}\n// {signs}\n") };
    const ENTRY: Entry = Entry { section: "A:", name: "a", items: &[], files: &[] };
    let entry = GatheredEntry { entry: &ENTRY, listings: vec![listing] };
    if let Some(log) = compile("pdflatex", DOCUMENTS[0], &latex(&[entry], 1).unwrap()) {
        assert!(!log.contains("Missing character"), "{log}");
    }
}

/// A document that every complete installation sets without a warning.
const PLAIN: &str = "\\documentclass{article}\n\\begin{document}\nA word.\n\\end{document}\n";

#[test]
fn any_document_can_read_the_submission() {
    let submission = gather(&root()).unwrap();
    for (program, level, document) in [
        ("pdflatex", 1, DOCUMENTS[0]),
        ("pdflatex", 2, DOCUMENTS[1]),
        ("lualatex", 3, DOCUMENTS[0]),
    ] {
        let Some(log) = compile(program, PLAIN, "") else { continue };
        if log.contains("Font Warning") {
            println!("skipped: {program} lacks its own fonts on this machine");
            continue;
        }
        let log = compile(program, document, &latex(&submission, level).unwrap()).unwrap();
        // Nothing runs off the page, and no sign is missing in the font.
        for problem in ["Overfull \\hbox", "Missing character", "Font Warning"] {
            assert!(!log.contains(problem), "{program}, level {level}: {log}");
        }
    }
}
