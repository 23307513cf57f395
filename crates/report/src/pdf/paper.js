// Rearranges the chapters of print.html for paper: each on pages of its own with its name above them, a
// table of contents after the title page, and a list of its crates on the first page of the appendix.
// Returns what the PDF has to have of each chapter, as it was before. `listed` is SUMMARY.md's list; `crates` are the
// headings of the crates that the appendix has, or null for all.
(listed, crates) => {
    'use strict';
    const main = document.querySelector('main');
    const isSeparator = node => node.localName === 'div' && node.style.breakBefore === 'page'
        && !node.hasChildNodes();
    const chapters = [[]];
    for (const node of [...main.childNodes]) {
        if (node.matches?.('svg.glyphs')) {
            continue; // They are those of all formulas.
        }
        node.remove();
        if (isSeparator(node)) {
            chapters.push([]);
        } else {
            chapters.at(-1).push(node);
        }
    }
    if (chapters.length !== listed.length) {
        throw `print.html has ${chapters.length} chapters, but SUMMARY.md lists ${listed.length}`;
    }

    const all = (selector, within) => [...within.querySelectorAll(selector)];
    const element = (name, className, ...children) => {
        const made = document.createElement(name);
        made.className = className;
        made.append(...children);
        return made;
    };
    // The text of an element without that of its drawings.
    const plain = element => {
        const copy = element.cloneNode(true);
        all('svg', copy).forEach(drawing => drawing.remove());
        return copy.textContent.trim();
    };
    const texts = within => {
        const walker = document.createTreeWalker(within, NodeFilter.SHOW_TEXT);
        const found = [];
        while (walker.nextNode()) {
            found.push(walker.currentNode.data.trim());
        }
        return found.filter(text => text);
    };
    const listings = within => {
        const found = [];
        for (const part of all('h3, pre', within)) {
            if (part.localName === 'h3') {
                found.push({ name: plain(part), code: null });
            } else if (found.at(-1)?.code === null) {
                found.at(-1).code = plain(part);
            }
        }
        return found.filter(listing => listing.code !== null);
    };
    const roleOf = (section, { part, name }) => {
        if (section.querySelector('div.title-page')) {
            return 'title';
        }
        if (section.querySelector('div.appendix')) {
            return 'appendix';
        }
        return part === 'Questions' && /^\d/.test(name) ? 'question' : 'text';
    };
    // Solutions stand at the end of their chapter; whatever else is folded stays so.
    const unfold = section => {
        const solutions = all('details.solution', section);
        if (solutions.length === 0) {
            return;
        }
        const heading = element('h2', '', 'Solutions');
        heading.id = `solutions-${section.querySelector('h1[id]')?.id}`;
        section.append(heading);
        for (const solution of solutions) {
            const name = element('p', '', element('strong', '', `${solution.dataset.of}.`));
            solution.querySelector('summary').replaceWith(name);
            section.append(element('div', 'solution', ...solution.childNodes));
            solution.remove();
        }
    };
    const select = section => {
        const box = section.querySelector('.appendix');
        if (!crates || !box) {
            return;
        }
        let kept = true;
        for (const node of [...box.childNodes]) {
            kept = node.localName === 'h2' ? crates.includes(plain(node)) : kept;
            if (!kept) {
                node.remove();
            }
        }
        all(':scope > p', section).forEach(paragraph => paragraph.remove());
        box.before(element('p', '', 'The crates that answer a question of the assignment. The '
            + 'others are in the code archive.'));
    };
    const describe = (section, entry) => {
        const heading = section.querySelector(':is(h1, h2, h3, h4, h5, h6)[id]');
        if (heading?.localName !== 'h1') {
            throw `the chapter "${entry.name}" does not begin with a heading of the first level`;
        }
        const role = roleOf(section, entry);
        // In the table of contents one looks for the number, which the heading of a question has.
        const number = role === 'question' ? undefined : entry.name.match(/^\d\S*/)?.[0];
        const name = plain(heading);
        return {
            role, number, name: entry.name, id: heading.id,
            heading: number ? `${number} ${name}` : name,
            running_title: role === 'question' ? name : entry.name,
            sections: all('h2[id]', section).map(h => ({ id: h.id, name: plain(h) })),
            figures: all('figcaption strong', section).map(caption => caption.textContent)
                .filter(text => /^Figure .*\.$/.test(text)),
            code_lines: role === 'appendix' ? [] : all('pre', section)
                .filter(code => !code.closest('details'))
                .flatMap(code => plain(code).split('\n')).filter(line => line.trim()),
            listings: role === 'appendix' ? listings(section) : [],
            texts: role === 'title' ? texts(section) : [],
        };
    };

    // The number of the page is put into the last span later.
    const entry = (kind, id, ...name) => {
        const link = element('a', `toc-${kind}`, element('span', 'toc-name', ...name),
            element('span', 'toc-page', '000'));
        link.href = `#${id}`;
        return link;
    };
    const sectionEntries = section => all('h2[id]', section).map(heading => {
        const name = (heading.querySelector('a.header') ?? heading).cloneNode(true);
        return entry('section', heading.id, ...name.childNodes);
    });
    const rules = [];
    const name = (section, page, rule, title) => {
        const text = title.replace(/["\\]/g, '\\$&');
        const above = title && `@top-right { content: "${text}"; }`;
        rules.push(`@page ${page} { ${rule} ${above} }`);
        section.style.page = page;
    };

    const table = element('nav', 'toc');
    const described = listed.map((entryOf, index) => {
        const section = element('section', 'paper-chapter', ...chapters[index]);
        unfold(section);
        select(section);
        const chapter = describe(section, entryOf);
        const { role, number, running_title: title } = chapter;
        section.classList.add(`${role}-pages`);
        main.append(section);
        if (role === 'title') {
            name(section, `chapter-${index}`, '@bottom-center { content: none; }', '');
            const heading = element('h1', '', 'Contents');
            heading.id = 'table-of-contents';
            const contents = element('section', 'paper-chapter contents', heading, table);
            name(contents, 'contents', '', 'Contents');
            main.append(contents);
            return chapter;
        }
        const paper = role === 'appendix'
            ? 'size: letter landscape; margin: 0.5in 0.42in 0.46in;' : '';
        name(section, `chapter-${index}`, paper, title);
        if (entryOf.part !== listed[index - 1]?.part) {
            table.append(element('p', 'toc-part', entryOf.part));
        }
        table.append(element('div', 'toc-group', entry('chapter', chapter.id, entryOf.name),
            ...sectionEntries(section)));
        if (role === 'appendix') {
            const box = section.querySelector('.appendix');
            const crates = element('nav', 'toc', ...sectionEntries(section));
            let place = box;
            for (const node of [...box.childNodes]) {
                if (node.localName === 'h2') {
                    place = element('section', 'crate');
                    box.append(place);
                }
                place.append(node);
            }
            box.querySelector('.crate')?.before(crates);
        } else if (number) {
            section.querySelector('h1 > a.header')?.prepend(`${number} `);
        }
        return chapter;
    });
    document.head.append(element('style', '', rules.join('\n')));
    // The appendix is text: every coloured word would be an element of its own in the PDF.
    all('code.language-rust', main).forEach(block => hljs.highlightBlock(block));
    return described;
}
