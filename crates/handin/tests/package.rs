//! The archive: the same bytes from every copy, and nothing in it that must not be handed in.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::process::Command;

use handin::{HandinError, Package};
use stdio::println;
use tempfile::TempDir;

const REPORT: &str = "title = 'T'\nauthor = 'Ada'\nstudent_id = ''\nworked_alone = true\n\
                      kaggle_username = ''\nkaggle_score = ''\n";

/// A small workspace with files of every kind.
fn workspace() -> TempDir {
    let root = tempfile::tempdir().unwrap();
    for (path, contents) in [
        ("README.md", "# Project\n"),
        ("Cargo.toml", "[workspace]\n"),
        ("book/report.toml", REPORT),
        (".gitignore", "/target\n/experiments\n/submission.csv\n*.pyc\n"),
        (".ci/run", "#!/bin/sh\n"),
        ("crates/a/src/lib.rs", "fn a() {}"),
        ("crates/a/windows.txt", "one\r\ntwo\r\n"),
        ("target/debug/a", "product"),
        ("experiments/iris/metrics.csv", "1\n"),
        ("fixtures/__pycache__/a.pyc", "compiled"),
        ("submission.csv", "Id,Category\n"),
        ("crates/.DS_Store", "\0\0\0\u{1}Bud1"),
        ("crates/a/src/lib.rs~", "fn b() {}"),
        ("crates/kaggle/weights/cifar10.safetensors", "weights"),
        ("book/records/iris/parameters.npz", "PK\0"),
    ] {
        write(root.path(), path, contents);
    }
    root
}

fn write(root: &Path, path: &str, contents: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, contents).unwrap();
}

const PACKED: [&str; 7] = [
    "README.md",
    ".ci/run",
    ".gitignore",
    "Cargo.toml",
    "book/report.toml",
    "crates/a/src/lib.rs",
    "crates/a/windows.txt",
];

/// The files of an archive and what they contain.
fn files(package: &Package) -> Vec<(String, String)> {
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(&package.bytes)).unwrap();
    let read = |index| {
        let mut file = zip.by_index(index).unwrap();
        let mut text = String::new();
        std::io::Read::read_to_string(&mut file, &mut text).unwrap();
        (file.name().to_owned(), text)
    };
    (0..package.files).map(read).collect()
}

fn names(package: &Package) -> Vec<String> {
    files(package).into_iter().map(|(name, _)| name).collect()
}

/// Runs git as nobody in particular; `false` where there is none, so that the test says so.
fn git(root: &Path, arguments: &[&str]) -> bool {
    let mut command = Command::new("git");
    command.arg("-C").arg(root).args(["-c", "user.name=a", "-c", "user.email=a@example.org"]);
    command.args(["-c", "core.autocrlf=false", "-c", "commit.gpgsign=false"]).args(arguments);
    for variable in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
        command.env_remove(variable);
    }
    match command.output() {
        Ok(output) => {
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            true
        }
        Err(error) => {
            assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
            println!("skipped: there is no git on this machine");
            false
        }
    }
}

fn problems(root: &Path) -> Vec<String> {
    match Package::pack(root) {
        Err(HandinError::Unfit { problems }) => problems,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_code_is_packed_and_data_weights_and_products_are_not() {
    let root = workspace();
    let package = Package::pack(root.path()).unwrap();
    assert_eq!(names(&package), PACKED);
    assert_eq!(
        package.left_out,
        ["book/records/iris/parameters.npz", "crates/kaggle/weights/cifar10.safetensors"]
    );
    assert_eq!(package.missing, ["student_id", "kaggle_username", "kaggle_score"]);
    assert_eq!((&*package.name, package.changed), ("cs189-hw6-ada", None));
}

#[test]
fn lines_end_alike_and_a_last_line_stays_as_it_is() {
    let package = Package::pack(workspace().path()).unwrap();
    let files = files(&package);
    let text = |name: &str| &files.iter().find(|(path, _)| path == name).unwrap().1;
    assert_eq!(text("crates/a/src/lib.rs"), "fn a() {}");
    assert_eq!(text("crates/a/windows.txt"), "one\ntwo\n");
    assert_eq!(package.carriage_returns, ["crates/a/windows.txt"]);
    assert!(text("README.md").contains("Author: Ada\n- Student ID: **MISSING"));
    assert!(text("README.md").ends_with("# Project\n"));
}

#[test]
fn two_folders_touched_at_other_times_give_the_same_bytes() {
    let (one, two) = (workspace(), workspace());
    let file = fs::File::options().write(true).open(two.path().join("Cargo.toml")).unwrap();
    file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        for (path, mode) in [("README.md", 0o600), (".ci/run", 0o700), ("Cargo.toml", 0o777)] {
            let permissions = fs::Permissions::from_mode(mode);
            fs::set_permissions(two.path().join(path), permissions).unwrap();
        }
    }
    let (one, two) = (Package::pack(one.path()).unwrap(), Package::pack(two.path()).unwrap());
    assert_eq!(one.bytes, two.bytes);
    assert_eq!(one.sha256, two.sha256);
}

#[test]
fn what_was_unpacked_packs_to_the_same_bytes() {
    let package = Package::pack(workspace().path()).unwrap();
    let copy = tempfile::tempdir().unwrap();
    for (path, text) in files(&package) {
        write(copy.path(), &path, &text);
    }
    assert_eq!(Package::pack(copy.path()).unwrap().bytes, package.bytes);
}

#[test]
fn git_and_the_walk_list_the_same_files() {
    let root = workspace();
    let walked = Package::pack(root.path()).unwrap();
    if !git(root.path(), &["init", "--quiet"]) {
        return;
    }
    git(root.path(), &["add", "."]);
    git(root.path(), &["commit", "--quiet", "--message", "all"]);
    let tracked = Package::pack(root.path()).unwrap();
    assert_eq!(tracked.bytes, walked.bytes);
    assert_eq!(tracked.changed.as_deref(), Some(&[][..]));

    write(root.path(), "crates/a/src/lib.rs", "fn b() {}\n");
    write(root.path(), "crates/a/new.rs", "fn new() {}\n");
    fs::remove_file(root.path().join("crates/a/windows.txt")).unwrap();
    let changed = Package::pack(root.path()).unwrap();
    let expected = ["crates/a/src/lib.rs", "crates/a/windows.txt"].map(str::to_owned);
    assert_eq!(changed.changed.as_deref(), Some(&expected[..]));
    assert_eq!(changed.untracked, ["crates/a/new.rs"]);
    assert_eq!(names(&changed), PACKED[..6]);
    assert!(files(&changed).contains(&("crates/a/src/lib.rs".into(), "fn b() {}\n".into())));
}

#[test]
fn a_workspace_inside_of_another_repository_is_walked() {
    let outer = tempfile::tempdir().unwrap();
    if !git(outer.path(), &["init", "--quiet"]) {
        return;
    }
    let inner = outer.path().join("hw6");
    for (path, text) in files(&Package::pack(workspace().path()).unwrap()) {
        write(&inner, &path, &text);
    }
    let package = Package::pack(&inner).unwrap();
    assert_eq!(names(&package), PACKED);
    assert_eq!(package.changed, None);
}

#[test]
fn a_git_that_fails_is_not_taken_for_none() {
    let root = workspace();
    if !git(root.path(), &["init", "--quiet"]) {
        return;
    }
    let refusal = || Package::pack(root.path()).unwrap_err().to_string();
    assert!(refusal().contains("git tracks no file here"), "{}", refusal());
    git(root.path(), &["add", "."]);
    write(root.path(), "private.txt", "not for anybody\n");
    assert_eq!(Package::pack(root.path()).unwrap().untracked, ["private.txt"]);

    fs::write(root.path().join(".git/config"), "[core]\n\trepositoryformatversion = 99\n").unwrap();
    let error = refusal();
    assert!(
        error.contains("`git ls-files -z --cached`: fatal: ") && error.contains("99"),
        "{error}"
    );
    // A work tree whose repository is elsewhere, and gone.
    fs::remove_dir_all(root.path().join(".git")).unwrap();
    write(root.path(), ".git", "gitdir: /no/such/repository\n");
    assert!(refusal().contains("not a git repository: /no/such/repository"), "{}", refusal());
}

#[test]
fn data_and_secrets_are_refused_all_at_once() {
    let root = workspace();
    write(root.path(), "tests/data/TestReLU.npz", "PK\0");
    write(root.path(), ".env", "TOKEN=1\n");
    let problems = problems(root.path());
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(problems[0].starts_with(".env: looks like a secret"), "{problems:?}");
    assert!(problems[1].starts_with("tests/data/TestReLU.npz: looks like data"), "{problems:?}");
}

#[cfg(unix)]
#[test]
fn links_and_names_that_are_not_text_are_refused() {
    use std::os::unix::ffi::OsStrExt as _;
    let root = workspace();
    std::os::unix::fs::symlink("README.md", root.path().join("link")).unwrap();
    let name = std::ffi::OsStr::from_bytes(b"name-\xff.rs");
    fs::write(root.path().join(name), "").unwrap();
    fs::write(root.path().join("a:b.rs"), "").unwrap();
    let problems = problems(root.path());
    assert_eq!(problems.len(), 3, "{problems:?}");
    assert!(problems[0].contains("not every system allows"), "{problems:?}");
    assert!(problems[1].starts_with("link: is a symbolic link"), "{problems:?}");
    assert!(problems[2].contains("is not UTF-8"), "{problems:?}");
}
