//! The LaTeX of the submission inside of documents that know nothing of it, where LaTeX is installed.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use handin::{GatheredEntry, GatheredSection, Listing, Submission, latex};
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

/// The program's messages on a document; `None` where there is no such program.
fn compile(program: &str, folder: &Path) -> Option<String> {
    let mut command = Command::new(program);
    command.args(["-interaction=nonstopmode", "-halt-on-error", "document.tex"]);
    let output = command.current_dir(folder).stdin(Stdio::null()).output().ok()?;
    let log = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{program}: {log}");
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
    let entry = GatheredEntry { name: "a", listings: vec![listing], builds_on: vec!["b"] };
    let section = GatheredSection { title: "A:", entries: vec![entry] };
    let submission = Submission { sections: vec![section] };
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("document.tex"), DOCUMENTS[0]).unwrap();
    let text = latex(&submission, 1).unwrap();
    fs::write(folder.path().join("submission.tex"), text).unwrap();
    match compile("pdflatex", folder.path()) {
        Some(log) => assert!(!log.contains("Missing character"), "{log}"),
        None => println!("skipped: there is no pdflatex on this machine"),
    }
}

/// A document that every complete installation sets without a warning.
const PLAIN: &str = "\\documentclass{article}\n\\begin{document}\nA word.\n\\end{document}\n";

#[test]
fn any_document_can_read_the_submission() {
    let submission = Submission::gather(&root()).unwrap();
    let mut compiled = 0;
    for (program, level, document) in [
        ("pdflatex", 1, DOCUMENTS[0]),
        ("pdflatex", 2, DOCUMENTS[1]),
        ("lualatex", 3, DOCUMENTS[0]),
    ] {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("document.tex"), PLAIN).unwrap();
        if compile(program, folder.path()).is_some_and(|log| log.contains("Font Warning")) {
            println!("skipped: {program} lacks its own fonts on this machine");
            continue;
        }
        fs::write(folder.path().join("document.tex"), document).unwrap();
        let text = latex(&submission, level).unwrap();
        fs::write(folder.path().join("submission.tex"), text).unwrap();
        let Some(log) = compile(program, folder.path()) else {
            println!("skipped: there is no {program} on this machine");
            continue;
        };
        // Nothing runs off the page, and no sign is missing in the font.
        for problem in ["Overfull \\hbox", "Missing character", "Font Warning"] {
            assert!(!log.contains(problem), "{program}, level {level}: {log}");
        }
        assert!(folder.path().join("document.pdf").exists());
        compiled += 1;
    }
    println!("{compiled} documents compiled");
}
