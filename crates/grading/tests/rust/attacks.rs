//! Hand-ins that try to cheat.

use std::fs;

use handin::GRADED;
use system::for_tests::{self, write};

use crate::filled_in::{body, graded, hand_in, is_asked, solution};

/// Bodies of functions that try to cheat, or never end.
const ENDLESS_LOOP: &str = "{ loop { std::mem::drop(z) } }";
const ENDLESS_RECURSION: &str = "{
        fn deep(n: usize) -> f64 {
            let kept = [n as f64; 4096];
            deep(n + 1) + kept[n % 4096]
        }
        T::of(deep(0))
    }";
const ALL_MEMORY: &str = "{
    let mut all = Vec::new();
    loop { all.push(vec![1.0; 1 << 24]); if all.len() == 1 << 40 { return z.to_owned(); } }
}";
const FLOOD: &str = "{ loop { println!(\"test_forward ... ok\") } }";
const FORGED_LINES: &str = "{
        println!(\"{{\\\"id\\\": 0}}\\ntest_forward ... ok\\n25 passed, 0 failed\");
        T::zero()
    }";
const NOT_A_NUMBER: &str = "{ z.mapv(|_| T::nan()) }";
const ENDLESS_CONSTANT: &str = "{
        const N: u64 = { let mut n = 0_u64; while n < u64::MAX { n += 1 } n };
        T::of(N as f64)
    }";
const ENDLESS_TYPE: &str = "{
        fn grow<U>(n: u64, u: &U) -> usize {
            if n == 0 { size_of_val(u) } else { grow(n - 1, &(u, u)) }
        }
        T::of(grow(3, &z) as f64)
    }";
const READS_A_FILE: &str = "{ z.mapv(|_| T::of(include_bytes!(\"/etc/passwd\").len() as f64)) }";
const EXITS: &str = "{ std::process::exit(0) }";

/// Arms that a compiler compares with each other for days.
fn endless_patterns() -> String {
    let fields: Vec<String> = (0..60).map(|field| format!("f{field}")).collect();
    let arms = [true, false].map(|value| {
        let arms = (0..30).map(|field| {
            format!(
                "M {{ {}: {value}, {}: {value}, .. }} => T::one(),",
                fields[field],
                fields[field + 30]
            )
        });
        arms.collect::<String>()
    });
    let declared = fields.iter().map(|field| format!("{field}: bool,")).collect::<String>();
    let values = fields.iter().map(|field| format!("{field}: z > T::zero(),")).collect::<String>();
    format!(
        "{{ struct M {{ {declared} }} match (M {{ {values} }}) {{ {} _ => z }} }}",
        arms.concat()
    )
}

#[test]
fn attacks_lose_their_points_and_change_nothing_else() {
    if !is_asked("attacks_lose_their_points_and_change_nothing_else", "EVERY_PROGRAM") {
        return;
    }
    let root = for_tests::folder(&[("class/x/x", ""), ("secret.rs", "SECRET")]);
    let class = root.path().join("class");
    fs::remove_dir_all(class.join("x")).unwrap();
    let (relu, sigmoid, softmax) =
        ("ElementWise for ReLU::value", "ElementWise for Sigmoid::value", "forward");
    let patterns = endless_patterns();
    // What each replaces ReLU, Sigmoid and SoftMax by.
    let attacks = [
        ("run_time", [ENDLESS_LOOP, ENDLESS_RECURSION, ALL_MEMORY]),
        ("output", [FLOOD, FORGED_LINES, NOT_A_NUMBER]),
        ("compile_time", [ENDLESS_CONSTANT, ENDLESS_TYPE, READS_A_FILE]),
        ("patterns", [&*patterns, EXITS, ""]),
        ("honest", ["", "", ""]),
    ];
    for (name, bodies) in &attacks {
        let mut files = solution();
        for (item, new) in
            [relu, sigmoid, softmax].iter().zip(bodies).filter(|(_, new)| !new.is_empty())
        {
            let graded = GRADED.iter().find(|graded| {
                graded.item == *item && graded.file.starts_with("crates/activations/")
            });
            let text = files.get_mut(graded.unwrap().file).unwrap();
            let old = body(text, item).to_owned();
            *text = text.replacen(&old, new, 1);
        }
        hand_in(&class.join(name), &files);
    }
    // All that is not taken, and a link in the place of a file.
    let honest = class.join("honest");
    let escape = format!(
        "fn main() {{ std::fs::write({:?}, \"\").unwrap(); }}",
        root.path().join("escaped")
    );
    let script =
        format!("#!/bin/sh\ntouch {}\nexec \"$@\"\n", root.path().join("escaped").display());
    for (file, text) in [
        ("build.rs", &*escape),
        ("crates/activations/build.rs", &escape),
        ("crates/activations/src/lib.rs", "compile_error!(\"ESCAPED\");"),
        ("crates/activations/src/main.rs", &escape),
        ("crates/served/src/main.rs", &escape),
        ("crates/macros/src/lib.rs", "#[proc_macro] pub fn s(x: T) -> T { x }"),
        ("crates/macros/Cargo.toml", "[lib]\nproc-macro = true\n"),
        ("crates/activations/Cargo.toml", "[dependencies]\nmacros = { path = \"../macros\" }\n"),
        ("Cargo.toml", "[workspace]\nmembers = []\n"),
        ("Cargo.lock", ""),
        (
            ".cargo/config.toml",
            "[build]\nrustc-wrapper = \"./wrapper\"\n[target.x86_64-unknown-linux-gnu]\nrunner = \"./wrapper\"\n",
        ),
        ("wrapper", &script),
        ("rust-toolchain.toml", "[toolchain]\npath = \".\"\n"),
        ("tests/fixtures.npz", ""),
        ("verification.zip", ""),
        ("tools/harness", &script),
    ] {
        write(&honest, file, text);
    }
    let sigmoid = honest.join("crates/activations/src/sigmoid.rs");
    fs::remove_file(&sigmoid).unwrap();
    std::os::unix::fs::symlink(root.path().join("secret.rs"), &sigmoid).unwrap();

    let limits =
        ["--only", "tests.test_activations", "--request-limit", "2", "--time-limit", "200"];
    // Twice the processor time that a slow processor needs for a file that ends.
    let limits = [&limits[..], &["--build-limit", "20", "--memory", "512"]].concat();
    let graded = graded(&class, &limits);
    assert_eq!(graded.len(), attacks.len());
    for (name, bodies) in &attacks {
        let (lost, record) = &graded[*name];
        for (class, attack) in ["ReLU", "Sigmoid", "SoftMax"].iter().zip(bodies) {
            let is_lost = !attack.is_empty() || *name == "honest" && *class == "Sigmoid";
            // The backward pass of some is as it was.
            let test = format!("tests.test_activations.Test{class}.");
            let loses = lost.iter().any(|check| check.starts_with(&test));
            assert_eq!(loses, is_lost, "{name}: {lost:?} {record}");
            let test = format!("{test}test_forward");
            let record: serde_json::Value = serde_json::from_str(record).unwrap();
            let checks = record["verified"]["checks"].as_array().unwrap();
            let own = checks.iter().find(|check| check["id"] == *test);
            assert_eq!(own.unwrap()["status"] == "ok", !is_lost, "{name} {class}");
        }
        assert!(!record.contains("ESCAPED") && !record.contains("SECRET"), "{name}: {record}");
    }
    for (name, why) in [
        ("compile_time", "constant evaluation is taking a long time"),
        ("compile_time", "the macro `include_bytes!` is not permitted"),
        ("patterns", "`std::process` is not permitted"),
        ("patterns", "the compiler ended with signal: 9"),
        ("honest", "expected crates/activations/src/sigmoid.rs, a file of at most"),
    ] {
        assert!(graded[name].1.contains(why), "{name}: {why}: {}", graded[name].1);
    }
    assert!(!root.path().join("escaped").exists());
}
