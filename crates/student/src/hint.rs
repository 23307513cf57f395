//! `cargo xtask hint`.

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Args;
use handin::{GRADED, Graded};
use system::println;

/// Print a hint for a function that you have to write
///
/// Level 1 is about shapes, level 2 has the equation, level 3 names the page of the book that derives it.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  cargo xtask hint\n  cargo xtask hint max_pool_backward --level 2"
)]
pub(crate) struct Hint {
    /// The function, as the message of an unwritten one names it; without it, all are listed
    name: Option<String>,

    /// How much is given away
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=3))]
    level: u8,
}

impl Hint {
    pub(crate) fn print(&self) -> Result<ExitCode> {
        let Some(name) = &self.name else {
            for Graded { name, file, .. } in &GRADED {
                println!("{name:34} {file}");
            }
            return Ok(ExitCode::SUCCESS);
        };
        let Some(graded) = GRADED.iter().find(|graded| graded.name.eq_ignore_ascii_case(name))
        else {
            let near = match &*near(name) {
                [] => "all of them".to_owned(),
                near => format!("near names: {}; all", near.join(", ")),
            };
            bail!("no function to be written is called {name:?}; {near}: cargo xtask hint");
        };
        let (page, equation) = graded.page;
        println!(
            "{}",
            match self.level {
                1 => graded.shape.to_owned(),
                2 => graded.equation.to_owned(),
                _ => format!("the book derives it in {page}: equation {equation}"),
            }
        );
        Ok(ExitCode::SUCCESS)
    }
}

/// The names that look most like this one, or contain it.
fn near(name: &str) -> Vec<&'static str> {
    let lower = name.to_lowercase();
    let likeness = |graded: &Graded| {
        let own = graded.name.to_lowercase();
        let whole = strsim::normalized_damerau_levenshtein(&own, &lower);
        if !lower.is_empty() && own.contains(&lower) { 1.0 } else { whole }
    };
    let mut near: Vec<_> = GRADED.iter().map(|graded| (likeness(graded), graded.name)).collect();
    near.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    near.into_iter().filter(|(likeness, _)| *likeness > 0.4).take(5).map(|(_, name)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistyped_names_and_parts_of_names_are_near() {
        assert_eq!(near("max_pol_forward")[0], "max_pool_forward");
        assert_eq!(near("relu"), ["ReLU::value", "ReLU::gradient"]);
        assert!(near("zzzz").is_empty());
    }
}
