//! The table of an ablation: runs that each lack one component, against the run that has all.

use std::collections::BTreeSet;

use experiment::{Record, Spread};
use serde::Deserialize;
use toml::Value;

use crate::hyperparameters::{Difference, differences, is_structured, shown};
use crate::markdown::{Table, cells};
use crate::numbers::{mean, percentage};

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
    name: String,
    purpose: String,
    /// The hyperparameters that are another without it; `a` stands for all of `a.b`, too.
    changes: Vec<String>,
}

impl Ablation {
    /// Reads the text of the file, and checks that it lists the folders beside it.
    pub(crate) fn parse(text: &str, folders: &[String]) -> Result<Self, String> {
        let ablation: Self =
            toml::from_str(text).map_err(|error| format!("its ablation.toml: {error}"))?;
        let listed: BTreeSet<&str> = ablation.folders().collect();
        if listed.len() != ablation.component.len() + 1 || ablation.component.is_empty() {
            return Err("its ablation.toml lists no component, or a record twice".to_owned());
        }
        let there: BTreeSet<&str> = folders.iter().map(String::as_str).collect();
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
        let changes = &component.changes;
        let is_part = |path: &str, change: &str| {
            path == change || path.strip_prefix(change).is_some_and(|p| p.starts_with('.'))
        };
        let mut shown = BTreeSet::new();
        for (run, full) in runs.iter().zip(baseline) {
            let (config, of_full) = (&run.config, &full.config);
            let same = config.data == of_full.data && run.summary.epochs == full.summary.epochs;
            if !same {
                return Err("its data or epochs are not the baseline's".to_owned());
            }
            let mut changed = differences(&of_full.hyperparameters, &config.hyperparameters);
            changed.retain(|(path, ..)| !self.labels.contains(path));
            let allowed = |path: &str| changes.iter().any(|change| is_part(path, change));
            if let Some((path, ..)) = changed.iter().find(|(path, ..)| !allowed(path)) {
                return Err(format!("it differs from the baseline in `{path}` as well"));
            }
            let absent = |change: &&String| !changed.iter().any(|(path, ..)| is_part(path, change));
            if let Some(change) = changes.iter().find(absent) {
                return Err(format!("it does not differ from the baseline in `{change}`"));
            }
            shown.extend(changed.into_iter().map(change));
        }
        Ok(shown.into_iter().collect::<Vec<_>>().join("; "))
    }
}

/// The change of a hyperparameter; the layers are too long for that.
fn change((path, from, to): Difference<'_>) -> String {
    let short = |value: Option<&Value>| value.map_or_else(|| "none".to_owned(), shown);
    match [from, to].into_iter().flatten().any(is_structured) {
        true => format!("`{path}`"),
        false => format!("`{path}`: {} → {}", short(from), short(to)),
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
    use super::*;
    use crate::run_tables::tests::run;

    const FULL: &str = "[hyperparameters]\nsmoothing = 0.1\nwithout = \"\"\n\
                        [hyperparameters.augmentation]\nflip = true\nshift = 4\n";

    const DEFINITION: &str = "baseline = \"full\"\nlabels = [\"without\"]\n\
        [[component]]\nrecord = \"no-smoothing\"\nname = \"label smoothing\"\n\
        purpose = \"less certainty\"\nchanges = [\"smoothing\"]\n\
        [[component]]\nrecord = \"no-augmentation\"\nname = \"augmentation\"\n\
        purpose = \"more data\"\nchanges = [\"augmentation.flip\", \"augmentation.shift\"]\n";

    /// The runs of the full recipe and without each component, by seed: 20, 21 and 40 of 200 images are
    /// wrong with seed 0, and one more with each further seed.
    fn runs(seeds: &[u64]) -> [Vec<Record>; 3] {
        let smoothing =
            FULL.replace("smoothing = 0.1\nwithout = \"\"", "smoothing = 0.0\nwithout = \"s\"");
        let augmentation = FULL.replace("flip = true\nshift = 4", "flip = false\nshift = 0");
        [(FULL, 20), (&smoothing, 21), (&augmentation, 40)].map(|(text, wrong)| {
            seeds.iter().map(|&seed| run(text, seed, wrong + seed as usize)).collect()
        })
    }

    fn parse(definition: &str) -> Result<Ablation, String> {
        Ablation::parse(definition, &["no-augmentation", "no-smoothing", "full"].map(str::to_owned))
    }

    fn table(runs: &[Vec<Record>]) -> Result<String, String> {
        parse(DEFINITION)?.table(runs).map(|table| table.replace('\u{a0}', " "))
    }

    #[test]
    fn each_component_has_a_row_with_what_it_costs() {
        let of_one = table(&runs(&[0])).unwrap();
        let of_two = table(&runs(&[0, 4])).unwrap();
        for (table, expected) in [
            (&of_one, "| nothing (the full recipe) | | | 90.0 % | |"),
            (
                &of_one,
                "| label smoothing | less certainty | `smoothing`: 0.1 → 0.0 | 89.5 % | −0.5 |",
            ),
            (
                &of_one,
                "| augmentation | more data | `augmentation.flip`: true → false; \
                 `augmentation.shift`: 4 → 0 | 80.0 % | −10.0 |",
            ),
            // sqrt(0.9 * 0.1 / 200) = 0.0212.
            (&of_one, "1 epoch each, 400 training and 200 validation images, seed 0."),
            (&of_one, "has a standard error of 2.1 points"),
            (&of_two, "| seed 0 | seed 4 | validation accuracy |"),
            // 20 and 24 wrong, 40 and 44: the spread is the seeds', the difference always the same.
            (&of_two, "| | | 90.0 % | 88.0 % | 89.0 % ± 1.4 | |"),
            (&of_two, "| 80.0 % | 78.0 % | 79.0 % ± 1.4 | −10.0 ± 0.0 |"),
        ] {
            assert!(table.contains(expected), "{expected} in {table}");
        }
    }

    #[test]
    fn a_run_that_differs_in_anything_else_or_that_was_tested_is_refused() {
        let runs = runs(&[7]);
        let refused = |index: usize, change: &dyn Fn(&mut Record)| {
            let mut runs = runs.clone();
            change(&mut runs[index][0]);
            table(&runs).unwrap_err()
        };
        let set = |run: &mut Record, name: &str, value: f64| {
            run.config.hyperparameters.insert(name.to_owned(), value.into());
        };
        for (error, expected) in [
            (
                refused(1, &|run| set(run, "lr", 1.0)),
                "`no-smoothing`: it differs from the baseline in `lr`",
            ),
            (refused(1, &|run| set(run, "smoothing", 0.1)), "not differ from the baseline in `smo"),
            (
                refused(2, &|run| run.config.hyperparameters["augmentation"]["shift"] = 4.into()),
                "not differ from the baseline in `augmentation.shift`",
            ),
            (refused(1, &|run| run.config.data.train += 1), "data or epochs"),
            (refused(1, &|run| run.config.seed += 1), "its seeds are [8]"),
            (refused(1, &|run| run.summary.test = run.summary.validation), "was tested"),
        ] {
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn a_definition_that_does_not_fit_its_folders_is_refused() {
        for (definition, expected) in [
            (&*DEFINITION.replace("\"full\"", "\"all\""), "but there are"),
            (&*DEFINITION.replace("no-aug", "aug"), "but there are"),
            (&*DEFINITION.replace("purpose", "why"), "unknown field `why`"),
            ("baseline = \"full\"\ncomponent = []", "no component"),
        ] {
            let error = parse(definition).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }
}
