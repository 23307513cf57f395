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

/// The layers that the hyperparameters list under a name `layers`, in any of the forms that serde
/// gives an enum: `"flatten"`, `{ conv2d = { n_out = 8 } }` or `{ type = "conv2d", n_out = 8 }`.
pub(crate) fn layers(table: &Table) -> Option<Vec<Layer>> {
    let is_layers = |path: &str| path.rsplit('.').next().is_some_and(|last| last == "layers");
    let layers = flat(table).into_iter().find(|(path, _)| is_layers(path))?.1.as_array()?;
    layers.iter().map(layer).collect()
}

/// Whether a value is the array of the layers rather than a number or a name.
pub(crate) fn is_structured(value: &Value) -> bool {
    value.as_array().is_some_and(|items| items.iter().any(Value::is_table))
}

fn layer(value: &Value) -> Option<Layer> {
    const TAGS: [&str; 3] = ["type", "layer", "kind"];
    let table = match value {
        Value::String(name) => return Some(Layer { name: name.clone(), settings: Vec::new() }),
        Value::Table(table) => table,
        _ => return None,
    };
    let tag = TAGS.iter().find_map(|tag| Some((*tag, table.get(*tag)?.as_str()?)));
    let (name, settings) = match (tag, table.iter().next()) {
        (Some((tag, name)), _) => {
            let mut settings = table.clone();
            settings.remove(tag);
            (name, settings)
        }
        (None, Some((name, Value::Table(settings)))) if table.len() == 1 => {
            (name.as_str(), settings.clone())
        }
        _ => return None,
    };
    let settings = flat(&settings).into_iter().map(|(path, value)| (path, shown(value))).collect();
    Some(Layer { name: name.to_owned(), settings })
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
    fn layers_are_read_in_every_form_of_an_enum() {
        let conv = Layer {
            name: "conv2d".to_owned(),
            settings: vec![
                ("kernel_shape".to_owned(), "[3, 3]".to_owned()),
                ("n_out".to_owned(), "8".to_owned()),
            ],
        };
        for text in [
            "[[model.layers]]\nconv2d = { n_out = 8, kernel_shape = [3, 3] }\n",
            "[[layers]]\ntype = \"conv2d\"\nn_out = 8\nkernel_shape = [3, 3]\n",
            "layers = [{ conv2d = { n_out = 8, kernel_shape = [3, 3] } }]\n",
        ] {
            assert_eq!(layers(&table(text)).unwrap()[0], conv, "{text}");
        }
        let flatten = layers(&table("layers = [\"flatten\"]")).unwrap();
        assert_eq!((flatten[0].name.as_str(), flatten[0].settings.len()), ("flatten", 0));
        assert_eq!(layers(&table("lr = 1")), None);
        assert_eq!(layers(&table("layers = [3, 2]")), None, "sizes are no layers");
    }
}
