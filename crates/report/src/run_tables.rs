//! Tables of a single run, as Markdown.

use experiment::{ConfusedPair, Evaluation, Record};

use crate::hyperparameters::{flat, is_structured, layers, shown};
use crate::markdown::{Table, cells};
use crate::markup::escape;
use crate::numbers::{percentage, significant};
use crate::record_tables::words;

/// The number of the most frequent mistakes that are listed.
const PAIRS: usize = 8;

/// The hyperparameters of a run; its layers have a table of their own.
pub(crate) fn run_config(run: &Record) -> String {
    let mut table = Table::new("hyperparameter | value");
    for (path, value) in flat(&run.config.hyperparameters) {
        // The seed has a row below, whether or not the program counts it here too.
        if !is_structured(value) && path != "seed" {
            table.row(cells![words(&path.replace('.', ": ")), format!("`{value}`")]);
        }
    }
    table.row(cells!["seed", format!("`{}`", run.config.seed)]);
    table.row(cells!["number type", format!("`{}`", run.config.dtype)]);
    table.into()
}

/// The parameter groups of a run, and how each is trained.
pub(crate) fn run_groups(run: &Record) -> Result<String, String> {
    let hyperparameters = &run.config.hyperparameters;
    let groups = hyperparameters.get("groups").and_then(toml::Value::as_array);
    let groups = groups.ok_or("its hyperparameters have no groups")?;
    let mut table = Table::new("parameters | optimiser | schedule");
    let mut row = |names: String, of: &toml::Table, parts: [&str; 2]| {
        let settings = parts.map(|part| match of.get(part).and_then(toml::Value::as_table) {
            Some(table) => settings(part, table),
            None => String::new(),
        });
        table.row([names].into_iter().chain(settings));
    };
    for group in groups {
        let wrong = || "a group is not a table with the names of its parameters".to_owned();
        let group = group.as_table().ok_or_else(wrong)?;
        let names = group.get("parameters").and_then(toml::Value::as_array).ok_or_else(wrong)?;
        let names: Vec<_> = names.iter().map(|name| format!("`{}`", shown(name))).collect();
        row(names.join(", "), group, ["optimiser", "schedule"]);
    }
    row("all others".to_owned(), hyperparameters, ["sgd", "schedule"]);
    Ok(table.into())
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
    let epochs: Vec<_> = run.history.rows().iter().filter(|row| row.train_loss.is_some()).collect();
    if run.summary.train.is_none_or(|train| train.wrong.is_none()) {
        return Err("it is not a run of a classifier, which has an accuracy".to_owned());
    }
    let sets = match epochs.iter().any(|row| row.val_loss.is_some()) {
        true => &["training", "validation"][..],
        false => &["training"],
    };
    let titles: String =
        sets.iter().map(|set| format!(" | >{set} loss | >{set} accuracy")).collect();
    let mut table = Table::new(&format!(">epoch | >learning rate{titles}"));
    for row in epochs {
        let loss = |loss: Option<f64>| loss.map_or_else(String::new, |loss| format!("{loss:.3}"));
        let accuracy = |error: Option<f64>| error.map_or_else(String::new, |e| percentage(1.0 - e));
        let rate = row.lr.map_or_else(String::new, significant);
        let measured = [(row.train_loss, row.train_error), (row.val_loss, row.val_error)];
        let measured = measured.into_iter().take(sets.len());
        let measured = measured.flat_map(|(l, error)| [loss(l), accuracy(error)]);
        table.row(cells![row.epoch, rate].into_iter().chain(measured));
    }
    Ok(table.into())
}

/// Recall and precision of each class.
pub(crate) fn run_classes(run: &Record) -> Result<String, String> {
    let confusion = run.confusion.as_ref().ok_or("it has no confusion.csv")?;
    let mut table = Table::new("class | >images | >recall | >precision");
    for (class, name) in confusion.class_names().iter().enumerate() {
        let share = |share: Option<f64>| share.map_or_else(|| "–".to_owned(), percentage);
        let (recall, precision) =
            (share(confusion.recall(class)), share(confusion.precision(class)));
        table.row(cells![escape(name), confusion.counts().row(class).sum(), recall, precision]);
    }
    Ok(table.into())
}

/// The most frequent mistakes of a run.
pub(crate) fn run_confused(run: &Record) -> Result<String, String> {
    let confusion = run.confusion.as_ref().ok_or("it has no confusion.csv")?;
    let names = confusion.class_names();
    let wrong = confusion.examples() - confusion.right();
    let mut table = Table::new("class | taken for | >how often | >of the class | >of all mistakes");
    for ConfusedPair { truth, predicted, count } in confusion.most_confused(PAIRS) {
        let of_class = confusion.counts().row(truth).sum();
        let [of_class, of_all] = [of_class, wrong].map(|of| percentage(count as f64 / of as f64));
        let (truth, predicted) = (escape(&names[truth]), escape(&names[predicted]));
        table.row(cells![truth, predicted, count, of_class, of_all]);
    }
    Ok(table.into())
}

/// Numbers that follow from a record and are not in it: accuracies, speed.
pub(crate) fn derived(run: &Record) -> serde_json::Value {
    let summary = &run.summary;
    let mut tree = serde_json::Map::new();
    let evaluations =
        [("train", summary.train), ("validation", summary.validation), ("test", summary.test)];
    for (name, evaluation) in evaluations {
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
    if let Some(layers) = layers(&run.config.hyperparameters) {
        tree.insert("layers".to_owned(), layers.len().into());
    }
    if let Some(confusion) = &run.confusion {
        let names = confusion.class_names();
        let pairs: Vec<_> = confusion
            .most_confused(PAIRS)
            .iter()
            .map(|pair| {
                let (truth, predicted) = (&names[pair.truth], &names[pair.predicted]);
                serde_json::json!({"truth": truth, "predicted": predicted, "count": pair.count})
            })
            .collect();
        tree.insert("confused".to_owned(), pairs.into());
    }
    tree.into()
}

/// The change of a hyperparameter; the layers are too long for that.
pub(crate) fn change(path: &str, from: Option<&toml::Value>, to: Option<&toml::Value>) -> String {
    let short = |value: Option<&toml::Value>| value.map_or_else(|| "none".to_owned(), shown);
    match [from, to].into_iter().flatten().any(is_structured) {
        true => format!("`{path}`"),
        false => format!("`{path}`: {} → {}", short(from), short(to)),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::network_table::run_network;

    pub(crate) const SHA: &str = "0123456789012345678901234567890123456789012345678901234567890123";

    /// Writes the record of a run of one epoch with these hyperparameters and this many of 200
    /// validation images wrong.
    pub(crate) fn write_run(directory: &Path, hyperparameters: &str, seed: u64, wrong: usize) {
        fs::create_dir_all(directory).unwrap();
        let write = |name: &str, text: String| fs::write(directory.join(name), text).unwrap();
        write(
            "config.toml",
            format!(
                "schema = 1\nmodel_name = \"run\"\ncommand = \"cargo run -p kaggle -- train\"\n\
                 seed = {seed}\ndtype = \"f32\"\n[data]\nname = \"iris\"\nsha256 = \"{SHA}\"\n\
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

    const HYPERPARAMETERS: &str = "[hyperparameters]\nlr = 0.1\n[hyperparameters.sgd]\n\
        momentum = 0.9\n[[hyperparameters.model.layers]]\nlayer = \"conv2d\"\nn_out = 8\n\
        [[hyperparameters.model.layers]]\nlayer = \"flatten\"\n";

    fn run() -> Record {
        let folder = tempfile::tempdir().unwrap();
        write_run(folder.path(), HYPERPARAMETERS, 3, 50);
        let confusion = "true,<cat>,dog\n<cat>,90,10\ndog,40,60\n";
        fs::write(folder.path().join("confusion.csv"), confusion).unwrap();
        Record::read(folder.path()).unwrap()
    }

    /// With spaces that break.
    fn plain(text: &str) -> String {
        text.replace('\u{a0}', " ")
    }

    #[test]
    fn groups_have_rows_and_so_have_the_parameters_in_none() {
        let folder = tempfile::tempdir().unwrap();
        let text = "[hyperparameters]\n[hyperparameters.sgd]\nmomentum = 0.9\n\
                    [hyperparameters.schedule]\nname = \"linear\"\nlr = 0.5\n\
                    [[hyperparameters.groups]]\nparameters = [\"0.W\", \"1.W\"]\n\
                    [hyperparameters.groups.optimiser]\nname = \"muon\"\nnewton_schulz_steps = 3\n\
                    [[hyperparameters.groups]]\nparameters = [\"0.b\"]\n\
                    [hyperparameters.groups.optimiser]\nname = \"frozen\"\n";
        write_run(folder.path(), text, 0, 50);
        let run = Record::read(folder.path()).unwrap();
        let expected = "| parameters | optimiser | schedule |\n|---|---|---|\n\
                        | `0.W`, `1.W` | **muon**, newton schulz steps 3 | |\n\
                        | `0.b` | **frozen** | |\n\
                        | all others | **sgd**, momentum 0.9 | **linear**, lr 0.5 |\n";
        assert_eq!(run_groups(&run).unwrap(), expected);
        write_run(folder.path(), "[hyperparameters]\nlr = 1\n", 0, 50);
        let error = run_groups(&Record::read(folder.path()).unwrap()).unwrap_err();
        assert_eq!(error, "its hyperparameters have no groups");
    }

    #[test]
    fn epochs_are_rows_with_losses_and_accuracies() {
        let table = plain(&run_epochs(&run()).unwrap());
        assert!(table.contains("| 0 | | 2.302 | 10.0 % | 2.310 | 9.0 % |"), "{table}");
        assert!(table.contains("| 1 | 0.05 | 0.500 | 75.0 % | 0.750 | 75.0 % |"), "{table}");
        assert_eq!(table.lines().count(), 4);
    }

    #[test]
    fn layers_have_a_table_of_their_own() {
        let run = run();
        let network = run_network(&run).unwrap();
        assert!(network.contains("| 1 | `conv2d` | n out `8` |\n| 2 | `flatten` | |"), "{network}");
        let config = run_config(&run);
        assert!(
            config.contains("| sgd: momentum | `0.9` |") && !config.contains("conv2d"),
            "{config}"
        );
    }

    #[test]
    fn classes_and_mistakes_are_those_of_the_matrix() {
        let run = run();
        let classes = plain(&run_classes(&run).unwrap());
        // 90 of 90 + 40 that were taken for cats are cats.
        assert!(classes.contains("| &lt;cat&gt; | 100 | 90.0 % | 69.2 % |"), "{classes}");
        let confused = plain(&run_confused(&run).unwrap());
        assert!(confused.contains("| dog | &lt;cat&gt; | 40 | 40.0 % | 80.0 % |"), "{confused}");
        let without = Record { confusion: None, ..run };
        assert!(run_classes(&without).unwrap_err().contains("no confusion.csv"));
    }

    #[test]
    fn what_follows_from_a_record_is_computed() {
        let derived = derived(&run());
        assert_eq!(derived["validation_accuracy"], 0.75);
        assert_eq!(derived["images_per_second"], 50, "400 images in 8 seconds");
        assert_eq!(derived["confused"][0]["truth"], "dog");
        assert_eq!(derived.get("test_accuracy"), None);
    }

    #[test]
    fn a_run_without_layers_or_classes_has_no_such_table() {
        let folder = tempfile::tempdir().unwrap();
        write_run(folder.path(), "[hyperparameters]\nhidden = [3, 2]\n", 0, 50);
        let mut run = Record::read(folder.path()).unwrap();
        assert!(run_network(&run).unwrap_err().contains("list no layers"));
        run.summary.train = run.summary.train.map(|train| Evaluation { wrong: None, ..train });
        assert!(run_epochs(&run).unwrap_err().contains("not a run of a classifier"));
    }
}
