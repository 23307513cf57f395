//! The differences of two configurations.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

/// A line for every field that is another one `there`, in a checkpoint for instance, than in the run that wants to
/// continue, in the order of their names: `layers[2].n_out: 3 in the checkpoint, 4 now`.
pub(crate) fn differences<V: Serialize>(before: &V, run: &V, there: &str) -> Vec<String> {
    let [before, now] = [before, run].map(|value| {
        let mut fields = BTreeMap::new();
        let value = serde_json::to_value(value).expect("the keys are strings");
        collect(String::new(), value, &mut fields);
        fields
    });
    let names: BTreeSet<_> = before.keys().chain(now.keys()).collect();
    let line = |name: &String| {
        let [before, now] =
            [&before, &now].map(|fields| fields.get(name).map_or("none", |leaf| leaf));
        (before != now).then(|| format!("{name}: {before} in {there}, {now} now"))
    };
    names.into_iter().filter_map(line).collect()
}

/// The fields of a value that hold no others, by their path; what is `null` counts as left out.
fn collect(path: String, value: Value, fields: &mut BTreeMap<String, String>) {
    match value {
        Value::Null => {}
        Value::Object(object) => {
            let dot = if path.is_empty() { "" } else { "." };
            for (name, value) in object {
                collect(format!("{path}{dot}{name}"), value, fields);
            }
        }
        Value::Array(array) => {
            for (index, value) in array.into_iter().enumerate() {
                collect(format!("{path}[{index}]"), value, fields);
            }
        }
        leaf => drop(fields.insert(path, leaf.to_string())),
    }
}
