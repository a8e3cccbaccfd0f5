#!/bin/sh
# Runs the tests against other engines: run.sh BUILD [pytest arguments]. The engines come from PyPI
# into BUILD/interop-venv, which is made again when requirements.txt changes; MinIO from Go's module
# proxy (tests/s3/start_minio.sh).
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
# A second DuckDB, for the extension that PyPI has only for it.
AKIDB_DUCKDB_S3=$build/interop-duckdb-s3
if ! cmp -s "$here/duckdb_s3.txt" "$AKIDB_DUCKDB_S3/duckdb_s3.txt"; then
    rm -rf "$AKIDB_DUCKDB_S3"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --target "$AKIDB_DUCKDB_S3" \
        -r "$here/duckdb_s3.txt"
    cp "$here/duckdb_s3.txt" "$AKIDB_DUCKDB_S3/"
fi
AKIDB=$build/akidb
export AKIDB AKIDB_DUCKDB_S3 PYTHONDONTWRITEBYTECODE=1
exec "$venv/bin/python" -m pytest -q -p no:cacheprovider "$here" "$@"
