// What is wrong with the page as it is shown now: a list of `rule: element: detail`.
// `width` is that of the window, `theme` the one of mdBook that is expected. It runs in the page, whether
// the page's own scripts run or not.
((width, theme) => {
    'use strict';
    const findings = [];
    const counts = new Map();

    // A page with a fault in its style has it everywhere: a few examples will do.
    const MOST = 5;

    const describe = element => {
        if (!element) {
            return '';
        }
        const name = element.localName;
        const id = element.id ? `#${element.id}` : '';
        const classes = [...element.classList].map(c => `.${c}`).join('');
        const within = element.closest('[id]');
        const place = within && within !== element ? ` in #${within.id}` : '';
        return `<${name}${id}${classes}>${place}`;
    };

    const report = (rule, element, detail) => {
        const count = (counts.get(rule) ?? 0) + 1;
        counts.set(rule, count);
        if (count <= MOST) {
            findings.push(`${rule}: ${describe(element)}: ${detail}`);
        }
    };

    const all = (selector, within = document) => [...within.querySelectorAll(selector)];
    const visible = element =>
        element.checkVisibility({ opacityProperty: true, visibilityProperty: true });
    const short = text => text.trim().replace(/\s+/g, ' ').slice(0, 40);

    // The words by which an element is announced.
    const nameOf = element => {
        const labelled = (element.getAttribute('aria-labelledby') ?? '').split(/\s+/)
            .map(id => id && document.getElementById(id)?.textContent).join(' ');
        const label = [...(element.labels ?? [])].map(l => l.textContent).join(' ');
        const picture = all('img[alt], svg[aria-label]', element)
            .map(p => p.getAttribute('alt') ?? p.getAttribute('aria-label')).join(' ');
        const names = [labelled, element.getAttribute('aria-label'), label, element.textContent,
            picture, element.getAttribute('title'), element.getAttribute('alt')];
        return names.find(name => name && name.trim()) ?? '';
    };

    // Size --------------------------------------------------------------------------------------

    const overflow = () => {
        const scroller = document.scrollingElement;
        if (scroller.scrollWidth <= width) {
            return;
        }
        const contained = element => {
            for (let box = element.parentElement; box && box !== scroller; box = box.parentElement) {
                if (box !== document.body && getComputedStyle(box).overflowX !== 'visible') {
                    return true;
                }
            }
            return false;
        };
        const wide = all('body *').filter(element =>
            element.getBoundingClientRect().right + window.scrollX > width + 0.5
            && visible(element) && !contained(element));
        const deepest = wide.filter(element => !wide.some(other =>
            other !== element && element.contains(other)));
        const detail = `the page is ${scroller.scrollWidth} px wide, the window ${width} px`;
        if (deepest.length === 0) {
            report('overflow', null, detail);
        }
        for (const element of deepest) {
            const right = Math.round(element.getBoundingClientRect().right);
            report('overflow', element, `${detail}; it reaches to ${right} px`);
        }
    };

    // Pictures ----------------------------------------------------------------------------------

    const pictures = () => {
        for (const picture of all('img, svg')) {
            if (picture.parentElement.closest('svg') || !picture.checkVisibility()
                || picture.matches('svg.glyphs')) {
                continue;
            }
            const box = picture.getBoundingClientRect();
            if (box.width < 1 || box.height < 1) {
                report('picture-size', picture, `it is ${box.width} by ${box.height} px`);
            }
            if (picture.localName === 'img') {
                if (!picture.complete || picture.naturalWidth === 0) {
                    report('picture-missing', picture, picture.getAttribute('src'));
                }
                if (!picture.hasAttribute('alt')) {
                    report('picture-alternative', picture, 'no `alt`');
                }
                continue;
            }
            if (picture.matches('.formula')) {
                const spoken = picture.nextElementSibling;
                const paired = picture.getAttribute('aria-hidden') === 'true'
                    && spoken?.localName === 'math' && spoken.textContent.trim() !== '';
                if (!paired && !picture.getAttribute('aria-label')?.trim()) {
                    report('picture-alternative', picture, 'a formula that is not spoken');
                }
                continue;
            }
            const owner = picture.closest('button, a, label, summary');
            const silent = picture.closest('[aria-hidden="true"]') || (owner && nameOf(owner));
            if (!silent && !picture.getAttribute('aria-label')?.trim()
                && !picture.querySelector(':scope > title')?.textContent.trim()) {
                report('picture-alternative', picture, 'no `aria-label`');
            }
            if (picture.matches('.drawing') && !picture.closest('figure')) {
                report('figure-caption', picture, 'a drawing outside of a figure');
            }
        }
        for (const figure of all('figure').filter(visible)) {
            const caption = figure.querySelector('figcaption');
            if (!caption || !caption.textContent.trim()) {
                report('figure-caption', figure, 'no caption');
            }
        }
    };

    // Colours -----------------------------------------------------------------------------------

    // [red, green, blue, alpha], all from 0 to 1; null for what this cannot read.
    const colours = new Map();
    const parse = text => {
        if (!colours.has(text)) {
            let match = text.match(/^rgba?\(([\d.]+), ([\d.]+), ([\d.]+)(?:, ([\d.]+))?\)$/);
            let scale = 255;
            if (!match) {
                match = text.match(/^color\(srgb ([\d.e-]+) ([\d.e-]+) ([\d.e-]+)(?: \/ ([\d.e-]+))?\)$/);
                scale = 1;
            }
            colours.set(text, match && [match[1] / scale, match[2] / scale, match[3] / scale,
                match[4] === undefined ? 1 : Number(match[4])]);
        }
        return colours.get(text);
    };
    const over = (top, below) =>
        [0, 1, 2].map(i => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
    const luminance = colour => {
        const linear = colour.slice(0, 3).map(value =>
            value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
    };
    const ratio = (one, other) => {
        const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
        return (light + 0.05) / (dark + 0.05);
    };
    const hex = colour => `#${colour.slice(0, 3)
        .map(value => Math.round(value * 255).toString(16).padStart(2, '0')).join('')}`;

    // What is painted behind an element, and by how much it is seen through: { colour, opacity }.
    const backgrounds = new Map();
    const background = element => {
        if (!element) {
            return { colour: [1, 1, 1, 1], opacity: 1 };
        }
        if (!backgrounds.has(element)) {
            const style = getComputedStyle(element);
            const below = background(element.parentElement);
            const own = parse(style.backgroundColor);
            if (!own) {
                report('colour', element, `background ${style.backgroundColor} is not understood`);
            }
            if (style.backgroundImage !== 'none') {
                report('colour', element, 'text on a background image has no known contrast');
            }
            backgrounds.set(element, {
                colour: own && own[3] > 0 ? over(own, below.colour) : below.colour,
                opacity: below.opacity * Number(style.opacity),
            });
        }
        return backgrounds.get(element);
    };

    // What the shapes of a drawing have painted where a text of it stands.
    const shapes = 'rect, circle, ellipse, polygon, path';
    const painted = (text, colour) => {
        const box = text.getBoundingClientRect();
        const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
        for (const shape of all(shapes, text.ownerSVGElement)) {
            if (!(shape.compareDocumentPosition(text) & Node.DOCUMENT_POSITION_FOLLOWING)) {
                break;
            }
            const style = getComputedStyle(shape);
            const fill = style.fill === 'none' ? null : parse(style.fill);
            const matrix = fill && shape.getScreenCTM();
            if (!matrix || shape.closest('defs') || !visible(shape)) {
                continue;
            }
            const point = new DOMPoint(x, y).matrixTransform(matrix.inverse());
            if (shape.isPointInFill(point)) {
                const alpha = fill[3] * Number(style.fillOpacity) * Number(style.opacity);
                colour = over([...fill.slice(0, 3), alpha], colour);
            }
        }
        return colour;
    };

    const judge = (element, colour, behind, opacity, text) => {
        const style = getComputedStyle(element);
        const [size, weight] = [parseFloat(style.fontSize), Number(style.fontWeight)];
        const least = size >= 24 || (size >= 18.66 && weight >= 700) ? 3 : 4.5;
        const seen = over([...colour.slice(0, 3), colour[3] * opacity], behind);
        const contrast = ratio(seen, behind);
        if (contrast < least) {
            report('contrast', element, `${contrast.toFixed(2)}:1 is less than ${least}:1 `
                + `(${hex(seen)} on ${hex(behind)}), "${short(text)}"`);
        }
    };

    const contrast = () => {
        // Texts of one element, and elements of one look, are judged once.
        const judged = new Set();
        const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
        for (let node = walker.nextNode(); node; node = walker.nextNode()) {
            const element = node.parentElement;
            if (!node.data.trim() || judged.has(element)
                || element.closest('script, style, noscript, math.spoken, title, option, :disabled')
                || !visible(element)) {
                continue;
            }
            judged.add(element);
            const svg = element.closest('svg');
            const { colour: behind, opacity } = background(svg ?? element);
            const style = getComputedStyle(element);
            const paint = svg ? style.fill : style.color;
            const colour = parse(paint);
            if (!colour) {
                report('colour', element, `${paint} is not understood`);
                continue;
            }
            if (svg) {
                const own = Number(style.fillOpacity) * Number(style.opacity);
                const beneath = painted(element, behind);
                judge(element, [...colour.slice(0, 3), colour[3] * own], beneath, opacity, node.data);
                continue;
            }
            const look = [paint, behind, opacity, style.fontSize, style.fontWeight].join();
            if (!judged.has(look)) {
                judged.add(look);
                judge(element, colour, behind, opacity, node.data);
            }
        }
        for (const formula of all('svg.formula').filter(visible)) {
            const style = getComputedStyle(formula);
            const { colour: behind, opacity } = background(formula.parentElement);
            const look = `formula ${[style.color, behind, opacity, style.fontSize].join()}`;
            if (!judged.has(look)) {
                judged.add(look);
                const title = formula.querySelector('title')?.textContent ?? '';
                judge(formula, parse(style.color), behind, opacity, title);
            }
        }
    };

    // Structure ---------------------------------------------------------------------------------

    const structure = () => {
        // In another theme, all else that is said of the page would be of that. Only pages of mdBook's
        // frame have themes, and only where their scripts run.
        const root = document.documentElement;
        if (theme && document.querySelector('#mdbook-menu-bar') && !root.classList.contains(theme)) {
            report('theme', root, `expected ${theme}`);
        }
        if (!document.title.trim()) {
            report('title', root, 'the page has no title');
        }
        if (!root.lang) {
            report('language', root, 'the page does not name its language');
        }
        const ids = new Set();
        for (const element of all('[id]')) {
            if (ids.has(element.id)) {
                report('id', element, 'another element has this id');
            }
            ids.add(element.id);
        }
        const main = document.querySelector('main');
        let level = 0;
        for (const heading of main ? all('h1, h2, h3, h4, h5, h6', main) : []) {
            const own = Number(heading.localName[1]);
            if (own > level + 1) {
                const before = level === 0 ? 'nothing' : `<h${level}>`;
                report('heading', heading, `it follows ${before}: "${short(heading.textContent)}"`);
            }
            if (!heading.textContent.trim()) {
                report('heading', heading, 'it is empty');
            }
            level = own;
        }
        for (const control of all('a[href], button, input, select, textarea, summary')) {
            if (control.type === 'hidden' || !visible(control)) {
                continue;
            }
            if (!nameOf(control)) {
                report('name', control, 'it has no name');
            }
            // A link to the place where one is needs no stop of its own.
            if (control.tabIndex < 0 && !control.closest('[role="menu"], [inert]')) {
                report('focus', control, 'the Tab key does not reach it');
            }
        }
        for (const table of all('main table').filter(visible)) {
            if (!table.querySelector('th')) {
                report('table', table, 'no cell of it is a heading');
            }
        }
    };

    overflow();
    pictures();
    contrast();
    structure();
    for (const [rule, count] of counts) {
        if (count > MOST) {
            findings.push(`${rule}: ${count - MOST} more`);
        }
    }
    return findings;
})
