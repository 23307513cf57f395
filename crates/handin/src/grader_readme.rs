//! The README of the archive: who handed it in, and how to run it.

use std::fmt::Write as _;

use frontmatter::FrontMatter;

const BEGIN: &str = "<!-- Written by `cargo xtask package`: begin -->\n";
const END: &str = "<!-- Written by `cargo xtask package`: end -->\n";

/// The README of the archive: for the grader, followed by that of the project.
pub(crate) fn readme(front: &FrontMatter, project: &str, is_starter: bool) -> String {
    let project = without_head(project);
    let shown = |value: &str, name: &str| match value.trim() {
        "" => format!("**MISSING: `{name}` in book/report.toml is empty**"),
        value => escaped(value),
    };
    let title = shown(&front.title, "title");
    let mut out = format!("{BEGIN}# {title}: the code\n\n");
    let _ = writeln!(out, "- Author: {}", shown(&front.author, "author"));
    let _ = writeln!(out, "- Student ID: {}", shown(&front.student_id, "student_id"));
    let collaborators = match (&front.collaborators[..], front.worked_alone) {
        ([], true) => "nobody".to_owned(),
        ([], false) => shown("", "collaborators"),
        (all, _) => all
            .iter()
            .map(|c| format!("{} ({})", shown(&c.name, "name"), shown(&c.student_id, "student_id")))
            .collect::<Vec<_>>()
            .join(", "),
    };
    let _ = writeln!(out, "- Worked with: {collaborators}");
    out.push_str(if is_starter { REPRODUCE_STARTER } else { REPRODUCE });
    out + END + project
}

const REPRODUCE: &str = "
## How to reproduce

Needed: Rust, as `rustup` installs it (`rust-toolchain.toml` names the version), and a C compiler.
All commands run in this folder.

| command | what it does |
|---|---|
| `cargo xtask test` | every test, under the course's names, with a count |
| `cargo xtask gradcheck` | the gradient check of each layer |
| `cargo run -p einsum` | question 6.1 |
| `cargo run -p ffnn -- sweep` | question 5: the grid of trainings on Iris |
| `cargo run -p kaggle -- mlp` | question 7.1: training on Fashion-MNIST |
| `cargo run -p kaggle -- train` | question 7.2: training on CIFAR-10 |
| `cargo run -p kaggle` | question 7.2: the predictions, as `submission.csv` |
| `cargo xtask report` | the write-up, after `cargo xtask test` |

## What is left out

| left out | how to get it |
|---|---|
| trained weights, `crates/kaggle/weights/*.safetensors` | `cargo run -p kaggle -- train` trains them again |
| learned parameters of recorded runs, `book/records/**/parameters.npz` | `cargo run -p ffnn -- sweep` learns them again |
| build products and training runs, `target/` and `experiments/` | the commands above write them |
| predictions, `submission.csv` and `sample_submission.csv` | `cargo run -p kaggle` writes `submission.csv` |
| the data sets Fashion-MNIST and CIFAR-10 | `cargo xtask data` finds or fetches them, and checks every file |
| the test data of the course | `cargo xtask test --course-data DIR` reads it; without it the tests use `fixtures/`, which is generated |

What follows is the README of the project.

---

";

const REPRODUCE_STARTER: &str = "
## How to reproduce

Needed: Rust, as `rustup` installs it (`rust-toolchain.toml` names the version), and a C compiler.
All commands run in this folder.

| command | what it does |
|---|---|
| `cargo run -p einsum` | question 6.1 |
| `cargo run -p ffnn -- sweep` | question 5: the grid of trainings on Iris |
| `cargo xtask test` | the 25 tests of the course; what came with the assignment to verify it, `verification.zip` or `tools` and \
`fixtures`, has to lie in this folder |

Left out are what came with the assignment to verify it, build products, and the records of trainings in `experiments`, which
the commands above write. What follows is the README of the assignment.

---

";

/// A value as Markdown shows it.
fn escaped(value: &str) -> String {
    let mut out = String::new();
    for c in value.chars() {
        match c {
            '\n' | '\r' => out.push(' '),
            c if "\\`*_{}[]<>#|~&".contains(c) => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out
}

/// The README of the project, where it has the head of an earlier archive already.
fn without_head(readme: &str) -> &str {
    let head = readme.strip_prefix(BEGIN).and_then(|rest| rest.split_once(END));
    head.map_or(readme, |(_, project)| project)
}

#[cfg(test)]
mod tests {
    use super::*;
    use frontmatter::Collaborator;

    #[test]
    fn names_are_shown_as_they_are_written_and_what_is_missing_is_visible() {
        let text = readme(&FrontMatter::default(), "# Project\n", false);
        for name in ["title", "author", "student_id", "collaborators"] {
            let missing = format!("MISSING: `{name}` in book/report.toml");
            assert!(text.contains(&missing), "{missing} in {text}");
        }
        assert!(text.ends_with("end -->\n# Project\n"));
        let front = FrontMatter {
            title: "Homework 6: Networks".into(),
            author: "Ada *L* O'Hara".into(),
            student_id: "30_12".into(),
            collaborators: vec![Collaborator { name: "B".into(), student_id: "7".into() }],
            ..FrontMatter::default()
        };
        let text = readme(&front, "", false);
        assert!(text.contains("# Homework 6: Networks: the code\n"), "{text}");
        assert!(text.contains("- Author: Ada \\*L\\* O'Hara\n- Student ID: 30\\_12\n"), "{text}");
        assert!(text.contains("- Worked with: B (7)\n") && !text.contains("MISSING"), "{text}");
    }
}
