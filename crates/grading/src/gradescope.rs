//! The results that Gradescope reads, `results.json`.

use serde_json::{Map, Value, json};

use crate::points::{Grade, Scored, Visibility};
use crate::verification::Checked;

/// The results of one hand-in: a test for each group of checks.
///
/// There is no score at the top, so that Gradescope adds up those of the tests.
pub(crate) fn results(grade: &Grade, isolation: &str) -> Value {
    let tests: Vec<Value> = grade.groups.iter().map(test).collect();
    let (score, points) = (grade.score(), grade.points());
    let mut output = match &grade.error {
        Some(error) => format!("Nothing could be verified: {error}\n"),
        None => String::new(),
    };
    // Points that a student cannot see yet must not be read off a sum.
    if grade.groups.iter().all(|group| group.visibility == Visibility::Visible) {
        output += &format!("{score} of {points} points\n");
    }
    json!({
        "output": output,
        "output_format": "text",
        "execution_time": grade.seconds,
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "extra_data": { "isolation": isolation },
        "tests": tests,
    })
}

fn test(group: &Scored) -> Value {
    json!({
        "name": group.name,
        "number": group.number,
        "score": group.score,
        "max_score": group.points,
        "status": if group.passed == group.asked { "passed" } else { "failed" },
        "output": report(group),
        "output_format": "text",
        "visibility": group.visibility,
    })
}

/// What a student reads of a group.
pub(crate) fn report(group: &Scored) -> String {
    let mut text = format!("{} of {} checks passed\n", group.passed, group.asked);
    for remark in &group.loops {
        text += &format!("points were deducted: {remark}\n");
    }
    // What several checks say is said once, below their names.
    let alike = |one: &Checked, next: &Checked| {
        (&one.detail, &one.explanation) == (&next.detail, &next.explanation)
    };
    for alike in group.failures.chunk_by(alike) {
        text.push('\n');
        alike
            .iter()
            .for_each(|failure| text += &format!("{} ... {}\n", failure.id, failure.status));
        text += &format!("{}\n{}", alike[0].detail, alike[0].explanation);
    }
    text
}

/// The form of a value.
enum Form {
    Text,
    Number,
    Object,
    OneOf(&'static [&'static str]),
    List(&'static [(&'static str, Form)]),
}

const VISIBILITY: Form = Form::OneOf(&["visible", "hidden", "after_due_date", "after_published"]);
const FORMAT: Form = Form::OneOf(&["text", "html", "simple_format", "md", "ansi"]);

/// All fields that Gradescope knows. There is neither a largest score of all tests nor a time of each.
const RESULTS: &[(&str, Form)] = &[
    ("score", Form::Number),
    ("execution_time", Form::Number),
    ("output", Form::Text),
    ("output_format", FORMAT),
    ("test_output_format", FORMAT),
    ("test_name_format", FORMAT),
    ("visibility", VISIBILITY),
    ("stdout_visibility", VISIBILITY),
    ("extra_data", Form::Object),
    ("tests", Form::List(TEST)),
    ("leaderboard", Form::List(LEADER)),
];

const TEST: &[(&str, Form)] = &[
    ("score", Form::Number),
    ("max_score", Form::Number),
    ("status", Form::OneOf(&["passed", "failed"])),
    ("name", Form::Text),
    ("name_format", FORMAT),
    ("number", Form::Text),
    ("output", Form::Text),
    ("output_format", FORMAT),
    ("tags", Form::List(&[])),
    ("visibility", VISIBILITY),
    ("extra_data", Form::Object),
];

const LEADER: &[(&str, Form)] =
    &[("name", Form::Text), ("value", Form::Number), ("order", Form::OneOf(&["asc", "desc"]))];

/// What Gradescope would not understand in results.
pub(crate) fn faults(results: &Value) -> Vec<String> {
    let Value::Object(results) = results else { return vec!["the results are no object".into()] };
    let mut faults = Vec::new();
    of_fields("", results, RESULTS, &mut faults);
    let tests = results.get("tests").and_then(Value::as_array);
    // Without a score at the top, that of every test is needed.
    let scored = tests.is_some_and(|tests| tests.iter().all(|test| test.get("score").is_some()));
    if !results.contains_key("score") && !scored {
        faults.push("there is neither a score nor one of every test".to_owned());
    }
    for (index, test) in tests.into_iter().flatten().enumerate() {
        let number = |field: &str| test.get(field).and_then(Value::as_f64);
        if let (Some(score), Some(most)) = (number("score"), number("max_score"))
            && !(0.0..=most).contains(&score)
        {
            faults.push(format!("tests[{index}]: {score} of {most} points"));
        }
    }
    faults
}

fn of_fields(
    place: &str,
    fields: &Map<String, Value>,
    known: &[(&str, Form)],
    faults: &mut Vec<String>,
) {
    for (name, value) in fields {
        let place = format!("{place}{name}");
        match known.iter().find(|(own, _)| own == name) {
            None => faults.push(format!("{place}: there is no such field")),
            Some((_, form)) => of_value(&place, value, form, faults),
        }
    }
}

fn of_value(place: &str, value: &Value, form: &Form, faults: &mut Vec<String>) {
    match (form, value) {
        (Form::Text, Value::String(_)) | (Form::Object, Value::Object(_)) => {}
        // What is not finite is null in JSON.
        (Form::Number, Value::Number(_)) => {}
        (Form::OneOf(words), Value::String(word)) if words.contains(&&**word) => {}
        (Form::List([]), Value::Array(texts)) if texts.iter().all(Value::is_string) => {}
        (Form::List(fields @ [_, ..]), Value::Array(items)) => {
            for (index, item) in items.iter().enumerate() {
                match item {
                    Value::Object(item) => {
                        of_fields(&format!("{place}[{index}]."), item, fields, faults);
                    }
                    _ => faults.push(format!("{place}[{index}]: {item} is no object")),
                }
            }
        }
        _ => faults.push(format!("{place}: {value} is not allowed there")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::points::{Points, tests::record};

    fn graded(points: &str, outcomes: &[(&str, &str)]) -> Value {
        let asked = harness::asked(Some("ReLU")).unwrap();
        let points = Points::read(points, &asked).unwrap();
        results(&points.grade(&record("ada", outcomes, &[]), &asked), "Landlock 7")
    }

    #[test]
    fn results_keep_to_the_format_and_show_no_total_that_is_hidden() {
        let group = |name: &str, rest: &str| {
            format!(
                "[[group]]\nname = \"{name}\"\npoints = 3\nnumber = \"4.1\"\nclasses = [\"ReLU\"]\n{rest}\n"
            )
        };
        let course = group("course", "kinds = [\"course\"]");
        let results = graded(&course, &[("test_forward", "ok"), ("test_backward", "FAIL")]);
        assert_eq!(faults(&results), [""; 0]);
        let test = &results["tests"][0];
        assert_eq!((&test["score"], &test["max_score"]), (&json!(1.5), &json!(3.0)));
        assert_eq!((&test["status"], &test["visibility"]), (&json!("failed"), &json!("visible")));
        assert!(test["output"].as_str().unwrap().contains("looks like: the sign"), "{test}");
        assert_eq!(results["output"], "1.5 of 3 points\n");

        let hidden = course + &group("rest", "visibility = \"after_published\"");
        let results = graded(&hidden, &[("test_forward", "ok")]);
        assert_eq!(faults(&results), [""; 0]);
        assert_eq!(results["tests"][1]["visibility"], "after_published");
        assert_eq!(results["output"], "");
    }

    #[test]
    fn what_stays_if_the_grader_fails_keeps_to_the_format() {
        let text = include_str!("../../handin/src/autograder/not_graded.json");
        let results: Value = serde_json::from_str(text).unwrap();
        assert_eq!(faults(&results), [""; 0]);
        assert_eq!(results["score"], 0);
    }

    #[test]
    fn what_several_checks_say_is_said_once() {
        let points =
            "[[group]]\nname = \"ReLU\"\npoints = 3\nclasses = [\"ReLU\"]\nkinds = [\"course\"]\n";
        let results = graded(points, &[]);
        assert_eq!(
            results["tests"][0]["output"],
            "0 of 2 checks passed\n\ntests.test_activations.TestReLU.test_forward ... missing\n\
             tests.test_activations.TestReLU.test_backward ... missing\nReLU is not implemented\n"
        );
    }

    #[test]
    fn what_the_format_does_not_have_is_found() {
        let right = json!({ "tests": [{ "name": "a", "score": 1, "tags": ["x"] }] });
        assert_eq!(faults(&right), [""; 0]);
        for (wrong, expected) in [
            (json!([]), "no object"),
            (json!({ "tests": [{ "name": "a" }] }), "neither a score nor"),
            (json!({ "score": 1, "max_score": 2 }), "max_score: there is no such field"),
            (json!({ "score": f64::NAN }), "score: null is not allowed"),
            (json!({ "score": 1, "visibility": "later" }), "visibility: \"later\" is not"),
            (json!({ "score": 1, "tests": [{ "execution_time": 1 }] }), "tests[0].execution_time"),
            (json!({ "score": 1, "tests": [{ "status": "ok" }] }), "tests[0].status: \"ok\""),
            (json!({ "score": 1, "tests": [1] }), "tests[0]: 1 is no object"),
            (json!({ "tests": [{ "score": 2, "max_score": 1 }] }), "tests[0]: 2 of 1 points"),
            (json!({ "tests": [{ "score": -1, "max_score": 1 }] }), "tests[0]: -1 of 1 points"),
            (json!({ "score": 1, "leaderboard": [{ "name": "t", "value": "1" }] }), "value: \"1\""),
        ] {
            let faults = faults(&wrong).join("; ");
            assert!(faults.contains(expected), "{wrong}: {faults}");
        }
    }
}
