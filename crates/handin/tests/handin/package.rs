//! The archive: the same bytes from every copy, and nothing in it that must not be handed in.

use std::fs;
use std::path::Path;

use handin::Package;
use system::for_tests::{folder, write};
use tempfile::TempDir;

use crate::git;

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

/// The names of the files of an archive, and what they contain.
fn files(package: &Package) -> (Vec<String>, Vec<String>) {
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(&package.bytes)).unwrap();
    let read = |index| {
        let mut file = zip.by_index(index).unwrap();
        let text = std::io::read_to_string(&mut file).unwrap();
        (file.name().to_owned(), text)
    };
    (0..package.files).map(read).unzip()
}

/// A folder with what is in this archive.
fn unpacked(package: &Package) -> TempDir {
    let (names, texts) = files(package);
    let names = names.iter().map(String::as_str);
    folder(&names.zip(texts).collect::<Vec<_>>())
}

/// The refusal to pack, line by line.
fn refusal(root: &Path) -> Vec<String> {
    let error = Package::pack(root).unwrap_err().to_string();
    error.lines().map(|line| line.trim().to_owned()).collect()
}

#[test]
fn a_starter_is_packed_without_what_verifies_it_and_says_what_is_not_written() {
    let iris = b"\x93NUMPY\0";
    let sums = format!("{}  crates/datasets/iris/a.npy\n", handin::sha256(iris));
    let root = folder(&[
        ("README.md", "# Homework\n"),
        ("Cargo.toml", "[workspace]\n"),
        ("book/report.toml", REPORT),
        ("starter.sha256", &*sums),
        ("crates/activations/src/relu.rs", "\ntodo!(\"ReLU::value is not written yet; ...\")\n"),
        ("kaggle/mlp.py", "train()\n"),
        ("tools/harness", "\x7fELF\0"),
        ("hw6.pdf", "%PDF\0"),
        ("verification.zip", "PK\0"),
        ("fixtures/a.npz", "PK\0"),
    ]);
    fs::create_dir_all(root.path().join("crates/datasets/iris")).unwrap();
    fs::write(root.path().join("crates/datasets/iris/a.npy"), iris).unwrap();
    let package = Package::pack(root.path()).unwrap();
    assert_eq!(
        package.left_out,
        ["fixtures/a.npz", "hw6.pdf", "tools/harness", "verification.zip"]
    );
    assert_eq!(package.unwritten, ["ReLU::value (crates/activations/src/relu.rs:2)"]);
    assert_eq!(package.files, 7);
    fs::write(root.path().join("crates/datasets/iris/b.npy"), iris).unwrap();
    let [_, problem] = &refusal(root.path())[..] else { panic!("one problem") };
    assert!(problem.starts_with("crates/datasets/iris/b.npy: looks like data"), "{problem}");
}

#[test]
fn the_code_is_packed_and_data_weights_and_products_are_not() {
    let root = workspace();
    let package = Package::pack(root.path()).unwrap();
    let (names, texts) = files(&package);
    assert_eq!(names, PACKED);
    assert_eq!(
        package.left_out,
        ["book/records/iris/parameters.npz", "crates/kaggle/weights/cifar10.safetensors"]
    );
    assert_eq!(package.missing, ["student_id", "kaggle_username", "kaggle_score"]);
    assert_eq!((&*package.name, &package.changed), ("cs189-hw6-ada", &None));
    // Lines end alike, and a last line stays as it is.
    assert_eq!(texts[5..], ["fn a() {}", "one\ntwo\n"]);
    assert!(texts[0].contains("Author: Ada\n- Student ID: **MISSING"), "{}", texts[0]);
    assert!(texts[0].ends_with("# Project\n"), "{}", texts[0]);
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
    assert_eq!(Package::pack(unpacked(&one).path()).unwrap().bytes, one.bytes);
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
    let (names, texts) = files(&changed);
    assert_eq!(names, PACKED[..6]);
    assert_eq!(texts[5], "fn b() {}\n");
}

#[test]
fn a_workspace_inside_of_another_repository_is_walked() {
    let outer = tempfile::tempdir().unwrap();
    if !git(outer.path(), &["init", "--quiet"]) {
        return;
    }
    let inner = outer.path().join("hw6");
    fs::rename(unpacked(&Package::pack(workspace().path()).unwrap()).path(), &inner).unwrap();
    let package = Package::pack(&inner).unwrap();
    assert_eq!(files(&package).0, PACKED);
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
fn all_that_must_not_be_packed_is_refused_at_once() {
    let root = workspace();
    write(root.path(), "tests/data/TestReLU.npz", "PK\0");
    write(root.path(), ".env", "TOKEN=1\n");
    let mut expected = vec![
        "the archive would hold what it must not:",
        ".env: looks like a secret",
        "tests/data/TestReLU.npz: looks like data",
    ];
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt as _;
        std::os::unix::fs::symlink("README.md", root.path().join("link")).unwrap();
        let name = std::ffi::OsStr::from_bytes(b"name-\xff.rs");
        fs::write(root.path().join(name), "").unwrap();
        write(root.path(), "a:b.rs", "");
        expected.insert(2, "\"a:b.rs\": its name has a sign that not every system allows");
        expected.insert(3, "link: is a symbolic link");
        expected.insert(4, "name-\u{fffd}.rs: its name is not UTF-8");
    }
    let problems = refusal(root.path());
    assert_eq!(problems.len(), expected.len(), "{problems:?}");
    for (problem, expected) in problems.iter().zip(expected) {
        assert!(problem.starts_with(expected), "{problem}: {expected}");
    }
}
