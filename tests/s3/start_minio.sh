#!/bin/sh
# Starts MinIO on loopback, with its data in FOLDER.
#
#     start_minio.sh FOLDER
#
# FOLDER is new; it gets `endpoint` (a line, written last), `output` and `pids`. Stop it with
# stop.sh FOLDER. The keys are testkey and testsecret. MinIO is built from source once, into the
# user's cache; it is used for tests only.
set -eu

dir=${1:?the folder}
. "$(dirname "$0")/lib.sh"
# RELEASE.2025-09-07T16-13-09Z; of the later community releases Go's module proxy has none.
built minio github.com/minio/minio v0.0.0-20250907161309-07c3a429bfed 1.24

mkdir -p "$dir/data"
dir=$(cd "$dir" && pwd)
: >"$dir/pids"
set -- $(free_ports 2)
# A key of its own for server-side encryption, as its documentation has it for tests.
secret=$(head -c 32 /dev/urandom | base64)
export MINIO_ROOT_USER=testkey MINIO_ROOT_PASSWORD=testsecret MINIO_CI_CD=1 MINIO_UPDATE=off \
    MINIO_KMS_SECRET_KEY="akidb-tests:$secret"
started "$cache/minio" server --quiet --address "127.0.0.1:$1" --console-address "127.0.0.1:$2" \
    "$dir/data"
wait_for 30 python3 -c "
import urllib.request
urllib.request.urlopen('http://127.0.0.1:$1/minio/health/ready', timeout=5)"
echo "http://127.0.0.1:$1" >"$dir/endpoint"
