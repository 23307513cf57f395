//! Search for what does not fit on a page, in the browser before the book is cut into pages.

use anyhow::{Context, Result};
use browser::Page;

use crate::problem::{Place, Problems};

/// The width of the text on an upright page in CSS pixels: 8.5 inches without the margins that
/// `theme/report.css` sets.
pub(super) const WIDTH: u32 = 696;

/// The height of the text on such a page.
pub(super) const HEIGHT: u32 = 906;

/// Adds what is wider than the page, and what cannot be kept on one page for its height.
///
/// # Errors
/// If the browser does not answer.
pub(super) fn check(page: &mut Page, place: &Place, problems: &mut Problems) -> Result<()> {
    let found = page.evaluate(&format!("({SCRIPT})({WIDTH}, {HEIGHT})"))?;
    let found: Vec<String> =
        serde_json::from_value(found).context("the measurements are not as expected")?;
    found.into_iter().for_each(|misfit| problems.add(place, misfit));
    Ok(())
}

/// Elements of upright pages that reach beyond the right edge, and those too high to stay whole. What a
/// formula hides for readers of its markup has no size.
const SCRIPT: &str = r"(WIDTH, HEIGHT) => {
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
      misfits.push(`<${e.localName}> '${what}' of '${chapter}' does not fit on a page: it ends at ` +
        `${right.toFixed()} px of ${WIDTH} and is ${box.height.toFixed()} px high of ${HEIGHT}`);
    }
  }
  return misfits;
}";

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
