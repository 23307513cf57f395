//! Whether weights ship with the program: the code archive of `cargo xtask package` has none, and
//! still builds and passes its tests.

use std::path::Path;

fn main() {
    let weights = "weights/cifar10.safetensors";
    println!("cargo::rerun-if-changed={weights}");
    println!("cargo::rerun-if-changed=weights");
    println!("cargo::rustc-check-cfg=cfg(shipped_weights)");
    if Path::new(weights).is_file() {
        println!("cargo::rustc-cfg=shipped_weights");
    }
}
