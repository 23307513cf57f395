//! A real browser does what it is told. Where none is installed, each test says that it is skipped.

use std::fs;
use std::time::{Duration, Instant};

use browser::{Browser, BrowserError, Device, Page, file_url, for_tests};
use serde_json::json;

/// A page in a folder of its own, opened.
fn open(browser: &Browser, html: &str) -> (Page, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let file = folder.path().join("page.html");
    let html = format!("<!doctype html><html lang=en><title>t</title>{html}");
    fs::write(&file, html).expect("a new file can be written");
    let mut page = browser.page().expect("a browser opens tabs");
    page.open(&file_url(&file).expect("the path is absolute")).expect("the page is there");
    (page, folder)
}

/// An error whose message has some words.
#[track_caller]
fn fails<T: std::fmt::Debug>(result: Result<T, BrowserError>, expected: &str) {
    let error = result.expect_err(expected).to_string();
    assert!(error.contains(expected), "{expected} is not in: {error}");
}

#[test]
fn scripts_are_evaluated_and_their_exceptions_are_errors() {
    let Some(browser) = for_tests("evaluate").unwrap() else { return };
    assert!(browser.version.contains('/'), "{}", browser.version);
    let (mut page, _folder) = open(&browser, "<p>text");
    assert_eq!(page.evaluate("[1 + 1, document.title, undefined]").unwrap(), json!([2, "t", null]));
    let later = "new Promise(done => setTimeout(() => done('later'), 20))";
    assert_eq!(page.evaluate(later).unwrap(), json!("later"));
    for (script, expected) in [
        ("missing.name", "ReferenceError: missing is not defined"),
        ("Promise.reject(new Error('no'))", "Error: no"),
        ("(() => { throw 7; })()", "fails: 7"),
        ("1 +", "SyntaxError"),
        ("window", "the browser answers: "),
    ] {
        fails(page.evaluate(script), expected);
    }
    page.evaluate("void setTimeout(() => window.ready = true, 50)").unwrap();
    page.wait_until("window.ready").unwrap();
    page.set_limit(Duration::from_millis(100));
    fails(page.wait_until("window.never"), "no answer within 0 s");
    fails(page.evaluate("new Promise(() => {})"), "no answer within 0 s");
}

#[test]
fn a_page_that_does_not_exist_cannot_be_opened() {
    let Some(browser) = for_tests("open").unwrap() else { return };
    let mut page = browser.page().unwrap();
    fails(page.open("file:///no/such/page.html"), "ERR_FILE_NOT_FOUND");
    // No network can be reached.
    fails(page.open("http://example.org/"), "ERR_");
}

#[test]
fn a_page_is_shown_on_the_device_that_is_asked_for() {
    let Some(browser) = for_tests("device").unwrap() else { return };
    let html = "<meta name=viewport content='width=device-width'><p>x<script>window.ran=1</script>";
    let (mut page, folder) = open(&browser, html);
    let desk = Device::DESK;
    let seen = "[innerWidth, devicePixelRatio, matchMedia('print').matches,
        matchMedia('(prefers-color-scheme: dark)').matches, window.ran]";
    page.show_on(Device { width: 390, height: 800, mobile: true, dark: true, ..desk }).unwrap();
    assert_eq!(page.evaluate(seen).unwrap(), json!([390, 2, false, true, 1]));
    page.show_on(Device { paper: true, ..desk }).unwrap();
    assert_eq!(page.evaluate(seen).unwrap(), json!([1280, 1, true, false, 1]));
    page.show_on(Device { scripts: false, ..desk }).unwrap();
    page.open(&file_url(&folder.path().join("page.html")).unwrap()).unwrap();
    assert_eq!(page.evaluate(seen).unwrap(), json!([1280, 1, false, false, null]));
}

#[test]
fn keys_and_the_mouse_reach_the_page() {
    let Some(browser) = for_tests("input").unwrap() else { return };
    let html = "<input id=a><input id=b>
        <button onclick='window.clicked = true' style='margin-top: 3000px'>x</button>";
    let (mut page, _folder) = open(&browser, html);
    page.click("#a").unwrap();
    page.type_text("ab C").unwrap();
    page.press("ArrowLeft").unwrap();
    page.press("Backspace").unwrap();
    assert_eq!(page.evaluate("a.value").unwrap(), json!("abC"));
    page.press("Tab").unwrap();
    page.type_text("+").unwrap();
    assert_eq!(page.evaluate("[b.value, document.activeElement.id]").unwrap(), json!(["+", "b"]));
    page.click("button").unwrap();
    assert_eq!(page.evaluate("window.clicked").unwrap(), json!(true));
    fails(page.click("#none"), "no visible element `#none`");
    fails(page.press("Entr"), "unknown key `Entr`");
}

#[test]
fn a_page_is_printed_within_its_limit() {
    let Some(browser) = for_tests("print").unwrap() else { return };
    let (mut page, _folder) = open(&browser, "<h1>One</h1><div style='height: 2000px'>");
    let pdf = page.print(Duration::from_secs(60)).unwrap();
    assert!(pdf.starts_with(b"%PDF-") && pdf.trim_ascii_end().ends_with(b"%%EOF"));
    fails(page.print(Duration::ZERO), "no answer within 0 s");
    // The answer that comes too late is not taken for that of the next command.
    assert_eq!(page.evaluate("1 + 1").unwrap(), json!(2));
}

#[test]
fn pages_share_no_storage_and_end_with_the_browser() {
    let Some(_) = for_tests("storage").unwrap() else { return };
    let browser = Browser::start(None).unwrap();
    let profile = browser.profile().to_owned();
    assert!(profile.is_dir());
    let (mut one, folder) = open(&browser, "<p>x");
    one.evaluate("localStorage.setItem('theme', 'navy')").unwrap();
    let mut two = browser.page().unwrap();
    two.open(&file_url(&folder.path().join("page.html")).unwrap()).unwrap();
    assert_eq!(one.evaluate("localStorage.getItem('theme')").unwrap(), json!("navy"));
    assert_eq!(two.evaluate("localStorage.getItem('theme')").unwrap(), json!(null));
    let started = Instant::now();
    drop(browser);
    assert!(started.elapsed() < Duration::from_secs(10));
    assert!(!profile.exists(), "{} is still there", profile.display());
    fails(one.evaluate("1"), "the connection to the browser is gone");
}
