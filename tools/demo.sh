#!/bin/bash
# The main job on real vectors: demo.sh AKIDB. Works in a folder of its own, which it removes.
set -euo pipefail
akidb=$(realpath "$1")
data=$(realpath "$(dirname "$0")/../examples/data")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
declare -A size create restore verify
export AKIDB_STORE=$work/store

if [ -t 1 ]; then bold=$'\e[1m' dim=$'\e[2m' off=$'\e[0m'; else bold="" dim="" off=""; fi
say() { printf '\n%s%s%s\n' "$bold" "$1" "$off"; }
# Shows a command as one would type it, runs it, and keeps its time in $seconds.
run() {
    local shown="${*//$data\//}"
    [ ${#shown} -le 110 ] || shown="${shown:0:80} ..."
    printf '%s$ akidb %s%s\n' "$dim" "$shown" "$off"
    local start=$EPOCHREALTIME
    "$akidb" "$@" | tee out
    seconds=$(awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.3f", b - a }')
}
last_line() { tail -n 1 out; }
stored() { find store/snapshots -type f -path "*$1*" ! -name '*.metadata.json' -printf '%s\n' |
    awk '{ n += $1 } END { print n + 0 }'; }

say "1. 4,000 word vectors of dimension 100 become a Parquet snapshot"
run create words "$data/glove-100d.npy" --ids "$data/glove-100d.words.txt" --label source=glove

say "2. It is there, and every byte of it is as it was written"
run list words
run verify words latest

say "3. Restored, the vectors are the same, bit for bit"
run restore words restored.npy
cmp restored.npy "$data/glove-100d.npy"
echo "restored.npy and glove-100d.npy are identical: $(stat -c %s restored.npy) bytes"

say "4. One document, by its external id"
run get words --external-id illness | cut -c 1-96 | sed 's/$/ .../'

say "5. 25 times as many, and beside them the same as JSON"
files=() ids=()
for _ in {1..25}; do
    files+=("$data/glove-100d.npy") ids+=(--ids "$data/glove-100d.words.txt")
done
for format in parquet json; do
    run create "as-$format" --format $format "${files[@]}" "${ids[@]}"
    size[$format]=$(stored "$(last_line)") create[$format]=$seconds
    run restore "as-$format" "$format.npy"
    restore[$format]=$seconds
    run verify "as-$format"
    verify[$format]=$seconds
done
cmp parquet.npy json.npy
echo "Both came back the same, bit for bit: $(stat -c %s json.npy) bytes"
line() { printf '%-12s %12s %12s %12s %12s\n' "$@"; }
line "" bytes "create s" "restore s" "verify s"
for format in parquet json; do
    line $format "${size[$format]}" "${create[$format]}" "${restore[$format]}" "${verify[$format]}"
done
printf '\n%sAll of it worked.%s Next: akidb --help, and README.md.\n' "$bold" "$off"
