//! The hyperparameters of a run, whatever its program calls them.

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

/// A layer of a network: what it is, and its own hyperparameters.
#[derive(Debug, PartialEq)]
pub(crate) struct Layer {
    pub(crate) name: String,
    pub(crate) settings: Vec<(String, String)>,
}

/// The layers that the hyperparameters list under a name `layers`: `{ layer = "conv2d", n_out = 8 }`.
pub(crate) fn layers(table: &Table) -> Option<Vec<Layer>> {
    let is_layers = |path: &str| path.rsplit('.').next().is_some_and(|last| last == "layers");
    let layers = flat(table).into_iter().find(|(path, _)| is_layers(path))?.1.as_array()?;
    let layer = |value: &Value| {
        let mut settings = value.as_table()?.clone();
        let name = settings.remove("layer")?.as_str()?.to_owned();
        let settings = flat(&settings).into_iter().map(|(path, value)| (path, shown(value)));
        Some(Layer { name, settings: settings.collect() })
    };
    layers.iter().map(layer).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Table {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn hyperparameters_have_paths() {
        let table = table("lr = 0.1\n[optimiser]\nmomentum = 0.9\n[optimiser.clip]\nnorm = 1\n");
        let flat: Vec<_> = flat(&table).into_iter().map(|(p, v)| (p, shown(v))).collect();
        let expected = [("lr", "0.1"), ("optimiser.clip.norm", "1"), ("optimiser.momentum", "0.9")]
            .map(|(path, value)| (path.to_owned(), value.to_owned()));
        assert_eq!(flat, expected);
    }

    #[test]
    fn numbers_have_no_rounding_error() {
        for (number, expected) in
            [(0.1 * 10.000000000000002, "1.0"), (0.1, "0.1"), (5e-4, "0.0005"), (f64::NAN, "nan")]
        {
            assert_eq!(shown(&Value::Float(number)), expected);
        }
    }

    #[test]
    fn layers_have_names_and_settings() {
        let text = "[[model.layers]]\nlayer = \"conv2d\"\nn_out = 8\nkernel_shape = [3, 3]\n\
                    [[model.layers]]\nlayer = \"flatten\"\n";
        let setting = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let settings = vec![setting("kernel_shape", "[3, 3]"), setting("n_out", "8")];
        let conv2d = Layer { name: "conv2d".to_owned(), settings };
        let flatten = Layer { name: "flatten".to_owned(), settings: Vec::new() };
        assert_eq!(layers(&table(text)).unwrap(), [conv2d, flatten]);
        assert_eq!(layers(&table("lr = 1")), None);
        assert_eq!(layers(&table("layers = [3, 2]")), None, "sizes are no layers");
    }
}
