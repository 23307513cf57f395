// What mdBook's frame lacks for those who read by keyboard.
//
// mdBook opens its table of contents by the label of a hidden check box, which the keyboard does not
// reach. A button in its place does the same.
'use strict';

(() => {
    const label = document.getElementById('mdbook-sidebar-toggle');
    if (!label) {
        return;
    }
    const button = document.createElement('button');
    button.type = 'button';
    button.className = label.className;
    button.title = label.title;
    button.setAttribute('aria-label', label.title);
    button.setAttribute('aria-controls', 'mdbook-sidebar');
    button.append(...label.cloneNode(true).childNodes);
    button.addEventListener('click', () => label.click());
    const copyState = () =>
        button.setAttribute('aria-expanded', label.getAttribute('aria-expanded') ?? 'false');
    new MutationObserver(copyState).observe(label, { attributeFilter: ['aria-expanded'] });
    copyState();
    label.hidden = true;
    label.after(button);
})();

// What scrolls within itself has to be reachable by keyboard too, which not all browsers see to, and to show
// that it does.
addEventListener('load', () => {
    const boxes = 'pre > code, .equation-body, .figure-body, .table-wrapper, .widget-grids';
    const scrolls = box =>
        box.scrollWidth > box.clientWidth && !box.querySelector('a[href], button, input');
    // All are measured before any is changed, or the page would be laid out anew for each.
    const scrolling = [...document.querySelectorAll(boxes)].map(box => [box, scrolls(box)]);
    for (const [box, isReached] of scrolling) {
        if (isReached) {
            box.tabIndex = 0;
        }
        // A phone shows no scroll bar, and what is cut off may look complete.
        const mark = () => {
            const hidden = box.scrollWidth - box.clientWidth;
            box.classList.toggle('more-before', hidden > 1 && box.scrollLeft > 1);
            box.classList.toggle('more-after', hidden > 1 && box.scrollLeft < hidden - 1);
        };
        box.addEventListener('scroll', mark, { passive: true });
        new ResizeObserver(mark).observe(box);
    }
});

// The appendix has tens of thousands of lines. Coloured at once they would hold up the page for many seconds, so
// each file is coloured when it comes near the window; the ending of its name is its language.
{
    const colour = new IntersectionObserver(entries => {
        for (const { target: code } of entries.filter(entry => entry.isIntersecting)) {
            colour.unobserve(code);
            const name = code.closest('pre').previousElementSibling.textContent;
            code.classList.replace('language-text', `language-${name.split('.').pop()}`);
            hljs.highlightBlock(code);
        }
    }, { rootMargin: '100%' });
    document.querySelectorAll('.appendix pre > code').forEach(code => colour.observe(code));
}
