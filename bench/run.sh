#!/bin/sh
# The benchmark, beside engines from PyPI: run.sh BUILD [options of bench.py]. They are installed
# into BUILD/bench-venv, again when requirements.txt changes; with --no-peers nothing is.
set -eu
build=$(cd "$1" && pwd)
shift
here=$(cd "$(dirname "$0")" && pwd)
venv=$build/bench-venv

case " $* " in
*" --no-peers "*) exec python3 "$here/bench.py" "$build" "$@" ;;
esac
if ! cmp -s "$here/requirements.txt" "$venv/requirements.txt"; then
    echo "bench: installing the other engines into $venv"
    rm -rf "$venv"
    "${PYTHON:-python3}" -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"
    cp "$here/requirements.txt" "$venv/requirements.txt"
fi
export PYTHONDONTWRITEBYTECODE=1
exec python3 "$here/bench.py" "$build" "$@"
