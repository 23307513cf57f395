//! The differences of two configurations.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

/// A field that a checkpoint has otherwise than the run that wants to continue it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Its path: `"layers[2].n_out"`.
    pub field: String,
    /// Its value in the checkpoint.
    pub checkpoint: String,
    /// Its value in the run.
    pub run: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} in the checkpoint, {} now", self.field, self.checkpoint, self.run)
    }
}

impl Difference {
    /// Every field of `checkpoint` that `run` has otherwise, in the order of their names.
    pub(crate) fn all<V: Serialize>(checkpoint: &V, run: &V) -> Vec<Self> {
        let value = |value| serde_json::to_value(value).expect("the keys are strings");
        let mut found = Vec::new();
        compare("", &value(checkpoint), &value(run), &mut found);
        found
    }
}

fn compare(field: &str, checkpoint: &Value, run: &Value, found: &mut Vec<Difference>) {
    match (checkpoint, run) {
        (Value::Object(a), Value::Object(b)) => {
            let mut names: Vec<_> = a.keys().chain(b.keys()).collect();
            names.sort();
            names.dedup();
            for name in names {
                let field = if field.is_empty() { name.clone() } else { format!("{field}.{name}") };
                compare(&field, of(a.get(name)), of(b.get(name)), found);
            }
        }
        (Value::Array(a), Value::Array(b)) => {
            for index in 0..a.len().max(b.len()) {
                let field = format!("{field}[{index}]");
                compare(&field, of(a.get(index)), of(b.get(index)), found);
            }
        }
        _ if checkpoint == run => {}
        _ => found.push(Difference {
            field: field.to_owned(),
            checkpoint: spelled(checkpoint),
            run: spelled(run),
        }),
    }
}

/// A field that is left out counts as `null`, which options have as well.
fn of(value: Option<&Value>) -> &Value {
    value.unwrap_or(&Value::Null)
}

fn spelled(value: &Value) -> String {
    if value.is_null() { "none".to_owned() } else { value.to_string() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_are_named_by_their_path() {
        let checkpoint =
            json!({"name": "a", "layers": [{"n": 1, "bias": true}, {"n": 2}], "lr": 1});
        let run = json!({"name": "a", "layers": [{"n": 1}, {"n": 3}, {"n": 4}], "lr": 1});
        let lines: Vec<_> =
            Difference::all(&checkpoint, &run).iter().map(ToString::to_string).collect();
        assert_eq!(
            lines,
            [
                "layers[0].bias: true in the checkpoint, none now",
                "layers[1].n: 2 in the checkpoint, 3 now",
                "layers[2]: none in the checkpoint, {\"n\":4} now",
            ]
        );
        assert_eq!(Difference::all(&run, &run), []);
    }
}
