#!/usr/bin/env bash
# Installs what the grader needs. Gradescope runs this once, as root and with a network, when it builds the image.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
export DEBIAN_FRONTEND=noninteractive

# The interpreter of hand-ins. One in another language needs its own: nodejs, for instance.
apt-get update
apt-get install -y --no-install-recommends python3-numpy

# A compiler, and what hand-ins in Rust depend on, would be installed and compiled here: run_autograder has neither the
# time nor a network for it.

# Expected values are here. Nobody but root may enter, and so the user nobody, as which students' code runs, cannot; but
# that user begins as the grader.
chmod go= .
chmod 755 grading
python3 -c 'import numpy; print("NumPy", numpy.__version__)'
./grading --help >/dev/null
