//! The differences of two configurations.

use serde::Serialize;
use serde_json::Value;

/// A line for every field that a checkpoint has otherwise than the run that wants to continue it, in the
/// order of their names: `layers[2].n_out: 3 in the checkpoint, 4 now`.
pub(crate) fn differences<V: Serialize>(checkpoint: &V, run: &V) -> Vec<String> {
    let value = |value| serde_json::to_value(value).expect("the keys are strings");
    let mut found = Vec::new();
    compare("", &value(checkpoint), &value(run), &mut found);
    found
}

fn compare(field: &str, checkpoint: &Value, run: &Value, found: &mut Vec<String>) {
    // A field that is left out counts as `null`, which options have as well.
    let of = |value: Option<&Value>| value.cloned().unwrap_or_default();
    let spelled =
        |value: &Value| if value.is_null() { "none".to_owned() } else { value.to_string() };
    match (checkpoint, run) {
        (Value::Object(a), Value::Object(b)) => {
            let names: std::collections::BTreeSet<_> = a.keys().chain(b.keys()).collect();
            for name in names {
                let field = if field.is_empty() { name.clone() } else { format!("{field}.{name}") };
                compare(&field, &of(a.get(name)), &of(b.get(name)), found);
            }
        }
        (Value::Array(a), Value::Array(b)) => {
            for index in 0..a.len().max(b.len()) {
                let field = format!("{field}[{index}]");
                compare(&field, &of(a.get(index)), &of(b.get(index)), found);
            }
        }
        _ if checkpoint == run => {}
        _ => {
            let (checkpoint, run) = (spelled(checkpoint), spelled(run));
            found.push(format!("{field}: {checkpoint} in the checkpoint, {run} now"));
        }
    }
}
