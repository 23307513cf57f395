//! The machine-readable results of a run: of all checks on the fixtures, which the book embeds, and of a program.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::failures::Failure;
use crate::foreign::{self, Program};
use crate::{Check, HarnessError, Outcome, Result, transcript};

/// The present version of the form of results.
pub(crate) const SCHEMA: u32 = 2;

/// The record of a check and its outcome. An error that is not finite is null: JSON has no such numbers.
pub(crate) fn check((check, outcome): (&Check, &Outcome)) -> Value {
    let mut record = json!({
        "question": check.question,
        "kind": check.kind,
        "group": check.group,
        "name": check.name,
        "status": outcome.status,
        "line": transcript::line(check, outcome.status),
        "detail": outcome.detail,
        "cases": outcome.cases,
        "max_error": outcome.max_error,
        "bound": outcome.bound,
    });
    if let Some(subject) = check.subject {
        record["subject"] = subject.into();
    }
    record
}

/// The record of a deliberate bug, if the check is of one.
pub(crate) fn control((check, outcome): (&Check, &Outcome)) -> Option<Value> {
    let (subject, bug) = check.bug?;
    Some(json!({
        "id": bug.id,
        "question": check.question,
        "subject": subject,
        "bug": bug.what,
        "caught_by": outcome.caught_by,
    }))
}

/// The record of a program: of each check how much it matters, the time it took, and what its failure looks like.
pub(crate) fn of_program<'a>(
    program: &Arc<Program>,
    failures: &[Failure<'_>],
    ran: impl Iterator<Item = (&'a Check, &'a Outcome)>,
    seed: u64,
    time: Duration,
) -> Value {
    let (name, remarks) = program.introduction();
    let one = |(check, outcome): (&Check, &Outcome)| {
        let explanation = failures.iter().find_map(|failure| failure.explanation_of(check));
        let mut record = self::check((check, outcome));
        record["id"] = check.id().into();
        record["level"] = foreign::word(check.level).into();
        record["seconds"] = outcome.seconds.into();
        record["explanation"] = explanation.unwrap_or_default().into();
        record
    };
    json!({
        "schema": SCHEMA,
        "name": name,
        "remarks": remarks,
        "seed": seed,
        "seconds": time.as_secs_f64(),
        "excused": foreign::excused(program),
        "checks": ran.map(one).collect::<Vec<_>>(),
    })
}

/// Writes the record of a program to the file that was asked for, whole or not at all.
pub(crate) fn write_to(file: &Path, results: &Value) -> Result<()> {
    system::replace(file, format!("{results:#}\n").as_bytes())
        .map_err(|error| HarnessError::file(file, format!("cannot be written: {error}")))
}

/// Writes the results below cargo's target folder, whole or not at all.
pub(crate) fn write(target: &Path, results: &Value) -> Result<()> {
    let folder = target.join("harness");
    let file = folder.join("results.json");
    fs::create_dir_all(folder)
        .map_err(|error| HarnessError::file(&file, format!("cannot be written: {error}")))?;
    write_to(&file, results)
}

#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
pub(crate) mod tests {
    use super::*;
    use crate::Kind;
    use crate::room::Bug;

    pub(crate) fn results_are_written_whole_or_an_error_says_where() {
        let relu = Check::new("4.1", Kind::Course, "tests.TestReLU", "test_forward", |_| {
            Outcome::ok(6, "")
        });
        let bug = &Bug { id: "relu-sign", what: "the sign", caught_by: &[] };
        let relu = Check { bug: Some(("ReLU", bug)), ..relu.of("ReLU") };
        let outcome = Outcome::measured(6, f64::INFINITY, 1e-10, "wrong");
        let outcome = Outcome { caught_by: vec![Kind::Gradient], ..outcome };
        let results = json!([check((&relu, &outcome)), control((&relu, &outcome))]);
        let expected = json!([
            {
                "question": "4.1", "kind": "course", "subject": "ReLU", "group": "tests.TestReLU",
                "name": "test_forward", "line": "test_forward (tests.TestReLU) ... FAIL",
                "status": "FAIL", "detail": "largest error inf, bound 1e-10; wrong",
                "cases": 6, "max_error": null, "bound": 1e-10,
            },
            {
                "id": "relu-sign", "question": "4.1", "subject": "ReLU", "bug": "the sign",
                "caught_by": ["gradient"],
            },
        ]);
        assert_eq!(results, expected);
        let target = tempfile::tempdir().unwrap();
        write(target.path(), &results).unwrap();
        let file = target.path().join("harness/results.json");
        let text = fs::read_to_string(&file).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), results);
        assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 1, "nothing temporary");
        fs::remove_file(&file).unwrap();
        fs::create_dir(&file).unwrap();
        let error = write(target.path(), &results).unwrap_err().to_string();
        assert!(error.contains("results.json: cannot be written"), "{error}");
    }
}
