// Softmax under sliders: logits, a shift of all of them, and the temperature.
'use strict';

bookWidget('softmax', (frame, { s: given, g }) => {
    const { element, show } = bookWidget;
    let logits, shift, temperature;

    const classes = given.map((_, i) => i);
    const says = element('p', { class: 'widget-says', 'aria-live': 'polite' });
    const sliders = element('div', { class: 'widget-sliders' });
    const sub = i => String.fromCharCode(0x2080 + i);
    const logit = classes.map(i => slider(`s${sub(i)}`, -4, 4, value => logits[i] = value));
    const shifted = slider('shift of all', -10, 10, value => shift = value);
    const heat = slider('temperature', 0.25, 4, value => temperature = value);
    const numbers = element('tbody');
    const bars = classes.map(() => element('span', { class: 'widget-bar', 'aria-hidden': 'true' }));
    const reset = element('button', { type: 'button', onclick: start }, 'Reset');
    frame.append(
        sliders,
        element('div', { class: 'widget-buttons' }, reset),
        element('div', { class: 'widget-grids' },
            element('table', { class: 'widget-grid', 'data-array': 'jacobian' },
                element('caption', {}, 'Probabilities and their slopes'),
                element('thead', {}, element('tr', {},
                    element('td'), element('th', { scope: 'col' }, '\u03c3'),
                    element('th', { scope: 'col', class: 'widget-bar-head' }, 'share'),
                    ...classes.map(j => element('th', { scope: 'col' }, `\u2202/\u2202s${sub(j)}`)))),
                numbers)),
        says);
    start();

    function start() {
        [logits, shift, temperature] = [[...given], 0, 1];
        [...logit, shifted, heat].forEach((control, i) => control.set([...logits, shift, temperature][i]));
        update();
        tell();
    }

    function slider(name, min, max, store) {
        const output = element('output');
        const range = element('input', {
            type: 'range', min, max, step: 0.05, 'data-input': name, 'aria-label': name,
            oninput: () => {
                store(Number(range.value));
                output.textContent = show(Number(range.value));
                update();
            },
            onchange: tell,
        });
        sliders.append(element('label', {}, element('span', {}, name), range, output));
        return {
            set: value => {
                range.value = value;
                output.textContent = show(value);
            },
        };
    }

    function softmax() {
        const scaled = logits.map(value => (value + shift) / temperature);
        const most = Math.max(...scaled);
        const powers = scaled.map(value => Math.exp(value - most));
        const sum = powers.reduce((a, b) => a + b);
        return powers.map(power => power / sum);
    }

    function update() {
        const sigma = softmax();
        const jacobian = sigma.map((p, i) =>
            sigma.map((q, j) => p * ((i === j ? 1 : 0) - q) / temperature));
        const ds = classes.map(j => jacobian.reduce((sum, row, i) => sum + g[i] * row[j], 0));
        numbers.replaceChildren(
            ...classes.map(i => element('tr', {},
                element('th', { scope: 'row' }, `\u03c3${sub(i)}`), cell(sigma[i]), share(i, sigma[i]),
                ...jacobian[i].map(value => cell(value, value * temperature / 0.25)))),
            element('tr', {},
                element('th', { scope: 'row', colspan: 3 }, `(${g.map(show).join(', ')}) J`),
                ...ds.map(value => cell(value))));
    }

    function share(i, value) {
        bars[i].style.width = `${value * 100}%`;
        return element('td', { class: 'widget-share' }, bars[i]);
    }

    // `strength` from -1 to 1 colours the cell.
    function cell(value, strength = 0) {
        const heat = `--heat: ${(Math.abs(strength) * 40).toFixed(1)}%`;
        return element('td', { class: strength < 0 ? 'negative' : 'positive', style: heat }, show(value));
    }

    function tell() {
        const moved = shift === 0 ? '' : ` All logits are shifted by ${show(shift)}, which changes nothing.`;
        says.textContent = `\u03c3 = (${softmax().map(show).join(', ')}).${moved}`;
    }
});
