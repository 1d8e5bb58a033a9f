#!/bin/sh
# Makes the Python environment of the comparison in VENV_DIR, unless it is there already.
# Usage: setup.sh VENV_DIR    (PYTHON names the interpreter, python3 by default)
set -eu

if [ "$#" -ne 1 ]; then
    echo "usage: $0 VENV_DIR" >&2
    exit 2
fi
venv=$1
requirements=$(dirname "$0")/requirements.txt

# The copy inside the environment is written last, so it also marks a finished install.
if cmp -s "$requirements" "$venv/requirements.txt"; then
    exit 0
fi
"${PYTHON:-python3}" -m venv "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$requirements"
cp "$requirements" "$venv/requirements.txt"
