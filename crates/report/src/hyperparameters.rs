//! The hyperparameters of a run, whatever its program calls them.

use std::collections::{BTreeMap, BTreeSet};

use toml::{Table, Value};

/// Every hyperparameter with its path, `optimiser.momentum`, in order. Arrays are values, also the
/// array of the layers.
pub(crate) fn flat(table: &Table) -> Vec<(String, &Value)> {
    let mut found = Vec::new();
    for (name, value) in table {
        match value {
            Value::Table(inner) if !inner.is_empty() => {
                let below = flat(inner).into_iter();
                found.extend(below.map(|(path, value)| (format!("{name}.{path}"), value)));
            }
            _ => found.push((name.clone(), value)),
        }
    }
    found
}

/// A hyperparameter that two tables do not agree on: its path and its two values.
pub(crate) type Difference<'a> = (String, Option<&'a Value>, Option<&'a Value>);

/// The hyperparameters that two tables do not agree on, by path.
pub(crate) fn differences<'a>(from: &'a Table, to: &'a Table) -> Vec<Difference<'a>> {
    let [from, to] = [from, to].map(|table| flat(table).into_iter().collect::<BTreeMap<_, _>>());
    let paths: BTreeSet<&String> = from.keys().chain(to.keys()).collect();
    let values = |path: &String| (path.clone(), from.get(path).copied(), to.get(path).copied());
    paths.into_iter().map(values).filter(|(_, from, to)| from != to).collect()
}

/// Whether a value is the array of the layers rather than a number or a name.
pub(crate) fn is_structured(value: &Value) -> bool {
    value.as_array().is_some_and(|items| items.iter().any(Value::is_table))
}

/// A value as a reader wants it: text without quotation marks, numbers without the rounding error of
/// their last digits.
pub(crate) fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Float(number) => {
            let rounded = format!("{number:.12e}").parse().unwrap_or(*number);
            Value::Float(rounded).to_string()
        }
        other => other.to_string(),
    }
}

/// A name or path as words: `sgd.weight_decay` is `sgd: weight decay`.
pub(crate) fn words(path: &str) -> String {
    path.replace(['_', '-'], " ").replace('.', ": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_no_rounding_error() {
        for (number, expected) in
            [(0.1 * 10.000000000000002, "1.0"), (0.1, "0.1"), (5e-4, "0.0005"), (f64::NAN, "nan")]
        {
            assert_eq!(shown(&Value::Float(number)), expected);
        }
    }
}
