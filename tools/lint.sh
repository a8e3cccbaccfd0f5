#!/bin/bash
# clang-format, clang-tidy and cppcheck over all C of the project: lint.sh BUILD. Ends in error when
# any of them has something to say.
set -euo pipefail
cd "$(dirname "$0")/.."
build=$1
mkdir -p "$build"
jobs=$(nproc)
mapfile -t sources < <(find src cli tests fuzz bench examples -name '*.c' | sort)
mapfile -t headers < <(find src include cli tests fuzz bench -name '*.h' | sort)
failed=0

echo "== clang-format: ${#sources[@]} sources, ${#headers[@]} headers"
clang-format --dry-run -Werror "${sources[@]}" "${headers[@]}" || failed=1

cmake -G Ninja -S . -B "$build" -DCMAKE_C_COMPILER=clang -DAKIDB_TESTS=ON >"$build.log" ||
    { cat "$build.log"; exit 1; }
rm -f "$build.log"
mapfile -t compiled < <(python3 - "$build/compile_commands.json" <<'PYTHON'
import json, os, sys
for path in sorted({entry["file"] for entry in json.load(open(sys.argv[1]))}):
    print(os.path.relpath(path))
PYTHON
)
echo "== clang-tidy: ${#compiled[@]} sources"
printf '%s\n' "${compiled[@]}" | xargs -P "$jobs" -n 4 clang-tidy --quiet -p "$build" \
    2>/dev/null || failed=1

echo "== cppcheck"
cppcheck --quiet --error-exitcode=1 -j "$jobs" --std=c11 --language=c --inline-suppr \
    --enable=warning,performance,portability --suppressions-list=tools/cppcheck.txt \
    --template='{file}:{line}: {severity}: {message} [{id}]' \
    -D_GNU_SOURCE -D__x86_64__ -D__BYTE_ORDER__=1234 -D__ORDER_LITTLE_ENDIAN__=1234 \
    -I include -I src -I cli -I bench -I tests/support src cli bench fuzz || failed=1

[ "$failed" -eq 0 ] && echo "lint: clean"
exit "$failed"
