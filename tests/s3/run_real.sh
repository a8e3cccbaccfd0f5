#!/bin/sh
# Runs the tests of S3 against a real server on loopback, which it starts and stops:
#
#     run_real.sh rgw|minio BUILD
#
# BUILD is a build with tests (AKIDB_TESTS). The store suite speaks with the server directly, the
# cycles of snapshots through a proxy that breaks 30 % of all requests.
set -eu

server=${1:?rgw or minio}
build=$(cd "${2:?the build folder}" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
# In memory where that can be: a server's own syncs are not what is tested.
parent=${TMPDIR:-/tmp}
[ -n "${TMPDIR:-}" ] || { [ -w /dev/shm ] && parent=/dev/shm; }
folder=$(mktemp -d "$parent/akidb-$server-XXXXXX")
proxy=
stop() {
    exec 9>&- || true
    [ -z "$proxy" ] || wait "$proxy" 2>/dev/null || true
    "$here/stop.sh" "$folder/server" || true
    rm -rf "$folder"
}
trap stop EXIT
trap 'exit 1' INT TERM HUP

echo "== starting $server"
"$here/start_$server.sh" "$folder/server"
endpoint=$(cat "$folder/server/endpoint")
python3 "$here/make_bucket.py" "$endpoint" akidb-tests

unset AWS_PROFILE AWS_SESSION_TOKEN AWS_ENDPOINT_URL AWS_ENDPOINT_URL_S3 http_proxy \
    all_proxy || true
AWS_CONFIG_FILE=/nonexistent AWS_SHARED_CREDENTIALS_FILE=/nonexistent
AWS_ACCESS_KEY_ID=testkey AWS_SECRET_ACCESS_KEY=testsecret AWS_REGION=us-east-1
AKIDB_TEST_S3_BUCKET=akidb-tests
export AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY \
    AWS_REGION AKIDB_TEST_S3_BUCKET

# Ceph of Debian 12 passes over If-None-Match when an upload is completed.
single=1000
[ "$server" = rgw ] || single=2
echo "== the store suite on $endpoint"
AKIDB_TEST_S3_ENDPOINT=$endpoint AKIDB_TEST_S3_SINGLE_PUT=$single \
    "$build/tests/conformance/conformance_s3"

echo "== snapshots while 30 % of all requests fail"
mkfifo "$folder/stdin"
python3 "$here/proxy.py" "$endpoint" --port-file "$folder/proxy" <"$folder/stdin" >/dev/null &
proxy=$!
exec 9>"$folder/stdin" # the proxy ends when this is closed
tries=100
until [ -f "$folder/proxy" ]; do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || { echo "run_real: the proxy does not start" >&2; exit 1; }
    sleep 0.1
done
AKIDB_TEST_S3_ENDPOINT=$(cat "$folder/proxy") "$build/tests/s3/s3_cycles"
echo "== $server: all passed"
