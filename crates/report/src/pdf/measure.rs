//! Whether everything fits on a page, measured in the browser before it is cut into pages.

use anyhow::{Context, Result};
use browser::Page;
use serde::Deserialize;

use crate::problem::{Place, Problems};

/// The width of the text on an upright page in CSS pixels: 8.5 inches without the margins that
/// `theme/report.css` sets.
pub(super) const WIDTH: u32 = 696;

/// The height of the text on such a page.
pub(super) const HEIGHT: u32 = 906;

/// What does not fit, with its size.
#[derive(Debug, Deserialize)]
struct Misfit {
    name: String,
    right: f64,
    height: f64,
}

/// Adds what is wider than the page, and what cannot be kept on one page for its height.
///
/// # Errors
/// If the browser does not answer.
pub(super) fn check(page: &mut Page, place: &Place, problems: &mut Problems) -> Result<()> {
    let script = SCRIPT.replace("WIDTH", &WIDTH.to_string()).replace("HEIGHT", &HEIGHT.to_string());
    let found = page.evaluate(&script)?;
    let found: Vec<Misfit> =
        serde_json::from_value(found).context("the measurements are not as expected")?;
    for Misfit { name, right, height } in found {
        problems.add(
            place,
            format!(
                "{name} does not fit on a page: it ends at {right:.0} px of {WIDTH} and is \
                 {height:.0} px high of {HEIGHT}"
            ),
        );
    }
    Ok(())
}

/// Elements of upright pages that reach beyond the right edge, and those too high to stay whole. What a
/// formula hides for readers of its markup has no size.
const SCRIPT: &str = r"(() => {
  const whole = '.figure, .equation, .statement, .listing.short, tr';
  const wide = 'p, li, pre, table, .equation-body > svg, .figure-body > svg, .figure-body > img';
  const misfits = [];
  for (const e of document.querySelectorAll('.paper-chapter:not(.appendix-pages) :is(' + whole + ',' + wide + ')')) {
    const box = e.getBoundingClientRect();
    if (box.width <= 1) continue;
    const right = Math.max(box.right, box.left + (e.scrollWidth || 0));
    const high = e.matches(whole) && box.height > HEIGHT;
    if (right > WIDTH + 1 || high) {
      const chapter = e.closest('.paper-chapter').querySelector('h1').textContent;
      const what = e.closest('[id]')?.id || e.textContent.trim().slice(0, 40);
      misfits.push({ name: `<${e.localName}> '${what}' of '${chapter}'`, right, height: box.height });
    }
  }
  return misfits;
})()";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_style_sheet_has_the_page_that_is_measured() {
        let style = include_str!("../../../../book/theme/report.css");
        let (_, page) = style.split_once("size: letter;\n        margin: ").unwrap();
        let margins: Vec<f64> = page
            .split(';')
            .next()
            .unwrap()
            .split(' ')
            .map(|margin| margin.strip_suffix("in").unwrap().parse().unwrap())
            .collect();
        let [top, side, bottom] = margins[..] else { panic!("{margins:?}") };
        assert_eq!(f64::from(WIDTH), (96.0 * (8.5 - 2.0 * side)).floor());
        assert_eq!(f64::from(HEIGHT), (96.0 * (11.0 - top - bottom)).floor());
    }
}
