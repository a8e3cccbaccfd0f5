#!/bin/bash
# The main job on real vectors: demo.sh AKIDB. Works in a folder of its own, which it removes.
set -euo pipefail
akidb=$(realpath "$1")
data=$(realpath "$(dirname "$0")/../examples/data")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export AKIDB_STORE=$work/store

if [ -t 1 ]; then bold=$'\e[1m' dim=$'\e[2m' off=$'\e[0m'; else bold="" dim="" off=""; fi
say() { printf '\n%s%s%s\n' "$bold" "$1" "$off"; }
# Shows a command as one would type it, runs it, and keeps its time in $seconds.
run() {
    printf '%s$ akidb %s%s\n' "$dim" "${*//$data\//}" "$off"
    local start=$EPOCHREALTIME
    "$akidb" "$@" | tee out
    seconds=$(awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.3f", b - a }')
}
last_line() { tail -n 1 out; }
stored() { find store/snapshots -type f -path "*$1*" ! -name '*.metadata.json' -printf '%s\n' |
    awk '{ n += $1 } END { print n + 0 }'; }

say "1. 4,000 word vectors of dimension 100 become a Parquet snapshot"
run create words "$data/glove-100d.npy" --ids "$data/glove-100d.words.txt" --label source=glove
parquet=$(last_line) parquet_create=$seconds

say "2. It is there, and every byte of it is as it was written"
run list words
run verify words latest

say "3. Restored, the vectors are the same, bit for bit"
run restore words latest restored.npy
parquet_restore=$seconds
cmp restored.npy "$data/glove-100d.npy"
echo "restored.npy and glove-100d.npy are identical: $(stat -c %s restored.npy) bytes"

say "4. One document, by its external id"
run restore words latest word.jsonl --external-id illness
cut -c 1-96 word.jsonl | sed 's/$/ .../'

say "5. The same collection as JSON"
run create words-as-json --format json "$data/glove-100d.npy" --ids "$data/glove-100d.words.txt"
json=$(last_line) json_create=$seconds
run restore words-as-json latest from-json.npy
json_restore=$seconds
cmp from-json.npy "$data/glove-100d.npy"
echo "from-json.npy and glove-100d.npy are identical"

say "6. Side by side"
awk -v ps="$(stored "$parquet")" -v js="$(stored "$json")" \
    -v pc="$parquet_create" -v jc="$json_create" -v pr="$parquet_restore" -v jr="$json_restore" '
BEGIN {
    printf "%-12s %12s %12s %12s\n", "", "bytes", "create s", "restore s"
    printf "%-12s %12d %12.3f %12.3f\n", "Parquet", ps, pc, pr
    printf "%-12s %12d %12.3f %12.3f\n", "JSON", js, jc, jr
    if (js > 0)
        printf "%-12s %12.2f %12.2f %12.2f\n", "Parquet/JSON", ps / js, pc / jc, pr / jr
}'
printf '\n%sAll of it worked.%s Next: akidb --help, and README.md.\n' "$bold" "$off"
