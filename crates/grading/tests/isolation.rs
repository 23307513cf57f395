//! What a program in isolation can do, and what it cannot.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod machine;

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, UdpSocket};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use system::for_tests;
use tempfile::TempDir;

const LAUNCHER: &str = env!("CARGO_BIN_EXE_grading");

/// Whether the test is run by root.
fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

/// A folder that everyone may read, with what the probe looks for.
fn folder() -> TempDir {
    let folder = for_tests::folder(&[("own.txt", "own")]);
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

/// Whether each variant of the isolation can be tried: as the user of the test, and as nobody.
fn users() -> &'static [&'static str] {
    if is_root() { &["", "--nobody"] } else { &[""] }
}

/// The interpreter of the system, which programs may read; one of an environment lies elsewhere.
fn python() -> &'static str {
    let of_system = "/usr/bin/python3";
    if Path::new(of_system).exists() { of_system } else { "python3" }
}

fn isolated(folder: &Path, options: &str, command: &str) -> Command {
    let mut shell = Command::new("sh");
    // A file that is left open, as a shell or a build tool may do it.
    let script = format!(
        "exec 7<own.txt; exec '{LAUNCHER}' isolate {options} --memory {} --seconds 20 . -- {command}",
        512 << 20
    );
    shell.args(["-c", &script]).current_dir(folder).env("SECRET", "x");
    shell
}

#[test]
fn a_program_can_compute_and_nothing_else() {
    if !machine::can_grade("a_program_can_compute_and_nothing_else") {
        return;
    }
    let secrets = for_tests::folder(&[("secret", "hidden values")]);
    let secret = secrets.path().join("secret");
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let udp = UdpSocket::bind(tcp.local_addr().unwrap()).unwrap();
    let _unix = UnixListener::bind(secrets.path().join("socket")).unwrap();
    let abstract_name = SocketAddr::from_abstract_name("grading").unwrap();
    let _abstract = UnixListener::bind_addr(&abstract_name).unwrap();
    tcp.set_nonblocking(true).unwrap();
    udp.set_nonblocking(true).unwrap();
    for options in users() {
        let folder = folder();
        symlink(&secret, folder.path().join("link")).unwrap();
        // As strong as it can be: the program's user owns its files and the secret.
        for path in [folder.path(), &folder.path().join("own.txt"), secrets.path(), &secret] {
            let owner = if options.is_empty() { None } else { Some(65534) };
            chown(path, owner, owner).unwrap();
        }
        let command = format!(
            "{} -I -c {} {} {}",
            python(),
            system::quoted(include_str!("probe.py")),
            system::quoted(&secret),
            tcp.local_addr().unwrap().port()
        );
        let [text, errors] = for_tests::ran(&mut isolated(folder.path(), options, &command), 0);
        assert_eq!(errors, "", "{text}");
        let expected = [
            ("a thread", "done None"),
            ("its own file", "done own"),
            ("the null device", "done 1"),
            ("a signal to itself", "done None"),
            ("home", "done True"),
            ("open files", "done []"),
            ("reading limits", "done 512"),
            ("memory", "MemoryError"),
            (
                "variables",
                "done HOME,LANG,MKL_NUM_THREADS,OMP_NUM_THREADS,OPENBLAS_NUM_THREADS,PATH,\
                 PYTHONDONTWRITEBYTECODE,PYTHONHASHSEED",
            ),
        ];
        let mut refused = 0;
        for line in text.lines() {
            let (name, result) = line.split_once(": ").unwrap();
            match expected.iter().find(|(own, _)| *own == name) {
                Some((_, expected)) => assert_eq!(result, *expected, "{options} {name}"),
                None => {
                    let errors = [
                        "Operation not permitted",
                        "Permission denied",
                        "not allowed to raise maximum limit",
                    ];
                    assert!(errors.contains(&result), "{options} {line}");
                    refused += 1;
                }
            }
        }
        assert!(refused >= 40, "{refused}: {text}");
        assert!(expected.iter().all(|(name, _)| text.contains(&format!("{name}: "))), "{text}");
        assert_eq!(for_tests::names(folder.path()), ["link", "own.txt"]);
        assert_eq!(fs::read(&secret).unwrap(), b"hidden values");
    }
    assert!(tcp.accept().is_err() && udp.recv(&mut [0; 8]).is_err(), "nothing came");
}

#[test]
fn processor_time_ends_and_so_does_a_program_whose_parent_does() {
    if !machine::can_grade("processor_time_ends_and_so_does_a_program_whose_parent_does") {
        return;
    }
    for options in users() {
        let folder = folder();
        let mut endless = Command::new(LAUNCHER);
        endless.args(["isolate", "--memory", "500000000", "--seconds", "1"]);
        endless.args(options.split_whitespace()).arg(folder.path());
        let status = endless.args(["--", "sh", "-c", "while :; do :; done"]).status().unwrap();
        assert_eq!(status.code(), None, "a signal ends it");

        let command = "sh -c 'echo $$; exec sleep 100'";
        let script = format!(
            "'{LAUNCHER}' isolate {options} --memory 500000000 --seconds 20 . -- {command} & wait"
        );
        let mut parent = Command::new("sh");
        parent.args(["-c", &script]).current_dir(folder.path());
        let mut parent = parent.stdout(Stdio::piped()).spawn().unwrap();
        let mut number = String::new();
        BufReader::new(parent.stdout.take().unwrap()).read_line(&mut number).unwrap();
        let process = Path::new("/proc").join(number.trim());
        assert!(process.exists(), "{number}");
        parent.kill().unwrap();
        parent.wait().unwrap();
        let gone =
            || fs::read_to_string(process.join("cmdline")).is_ok_and(|line| !line.is_empty());
        assert!(
            (0..100).any(|_| {
                sleep(Duration::from_millis(20));
                !gone()
            }),
            "{number}"
        );
    }
}

/// Becomes a program for which the kernel has no Landlock: the first system call of it is refused as an unknown one.
const NO_LANDLOCK: &str = r#"
import ctypes, os, struct, sys
calls = [(0x20, 0, 0, 0), (0x15, 0, 1, 444), (0x06, 0, 0, 0x50026), (0x06, 0, 0, 0x7FFF0000)]
filter = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *call) for call in calls))
libc = ctypes.CDLL(None)
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, struct.pack("HP", len(calls), ctypes.addressof(filter))) == 0
os.execv(sys.argv[1], sys.argv[1:])"#;

#[test]
fn without_landlock_a_program_runs_only_if_that_is_wanted_and_permissions_protect_files() {
    if !machine::can_grade(
        "without_landlock_a_program_runs_only_if_that_is_wanted_and_permissions_protect_files",
    ) || !is_root()
    {
        return;
    }
    let (folder, secrets) = (folder(), for_tests::folder(&[("secret", "hidden values")]));
    fs::set_permissions(secrets.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let ran = |options: &str, code| {
        let mut launcher = Command::new(python());
        launcher.args(["-c", NO_LANDLOCK, LAUNCHER, "isolate", "--memory", "500000000"]);
        launcher.args(["--seconds", "9"]).args(options.split_whitespace()).arg(folder.path());
        launcher.args(["--", "cat", "own.txt"]).arg(secrets.path().join("secret"));
        for_tests::ran(&mut launcher, code)
    };
    for options in ["", "--nobody", "--without-landlock"] {
        let [text, errors] = ran(options, 1);
        assert!(errors.contains("the kernel has no Landlock") && text.is_empty(), "{errors}{text}");
    }
    let [text, errors] = ran("--nobody --without-landlock", 1);
    assert!(text == "own" && errors.contains("Permission denied"), "{errors}{text}");
}

#[test]
fn what_cannot_be_isolated_is_not_started() {
    let folder = folder();
    let [_, errors] = for_tests::ran(
        Command::new(LAUNCHER).args([
            "isolate",
            "--memory",
            "1",
            "--seconds",
            "1",
            "no/such",
            "--",
            "true",
        ]),
        1,
    );
    assert!(errors.ends_with("/no/such: No such file or directory (os error 2)\n"), "{errors}");
    if machine::can_grade("what_cannot_be_isolated_is_not_started") {
        let [_, errors] = for_tests::ran(&mut isolated(folder.path(), "", "no-such-program"), 1);
        assert_eq!(errors, "error: no-such-program: No such file or directory (os error 2)\n");
        let [_, errors] = for_tests::ran(&mut isolated(folder.path(), "--read no/such", "true"), 1);
        assert!(errors.contains("/no/such: "), "{errors}");
    }
}

#[test]
fn a_compiler_writes_its_products_starts_a_linker_and_does_nothing_else() {
    if !machine::can_grade("a_compiler_writes_its_products_starts_a_linker_and_does_nothing_else") {
        return;
    }
    let folder = folder();
    let products = folder.path().join("products");
    fs::create_dir(&products).unwrap();
    let script = "printf x > products/a && mv products/a \"$TMPDIR/b\" && cat own.txt; \
                  printf x > own.txt; printf x > other; cat /etc/shadow; ls /root; rm own.txt; echo $SECRET; \
                  chmod 777 own.txt products/b || setsid sh -c true || exec 3<>/dev/tcp/127.0.0.1/9 || exit 7";
    let options = format!("--products '{}'", products.display());
    let command = format!("bash -c '{script}'");
    let [printed, _] = for_tests::ran(&mut isolated(folder.path(), &options, &command), 7);
    assert_eq!(printed, "own\n");
    assert_eq!(for_tests::names(&products), ["b"]);
    assert_eq!(for_tests::names(folder.path()), ["own.txt", "products"]);
    assert_eq!(fs::read(folder.path().join("own.txt")).unwrap(), b"own");
}
