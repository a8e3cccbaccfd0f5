#!/bin/sh
# Starts MinIO on loopback, with its data in FOLDER.
#
#     start_minio.sh FOLDER
#
# FOLDER is new; it gets `endpoint` (a line, written last) and `pids`. Stop it with stop.sh FOLDER.
# The keys are testkey and testsecret. MinIO is built from source once, into the user's cache; it is
# used for tests only.
set -eu

dir=${1:?the folder}
# The last community release of September 2025; go 1.24 builds it.
version=v0.0.0-20250907161309-07c3a429bfed
cache=${XDG_CACHE_HOME:-$HOME/.cache}/akidb/bin

if [ ! -x "$cache/minio" ]; then
    command -v go >/dev/null || {
        echo "start_minio: MinIO is built with Go 1.24 or later, and there is no go" >&2
        exit 1
    }
    echo "start_minio: building MinIO, once, into $cache" >&2
    mkdir -p "$cache"
    GOBIN=$cache go install "github.com/minio/minio@$version"
fi

mkdir -p "$dir/data"
dir=$(cd "$dir" && pwd)
: >"$dir/pids"
ports=$(python3 -c '
import socket
sockets = [socket.socket() for _ in range(2)]
for s in sockets:
    s.bind(("127.0.0.1", 0))
print(*(s.getsockname()[1] for s in sockets))')
set -- $ports
MINIO_ROOT_USER=testkey MINIO_ROOT_PASSWORD=testsecret MINIO_CI_CD=1 MINIO_UPDATE=off \
    "$cache/minio" server --quiet --address "127.0.0.1:$1" --console-address "127.0.0.1:$2" \
    "$dir/data" >"$dir/output" 2>&1 &
echo $! >"$dir/pids"
tries=150
until python3 -c "
import urllib.request
urllib.request.urlopen('http://127.0.0.1:$1/minio/health/ready', timeout=5)" 2>/dev/null; do
    tries=$((tries - 1))
    if [ "$tries" -le 0 ]; then
        echo "start_minio: it does not answer; see $dir/output" >&2
        "$(dirname "$0")/stop.sh" "$dir"
        exit 1
    fi
    sleep 0.2
done
echo "http://127.0.0.1:$1" >"$dir/endpoint"
