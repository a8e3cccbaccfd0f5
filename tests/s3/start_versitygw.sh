#!/bin/sh
# Starts versitygw on loopback, with its data and its users as files in FOLDER.
#
#     start_versitygw.sh FOLDER
#
# FOLDER is new; it gets `endpoint` (a line, written last), `output` and `pids`. Stop it with
# stop.sh FOLDER. The keys are testkey and testsecret. It is built from source once, into the user's
# cache.
set -eu

dir=${1:?the folder}
. "$(dirname "$0")/lib.sh"
built versitygw github.com/versity/versitygw/cmd/versitygw v1.7.0 1.25

mkdir -p "$dir/data" "$dir/metadata" "$dir/users"
dir=$(cd "$dir" && pwd)
: >"$dir/pids"
port=$(free_ports 1)
started "$cache/versitygw" --quiet --port "127.0.0.1:$port" --access testkey --secret testsecret \
    --region us-east-1 --iam-dir "$dir/users" posix --sidecar "$dir/metadata" "$dir/data"
wait_for 30 answers "http://127.0.0.1:$port/"
echo "http://127.0.0.1:$port" >"$dir/endpoint"
