// Looks at the element that has the focus, after each press of Tab. Returns null while some have not had
// it; in the end, the controls that cannot be seen to have the focus and those that it does not reach.
(() => {
    'use strict';
    const describe = e => `<${e.localName} id="${e.id}" class="${e.className}">`;
    const unseen = (window.auditUnseen ??= []);
    const e = document.activeElement;
    if (e && e !== document.body && !e.dataset.auditReached) {
        e.dataset.auditReached = 'yes';
        const s = getComputedStyle(e);
        const outlined = s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) > 0;
        if (!outlined && s.boxShadow === 'none') {
            unseen.push(describe(e));
        }
        return null;
    }
    // Of radio buttons the arrow keys reach the rest.
    const controls = 'a[href], button, input, select, textarea, summary, [tabindex="0"]';
    const missed = [...document.querySelectorAll(controls)]
        .filter(e => !e.dataset.auditReached && !e.disabled && e.type !== 'hidden'
            && !(e.type === 'radio' && !e.checked) && e.tabIndex >= 0 && !e.closest('[inert]')
            && e.checkVisibility({ visibilityProperty: true }) && e.getClientRects().length > 0)
        .map(e => `<${e.localName} id="${e.id}"> ${(e.textContent || e.value || '').trim().slice(0, 30)}`);
    return [missed, unseen];
})()
