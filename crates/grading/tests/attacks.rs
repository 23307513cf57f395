//! Hand-ins that try to cheat: each loses the points of what it attacks, takes no more time than it may, and changes
//! nothing else.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod machine;

use std::collections::BTreeMap;
use std::fs;
use std::net::{TcpListener, UdpSocket};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use system::for_tests::{self, write};
use system::println;

/// What each attack is appended to `activations.py` with.
const BEGIN: &str = r#"
import os, sys
def attempt(action):
    try:
        action()
    except (OSError, ValueError, RuntimeError):
        return
    raise RuntimeError("ESCAPED: " + str(sys._getframe(1).f_lineno))
"#;

/// ReLU, which is attacked, and the other activations.
const POINTS: &str = r#"
[[group]]
name = "ReLU"
points = 10
classes = ["ReLU"]

[[group]]
name = "others"
points = 10
"#;

/// Those that wait for a limit of time; they are tried if `EVERY_PROGRAM` is set.
const SLOW: [&str; 5] =
    ["endless_import", "endless_loop", "leaves_its_group", "recursion", "sleeps_forever"];

/// Seconds for a hand-in, and for one request, for each `HONEST` seconds that the honest one takes: several times what an
/// attack does.
const LIMITS: (u64, u64) = (60, 2);
const HONEST: f64 = 3.0;

fn implementation() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../subject/python/neural_networks")
}

/// Copies the implementation in NumPy to a hand-in.
fn copy(from: &Path, to: &Path) {
    for entry in system::entries(from).unwrap() {
        let (from, name) = (entry.path(), entry.file_name());
        match from.is_dir() {
            true if name == "__pycache__" => {}
            true => copy(&from, &to.join(name)),
            false => write(to, &name.to_string_lossy(), fs::read(&from).unwrap()),
        }
    }
}

/// Points of ReLU and of the others, by hand-in.
fn graded(
    class: &Path,
    output: &Path,
    (time, request): (u64, u64),
) -> (BTreeMap<String, [f64; 2]>, String) {
    let points = output.with_extension("points.toml");
    fs::write(&points, POINTS).unwrap();
    let mut program = Command::new(env!("CARGO_BIN_EXE_grading"));
    program.args(["grade", "--only", "tests.test_activations", "--workers", "2"]);
    program.args(["--time-limit", &time.to_string(), "--request-limit", &request.to_string()]);
    let table = output.with_extension("csv");
    program.args(["--memory", "512"]).arg("--points").arg(points);
    program.arg("--output").arg(output).arg("--csv").arg(&table).arg(class);
    let [_, errors] =
        for_tests::ran(program.env("ANSWERS", "42").env("TMPDIR", class.with_file_name("tmp")), 0);
    println!("{errors}");
    let rows = fs::read_to_string(table).unwrap();
    let row = |row: &str| {
        let cells: Vec<&str> = row.split(',').collect();
        (cells[0].to_owned(), [cells[3], cells[4]].map(|cell| cell.parse().unwrap()))
    };
    (rows.lines().skip(1).filter(|line| line.contains(",20,")).map(row).collect(), errors)
}

/// How long the verification took that a record is of.
fn seconds(record: &str) -> f64 {
    let record: serde_json::Value = serde_json::from_str(record).unwrap();
    record["verified"]["seconds"].as_f64().unwrap()
}

#[test]
fn attacks_lose_their_points_and_change_nothing_else() {
    if !machine::can_grade("attacks_lose_their_points_and_change_nothing_else") {
        return;
    }
    let root = for_tests::folder(&[("secret", "hidden values")]);
    fs::set_permissions(root.path(), fs::Permissions::from_mode(0o755)).unwrap();
    fs::create_dir(root.path().join("tmp")).unwrap();
    let (class, output) = (root.path().join("class"), root.path().join("results"));
    let (secret, other) = (root.path().join("secret"), class.join("honest"));
    let repository = fs::canonicalize(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")).unwrap();
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = tcp.local_addr().unwrap().port();
    let udp = UdpSocket::bind(tcp.local_addr().unwrap()).unwrap();
    let unix = UnixListener::bind(root.path().join("secret.socket")).unwrap();
    tcp.set_nonblocking(true).unwrap();
    udp.set_nonblocking(true).unwrap();
    unix.set_nonblocking(true).unwrap();

    copy(&implementation(), &other.join("neural_networks"));
    // A machine that does other work needs more time for attacks, too.
    let (honest, _) = graded(&class, &root.path().join("alone"), (3600, 600));
    assert_eq!(honest["honest"], [10.0, 10.0]);
    let alone = seconds(&fs::read_to_string(root.path().join("alone/honest.json")).unwrap());
    let times = (alone / HONEST).ceil() as u64;
    let limits = (LIMITS.0 * times, LIMITS.1 * times);
    let attacks = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/attacks");
    let mut names = Vec::new();
    for attack in system::entries(&attacks).unwrap() {
        let name = attack.path().file_stem().unwrap().to_string_lossy().into_owned();
        if SLOW.contains(&&*name) && std::env::var_os("EVERY_PROGRAM").is_none() {
            continue;
        }
        let package = class.join(&name).join("neural_networks");
        copy(&implementation(), &package);
        let text = fs::read_to_string(attack.path()).unwrap();
        let text = text.replace("REPOSITORY", &repository.to_string_lossy());
        let text = text.replace("OTHER", &other.to_string_lossy());
        let text =
            text.replace("SECRET", &secret.to_string_lossy()).replace("PORT", &port.to_string());
        let own = fs::read_to_string(package.join("activations.py")).unwrap();
        write(&package, "activations.py", format!("{own}{BEGIN}{text}"));
        names.push(name);
    }
    let package = class.join("follows_links/neural_networks");
    symlink(&secret, package.join("secret")).unwrap();
    symlink("/", package.join("root")).unwrap();
    // Modules with the names of others, wherever they could be found first.
    let package = class.join("shadows");
    copy(&implementation(), &package.join("neural_networks"));
    for name in ["numpy", "json", "ast", "sitecustomize", "usercustomize", "copy", "types"] {
        for folder in ["", "neural_networks/", ".local/lib/python3.11/site-packages/", "numpy/"] {
            write(
                &package,
                &format!("{folder}{name}.py"),
                "raise SystemExit('ESCAPED: shadowed')\n",
            );
        }
    }
    // What cannot be imported costs no points of what does not need it.
    copy(&implementation(), &class.join("not_python"));
    write(&class, "not_python/layers.py", "( =\n");
    names.push("not_python".to_owned());
    // Programs in another language: one that does not speak the protocol, and one that is not there.
    for (name, command) in
        [("shell", "[\"sh\", \"attack.sh\"]"), ("absent", "[\"no-such-program\"]")]
    {
        write(&class, &format!("{name}/subject.toml"), format!("command = {command}\n"));
        let script = "echo 'test_forward ... ok'; echo '25 passed, 0 failed'; cat /etc/shadow && echo ESCAPED\n";
        write(&class, &format!("{name}/attack.sh"), script);
    }

    let begin = Instant::now();
    let (points, errors) = graded(&class, &output, limits);
    println!(
        "{:.1} s for {} hand-ins; the honest one took {alone:.1} s alone",
        begin.elapsed().as_secs_f64(),
        points.len()
    );
    assert!(errors.contains("isolation: Landlock"), "{errors}");
    assert_eq!(points.len(), names.len() + 4, "{points:?}");
    for (name, points) in &points {
        // What does not answer at all has no points; neither has what changes all answers.
        let expected: [f64; 2] = match &**name {
            "honest" | "shadows" | "not_python" => [10.0, 10.0],
            "absent" | "shell" | "endless_import" | "patches_the_adapter" => [0.0, 0.0],
            _ => [0.0, 10.0],
        };
        let record = fs::read_to_string(output.join(format!("{name}.json"))).unwrap();
        // `backward` of some attacks is as it was.
        let [relu, others] = *points;
        assert!(
            relu <= expected[0].max(5.0) && others == expected[1],
            "{name}: {points:?} {record}"
        );
        assert!(expected[0] == 0.0 || relu == expected[0], "{name}: {points:?} {record}");
        assert!(!record.contains("ESCAPED"), "{name}: {record}");
        let seconds = seconds(&record);
        assert!(seconds <= (limits.0 + 2 * limits.1) as f64, "{name}: {seconds} s");
        let record: serde_json::Value = serde_json::from_str(&record).unwrap();
        let forward = record["verified"]["checks"].as_array().unwrap().iter();
        let passed = forward
            .filter(|check| check["id"].as_str().unwrap().ends_with("TestReLU.test_forward"));
        let passed = passed.filter(|check| check["status"] == "ok").count();
        assert_eq!(passed == 1, expected[0] > 0.0, "{name}");
    }
    assert!(tcp.accept().is_err() && udp.recv(&mut [0; 8]).is_err() && unix.accept().is_err());
    assert_eq!(fs::read(&secret).unwrap(), b"hidden values");
    for (path, file) in [(&other, "neural_networks/layers.py"), (&repository, "Cargo.toml")] {
        assert!(fs::metadata(path.join(file)).unwrap().len() > 0);
    }
    let copied = |folder: &Path| for_tests::names(&folder.join("neural_networks"));
    assert_eq!(copied(&other), copied(implementation().parent().unwrap()));
    // No process of an attack is left.
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let lines = processes.filter_map(|entry| fs::read_to_string(entry.path().join("cmdline")).ok());
    let left: Vec<String> =
        lines.filter(|line| line.contains(&*root.path().to_string_lossy())).collect();
    assert!(left.is_empty(), "{} are left", left.len());
    assert_eq!(for_tests::names(&root.path().join("tmp")), [""; 0]);

    // A second run verifies nothing again, and a change of a hand-in that one alone.
    write(&other, "neural_networks/notes.txt", "changed");
    let (again, errors) = graded(&class, &output, limits);
    assert_eq!(again, points);
    let fresh: Vec<&str> =
        errors.lines().filter(|line| line.contains(" checks passed in ")).collect();
    assert_eq!(fresh.len(), 1, "{errors}");
    assert!(fresh[0].contains("honest: "), "{errors}");
}
