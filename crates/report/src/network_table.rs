//! The layers of a run's network as a table.

use experiment::Record;
use numerics::Rng;
use training::{Model, ModelSpec};

use crate::hyperparameters::{Layer, layers};
use crate::markdown::{Table, cells};
use crate::record_tables::words;

/// The layers of a run's network, from input to output: their settings and, where the record
/// describes the whole model, the shape of what comes out of each and the number of its parameters.
pub(crate) fn run_network(run: &Record) -> Result<String, String> {
    let Some(layers) = layers(&run.config.hyperparameters) else {
        return Err("its hyperparameters list no layers".to_owned());
    };
    let name = |layer: &Layer| format!("`{}`", layer.name);
    let Some(model) = model(run)? else {
        let mut table = Table::new("> | layer | settings");
        for (index, layer) in layers.iter().enumerate() {
            table.row(cells![index + 1, name(layer), settings(layer)]);
        }
        return Ok(table.into());
    };
    let built = model.network().layers();
    if built.len() != layers.len() {
        let (listed, built) = (layers.len(), built.len());
        return Err(format!("it lists {listed} layers, but the model has {built}"));
    }
    let mut table = Table::new("> | layer | settings | output shape | >parameters");
    table.row(cells!["", "picture", "", shape(&model.spec().input_shape), ""]);
    let mut total = 0;
    for (index, (layer, built)) in layers.iter().zip(built).enumerate() {
        let (count, shape) = (built.parameters().scalar_count(), shape(built.output_shape()));
        total += count;
        table.row(cells![index + 1, name(layer), settings(layer), shape, count]);
    }
    table.row(cells!["", "**total**", "", "", format!("**{total}**")]);
    Ok(table.into())
}

/// The model that the hyperparameters describe, if they do.
fn model(run: &Record) -> Result<Option<Model>, String> {
    let Some(described) = run.config.hyperparameters.get("model") else { return Ok(None) };
    if described.get("input_shape").is_none() {
        return Ok(None);
    }
    let spec: ModelSpec =
        described.clone().try_into().map_err(|error| format!("its model: {error}"))?;
    // Shapes and counts do not depend on the weights.
    let model = Model::build(spec, &mut Rng::new(0)).map_err(|error| error.to_string())?;
    Ok(Some(model))
}

fn settings(layer: &Layer) -> String {
    let one =
        |(path, value): &(String, String)| format!("{} `{value}`", words(&path.replace('.', ": ")));
    layer.settings.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn shape(lengths: &[usize]) -> String {
    // Spaces at which no line is broken.
    lengths.iter().map(usize::to_string).collect::<Vec<_>>().join("\u{a0}×\u{a0}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run_tables::tests::write_run;

    fn run(hyperparameters: &str) -> Record {
        let folder = tempfile::tempdir().unwrap();
        write_run(folder.path(), hyperparameters, 0, 50);
        Record::read(folder.path()).unwrap()
    }

    const MODEL: &str = "[hyperparameters.model]\nname = \"m\"\ninput_shape = [4, 6, 1]\n\
        class_names = [\"a\", \"b\"]\nmean = [0.5]\nstd = [0.5]\n";
    const CONV: &str = "[[hyperparameters.model.layers]]\nlayer = \"conv2d\"\nn_out = 8\n\
        kernel_shape = [3, 3]\nstride = 1\npad = \"valid\"\nactivation = \"linear\"\n\
        weight_init = \"he_normal\"\n";

    #[test]
    fn shapes_and_parameters_are_those_of_the_model() {
        let rest = "[[hyperparameters.model.layers]]\nlayer = \"flatten\"\n\
            [[hyperparameters.model.layers]]\nlayer = \"fully_connected\"\nn_out = 2\n";
        let table = run_network(&run(&format!("{MODEL}{CONV}{rest}"))).unwrap();
        let table = table.replace('\u{a0}', " ");
        let rows: Vec<&str> = table.lines().skip(2).collect();
        assert_eq!(rows[0], "| | picture | | 4 × 6 × 1 | |");
        // 3 · 3 weights and a bias for each of 8 filters, valid padding: 2 x 4 places.
        assert!(rows[1].ends_with("| 2 × 4 × 8 | 80 |"), "{table}");
        assert!(rows[2].ends_with("| `flatten` | | 64 | 0 |"), "{table}");
        assert!(rows[3].ends_with("| 2 | 130 |"), "{table}");
        assert_eq!(rows[4], "| | **total** | | | **210** |");
    }

    #[test]
    fn a_model_that_cannot_be_built_is_refused_and_layers_alone_are_listed() {
        let layer = CONV.replace("[3, 3]", "[9, 9]");
        let error = run_network(&run(&format!("{MODEL}{layer}"))).unwrap_err();
        assert!(error.contains("Conv2D"), "{error}");
        let table = run_network(&run(&format!("[hyperparameters]\n{layer}"))).unwrap();
        assert!(table.contains("| 1 | `conv2d` |") && !table.contains("parameters"), "{table}");
    }
}
