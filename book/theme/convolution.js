// A convolution, one output cell at a time: forward, and both gradients.
'use strict';

bookWidget('convolution', (frame, examples) => {
    const { element, show, factor, choice } = bookWidget;
    const passes = [forward, weights, input];
    let [example, pass, step, timer] = [examples[0], forward, 0, null];

    const grids = element('div', { class: 'widget-grids' });
    const position = element('span', { class: 'widget-position' });
    const says = element('p', { class: 'widget-says', 'aria-live': 'polite' });
    const button = (text, onclick) => element('button', { type: 'button', onclick }, text);
    const previous = button('Previous', () => go(step - 1));
    const next = button('Next', () => go(step + 1));
    const play = button('Play', () => timer ? stop() : start());
    play.setAttribute('aria-pressed', 'false');
    const buttons = element('div', { class: 'widget-buttons', onkeydown },
        previous, next, play, position);
    frame.append(
        choice('Example', examples.map(e => e.name), index => {
            example = examples[index];
            go(0);
        }),
        choice('Pass', ['forward: Z', 'backward: \u2202L/\u2202W and \u2202L/\u2202b',
            'backward: \u2202L/\u2202X'], index => {
            pass = passes[index];
            go(0);
        }),
        grids, buttons, says);
    go(0);

    // Steps -------------------------------------------------------------------------------------

    function outputs() {
        return example.g.length * example.g[0].length;
    }

    function go(to) {
        stop();
        show_step(to);
    }

    function show_step(to) {
        step = Math.min(Math.max(to, 0), outputs() - 1);
        pass();
        position.textContent = `Step ${step + 1} of ${outputs()}`;
        // Not `disabled`, which would take the focus away.
        previous.setAttribute('aria-disabled', step === 0);
        next.setAttribute('aria-disabled', step === outputs() - 1);
    }

    function start() {
        if (step === outputs() - 1) {
            show_step(0);
        }
        timer = setInterval(() => {
            show_step(step + 1);
            if (step === outputs() - 1) {
                stop();
            }
        }, 1500);
        play.textContent = 'Pause';
        play.setAttribute('aria-pressed', 'true');
    }

    function stop() {
        clearInterval(timer);
        timer = null;
        play.textContent = 'Play';
        play.setAttribute('aria-pressed', 'false');
    }

    function onkeydown(event) {
        const to = { ArrowLeft: step - 1, ArrowRight: step + 1, Home: 0, End: outputs() - 1 };
        if (event.key in to) {
            event.preventDefault();
            go(to[event.key]);
        }
    }

    // Passes ------------------------------------------------------------------------------------

    // Output cell number `index`, and what lies under the filter there: for each cell (i, j) of the
    // filter its row and column of the image, which may be on the padding.
    function place(index) {
        const cols = example.g[0].length;
        const [r, q] = [Math.floor(index / cols), index % cols];
        const cells = example.w.flatMap((row, i) => row.map((_, j) => ({
            i, j, row: r * example.stride + i - example.pad[0],
            col: q * example.stride + j - example.pad[1],
        })));
        return { r, q, cells };
    }

    function pixel({ row, col }) {
        return example.x[row]?.[col] ?? 0;
    }

    function forward() {
        const z = example.g.map(row => row.map(() => null));
        for (let index = 0; index <= step; index++) {
            const { r, q, cells } = place(index);
            z[r][q] = cells.reduce((sum, c) => sum + example.w[c.i][c.j] * pixel(c), example.b);
        }
        const { r, q, cells } = place(step);
        const terms = cells.map(c => `${factor(example.w[c.i][c.j])}\u00b7${show(pixel(c))}`);
        grids.replaceChildren(
            image('X', 'x', example.x, cells), sign('\u22c6'), filter('W', 'w', example.w, cells),
            sign(`+ ${show(example.b)} =`), grid('Z', 'z', z, [{ row: r, col: q }]));
        says.textContent = `Z[${r}, ${q}] = ${terms.join(' + ')} + ${show(example.b)} = ${show(z[r][q])}`;
    }

    function weights() {
        const dw = example.w.map(row => row.map(() => 0));
        let db = 0;
        for (let index = 0; index <= step; index++) {
            const { r, q, cells } = place(index);
            for (const c of cells) {
                dw[c.i][c.j] += example.g[r][q] * pixel(c);
            }
            db += example.g[r][q];
        }
        const { r, q, cells } = place(step);
        const [g, seen] = [example.g[r][q], cells.map(c => show(pixel(c))).join(', ')];
        grids.replaceChildren(
            grid('G', 'g', example.g, [{ row: r, col: q }]), sign('\u00b7'),
            image('X', 'x', example.x, cells), sign('\u2192'),
            filter('\u2202L/\u2202W', 'dw', dw, cells),
            grid('\u2202L/\u2202b', 'db', [[db]], [{ row: 0, col: 0 }]));
        says.textContent = `G[${r}, ${q}] = ${show(g)} times the window (${seen}) is added to \u2202L/\u2202W, `
            + `and ${show(g)} itself to \u2202L/\u2202b, which is now ${show(db)}.`;
    }

    function input() {
        const dx = example.x.map(row => row.map(() => 0));
        for (let index = 0; index <= step; index++) {
            const { r, q, cells } = place(index);
            for (const c of cells) {
                if (dx[c.row]?.[c.col] !== undefined) {
                    dx[c.row][c.col] += example.g[r][q] * example.w[c.i][c.j];
                }
            }
        }
        const { r, q, cells } = place(step);
        const dropped = cells.filter(c => dx[c.row]?.[c.col] === undefined).length;
        grids.replaceChildren(
            grid('G', 'g', example.g, [{ row: r, col: q }]), sign('\u00b7'),
            filter('W', 'w', example.w, cells), sign('\u2192'),
            image('\u2202L/\u2202X', 'dx', dx, cells));
        says.textContent = `G[${r}, ${q}] = ${show(example.g[r][q])} times the filter is added to the window `
            + 'of \u2202L/\u2202X that this output cell saw.'
            + (dropped ? ` ${dropped} of its cells fall on the padding and are dropped.` : '');
    }

    // Grids -------------------------------------------------------------------------------------

    function sign(text) {
        return element('span', { class: 'widget-sign', 'aria-hidden': 'true' }, text);
    }

    function filter(name, key, values, cells) {
        return grid(name, key, values, cells.map(c => ({ row: c.i, col: c.j })));
    }

    function image(name, key, values, cells) {
        return grid(name, key, values, cells, example.pad);
    }

    // A table of numbers with their indices; `marked` are the cells of this step, and around the
    // numbers lies a border of padding.
    function grid(name, key, values, marked, [padRows, padCols] = [0, 0]) {
        const range = (count, pad) => Array.from({ length: count + 2 * pad }, (_, k) => k - pad);
        const cols = range(values[0].length, padCols);
        const row = index => element('tr', {},
            element('th', { scope: 'row' }, show(index)),
            ...cols.map(col => {
                const value = values[index]?.[col];
                const classes = [value === undefined && 'padding',
                    marked.some(m => m.row === index && m.col === col) && 'marked'];
                const text = value === undefined ? '0' : value === null ? '' : show(value);
                return element('td', { class: classes.filter(Boolean).join(' ') },
                    key === 'dx' && value === undefined ? '' : text);
            }));
        return element('table', { class: 'widget-grid', 'data-array': key },
            element('caption', {}, name),
            element('thead', {}, element('tr', {}, element('td'),
                ...cols.map(col => element('th', { scope: 'col' }, show(col))))),
            element('tbody', {}, ...range(values.length, padRows).map(row)));
    }
});
