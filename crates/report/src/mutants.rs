//! The records of the mutants, `book/records/mutants/`, as `{{#mutants VIEW}}` shows them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::markdown::{Table, cells, named};

/// Who judges: the kinds of check, and the tests of the crate that is changed.
const JUDGES: [&str; 8] =
    ["course", "oracle", "gradient", "formula", "adjoint", "proof", "property", "own"];

/// A function that makes a view.
type Show = fn(&Mutants) -> String;

/// Every view by its name.
const VIEWS: [(&str, Show); 3] =
    [("caught", caught), ("survivors", survivors), ("provenance", provenance)];

/// The records by crate, and why mutants that survived compute the same.
struct Mutants {
    crates: BTreeMap<String, Record>,
    reasons: BTreeMap<String, BTreeMap<String, String>>,
}

/// As `cargo xtask mutants` writes it.
#[derive(Deserialize)]
struct Record {
    engine: String,
    runs: Vec<Run>,
    mutants: Vec<Mutant>,
}

#[derive(Deserialize)]
struct Run {
    command: String,
    revision: String,
    mutants: usize,
    seconds: u64,
}

#[derive(Deserialize)]
struct Mutant {
    id: String,
    item: String,
    mutator: String,
    change: String,
    caught_by: BTreeSet<String>,
}

/// A view of the records in a folder, as Markdown.
pub(crate) fn view(folder: &Path, view: &str) -> Result<String, String> {
    let show = named(&VIEWS, view, || format!("the mutants have no view `{view}`"))?;
    let cannot = |error: &dyn std::fmt::Display| format!("{}: {error}", folder.display());
    let mut crates = BTreeMap::new();
    for entry in system::entries(folder).map_err(|error| cannot(&error))? {
        let path = entry.path();
        if let (Some("json"), Some(name)) =
            (path.extension().and_then(|e| e.to_str()), path.file_stem().and_then(|s| s.to_str()))
        {
            let record = read(&path, |text| serde_json::from_str(text).map_err(|e| e.to_string()))?;
            crates.insert(name.to_owned(), record);
        }
    }
    if crates.is_empty() {
        return Err(cannot(&"there is no record; cargo xtask mutants makes one"));
    }
    let parse = |text: &str| toml::from_str(text).map_err(|error| error.to_string());
    let reasons = read(&folder.join("equivalent.toml"), parse)?;
    Ok(show(&Mutants { crates, reasons }))
}

fn read<T: DeserializeOwned>(
    file: &Path,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Result<T, String> {
    let text = fs::read_to_string(file).map_err(|error| error.to_string());
    text.and_then(|text| parse(&text)).map_err(|error| format!("{}: {error}", file.display()))
}

/// How many mutants of each crate each judge catches, and in brackets how many it alone.
fn caught(Mutants { crates, .. }: &Mutants) -> String {
    // What the compiler refuses is no program, and nobody has to notice it.
    let of = |record: &'_ Record| -> Vec<BTreeSet<String>> {
        let programs = record.mutants.iter().filter(|own| !own.caught_by.contains("compiler"));
        programs.map(|mutant| mutant.caught_by.clone()).collect()
    };
    let mut columns: Vec<_> = crates.values().map(of).collect();
    let mut titles: Vec<String> = crates.keys().map(|name| format!(" | >`{name}`")).collect();
    if columns.len() > 1 {
        columns.push(columns.concat());
        titles.push(" | >all".to_owned());
    }
    let mut table = Table::new(&format!("noticed by{}", titles.concat()));
    let mut row = |name: &str, cell: &dyn Fn(&[BTreeSet<String>]) -> String| {
        table.row([name.to_owned()].into_iter().chain(columns.iter().map(|own| cell(own))));
    };
    for judge in JUDGES {
        row(judge, &|mutants| {
            let all = mutants.iter().filter(|by| by.contains(judge)).count();
            let alone = mutants.iter().filter(|by| by.iter().eq([judge])).count();
            if alone == 0 { all.to_string() } else { format!("{all} ({alone})") }
        });
    }
    let count = |wanted: fn(&BTreeSet<String>) -> bool| {
        move |mutants: &[BTreeSet<String>]| {
            mutants.iter().filter(|by| wanted(by)).count().to_string()
        }
    };
    row("any kind", &count(|by| by.iter().any(|judge| judge != "own")));
    row("anything", &count(|by| !by.is_empty()));
    row("nothing", &count(BTreeSet::is_empty));
    row("mutants", &count(|_| true));
    table.0
}

/// Each mutant that nothing notices, and why it computes the same.
fn survivors(Mutants { crates, reasons }: &Mutants) -> String {
    let mut table = Table::new("function | change | why nothing can notice");
    for (name, record) in crates {
        for mutant in record.mutants.iter().filter(|mutant| mutant.caught_by.is_empty()) {
            let Mutant { id, item, mutator, change, .. } = mutant;
            let reason = reasons.get(name).and_then(|r| r.get(&format!("{id} {item} {mutator}")));
            let reason = reason.map_or("**unexplained**", String::as_str);
            table.row(cells![format!("`{name}`, `{item}`"), format!("`{change}`"), reason]);
        }
    }
    table.0
}

/// What judged, when and at which state of the code.
fn provenance(Mutants { crates, .. }: &Mutants) -> String {
    let mut table = Table::new("command | engine | revision | >mutants | >minutes");
    for record in crates.values() {
        for Run { command, revision, mutants, seconds } in &record.runs {
            let minutes = seconds.div_ceil(60);
            table.row(cells![format!("`{command}`"), record.engine, revision, mutants, minutes]);
        }
    }
    table.0
}

#[cfg(test)]
mod tests {
    use std::fs;

    #[test]
    fn a_judge_counts_what_it_catches_and_what_it_alone_and_a_survivor_has_its_reason() {
        let mutant = |id: &str, caught_by: &[&str]| {
            serde_json::json!({
                "id": id, "item": "sum", "mutator": "arith", "change": "a | b → a", "caught_by": caught_by
            })
        };
        let record = serde_json::json!({
            "engine": "e 1",
            "runs": [{ "command": "c", "revision": "r", "mutants": 5, "seconds": 61 }],
            "mutants": [
                mutant("1", &["course", "own"]), mutant("2", &["course"]), mutant("3", &["own"]),
                mutant("4", &[]), mutant("5", &["compiler"]),
            ],
        });
        let record = record.to_string();
        let folder = system::for_tests::folder(&[
            ("maths.json", record.as_bytes()),
            ("equivalent.toml", b"[maths]\n\"4 sum arith\" = \"b is 0\"\n"),
        ]);
        let shown = |view| super::view(folder.path(), view).unwrap();
        let caught = shown("caught");
        for row in ["noticed by | `maths`", "course | 2 (1)", "oracle | 0", "own | 2 (1)"] {
            assert!(caught.contains(&format!("| {row} |\n")), "{caught}");
        }
        let sums = "| any kind | 2 |\n| anything | 3 |\n| nothing | 1 |\n| mutants | 4 |\n";
        assert!(caught.ends_with(sums), "{caught}");
        let survivor = "\n| `maths`, `sum` | `a \\| b → a` | b is 0 |\n";
        assert!(shown("survivors").ends_with(survivor), "{}", shown("survivors"));
        assert!(shown("provenance").ends_with("\n| `c` | e 1 | r | 5 | 2 |\n"));
        let error = super::view(folder.path(), "killed").unwrap_err();
        assert!(error.contains("known are caught, survivors, provenance"), "{error}");
        fs::remove_file(folder.path().join("maths.json")).unwrap();
        let error = super::view(folder.path(), "caught").unwrap_err();
        assert!(error.ends_with("cargo xtask mutants makes one"), "{error}");
    }
}
