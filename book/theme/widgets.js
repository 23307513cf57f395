// What all widgets share. `bookWidget(name, build)` finds the figures `data-widget="name"` of the page,
// hands the builder an element to fill and the inputs that the program put into the page, and shows
// the figure. On a page without widgets nothing happens.
'use strict';

const bookWidget = (name, build) => {
    for (const figure of document.querySelectorAll(`figure[data-widget="${name}"]`)) {
        const body = figure.querySelector('.widget-body');
        const inputs = JSON.parse(body.querySelector('script').textContent);
        const frame = document.createElement('div');
        body.append(frame);
        build(frame, inputs);
        // The arrow keys turn the pages of the book, but not from within a widget.
        figure.addEventListener('keydown', event => event.stopPropagation());
        figure.hidden = false;
    }
};

// An element with attributes (`on...` are listeners) and children.
bookWidget.element = (name, attributes = {}, ...children) => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
        if (typeof value === 'function') {
            element.addEventListener(key.slice(2), value);
        } else if (value !== false) {
            element.setAttribute(key, value === true ? '' : value);
        }
    }
    element.append(...children);
    return element;
};

// A number with at most four decimals and a proper minus sign.
bookWidget.show = number => {
    const rounded = Number(number.toFixed(4));
    return (Object.is(rounded, -0) ? 0 : rounded).toString().replace('-', '\u2212');
};

// The same as a factor: negative ones in brackets.
bookWidget.factor = number => number < 0 ? `(${bookWidget.show(number)})` : bookWidget.show(number);

// Radio buttons: calls `choose` with the index of the one that is chosen.
bookWidget.choice = (() => {
    let groups = 0;
    return (legend, names, choose) => {
        const group = `widget-choice-${groups++}`;
        const option = (name, index) => bookWidget.element('label', {},
            bookWidget.element('input', {
                type: 'radio', name: group, value: index, checked: index === 0,
                onchange: () => choose(index),
            }), ` ${name}`);
        return bookWidget.element('fieldset', {},
            bookWidget.element('legend', {}, legend), ...names.map(option));
    };
})();
