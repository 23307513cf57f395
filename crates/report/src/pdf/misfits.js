// Elements of upright pages that reach beyond the right edge, and those too high to stay whole; code of the appendix
// that reaches beyond its column. What a formula hides for readers of its markup has no size. And text, not code, in which
// a script shows a value that it does not have.
(WIDTH, HEIGHT) => {
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
  for (const e of document.querySelectorAll('.appendix-pages pre, .appendix-pages pre > code')) {
    if (e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0) {
      misfits.push(`the code '${e.textContent.trim().slice(0, 40)}' of the appendix is wider than its column`);
    }
  }
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const { data, parentElement } = texts.currentNode;
    if (/undefined|NaN%/.test(data) && !parentElement.closest('code, pre, script, style, title')) {
      misfits.push(`a script shows a value that it does not have: '${data.trim().slice(0, 40)}'`);
    }
  }
  return misfits;
}
