#!/usr/bin/env bash
# Installs what the grader needs. Gradescope runs this once, as root and with a network, when it builds the image.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
export DEBIAN_FRONTEND=noninteractive

# The interpreter of hand-ins. One in another language needs its own: nodejs, for instance.
apt-get update
apt-get install -y --no-install-recommends python3-numpy

# The archive has sources if hand-ins in Rust are to be graded. run_autograder has neither the time nor a network to
# compile what they are built on.
if [ -d workspace/crates/served/src ]; then
    apt-get install -y --no-install-recommends ca-certificates curl gcc libc6-dev
    export HOME="${HOME:-/root}"
    PATH=$PATH:$HOME/.cargo/bin
    cd workspace
    needed=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' Cargo.toml)
    found=$(rustc --version 2>/dev/null | cut -d ' ' -f 2) || true
    if ! printf '%s\n' "$needed" "$found" | sort -CV; then
        curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs |
            sh -s -- -y --no-modify-path --profile minimal --default-toolchain none
        # That of rust-toolchain.toml.
        rustup toolchain install --no-self-update
    fi
    cargo fetch --target x86_64-unknown-linux-gnu
    ../grading prepare
    cd ..
fi

# Expected values are here. Nobody but root may enter, and so the user nobody, as which students' code runs, cannot; but
# that user begins as the grader.
chmod go= .
chmod 755 grading
python3 -c 'import numpy; print("NumPy", numpy.__version__)'
./grading --help >/dev/null
