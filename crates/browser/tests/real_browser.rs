//! A real browser does what it is told. Where none is installed, each test says that it is skipped.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use browser::{Browser, BrowserError, ColorScheme, Media, Page, Viewport, file_url, for_tests};
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

#[test]
fn scripts_are_evaluated_and_their_exceptions_are_errors() {
    let Some(browser) = for_tests("evaluate").unwrap() else { return };
    assert!(browser.version().contains('/'), "{}", browser.version());
    let (mut page, _folder) = open(&browser, "<p>text");
    assert_eq!(page.evaluate("[1 + 1, document.title, undefined]").unwrap(), json!([2, "t", null]));
    let later = "new Promise(done => setTimeout(() => done('later'), 20))";
    assert_eq!(page.evaluate(later).unwrap(), json!("later"));
    for (script, expected) in [
        ("missing.name", "ReferenceError: missing is not defined"),
        ("Promise.reject(new Error('no'))", "Error: no"),
        ("(() => { throw 7; })()", "fails: 7"),
        ("1 +", "SyntaxError"),
    ] {
        let error = page.evaluate(script).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    page.evaluate("void setTimeout(() => window.ready = true, 50)").unwrap();
    page.wait_until("window.ready").unwrap();
    page.set_limit(Duration::from_millis(100));
    let error = page.wait_until("window.never").unwrap_err();
    assert!(matches!(error, BrowserError::Timeout(..)), "{error}");
    let error = page.evaluate("new Promise(() => {})").unwrap_err();
    assert!(matches!(error, BrowserError::Timeout(..)), "{error}");
}

#[test]
fn what_a_page_logs_and_requests_is_noted() {
    let Some(browser) = for_tests("log").unwrap() else { return };
    let html = "<link rel=stylesheet href='http://example.org/a.css'><img src=none.png alt=''>
        <script>console.log('hello', 3, {a: 1}); console.warn('careful'); console.error('bad');
        alert('stop'); setTimeout(() => { throw new Error('late'); })</script>";
    let (mut page, _folder) = open(&browser, html);
    page.evaluate("new Promise(done => setTimeout(done, 50))").unwrap();
    let log = page.take_log();
    let has = |part: &str| log.entries.iter().any(|entry| entry.text.contains(part));
    assert!(has("hello 3 Object") && has("careful") && has("a dialog was closed: stop"), "{log:?}");
    let errors: Vec<_> = log.errors().map(|entry| entry.text.as_str()).collect();
    assert!(errors.contains(&"bad"), "{errors:?}");
    assert!(errors.iter().any(|text| text.contains("Error: late")), "{errors:?}");
    assert!(!errors.contains(&"careful"));
    let network: Vec<_> = log.network().map(|request| request.url.as_str()).collect();
    assert_eq!(network, ["http://example.org/a.css"]);
    let failed: Vec<_> = log.failures().map(|request| request.kind.as_str()).collect();
    assert!(failed.contains(&"Stylesheet") && failed.contains(&"Image"), "{log:?}");
    assert_eq!(page.take_log().entries, []);
}

#[test]
fn a_page_that_does_not_exist_cannot_be_opened() {
    let Some(browser) = for_tests("open").unwrap() else { return };
    let mut page = browser.page().unwrap();
    let error = page.open("file:///no/such/page.html").unwrap_err().to_string();
    assert!(error.contains("ERR_FILE_NOT_FOUND"), "{error}");
    let error = page.open("http://example.org/").unwrap_err().to_string();
    assert!(error.contains("ERR_"), "the network can be reached: {error}");
}

#[test]
fn the_device_and_the_colour_scheme_are_what_is_asked_for() {
    let Some(browser) = for_tests("device").unwrap() else { return };
    let html = "<meta name=viewport content='width=device-width'><p>x<script>window.ran=1</script>";
    let (mut page, folder) = open(&browser, html);
    page.set_viewport(Viewport { width: 390, height: 800, mobile: true }).unwrap();
    assert_eq!(page.evaluate("[innerWidth, devicePixelRatio]").unwrap(), json!([390, 2]));
    page.set_viewport(Viewport { width: 1200, height: 700, mobile: false }).unwrap();
    assert_eq!(page.evaluate("[innerWidth, innerHeight]").unwrap(), json!([1200, 700]));
    let matches = "['print', '(prefers-color-scheme: dark)'].map(q => matchMedia(q).matches)";
    page.emulate(Media::Print, ColorScheme::Dark).unwrap();
    assert_eq!(page.evaluate(matches).unwrap(), json!([true, true]));
    page.emulate(Media::Screen, ColorScheme::Light).unwrap();
    assert_eq!(page.evaluate(matches).unwrap(), json!([false, false]));
    assert_eq!(page.evaluate("window.ran").unwrap(), json!(1));
    page.set_scripts(false).unwrap();
    page.open(&file_url(&folder.path().join("page.html")).unwrap()).unwrap();
    assert_eq!(page.evaluate("window.ran").unwrap(), json!(null));
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
    let error = page.click("#none").unwrap_err().to_string();
    assert!(error.contains("no visible element `#none`"), "{error}");
    assert!(page.press("Entr").unwrap_err().to_string().contains("unknown key `Entr`"));
}

#[test]
fn a_page_is_printed_within_its_limit() {
    let Some(browser) = for_tests("print").unwrap() else { return };
    let (mut page, _folder) = open(&browser, "<h1>One</h1><div style='height: 2000px'>");
    let pdf = page.print(Duration::from_secs(60)).unwrap();
    assert!(pdf.starts_with(b"%PDF-") && pdf.trim_ascii_end().ends_with(b"%%EOF"));
    let error = page.print(Duration::ZERO).unwrap_err();
    assert!(matches!(error, BrowserError::Timeout(..)), "{error}");
}

#[test]
fn pages_share_no_storage() {
    let Some(browser) = for_tests("storage").unwrap() else { return };
    let (mut one, folder) = open(&browser, "<p>x");
    one.evaluate("localStorage.setItem('theme', 'navy')").unwrap();
    let mut two = browser.page().unwrap();
    two.open(&file_url(&folder.path().join("page.html")).unwrap()).unwrap();
    assert_eq!(one.evaluate("localStorage.getItem('theme')").unwrap(), json!("navy"));
    assert_eq!(two.evaluate("localStorage.getItem('theme')").unwrap(), json!(null));
}

#[test]
fn it_ends_with_its_profile_when_dropped() {
    let Some(browser) = for_tests("end").unwrap() else { return };
    let profile = browser.profile().to_owned();
    assert!(profile.is_dir());
    let mut page = browser.page().unwrap();
    let started = Instant::now();
    drop(browser);
    assert!(started.elapsed() < Duration::from_secs(10));
    assert!(!profile.exists(), "{} is still there", profile.display());
    let error = page.evaluate("1").unwrap_err();
    assert!(matches!(error, BrowserError::Disconnected(..)), "{error}");
}

#[test]
fn a_program_that_is_no_browser_is_named() {
    let error = Browser::start(Some(Path::new("/no/such/chromium"))).unwrap_err();
    assert!(matches!(error, BrowserError::NotFound(_)), "{error}");
    assert!(!Path::new("/no/such").exists());
}
