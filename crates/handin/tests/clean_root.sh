#!/usr/bin/env bash
# Runs the archive of `cargo xtask autograder` where nothing else is: in a new system, with a network for setup.sh alone.
# As root, with debootstrap and unzip:
#
#   crates/handin/tests/clean_root.sh OUT.zip FOLDER [SUITE [MIRROR]]
#
# FOLDER becomes the root of the system (bookworm unless SUITE says otherwise), and is used again if it is there. For an
# archive that grades hand-ins in Rust, RUST="$(rustc --print sysroot)" in the environment installs the toolchain of this
# machine in it, with the packages that cargo has fetched here; otherwise setup.sh does so.
set -euo pipefail
archive=$(realpath "$1")
root=$(realpath "$2")
workspace=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../../..")

[ -d "$root/usr" ] || debootstrap --variant=minbase "${3:-bookworm}" "$root" ${4:+"$4"}
cp /etc/resolv.conf "$root/etc/"
image=$root/autograder
rm -rf "$image"
mkdir -p "$image"
unzip -q "$archive" -d "$image/source"
cp "$image/source/run_autograder" "$image/"

if [ -n "${RUST:-}" ]; then
    mkdir -p "$root/root/.cargo"
    cp -ru "$RUST/bin" "$RUST/lib" "$root/usr/local/"
    cp -ru "${CARGO_HOME:-$HOME/.cargo}/registry" "$root/root/.cargo/"
    printf '[net]\noffline = true\n' >"$root/root/.cargo/config.toml"
fi

inside() {
    env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
        unshare --pid --fork --mount-proc="$root/proc" "${@:2}" chroot "$root" "$1"
}

echo '== setup.sh'
start=$SECONDS
inside /autograder/source/setup.sh >"$root/setup.log" 2>&1 || { cat "$root/setup.log"; exit 1; }
echo "$((SECONDS - start)) s: $(tail -n 1 "$root/setup.log")"

# hand_in NAME LAYOUT: our implementation as a new hand-in, in this folder of it.
hand_in() {
    rm -rf "$image/submission" "$image/results"
    mkdir -p "$image/submission/$2"
    cp -r "$workspace"/crates/subject/python/neural_networks/* "$image/submission/$2"
    echo "== $1"
}

# grade LEAST MOST WORDS: the score has to lie between these, and the results to contain these words.
grade() {
    local start=$SECONDS
    inside /autograder/run_autograder --net >"$root/grade.log"
    sed -n 's/^isolation: //p; /^error\|^NOT GRADED/p' "$root/grade.log"
    python3 - "$image/results/results.json" "$@" "$((SECONDS - start))" <<'PYTHON' || { cat "$root/grade.log"; exit 1; }
import json, sys
path, least, most, words, seconds = sys.argv[1:]
text = open(path).read()
results = json.loads(text)
score = results.get("score", sum(test.get("score", 0) for test in results["tests"]))
print(f"{score:g} points, {seconds} s; {results['output'].strip()}")
sys.exit(not (float(least) <= score <= float(most) and words in text))
PYTHON
}

hand_in 'right, flat' .
grade 100 100 'user nobody'
hand_in 'right, in the folders of an archive' hw6_release/code/neural_networks
mkdir "$image/submission/__MACOSX"
grade 100 100 'Landlock'
hand_in 'a gradient is wrong' neural_networks
sed -i 's/dZ.sum(axis=0, keepdims=True)/dZ.mean(axis=0, keepdims=True)/' "$image/submission/neural_networks/layers.py"
grade 70 99 'dL/db is the mean over the examples'
hand_in 'reads what it must not, and writes' .
cat >>"$image/submission/activations.py" <<'PYTHON'
import glob, os, socket
class ReLU(ReLU):
    def forward(self, Z):
        for attempt in [
            lambda: os.listdir("/autograder/source"), lambda: os.listdir("/autograder/submission"),
            lambda: open("/autograder/source/workspace/fixtures/course/TestReLU.npz"), lambda: open("/etc/shadow"),
            lambda: open("/autograder/results/results.json", "w"), lambda: open("ok", "w").write("ok"), socket.socket,
            os.fork, lambda: os.kill(os.getppid(), 9),
        ]:
            try:
                attempt()
            except OSError:
                continue
            os._exit(3)
        return 0 * Z
PYTHON
grade 60 99 'tests.test_activations.TestReLU.test_forward ... FAIL'
hand_in 'nothing' .
rm -r "$image/submission/"*
grade 0 0 'it has no files'
hand_in 'points with a mistake' .
cp "$image/source/points.toml" "$root/points.toml"
echo 'group = 1' >"$image/source/points.toml"
grade 0 0 'This is no fault of yours'
cp "$root/points.toml" "$image/source/points.toml"

hand_in 'a starter in Rust' .
rm -r "$image/submission/"*
(cd "$workspace" && cp --parents crates/activations/src/{relu,sigmoid,softmax}.rs crates/layers/src/fully_connected.rs \
    crates/losses/src/{cross_entropy,l2}.rs crates/network/src/network.rs crates/cnn/src/{conv2d,pool2d_kernel}.rs \
    "$image/submission")
if [ -d "$image/source/workspace/crates/served/src" ]; then
    # All but convolutions, whose file is missing.
    grade 60 85 'crates/cnn/src/conv2d_algorithm.rs'
    sed -i 's/z < T::zero()/z > T::zero()/' "$image/submission/crates/activations/src/relu.rs"
    grade 20 80 'TestReLU.test_forward ... FAIL'
else
    grade 0 0 'This is no fault of yours'
    grep -q 'cargo xtask autograder --rust packs them' "$root/grade.log"
fi
