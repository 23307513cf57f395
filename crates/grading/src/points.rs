//! Points: groups of checks, what each is worth, and what a hand-in gets.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};
use harness::Asked;
use serde::{Deserialize, Serialize};

use crate::verification::{Checked, Record};

/// The points that are given unless a file says otherwise.
pub(crate) const DEFAULT: &str = include_str!("../points.toml");

/// When a student sees a test and its points.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Visibility {
    #[default]
    Visible,
    Hidden,
    AfterDueDate,
    AfterPublished,
}

/// A file of points.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    loops: f64,
    #[serde(default)]
    except: Vec<String>,
    group: Vec<Declared>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Declared {
    name: String,
    points: f64,
    #[serde(default)]
    number: String,
    #[serde(default)]
    visibility: Visibility,
    classes: Option<Vec<String>>,
    kinds: Option<Vec<String>>,
    levels: Option<Vec<String>>,
    checks: Option<Vec<String>>,
}

/// What hand-ins can earn.
#[derive(Debug)]
pub(crate) struct Points {
    /// The share that a loop over the examples costs.
    loops: f64,
    groups: Vec<Group>,
}

#[derive(Debug)]
struct Group {
    name: String,
    points: f64,
    number: String,
    visibility: Visibility,
    checks: Vec<Asked>,
}

/// What a hand-in gets.
#[derive(Clone, Debug)]
pub(crate) struct Grade {
    pub(crate) name: String,
    /// Why it could not be verified.
    pub(crate) error: Option<String>,
    pub(crate) seconds: f64,
    pub(crate) groups: Vec<Scored>,
}

/// What it gets for a group.
#[derive(Clone, Debug)]
pub(crate) struct Scored {
    pub(crate) name: String,
    pub(crate) number: String,
    pub(crate) visibility: Visibility,
    pub(crate) score: f64,
    pub(crate) points: f64,
    pub(crate) asked: usize,
    pub(crate) passed: usize,
    /// The checks that did not pass, and why; none if nothing could be verified.
    pub(crate) failures: Vec<Checked>,
    /// Loops over the examples, which cost points.
    pub(crate) loops: Vec<String>,
}

impl Points {
    /// Reads a file of points for these checks.
    ///
    /// # Errors
    /// Whatever is not as expected: keys, numbers, names that no check has.
    pub(crate) fn read(text: &str, asked: &[Asked]) -> Result<Self> {
        let File { loops, except, group } =
            toml::from_str(text).context("expected what --print-points prints")?;
        if !(0.0..=1.0).contains(&loops) {
            bail!("loops = {loops}: expected the share of a class's points that they cost, 0 to 1");
        }
        if let Some(unknown) =
            except.iter().find(|name| !asked.iter().any(|check| check.id == **name))
        {
            bail!("except: no check is called {unknown:?}; cargo xtask test --list lists them");
        }
        let mut taken: BTreeSet<String> = except.into_iter().collect();
        let mut names = BTreeSet::new();
        let mut groups = Vec::new();
        for declared in group {
            let Declared { name, points, number, visibility, .. } = &declared;
            if !names.insert(name.clone()) {
                bail!("there are two groups {name:?}; give each a name of its own");
            }
            if !(points.is_finite() && *points >= 0.0) {
                bail!("group {name:?}: points = {points}: expected a number that is not negative");
            }
            declared.expect_known(asked)?;
            let selected = asked.iter().filter(|check| declared.selects(check));
            let checks: Vec<Asked> =
                selected.filter(|check| taken.insert(check.id.clone())).cloned().collect();
            if checks.is_empty() {
                bail!(
                    "group {name:?} has no check: its conditions select none together, or groups before it have taken \
                     them all"
                );
            }
            let (name, number) = (name.clone(), number.clone());
            groups.push(Group { name, points: *points, number, visibility: *visibility, checks });
        }
        if groups.is_empty() {
            bail!("there is no group");
        }
        Ok(Self { loops, groups })
    }

    /// Refuses a selection of checks that no group has.
    ///
    /// # Errors
    /// If there is none among these that earns points.
    pub(crate) fn expect_earned(&self, asked: &[Asked], only: &str) -> Result<()> {
        let mut own = self.groups.iter().flat_map(|group| &group.checks);
        if !own.any(|check| asked.contains(check)) {
            bail!(
                "no check that --only {only} selects earns points; name others, or give them a group in the file of \
                 points (--print-points prints one to change)"
            );
        }
        Ok(())
    }

    /// The points of a hand-in, of which these checks were asked.
    pub(crate) fn grade(&self, record: &Record, asked: &[Asked]) -> Grade {
        let verified = &record.verified;
        let asked: BTreeSet<&str> = asked
            .iter()
            .map(|check| &*check.id)
            .filter(|id| !verified.excused.iter().any(|excused| excused == id))
            .collect();
        let outcomes: BTreeMap<&str, &Checked> =
            verified.checks.iter().map(|check| (&*check.id, check)).collect();
        let of_group = |group: &Group| {
            let own = || group.checks.iter().filter(|check| asked.contains(&*check.id));
            let count = own().count();
            let missing = |check: &Asked| Checked {
                id: check.id.clone(),
                class: check.class.clone(),
                status: "missing".to_owned(),
                detail: format!("{} is not implemented", check.class),
                ..Checked::default()
            };
            let failure = |check: &Asked| match outcomes.get(&*check.id) {
                Some(outcome) if outcome.status == "ok" => None,
                Some(&outcome) => Some(Checked { class: check.class.clone(), ..outcome.clone() }),
                None => Some(missing(check)),
            };
            let mut failures: Vec<Checked> = own().filter_map(failure).collect();
            let passed = count - failures.len();
            if verified.error.is_some() {
                // It is the reason of them all.
                failures.clear();
            }
            let looping = |remark: &&String| {
                let (class, _) = remark.split_once('.').unwrap_or_default();
                remark.contains(" loops over the examples")
                    && own().any(|check| check.class == class)
            };
            let loops: Vec<String> = verified.remarks.iter().filter(looping).cloned().collect();
            let share = passed as f64 / count.max(1) as f64;
            let kept = if loops.is_empty() { 1.0 } else { 1.0 - self.loops };
            Scored {
                name: group.name.clone(),
                number: group.number.clone(),
                visibility: group.visibility,
                // As it is shown, so that a total is the sum of what one sees.
                score: (group.points * share * kept * 100.0).round() / 100.0,
                points: group.points,
                asked: count,
                passed,
                failures,
                loops,
            }
        };
        let groups = self.groups.iter().map(of_group).filter(|group| group.asked > 0).collect();
        Grade {
            name: record.name.clone(),
            error: verified.error.clone(),
            seconds: verified.seconds,
            groups,
        }
    }
}

impl Grade {
    pub(crate) fn score(&self) -> f64 {
        (self.sum(|group| group.score) * 100.0).round() / 100.0
    }

    pub(crate) fn points(&self) -> f64 {
        self.sum(|group| group.points)
    }

    /// Zero where there is no group: the empty sum of floating-point numbers is -0.
    fn sum(&self, of: fn(&Scored) -> f64) -> f64 {
        self.groups.iter().map(of).fold(0.0, std::ops::Add::add)
    }
}

impl Declared {
    fn selects(&self, check: &Asked) -> bool {
        let has = |list: &Option<Vec<String>>, own: &String| {
            list.as_ref().is_none_or(|list| list.contains(own))
        };
        let begins = |name: &String| {
            check
                .id
                .strip_prefix(&**name)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        has(&self.classes, &check.class)
            && has(&self.kinds, &check.kind)
            && self.checks.as_ref().is_none_or(|names| names.iter().any(begins))
            && match &self.levels {
                Some(levels) => levels.contains(&check.level),
                None => check.level == "assignment",
            }
    }

    /// Each word of the conditions has to be that of a check, or it is a slip of the pen.
    fn expect_known(&self, asked: &[Asked]) -> Result<()> {
        let known =
            |of: fn(&Asked) -> &String| -> BTreeSet<&String> { asked.iter().map(of).collect() };
        for (key, words, known) in [
            ("classes", &self.classes, known(|check| &check.class)),
            ("kinds", &self.kinds, known(|check| &check.kind)),
            ("levels", &self.levels, known(|check| &check.level)),
        ] {
            let unknown = words.iter().flatten().find(|word| !known.contains(word));
            if let Some(unknown) = unknown {
                let known: Vec<&str> = known.into_iter().map(String::as_str).collect();
                bail!(
                    "group {:?}: {unknown:?} is none of its {key}, which are {}",
                    self.name,
                    known.join(", ")
                );
            }
        }
        for name in self.checks.iter().flatten() {
            let alone =
                Self { name: String::new(), checks: Some(vec![name.clone()]), ..Self::anything() };
            if !asked.iter().any(|check| alone.selects(check)) {
                bail!(
                    "group {:?}: no check is called {name:?}, nor begins with it; cargo xtask test --list lists them",
                    self.name
                );
            }
        }
        Ok(())
    }

    fn anything() -> Self {
        Self {
            name: String::new(),
            points: 0.0,
            number: String::new(),
            visibility: Visibility::Visible,
            classes: None,
            kinds: None,
            levels: Some(["assignment", "convention", "beyond"].map(str::to_owned).into()),
            checks: None,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    fn asked(filter: Option<&str>) -> Vec<Asked> {
        harness::asked(filter).unwrap()
    }

    /// The record of a hand-in with these outcomes of the course's tests of ReLU.
    pub(crate) fn record(name: &str, outcomes: &[(&str, &str)], remarks: &[&str]) -> Record {
        let checks: Vec<_> = outcomes
            .iter()
            .map(|(name, status)| {
                json!({
                    "id": format!("tests.test_activations.TestReLU.{name}"), "status": status,
                    "detail": "largest error 1e0", "explanation": "looks like: the sign\n",
                })
            })
            .collect();
        serde_json::from_value(json!({
            "schema": 1, "name": name, "sha256": "", "versions": BTreeMap::<String, String>::new(),
            "verified": { "remarks": remarks, "checks": checks, "seconds": 1.5 },
        }))
        .unwrap()
    }

    const TWO: &str = "loops = 0.5\n[[group]]\nname = \"ReLU\"\npoints = 3\nclasses = [\"ReLU\"]\nkinds = [\"course\"]\n";

    #[test]
    fn the_points_that_are_built_in_are_a_hundred_for_checks_of_the_assignment() {
        let asked = asked(None);
        let points = Points::read(DEFAULT, &asked).unwrap();
        let sum: f64 = points.groups.iter().map(|group| group.points).sum();
        assert_eq!(sum, 100.0);
        let of_the_course = |check: &&Asked| check.kind == "course";
        let taken =
            points.groups.iter().flat_map(|group| &group.checks).filter(of_the_course).count();
        // Of the 25, those that fail before a student writes anything.
        assert_eq!(taken, 17);
    }

    #[test]
    fn points_are_shared_and_what_is_missing_earns_none() {
        let asked = asked(Some("ReLU"));
        let points = Points::read(TWO, &asked).unwrap();
        let score = |outcomes: &[(&str, &str)], remarks: &[&str]| {
            let grade = points.grade(&record("ada", outcomes, remarks), &asked);
            assert_eq!(grade.points(), 3.0);
            grade.score()
        };
        assert_eq!(score(&[("test_forward", "ok"), ("test_backward", "ok")], &[]), 3.0);
        assert_eq!(score(&[("test_forward", "ok"), ("test_backward", "FAIL")], &[]), 1.5);
        assert_eq!(score(&[("test_forward", "ok"), ("test_backward", "skipped")], &[]), 1.5);
        assert_eq!(score(&[("test_forward", "ok")], &[]), 1.5);
        assert_eq!(score(&[], &[]), 0.0);
        let both = [("test_forward", "ok"), ("test_backward", "ok")];
        assert_eq!(
            score(&both, &["ReLU.forward loops over the examples, which (a.py:1: for)"]),
            1.5
        );
        assert_eq!(
            score(&both, &["Conv2D.forward loops over the examples, which (a.py:1: for)"]),
            3.0
        );
        let mut record = record("ada", &both[..1], &[]);
        record.verified.excused = vec!["tests.test_activations.TestReLU.test_backward".to_owned()];
        assert_eq!(points.grade(&record, &asked).score(), 3.0);
        record.verified.excused.push("tests.test_activations.TestReLU.test_forward".to_owned());
        let nothing = points.grade(&record, &asked);
        assert_eq!(format!("{} of {}", nothing.score(), nothing.points()), "0 of 0");
    }

    #[test]
    fn a_file_with_a_mistake_is_refused_and_the_error_says_what_is_expected() {
        let asked = asked(None);
        for (from, to, expected) in [
            ("points = 3", "points = -3", "expected a number that is not negative"),
            ("points = 3", "points = nan", "expected a number that is not negative"),
            ("points = 3", "point = 3", "unknown field `point`"),
            ("loops = 0.5", "loops = 2", "0 to 1"),
            ("[\"ReLU\"]", "[\"Relu\"]", "\"Relu\" is none of its classes, which are "),
            ("course", "test", "which are adjoint, course, formula"),
            ("kinds", "checks", "no check is called \"course\", nor begins with it"),
            ("course", "adjoint", "has no check"),
            ("points = 3", "points = 3\nvisibility = \"later\"", "after_due_date"),
            ("[[group]]", "[group]", "expected"),
            ("loops = 0.5", "except = [\"formulas\"]", "except: no check is called \"formulas\""),
        ] {
            let error = Points::read(&TWO.replace(from, to), &asked).unwrap_err();
            assert!(format!("{error:#}").contains(expected), "{to}: {error:#}");
        }
        let error = Points::read(&format!("{TWO}{}", &TWO[12..]), &asked).unwrap_err().to_string();
        assert!(error.contains("two groups \"ReLU\""), "{error}");
    }
}
