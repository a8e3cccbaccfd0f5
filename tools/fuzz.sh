#!/bin/bash
# Builds every fuzz target with libFuzzer and sanitizers, and runs each for FUZZ_SECONDS:
# fuzz.sh BUILD [target...]. New inputs stay in BUILD/corpus; what fails lies in BUILD/artifacts.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:?usage: tools/fuzz.sh BUILD [target...]}
shift
mkdir -p "$build"
seconds=${FUZZ_SECONDS:-600}
cmake -G Ninja -S . -B "$build" -DCMAKE_C_COMPILER=clang -DCMAKE_BUILD_TYPE=Debug \
    -DCMAKE_C_FLAGS_DEBUG="-O1 -g" -DAKIDB_FUZZ=ON -DAKIDB_SANITIZE=address,undefined \
    -DCMAKE_C_FLAGS=-fsanitize=fuzzer-no-link >"$build.log" || { cat "$build.log"; exit 1; }
rm -f "$build.log"
targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
    mapfile -t targets < <(basename -s .c -a fuzz/*_fuzz.c)
fi
cmake --build "$build" --target "${targets[@]}"
mkdir -p "$build/artifacts"

run_one() {
    local target=$1 corpus="$build/corpus/$1" seeds="fuzz/corpus/$1" dictionary="fuzz/$1.dict"
    mkdir -p "$corpus"
    if ! "$build/fuzz/$target" -max_total_time="$seconds" -timeout=25 -rss_limit_mb=2048 \
        -artifact_prefix="$build/artifacts/$target-" -print_final_stats=1 \
        $([ -f "$dictionary" ] && echo "-dict=$dictionary") "$corpus" \
        $([ -d "$seeds" ] && echo "$seeds") >"$build/$target.log" 2>&1; then
        tail -n 30 "$build/$target.log"
        echo "fuzz: $target failed"
        return 1
    fi
    echo "fuzz: $target: $(awk '/number_of_executed_units/ { print $2 }' "$build/$target.log")" \
        "inputs, coverage $(grep -o 'cov: [0-9]*' "$build/$target.log" | tail -n 1)"
}
export -f run_one
export build seconds
printf '%s\n' "${targets[@]}" | xargs -P "$(nproc)" -I{} bash -c 'run_one {}'
