//! The audit against pages that have each defect that it is there to find.

#![expect(clippy::unwrap_used, reason = "all of this is tests, which panic to fail")]

use std::fs;

use report::audit::{Audit, VIEWS, look, try_all};
use report::tensor::Tensors;
use report::widget;

/// A page without a defect, around some content.
fn page(head: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>A page</title>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">{head}</head>\
         <body style=\"background:#fff;color:#222\"><main><h1 id=\"a\">A page</h1>{body}</main></body></html>"
    )
}

/// In each line the name of a page, the rule that it breaks, and its content.
const PLANTED: &str = r#"
wide overflow <div style="width:2000px">wide</div>
phone overflow <div style="width:600px">wide on a phone</div>
pale contrast <p style="color:#999">pale</p>
veiled contrast <div style="opacity:0.4"><p>seen through</p></div>
formula picture-alternative <p><svg aria-hidden="true" class="formula" width="9" height="9"><title>x</title></svg></p>
silent picture-alternative <p><svg width="9" height="9"></svg></p>
image picture-alternative <p><img width="9" height="9" src="data:image/gif;base64,R0lGODlhAQABAAAAACw="></p>
missing picture-missing <p><img alt="a" width="9" height="9" src="no.png"></p>
failed request-failed <p><img alt="a" width="9" height="9" src="no.png"></p>
flat picture-size <p><svg role="img" aria-label="a" width="0" height="9"></svg></p>
bare figure-caption <figure><p>no caption</p></figure>
loose figure-caption <p><svg role="img" aria-label="a dot" class="drawing" width="9" height="9"></svg></p>
twice id <p id="a">twice</p>
jump heading <h3>from one to three</h3>
nameless name <p><button style="width:9px;height:9px"></button></p>
unreachable focus <p><a href="wide.html" tabindex="-1">x</a></p>
headless table <table><tr><td>1</td></tr></table>
error console <script>console.error('bad', 3, {a: 1})</script>
exception console <script>nothing.there()</script>
network request <p><img alt="a" width="9" height="9" src="http://192.0.2.1/a.png"></p>
theme theme <div id="mdbook-menu-bar">a frame without a theme</div>
"#;

/// Those whose defect shows in some views only.
const VARIES: [&str; 3] = ["night", "phone", "theme"];

/// The same with the whole page, and those that are more than a line or whose defect is in the head.
fn planted() -> Vec<(&'static str, &'static str, String)> {
    let label = "<figure><svg role=\"img\" aria-label=\"a dot\" class=\"drawing\" width=\"9\" height=\"9\" \
        viewBox=\"0 0 9 9\"><rect width=\"9\" height=\"9\" fill=\"#333\"/>\
        <text x=\"1\" y=\"7\" font-size=\"6\">x</text></svg><figcaption>c</figcaption></figure>";
    let night = "<style>@media (prefers-color-scheme: dark) { p { background: #111 } }</style>";
    let outside = "<link rel=\"stylesheet\" href=\"../outside.css\">";
    let planted = PLANTED.trim().lines().map(|line| {
        let [name, rule, body] = line.splitn(3, ' ').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        (name, rule, page("", body))
    });
    let others = [
        ("label", "contrast", page("", label)),
        ("night", "contrast", page(night, "<p>dark on dark at night</p>")),
        ("outside", "request", page(outside, "")),
        ("untitled", "title", page("", "").replace("A page</title>", "</title>")),
        ("tongue", "language", page("", "").replace(" lang=\"en\"", "")),
    ];
    planted.chain(others).collect()
}

/// The rules that a page breaks.
fn rules(audit: &Audit, name: &str) -> Vec<String> {
    let page = format!("{name}.html: ");
    let findings = audit.findings.keys().filter_map(|finding| finding.strip_prefix(&page));
    findings.filter_map(|rest| Some(rest.split_once(": ")?.0.to_owned())).collect()
}

#[test]
fn every_planted_defect_is_found_and_nothing_else() {
    let Some(browser) = browser::for_tests("the audit finds planted defects").unwrap() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("outside.css"), "p { margin: 1em }").unwrap();
    let book = folder.path().join("book");
    fs::create_dir(&book).unwrap();
    let clean = "<p>Text, <a href=\"wide.html\">a link</a> and <svg aria-hidden=\"true\" class=\"formula\" \
        width=\"9\" height=\"9\"><title>x</title></svg><math><mi>x</mi></math>.</p>\
        <div style=\"overflow-x:auto\"><div style=\"width:2000px\">scrolls within</div></div>\
        <script>console.log('fine'); console.warn('careful'); alert('stop')</script>";
    fs::write(book.join("clean.html"), page("", clean)).unwrap();
    // What shows in some views only is looked at in all of them, the rest in the first one.
    let elsewhere = tempfile::tempdir_in(folder.path()).unwrap();
    for (name, _, text) in planted() {
        let folder = if VARIES.contains(&name) { &book } else { elsewhere.path() };
        fs::write(folder.join(format!("{name}.html")), text).unwrap();
    }
    let audit = look(&browser, &book, &VIEWS).unwrap();
    assert_eq!(rules(&audit, "clean"), [""; 0]);
    assert_eq!((audit.pages, audit.looks), (VARIES.len() + 1, (VARIES.len() + 1) * VIEWS.len()));
    let desk = look(&browser, elsewhere.path(), &VIEWS[..1]).unwrap();
    assert_eq!((desk.pages, desk.looks), (planted().len() - VARIES.len(), desk.pages));
    for (name, rule, _) in planted() {
        let found = rules(if VARIES.contains(&name) { &audit } else { &desk }, name);
        assert!(found.iter().any(|found| found == rule), "{name}: {rule} is not in {found:?}");
        // A picture that is missing fails to load, too, and one from the network does both.
        let follows = ["picture-missing", "request-failed", "request", "console"];
        let other = found.iter().find(|found| *found != rule && !follows.contains(&found.as_str()));
        assert_eq!(other, None, "{name}");
    }
    let on_phones = audit.lines().find(|line| line.starts_with("phone.html: overflow: ")).unwrap();
    assert!(on_phones.ends_with(" [light, 390 px; navy, 390 px]"), "{on_phones}");
}

const SHARED: &str = include_str!("../../../book/theme/widgets.js");
const CONVOLUTION: &str = include_str!("../../../book/theme/convolution.js");
const SOFTMAX: &str = include_str!("../../../book/theme/softmax.js");

/// The inputs of the widgets.
fn worked() -> Tensors {
    serde_json::from_value(serde_json::json!({
        "convolution.x": { "shape": [3, 3], "values": [1, 2, 0, 0, 1, 3, 2, 1, 1] },
        "convolution.w": { "shape": [2, 2], "values": [1, 0, -1, 2] },
        "convolution.b": { "shape": [], "values": [0.5] },
        "convolution.g": { "shape": [2, 2], "values": [1, 0, 0, 2] },
        "convolution-stride.x":
            { "shape": [4, 4], "values": [1, 0, 2, 1, 0, 3, 1, 0, 2, 1, 0, 1, 1, 0, 1, 2] },
        "convolution.z": { "shape": [2, 2], "values": [3.5, 7.5, 0.5, 2.5] },
        "convolution.dw": { "shape": [2, 2], "values": [3, 8, 2, 3] },
        "convolution.db": { "shape": [], "values": [3] },
        "convolution.dx": { "shape": [3, 3], "values": [1, 0, 0, -1, 4, 0, 0, -2, 4] },
        "convolution-stride.z": { "shape": [2, 2], "values": [5.5, 1.5, 7.5, 5.5] },
        "convolution-stride.w": { "shape": [3, 3], "values": [1, 0, 1, 0, 2, 0, -1, 0, 1] },
        "convolution-stride.b": { "shape": [], "values": [0.5] },
        "convolution-stride.g": { "shape": [2, 2], "values": [1, 2, 0, -1] },
        "convolution-stride.dw": { "shape": [3, 3], "values": [-3, -1, 0, -1, 5, 1, 6, 1, 1] },
        "convolution-stride.db": { "shape": [], "values": [2] },
        "convolution-stride.dx": { "shape": [4, 4], "values": [2, 0, 4, 0, 0, -2, 0, 1, 0, 0, -2, 0, 0, 1, 0, -1] },
        "softmax.s": { "shape": [3], "values": [0.0, 0.7, 1.6] },
        "softmax.g": { "shape": [3], "values": [0, 0, 8] },
    }))
    .unwrap()
}

/// A page with a widget and its scripts.
fn with_widget(name: &str, script: &str) -> String {
    let body = widget::body(name, &worked()).unwrap();
    page(
        "",
        &format!(
            "<p>copy <svg aria-hidden=\"true\" class=\"formula\" width=\"9\" height=\"9\"><title>x</title>\
             </svg><math><mi>x</mi></math></p><figure data-widget=\"{name}\" hidden>\
             <div class=\"widget-body\">{body}</div><figcaption>c</figcaption></figure>\
             <script>{SHARED}</script><script>{script}</script>"
        ),
    )
}

/// A script with one mistake.
fn mistaken(script: &str, right: &str, wrong: &str) -> String {
    assert_eq!(script.matches(right).count(), 1, "{right}");
    script.replace(right, wrong)
}

#[test]
fn widgets_that_compute_wrongly_and_frames_that_do_not_work_are_found() {
    let Some(browser) = browser::for_tests("the audit finds wrong widgets").unwrap() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: String| {
        fs::write(folder.path().join(format!("{name}.html")), text).unwrap();
    };
    // A frame without search, chapters or themes, and a stop that does not show itself.
    write("index", page("", "<p tabindex=\"0\" style=\"outline:none\">a stop</p>"));
    write("right-softmax", with_widget("softmax", SOFTMAX));
    write("right-convolution", with_widget("convolution", CONVOLUTION));
    let softmax = [
        ("shift", "(value + shift) / temperature", "value / temperature + shift * value"),
        ("jacobian", "(i === j ? 1 : 0) - q) / temperature", "(i === j ? 1 : 0) - q)"),
        ("upstream", "sum + g[i] * row[j]", "sum + g[j] * row[j]"),
    ];
    for (name, right, wrong) in softmax {
        write(name, with_widget("softmax", &mistaken(SOFTMAX, right, wrong)));
    }
    let convolution = [
        ("stride", "r * example.stride + i", "r + i"),
        ("padding", "+ j - example.pad[1]", "+ j"),
        ("bias", "pixel(c), example.b)", "pixel(c), 0)"),
        ("overwrite", "dx[c.row][c.col] +=", "dx[c.row][c.col] ="),
        ("last", "db += example.g[r][q]", "db = example.g[r][q]"),
        ("keys", "ArrowRight: step + 1", "ArrowRight: step"),
    ];
    for (name, right, wrong) in convolution {
        write(name, with_widget("convolution", &mistaken(CONVOLUTION, right, wrong)));
    }
    write("pages", {
        let script = "addEventListener('keydown', e => { if (e.key === 'ArrowRight') location.href = '#next'; });";
        let shared = mistaken(SHARED, "event.stopPropagation()", "event");
        with_widget("softmax", SOFTMAX).replace(SHARED, &format!("{script}{shared}"))
    });

    let mut audit = Audit::default();
    try_all(&browser, folder.path(), &mut audit).unwrap();
    let tried = |name: &str| rules(&audit, name);
    assert_eq!(tried("index"), ["arrow keys", "contents", "keyboard", "search", "themes"]);
    for (name, ..) in softmax {
        assert_eq!(tried(name), ["softmax"], "{name}");
    }
    assert_eq!(tried("pages"), ["softmax"]);
    // Copying fails on each of these pages, which lack the script for it.
    for (name, ..) in convolution {
        assert_eq!(tried(name), ["convolution", "copying"], "{name}");
    }
    assert_eq!(tried("right-softmax"), [""; 0]);
    assert_eq!(tried("right-convolution"), ["copying"]);
}
