#!/bin/sh
# The benchmark, beside engines from PyPI: run.sh BUILD [options of bench.py]. They are installed
# into BUILD/bench-venv, again when requirements.txt changes; with --no-peers nothing is. Where they
# cannot be installed the run goes on without them.
set -eu
build=$(cd "$1" && pwd)
shift
here=$(cd "$(dirname "$0")" && pwd)
venv=$build/bench-venv
export PYTHONDONTWRITEBYTECODE=1

case " $* " in
*" --no-peers "*) exec python3 "$here/bench.py" "$build" "$@" ;;
esac
if ! cmp -s "$here/requirements.txt" "$venv/requirements.txt"; then
    echo "bench: installing the other engines into $venv"
    rm -rf "$venv"
    if ! { "${PYTHON:-python3}" -m venv "$venv" &&
        "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"; }
    then
        echo "!!! the other engines cannot be installed: they are left out" >&2
        set -- "$@" --no-peers
    else
        cp "$here/requirements.txt" "$venv/requirements.txt"
    fi
fi
exec python3 "$here/bench.py" "$build" "$@"
