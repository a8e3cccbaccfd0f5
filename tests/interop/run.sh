#!/bin/sh
# Runs the tests against other engines: run.sh BUILD [pytest arguments]. The engines come from PyPI
# into BUILD/interop-venv, which is made again when requirements.txt changes.
set -eu
build=$(cd "$1" && pwd)
shift
here=$(cd "$(dirname "$0")" && pwd)
venv=$build/interop-venv
python=${PYTHON:-/usr/bin/python3}

if ! cmp -s "$here/requirements.txt" "$venv/requirements.txt"; then
    echo "interop: installing the engines into $venv"
    rm -rf "$venv"
    "$python" -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"
    cp "$here/requirements.txt" "$venv/requirements.txt"
fi
AKIDB=$build/akidb
export AKIDB PYTHONDONTWRITEBYTECODE=1
exec "$venv/bin/python" -m pytest -q -p no:cacheprovider "$here" "$@"
