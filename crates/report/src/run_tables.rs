//! Tables of a single run, as Markdown.

use experiment::{ConfusedPair, Confusion, Evaluation, Record};
use numerics::Rng;
use toml::Value;
use training::{Model, ModelSpec};

use crate::hyperparameters::{flat, is_structured, shown, words};
use crate::markdown::{Table, cells};
use crate::numbers::{percentage, significant};
use html::escape;

/// The number of the most frequent mistakes that are listed.
const PAIRS: usize = 8;

/// Loss and error of a run on each of its data sets.
pub(crate) fn run_results(run: &Record) -> Result<String, String> {
    let Record { config, summary, .. } = run;
    let mut table = Table::new(" | >examples | >loss | >error | >wrong");
    for (name, evaluation) in
        [("training", summary.train), ("validation", summary.validation), ("test", summary.test)]
    {
        let Some(Evaluation { examples, wrong, loss, error }) = evaluation else { continue };
        let error = if wrong.is_some() { percentage(error) } else { significant(error) };
        let wrong = wrong.map_or_else(String::new, |wrong| wrong.to_string());
        table.row(cells![name, examples, significant(loss), error, wrong]);
    }
    let seconds = summary.wall_seconds.map_or_else(String::new, |s| format!(" in {s:.1} s"));
    let machine = summary.machine.cpu.as_deref().unwrap_or(&summary.machine.arch);
    Ok(table.with_note(&format!(
        "After {} epochs ({} iterations){seconds} on {} cores of {machine}, with seed {}. Written by `{}`.",
        summary.epochs, summary.iterations, summary.machine.cores, config.seed, config.command
    )))
}

/// The hyperparameters of a run; its layers have a table of their own.
pub(crate) fn run_config(run: &Record) -> Result<String, String> {
    let mut table = Table::new("hyperparameter | value");
    for (path, value) in flat(&run.config.hyperparameters) {
        // The seed has a row below, whether or not the program counts it here too.
        if !is_structured(value) && path != "seed" {
            table.row(cells![words(&path), format!("`{value}`")]);
        }
    }
    table.row(cells!["seed", format!("`{}`", run.config.seed)]);
    table.row(cells!["number type", format!("`{}`", run.config.dtype)]);
    Ok(table.0)
}

/// The parameter groups of a run, and how each is trained.
pub(crate) fn run_groups(run: &Record) -> Result<String, String> {
    let hyperparameters = &run.config.hyperparameters;
    let groups = hyperparameters.get("groups").and_then(Value::as_array);
    let groups = groups.ok_or("its hyperparameters have no groups")?;
    let mut table = Table::new("parameters | optimiser | schedule");
    let mut row = |names: String, of: &toml::Table, parts: [&str; 2]| {
        let settings = parts.map(|part| match of.get(part).and_then(Value::as_table) {
            Some(table) => settings(part, table),
            None => String::new(),
        });
        table.row([names].into_iter().chain(settings));
    };
    for group in groups {
        let wrong = || "a group is not a table with the names of its parameters".to_owned();
        let group = group.as_table().ok_or_else(wrong)?;
        let names = group.get("parameters").and_then(Value::as_array).ok_or_else(wrong)?;
        let names: Vec<_> = names.iter().map(|name| format!("`{}`", shown(name))).collect();
        row(names.join(", "), group, ["optimiser", "schedule"]);
    }
    row("all others".to_owned(), hyperparameters, ["sgd", "schedule"]);
    Ok(table.0)
}

/// A table of hyperparameters in words: its name, or what it is called if it has none, and the rest.
fn settings(called: &str, table: &toml::Table) -> String {
    let name = table.get("name").map_or_else(|| called.to_owned(), shown);
    let others = flat(table).into_iter().filter(|(path, _)| path != "name");
    let others = others.map(|(path, value)| format!("{} {}", words(&path), shown(value)));
    [format!("**{}**", words(&name))].into_iter().chain(others).collect::<Vec<_>>().join(", ")
}

/// Loss and accuracy after each epoch, with the learning rate of its last step.
pub(crate) fn run_epochs(run: &Record) -> Result<String, String> {
    if run.summary.train.is_none_or(|train| train.wrong.is_none()) {
        return Err("it is not a run of a classifier, which has an accuracy".to_owned());
    }
    let mut table = Table::new(
        ">epoch | >learning rate | >training loss | >training accuracy | >validation loss | \
         >validation accuracy",
    );
    for row in run.history.rows().iter().filter(|row| row.train_loss.is_some()) {
        let loss = |loss: Option<f64>| loss.map_or_else(String::new, |loss| format!("{loss:.3}"));
        let accuracy = |error: Option<f64>| error.map_or_else(String::new, |e| percentage(1.0 - e));
        let rate = row.lr.map_or_else(String::new, significant);
        let train = [loss(row.train_loss), accuracy(row.train_error)];
        let validation = [loss(row.val_loss), accuracy(row.val_error)];
        table.row(cells![row.epoch, rate].into_iter().chain(train).chain(validation));
    }
    Ok(table.0)
}

/// The layers of a run's network, from input to output: their settings, the shape of what comes out of
/// each, and the number of its parameters.
pub(crate) fn run_network(run: &Record) -> Result<String, String> {
    let described = run.config.hyperparameters.get("model").and_then(Value::as_table);
    let described = described.ok_or("its hyperparameters describe no model")?;
    let spec: ModelSpec =
        described.clone().try_into().map_err(|error| format!("its model: {error}"))?;
    // Shapes and counts do not depend on the weights.
    let model = Model::build(spec, &mut Rng::new(0)).map_err(|error| error.to_string())?;
    let mut table = Table::new("> | layer | settings | output shape | >parameters");
    table.row(cells!["", "picture", "", shape(&model.spec().input_shape), ""]);
    let listed = described.get("layers").and_then(Value::as_array).into_iter().flatten();
    let mut total = 0;
    for (index, (layer, built)) in listed.zip(model.network().layers()).enumerate() {
        let mut settings = layer.as_table().cloned().unwrap_or_default();
        let name = settings.remove("layer").as_ref().map(shown).unwrap_or_default();
        let setting = |(path, value): (String, _)| format!("{} `{}`", words(&path), shown(value));
        let settings: Vec<_> = flat(&settings).into_iter().map(setting).collect();
        let (count, shape) = (built.parameters().scalar_count(), shape(built.output_shape()));
        total += count;
        table.row(cells![index + 1, format!("`{name}`"), settings.join(", "), shape, count]);
    }
    table.row(cells!["", "**total**", "", "", format!("**{total}**")]);
    Ok(table.0)
}

fn shape(lengths: &[usize]) -> String {
    // Spaces at which no line is broken.
    lengths.iter().map(usize::to_string).collect::<Vec<_>>().join("\u{a0}×\u{a0}")
}

fn confusion(run: &Record) -> Result<&Confusion, String> {
    run.confusion.as_ref().ok_or_else(|| "it has no confusion.csv".to_owned())
}

/// Recall and precision of each class.
pub(crate) fn run_classes(run: &Record) -> Result<String, String> {
    let confusion = confusion(run)?;
    let mut table = Table::new("class | >images | >recall | >precision");
    for (class, name) in confusion.class_names().iter().enumerate() {
        let [recall, precision] = [confusion.recall(class), confusion.precision(class)]
            .map(|share| share.map_or_else(|| "–".to_owned(), percentage));
        table.row(cells![escape(name), confusion.counts().row(class).sum(), recall, precision]);
    }
    Ok(table.0)
}

/// The most frequent mistakes of a run.
pub(crate) fn run_confused(run: &Record) -> Result<String, String> {
    let confusion = confusion(run)?;
    let names = confusion.class_names();
    let wrong = confusion.examples() - confusion.right();
    let mut table = Table::new("class | taken for | >how often | >of the class | >of all mistakes");
    for ConfusedPair { truth, predicted, count } in confusion.most_confused(PAIRS) {
        let of_class = confusion.counts().row(truth).sum();
        let [of_class, of_all] = [of_class, wrong].map(|of| percentage(count as f64 / of as f64));
        let (truth, predicted) = (escape(&names[truth]), escape(&names[predicted]));
        table.row(cells![truth, predicted, count, of_class, of_all]);
    }
    Ok(table.0)
}

/// Numbers that follow from a record and are not in it: accuracies, speed.
pub(crate) fn derived(run: &Record) -> serde_json::Value {
    let summary = &run.summary;
    let mut tree = serde_json::Map::new();
    for (name, evaluation) in
        [("train", summary.train), ("validation", summary.validation), ("test", summary.test)]
    {
        if let Some(Evaluation { examples, wrong: Some(wrong), .. }) = evaluation {
            let accuracy = (examples - wrong) as f64 / examples as f64;
            tree.insert(format!("{name}_accuracy"), accuracy.into());
        }
    }
    if let Some(seconds) = summary.wall_seconds {
        let images = summary.epochs as f64 * run.config.data.train as f64;
        tree.insert("minutes".to_owned(), (seconds / 60.0).into());
        // Of the whole run, with its evaluations.
        tree.insert("images_per_second".to_owned(), ((images / seconds).round() as u64).into());
    }
    tree.into()
}

#[cfg(test)]
pub(crate) mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    /// Writes the record of a run on Iris, of one epoch, with these hyperparameters and this many of 200
    /// validation images wrong.
    pub(crate) fn write_run(directory: &Path, hyperparameters: &str, seed: u64, wrong: usize) {
        fs::create_dir_all(directory).unwrap();
        let write = |name: &str, text: String| fs::write(directory.join(name), text).unwrap();
        let sha256 = datasets::Splits::iris().unwrap().sha256;
        write(
            "config.toml",
            format!(
                "schema = 1\nmodel_name = \"run\"\ncommand = \"cargo run -p kaggle -- train\"\n\
                 seed = {seed}\ndtype = \"f32\"\n[data]\nname = \"iris\"\nsha256 = \"{sha256}\"\n\
                 train = 400\nvalidation = 200\ntest = 100\n{hyperparameters}"
            ),
        );
        let error = wrong as f64 / 200.0;
        write(
            "metrics.csv",
            format!(
                "epoch,iteration,lr,batch_loss,train_loss,train_error,val_loss,val_error\n\
                 0,0,,,2.302,0.9,2.31,0.91\n1,1,0.1,2.0,,,,\n1,2,0.05,1.0,0.5,0.25,0.75,{error}\n"
            ),
        );
        write(
            "summary.json",
            format!(
                "{{\"schema\":1,\"status\":\"finished\",\"epochs\":1,\"iterations\":2,\
                 \"train\":{{\"examples\":400,\"wrong\":100,\"loss\":0.5,\"error\":0.25}},\
                 \"validation\":{{\"examples\":200,\"wrong\":{wrong},\"loss\":0.75,\"error\":{error}}},\
                 \"test\":null,\"diverged\":null,\"wall_seconds\":8.0,\
                 \"machine\":{{\"arch\":\"x\",\"os\":\"y\",\"cores\":2,\"cpu\":null}},\
                 \"program\":{{\"name\":\"kaggle\",\"version\":\"0\",\"revision\":null}}}}"
            ),
        );
    }

    /// A run as [`write_run`] writes it.
    pub(crate) fn run(hyperparameters: &str, seed: u64, wrong: usize) -> Record {
        let folder = tempfile::tempdir().unwrap();
        write_run(folder.path(), hyperparameters, seed, wrong);
        Record::read(folder.path()).unwrap()
    }

    /// A run with a confusion matrix.
    fn classifier() -> Record {
        let folder = tempfile::tempdir().unwrap();
        write_run(folder.path(), "[hyperparameters.sgd]\nmomentum = 0.9\n", 3, 50);
        let confusion = "true,<cat>,dog\n<cat>,90,10\ndog,40,60\n";
        fs::write(folder.path().join("confusion.csv"), confusion).unwrap();
        Record::read(folder.path()).unwrap()
    }

    #[test]
    fn groups_have_rows_and_so_have_the_parameters_in_none() {
        let text = "[hyperparameters]\n[hyperparameters.sgd]\nmomentum = 0.9\n\
                    [hyperparameters.schedule]\nname = \"linear\"\nlr = 0.5\n\
                    [[hyperparameters.groups]]\nparameters = [\"0.W\", \"1.W\"]\n\
                    [hyperparameters.groups.optimiser]\nname = \"muon\"\nnewton_schulz_steps = 3\n\
                    [[hyperparameters.groups]]\nparameters = [\"0.b\"]\n\
                    [hyperparameters.groups.optimiser]\nname = \"frozen\"\n";
        let expected = "| parameters | optimiser | schedule |\n|---|---|---|\n\
                        | `0.W`, `1.W` | **muon**, newton schulz steps 3 | |\n\
                        | `0.b` | **frozen** | |\n\
                        | all others | **sgd**, momentum 0.9 | **linear**, lr 0.5 |\n";
        assert_eq!(run_groups(&run(text, 0, 50)).unwrap(), expected);
    }

    #[test]
    fn rows_are_epochs_hyperparameters_classes_and_mistakes() {
        type View = fn(&Record) -> Result<String, String>;
        let of_run = classifier();
        for (view, expected) in [
            (run_epochs as View, "| 0 | | 2.302 | 10.0 % | 2.310 | 9.0 % |\n| 1 | 0.05 | 0.500 |"),
            (run_config, "| sgd: momentum | `0.9` |\n| seed | `3` |"),
            (run_results, "| validation | 200 | 0.75 | 25.0 % | 50 |"),
            // 90 of 90 + 40 that were taken for cats are cats.
            (run_classes, "| &lt;cat&gt; | 100 | 90.0 % | 69.2 % |"),
            (run_confused, "| dog | &lt;cat&gt; | 40 | 40.0 % | 80.0 % |"),
        ] {
            let table = view(&of_run).unwrap().replace('\u{a0}', " ");
            assert!(table.contains(expected), "{expected} in {table}");
        }
        let mut without = run("[hyperparameters]\nhidden = [3, 2]\n", 0, 50);
        without.summary.train.as_mut().unwrap().wrong = None;
        for (view, expected) in [
            (run_epochs as View, "not a run of a classifier"),
            (run_classes, "no confusion.csv"),
            (run_groups, "no groups"),
            (run_network, "describe no model"),
        ] {
            let error = view(&without).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn shapes_and_parameters_are_those_of_the_model() {
        let model = "[hyperparameters.model]\nname = \"m\"\ninput_shape = [4, 6, 1]\n\
            class_names = [\"a\", \"b\"]\nmean = [0.5]\nstd = [0.5]\n\
            [[hyperparameters.model.layers]]\nlayer = \"conv2d\"\nn_out = 8\n\
            kernel_shape = [3, 3]\nstride = 1\npad = \"valid\"\nactivation = \"linear\"\n\
            weight_init = \"he_normal\"\n[[hyperparameters.model.layers]]\nlayer = \"flatten\"\n\
            [[hyperparameters.model.layers]]\nlayer = \"fully_connected\"\nn_out = 2\n";
        let table = run_network(&run(model, 0, 50)).unwrap().replace('\u{a0}', " ");
        let rows: Vec<&str> = table.lines().skip(2).collect();
        assert_eq!(rows[0], "| | picture | | 4 × 6 × 1 | |");
        // 3 · 3 weights and a bias for each of 8 filters, valid padding: 2 x 4 places.
        assert!(rows[1].starts_with("| 1 | `conv2d` | activation `linear`, "), "{table}");
        assert!(rows[1].ends_with("| 2 × 4 × 8 | 80 |"), "{table}");
        assert_eq!(rows[2], "| 2 | `flatten` | | 64 | 0 |");
        assert!(rows[3].ends_with("| 2 | 130 |"), "{table}");
        assert_eq!(rows[4], "| | **total** | | | **210** |");
        let error = run_network(&run(&model.replace("[3, 3]", "[9, 9]"), 0, 50)).unwrap_err();
        assert!(error.contains("Conv2D"), "{error}");
    }

    #[test]
    fn what_follows_from_a_record_is_computed() {
        let derived = derived(&run("[hyperparameters]\n", 0, 50));
        assert_eq!(derived["validation_accuracy"], 0.75);
        assert_eq!(derived["images_per_second"], 50, "400 images in 8 seconds");
        assert_eq!(derived.get("test_accuracy"), None);
    }
}
