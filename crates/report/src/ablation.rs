//! The table of an ablation: runs that each lack one component, against the run that has all.

use std::collections::BTreeSet;
use std::path::Path;

use experiment::{Record, Spread};
use serde::Deserialize;
use toml::Value;

use crate::hyperparameters::flat;
use crate::markdown::{Table, cells};
use crate::numbers::{mean, percentage};
use crate::run_tables::change;

/// `ablation.toml`, written by hand beside the folders of the runs: what each may differ in.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ablation {
    /// The folder of the runs with everything.
    baseline: String,
    /// Hyperparameters that only name the run.
    #[serde(default)]
    labels: Vec<String>,
    /// The components, in the order of the table.
    component: Vec<Component>,
}

/// A component that is off in the runs of a folder.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Component {
    /// The folder.
    record: String,
    /// The name in the table.
    name: String,
    /// Its purpose.
    purpose: String,
    /// The hyperparameters that are another without it; `a` stands for all of `a.b`, too.
    changes: Vec<String>,
}

impl Ablation {
    /// Reads the file, and checks that it lists the folders beside it.
    pub(crate) fn read(folder: &Path) -> Result<Self, String> {
        let file = folder.join("ablation.toml");
        let text = std::fs::read_to_string(&file)
            .map_err(|error| format!("cannot read its ablation.toml: {error}"))?;
        let ablation: Self =
            toml::from_str(&text).map_err(|error| format!("its ablation.toml: {error}"))?;
        let listed = ablation.folders().map(str::to_owned).collect::<BTreeSet<_>>();
        if listed.len() != ablation.component.len() + 1 || ablation.component.is_empty() {
            return Err("its ablation.toml lists no component, or a record twice".to_owned());
        }
        let entries = system::entries(folder).map_err(|error| error.to_string())?;
        let there: BTreeSet<_> = entries
            .iter()
            .filter(|entry| entry.path().is_dir())
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        match there == listed {
            true => Ok(ablation),
            false => Err(format!("its ablation.toml lists {listed:?}, but there are {there:?}")),
        }
    }

    /// The folders of the runs, the baseline first.
    pub(crate) fn folders(&self) -> impl Iterator<Item = &str> {
        let components = self.component.iter().map(|component| component.record.as_str());
        std::iter::once(self.baseline.as_str()).chain(components)
    }

    /// The table; `runs` are those of [`folders`](Self::folders), each by seed.
    pub(crate) fn table(&self, runs: &[Vec<Record>]) -> Result<String, String> {
        let (baseline, without) = runs.split_first().ok_or("there is no baseline")?;
        let full = accuracies(baseline, &self.baseline)?;
        let Record { config, summary, .. } = baseline.first().ok_or("there is no baseline")?;
        let seeds: Vec<_> = baseline.iter().map(|run| run.config.seed.to_string()).collect();
        let several = seeds.len() > 1;
        let by_seed = match several {
            true => format!(" | >seed {}", seeds.join(" | >seed ")),
            false => String::new(),
        };
        let mut table = Table::new(&format!(
            "without | what it is there for | what was changed{by_seed} | >validation accuracy | \
             >difference, in points"
        ));
        let first = cells!["nothing (the full recipe)", "", ""].into_iter();
        table.row(first.chain(measured(&full, None)));
        for (component, runs) in self.component.iter().zip(without) {
            let refused = |reason: String| format!("`{}`: {reason}", component.record);
            let changes = self.check(component, baseline, runs).map_err(refused)?;
            let accuracies = accuracies(runs, &component.record)?;
            let first = cells![component.name, component.purpose, changes].into_iter();
            table.row(first.chain(measured(&accuracies, Some(&full))));
        }
        let mean = mean(&full);
        // The standard deviation of the number of successes, divided by the number of trials.
        let chance = (mean * (1.0 - mean) / config.data.validation as f64).sqrt();
        Ok(table.with_note(&format!(
            "{} epoch{} each, {} training and {} validation images, seed{} {}{}. The accuracy of \
             one run on so many images has a standard error of {:.1} points.",
            summary.epochs,
            if summary.epochs == 1 { "" } else { "s" },
            config.data.train,
            config.data.validation,
            if several { "s" } else { "" },
            seeds.join(", "),
            if several { ", mean ± standard deviation" } else { "" },
            100.0 * chance
        )))
    }

    /// Refuses runs that differ from the baseline's in anything but the component; returns the
    /// difference.
    fn check(
        &self,
        component: &Component,
        baseline: &[Record],
        runs: &[Record],
    ) -> Result<String, String> {
        let seeds = |runs: &[Record]| runs.iter().map(|run| run.config.seed).collect::<Vec<_>>();
        if seeds(runs) != seeds(baseline) {
            let (got, expected) = (seeds(runs), seeds(baseline));
            return Err(format!("its seeds are {got:?}, those of the baseline {expected:?}"));
        }
        let mut shown = BTreeSet::new();
        for (run, full) in runs.iter().zip(baseline) {
            let same = run.config.data == full.config.data
                && run.config.dtype == full.config.dtype
                && run.summary.epochs == full.summary.epochs;
            if !same {
                return Err("its data, number type or epochs are not the baseline's".to_owned());
            }
            let changed = self.changed(full, run);
            let is_part = |path: &str, change: &str| {
                path == change || path.strip_prefix(change).is_some_and(|p| p.starts_with('.'))
            };
            let allowed =
                |path: &String| component.changes.iter().any(|change| is_part(path, change));
            if let Some((path, _)) = changed.iter().find(|(path, _)| !allowed(path)) {
                return Err(format!("it differs from the baseline in `{path}` as well"));
            }
            let happened =
                |change: &&String| !changed.iter().any(|(path, _)| is_part(path, change));
            if let Some(change) = component.changes.iter().find(happened) {
                return Err(format!("it does not differ from the baseline in `{change}`"));
            }
            shown.extend(changed.into_iter().map(|(_, change)| change));
        }
        Ok(shown.into_iter().collect::<Vec<_>>().join("; "))
    }

    /// The hyperparameters that are not the same, and how a reader is told.
    fn changed(&self, full: &Record, run: &Record) -> Vec<(String, String)> {
        let (full, run) = (flat(&full.config.hyperparameters), flat(&run.config.hyperparameters));
        let value = |of: &[(String, &Value)], path: &str| {
            of.iter().find(|(other, _)| other == path).map(|(_, value)| (*value).clone())
        };
        let paths: BTreeSet<&String> = full.iter().chain(&run).map(|(path, _)| path).collect();
        paths
            .into_iter()
            .filter(|path| !self.labels.contains(path))
            .filter_map(|path| {
                let (from, to) = (value(&full, path), value(&run, path));
                let shown = change(path, from.as_ref(), to.as_ref());
                (from != to).then(|| (path.clone(), shown))
            })
            .collect()
    }
}

/// The validation accuracies of runs, which must not have seen the test set.
fn accuracies(runs: &[Record], name: &str) -> Result<Vec<f64>, String> {
    let accuracy = |run: &Record| {
        if run.summary.test.is_some() {
            return Err(format!("`{name}` was tested, but what is chosen by it must not be"));
        }
        let validation = run.summary.validation.filter(|validation| validation.wrong.is_some());
        validation.map(|v| 1.0 - v.error).ok_or(format!("`{name}` has no validation accuracy"))
    };
    if runs.is_empty() {
        return Err(format!("`{name}` has no run"));
    }
    runs.iter().map(accuracy).collect()
}

/// The accuracies by seed if there are several, their mean, and the difference to the full recipe.
fn measured(accuracies: &[f64], full: Option<&Vec<f64>>) -> Vec<String> {
    let spread = |values: &[f64]| {
        Spread::of(values).map_or_else(String::new, |s| format!("\u{a0}± {:.1}", 100.0 * s.sd))
    };
    let by_seed = accuracies.iter().filter(|_| accuracies.len() > 1);
    let mut cells: Vec<String> = by_seed.map(|accuracy| percentage(*accuracy)).collect();
    cells.push(percentage(mean(accuracies)) + &spread(accuracies));
    cells.push(full.map_or_else(String::new, |full| {
        // Each against the run with its own seed.
        let differences: Vec<f64> = accuracies.iter().zip(full).map(|(a, f)| a - f).collect();
        // A minus sign, and no sign for what rounds to nothing.
        let points = match format!("{:+.1}", 100.0 * mean(&differences)).as_str() {
            "+0.0" | "-0.0" => "0.0".to_owned(),
            points => points.replace('-', "−"),
        };
        points + &spread(&differences)
    }));
    cells
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::run_tables::tests::write_run;

    const FULL: &str = "[hyperparameters]\nsmoothing = 0.1\nwithout = \"\"\n\
                        [hyperparameters.augmentation]\nflip = true\nshift = 4\n";

    const DEFINITION: &str = "baseline = \"full\"\nlabels = [\"without\"]\n\
        [[component]]\nrecord = \"no-smoothing\"\nname = \"label smoothing\"\n\
        purpose = \"less certainty\"\nchanges = [\"smoothing\"]\n\
        [[component]]\nrecord = \"no-augmentation\"\nname = \"augmentation\"\n\
        purpose = \"more data\"\nchanges = [\"augmentation.flip\", \"augmentation.shift\"]\n";

    /// Replacements for parts of the full recipe.
    struct Case<'a> {
        smoothing: (&'a str, &'a str),
        augmentation: (&'a str, &'a str),
        definition: String,
        seeds: &'a [u64],
    }

    impl Default for Case<'_> {
        fn default() -> Self {
            Self {
                smoothing: ("smoothing = 0.1\nwithout = \"\"", "smoothing = 0.0\nwithout = \"s\""),
                augmentation: ("flip = true\nshift = 4", "flip = false\nshift = 0"),
                definition: DEFINITION.to_owned(),
                seeds: &[7],
            }
        }
    }

    impl Case<'_> {
        fn table(&self) -> Result<String, String> {
            let folder = tempfile::tempdir().unwrap();
            fs::write(folder.path().join("ablation.toml"), &self.definition).unwrap();
            let texts = [
                ("full", FULL.to_owned(), 20),
                ("no-smoothing", FULL.replace(self.smoothing.0, self.smoothing.1), 21),
                ("no-augmentation", FULL.replace(self.augmentation.0, self.augmentation.1), 40),
            ];
            for (name, text, wrong) in &texts {
                for seed in self.seeds {
                    let run = folder.path().join(name).join(seed.to_string());
                    write_run(&run, text, *seed, wrong + *seed as usize % 7);
                }
            }
            let ablation = Ablation::read(folder.path())?;
            let runs: Vec<Vec<Record>> = ablation
                .folders()
                .map(|name| {
                    let run = |seed: &u64| {
                        Record::read(&folder.path().join(name).join(seed.to_string())).unwrap()
                    };
                    self.seeds.iter().map(run).collect()
                })
                .collect();
            ablation.table(&runs).map(|table| table.replace('\u{a0}', " "))
        }
    }

    #[test]
    fn each_component_has_a_row_with_what_it_costs() {
        let table = Case::default().table().unwrap();
        // 20, 21 and 40 of 200 wrong.
        assert!(table.contains("| nothing (the full recipe) | | | 90.0 % | |"), "{table}");
        let row = "| label smoothing | less certainty | `smoothing`: 0.1 → 0.0 | 89.5 % | −0.5 |";
        assert!(table.contains(row), "{table}");
        let row = "| augmentation | more data | `augmentation.flip`: true → false; \
                   `augmentation.shift`: 4 → 0 | 80.0 % | −10.0 |";
        assert!(table.contains(row), "{table}");
        // sqrt(0.9 * 0.1 / 200) = 0.0212.
        assert!(table.contains("1 epoch each, 400 training and 200 validation images, seed 7."));
        assert!(table.contains("has a standard error of 2.1 points"), "{table}");
    }

    #[test]
    fn several_seeds_have_a_mean_and_a_spread_and_differences_by_seed() {
        let table = Case { seeds: &[0, 4], ..Case::default() }.table().unwrap();
        assert!(table.contains("| seed 0 | seed 4 | validation accuracy |"), "{table}");
        // 20 and 24 wrong, 40 and 44: the spread is the seeds', the difference always the same.
        assert!(table.contains("| | | 90.0 % | 88.0 % | 89.0 % ± 1.4 | |"), "{table}");
        assert!(table.contains("| 80.0 % | 78.0 % | 79.0 % ± 1.4 | −10.0 ± 0.0 |"), "{table}");
    }

    #[test]
    fn a_run_that_differs_in_anything_else_is_refused() {
        let lr = ("smoothing = 0.1", "smoothing = 0.0\nlr = 1");
        let nothing = ("smoothing = 0.1", "smoothing = 0.1");
        let half = ("flip = true", "flip = false");
        let case = Case::default;
        for (case, expected) in [
            (
                Case { smoothing: lr, ..case() },
                "`no-smoothing`: it differs from the baseline in `lr`",
            ),
            (Case { smoothing: nothing, ..case() }, "not differ from the baseline in `smoothing`"),
            (
                Case { augmentation: half, ..case() },
                "not differ from the baseline in `augmentation.shift`",
            ),
        ] {
            let error = case.table().unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
        for (definition, expected) in [
            (DEFINITION.replace("\"full\"", "\"all\""), "but there are"),
            (DEFINITION.replace("no-aug", "aug"), "but there are"),
            (DEFINITION.replace("purpose", "why"), "unknown field `why`"),
            ("baseline = \"full\"\ncomponent = []".to_owned(), "no component"),
        ] {
            let error = Case { definition, ..case() }.table().unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn a_run_of_other_data_or_another_seed_or_that_was_tested_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("ablation.toml"), DEFINITION).unwrap();
        let read = |name: &str, text: &str| {
            let run = folder.path().join(name);
            write_run(&run, text, 7, 20);
            Record::read(&run).unwrap()
        };
        let full = read("full", FULL);
        let smoothing = read("no-smoothing", &FULL.replace("0.1", "0.0"));
        let shift = FULL.replace("shift = 4", "shift = 0").replace("true", "false");
        let augmentation = read("no-augmentation", &shift);
        let ablation = Ablation::read(folder.path()).unwrap();
        let table = |full: &Record, smoothing: &Record| {
            ablation.table(&[
                vec![full.clone()],
                vec![smoothing.clone()],
                vec![augmentation.clone()],
            ])
        };
        assert!(table(&full, &smoothing).is_ok());
        let mut other = smoothing.clone();
        other.config.data.train += 1;
        assert!(table(&full, &other).unwrap_err().contains("data, number type or epochs"));
        let mut other = smoothing.clone();
        other.config.seed += 1;
        assert!(table(&full, &other).unwrap_err().contains("its seeds are [8]"));
        let mut other = smoothing.clone();
        other.summary.test = other.summary.validation;
        assert!(table(&full, &other).unwrap_err().contains("was tested"));
    }
}
