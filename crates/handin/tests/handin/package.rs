//! The archive: the same bytes from every copy, and nothing in it that must not be handed in.

use std::fs;
use std::path::Path;

use handin::Package;
use tempfile::TempDir;

use crate::{folder, git, write};

const REPORT: &str = "title = 'T'\nauthor = 'Ada'\nstudent_id = ''\nworked_alone = true\n\
                      kaggle_username = ''\nkaggle_score = ''\n";

/// A small workspace with files of every kind.
fn workspace() -> TempDir {
    folder(&[
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
    ])
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

/// The refusal to pack, line by line.
fn refusal(root: &Path) -> Vec<String> {
    let error = Package::pack(root).unwrap_err().to_string();
    error.lines().map(|line| line.trim().to_owned()).collect()
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
    assert_eq!((&*package.name, &package.changed), ("cs189-hw6-ada", &None));
    // Lines end alike, and a last line stays as it is.
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
    // So does what was unpacked.
    let copy = tempfile::tempdir().unwrap();
    for (path, text) in files(&one) {
        write(copy.path(), &path, &text);
    }
    assert_eq!(Package::pack(copy.path()).unwrap().bytes, one.bytes);
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
    let refusal = || refusal(root.path())[0].clone();
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
    let problems = refusal(root.path());
    assert_eq!(problems.len(), 3, "{problems:?}");
    assert_eq!(problems[0], "the archive would hold what it must not:");
    assert!(problems[1].starts_with(".env: looks like a secret"), "{problems:?}");
    assert!(problems[2].starts_with("tests/data/TestReLU.npz: looks like data"), "{problems:?}");
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
    let problems = refusal(root.path());
    assert_eq!(problems.len(), 4, "{problems:?}");
    assert!(problems[1].contains("not every system allows"), "{problems:?}");
    assert!(problems[2].starts_with("link: is a symbolic link"), "{problems:?}");
    assert!(problems[3].contains("is not UTF-8"), "{problems:?}");
}
