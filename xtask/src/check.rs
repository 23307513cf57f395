//! `cargo xtask check`: the one list of checks.

mod features;
mod licences;
mod packages;
mod text;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use system::println;

use crate::manifest::Manifest;
use crate::workspace::{self, SourceFile};
use crate::{command, verdict};
use packages::Metadata;

/// Check format, lints, documentation and the rules of the workspace
///
/// Every problem is printed with its file and line, what is expected and what to do. All checks
/// run, also after one that failed.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Print the checks and what each of them is about
    #[arg(long)]
    list: bool,

    /// Run these checks only
    #[arg(value_name = "CHECK", value_parser = CHECKS.map(|check| check.name))]
    only: Vec<String>,
}

/// The workspace, as the rules look at it.
struct Workspace {
    root: PathBuf,
    files: Vec<SourceFile>,
    metadata: Metadata,
}

enum Kind {
    /// A rule of the workspace: the problems that were found.
    Rule(fn(&Workspace) -> Result<Vec<String>>),
    /// A cargo command: its subcommand and arguments, and a variable to set.
    Cargo(&'static [&'static str], Option<(&'static str, &'static str)>),
}

struct Check {
    name: &'static str,
    about: &'static str,
    kind: Kind,
}

/// All checks, the fast ones first.
const CHECKS: [Check; 11] = [
    Check {
        name: "dependencies",
        about: "crates depend on each other only in the directions of ARCHITECTURE.md",
        kind: Kind::Rule(|w| Ok(packages::directions(&w.metadata))),
    },
    Check {
        name: "packages",
        about: "each crate has the lints of the workspace, and no unused dependency",
        kind: Kind::Rule(|w| Ok(packages::settings(&w.metadata, &w.files))),
    },
    Check {
        name: "features",
        about: "a program that is built alone compiles no dependency again",
        kind: Kind::Rule(|w| features::check(&w.root)),
    },
    Check {
        name: "licences",
        about: "dependencies come from crates.io, under licences that may be linked",
        kind: Kind::Rule(|w| licences::check(&w.root)),
    },
    Check {
        name: "architecture",
        about: "ARCHITECTURE.md has at most 150 lines and lists exactly the crates that exist",
        kind: Kind::Rule(|w| packages::architecture(&w.root, &w.metadata)),
    },
    Check {
        name: "rust",
        about: "no unsafe, allow, ignored test or should_panic; mathematics does no I/O",
        kind: Kind::Rule(|w| Ok(text::rust(&w.files))),
    },
    Check {
        name: "paths",
        about: "files are named by what they hold; none speaks of a folder of one machine",
        kind: Kind::Rule(|w| Ok(text::paths(&w.files))),
    },
    Check {
        name: "fixtures",
        about: "the committed data is what fixtures/manifest.toml says",
        kind: Kind::Rule(|w| Manifest::read(&w.root)?.verify(&w.root)),
    },
    Check {
        name: "fmt",
        about: "rustfmt would change nothing",
        kind: Kind::Cargo(&["fmt", "--all", "--check"], None),
    },
    Check {
        name: "clippy",
        about: "no warning of the compiler or of clippy in any target",
        kind: Kind::Cargo(
            &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"],
            None,
        ),
    },
    Check {
        name: "doc",
        about: "the documentation builds without a warning or a broken link",
        kind: Kind::Cargo(
            &["doc", "--workspace", "--no-deps"],
            Some(("RUSTDOCFLAGS", "-D warnings")),
        ),
    },
];

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    if arguments.list {
        CHECKS.iter().for_each(|check| println!("{:<12} {}", check.name, check.about));
        return Ok(ExitCode::SUCCESS);
    }
    let chosen = |check: &&Check| {
        arguments.only.is_empty() || arguments.only.iter().any(|name| check.name == name)
    };
    let root = workspace::root()?;
    let workspace =
        Workspace { files: workspace::files(&root)?, metadata: Metadata::read(&root)?, root };
    let mut failed = Vec::new();
    for check in CHECKS.iter().filter(chosen) {
        let passed = check.passes(&workspace)?;
        println!("check {}: {}", check.name, if passed { "ok" } else { "FAILED" });
        if !passed {
            failed.push(check.name);
        }
    }
    if !failed.is_empty() {
        println!("failed: {}", failed.join(", "));
    }
    Ok(verdict(failed.is_empty()))
}

impl Check {
    fn passes(&self, workspace: &Workspace) -> Result<bool> {
        match &self.kind {
            Kind::Rule(rule) => {
                let problems = rule(workspace)?;
                problems.iter().for_each(|problem| println!("{problem}"));
                Ok(problems.is_empty())
            }
            Kind::Cargo(arguments, variable) => {
                let mut cargo = command::cargo(arguments[0]);
                cargo.args(&arguments[1..]).envs(*variable).current_dir(&workspace.root);
                Ok(command::run(&mut cargo)?.success())
            }
        }
    }
}
