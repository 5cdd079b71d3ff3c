#!/usr/bin/env bash
# Gradescope runs this once, as root, when it builds the image (Ubuntu 22.04 or newer).
set -euo pipefail

if ! python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))'; then
    echo "Python 3.10 or newer is needed: choose Ubuntu 22.04 or newer as the base image." >&2
    exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update
apt-get install -y --no-install-recommends python3-venv libseccomp2

python3 -m venv /opt/hw5
pip() { /opt/hw5/bin/python -m pip install --no-cache-dir "$@"; }

# torch first, without CUDA: from its own index, which has what it needs.
pip --index-url https://download.pytorch.org/whl/cpu torch==2.13.0+cpu torchvision==0.28.0+cpu
pip --constraint /autograder/source/constraints.txt \
    numpy matplotlib tqdm scikit-learn jinja2 pyseccomp 'tomli; python_version < "3.11"'

# What is read at every start is made ready now; what is missing shows now.
/opt/hw5/bin/python -c 'import matplotlib.pyplot, pyseccomp, torchvision'
chmod 700 /autograder/source
