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
