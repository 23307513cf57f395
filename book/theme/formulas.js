// Copying text that has formulas: each becomes its TeX, `$x$`, instead of nothing.
'use strict';

(() => {
    document.addEventListener('copy', event => {
        const selection = document.getSelection();
        if (!selection || selection.isCollapsed || !event.clipboardData) {
            return;
        }
        const held = document.createElement('div');
        for (let i = 0; i < selection.rangeCount; i++) {
            held.append(selection.getRangeAt(i).cloneContents());
        }
        const formulas = held.querySelectorAll('svg.formula');
        if (formulas.length === 0) {
            return;
        }
        for (const formula of formulas) {
            formula.replaceWith(`$${formula.querySelector('title')?.textContent ?? ''}$`);
        }
        for (const spoken of held.querySelectorAll('math.spoken')) {
            spoken.remove();
        }
        // Only what is in the page has line breaks where it is seen to have them.
        held.style.cssText = 'position: absolute; left: -9999px; white-space: normal';
        document.body.append(held);
        const text = held.innerText;
        held.remove();
        event.clipboardData.setData('text/plain', text);
        event.preventDefault();
    });
})();
