#!/bin/sh
# Compiles each header alone, twice over, with a compiler: check_headers.sh KIND COMPILER ROOT, KIND
# being c (public headers as C11), c++ (public headers as C++) or internal (those of src/, as C11).
# 77 says that the compiler is not there: ctest shows that as skipped.
set -eu
kind=$1 compiler=$2 root=$3

if ! command -v "$compiler" >/dev/null; then
    echo "SKIPPED: no $compiler here; make setup installs it"
    exit 77
fi
warnings="-Wall -Wextra -pedantic -Werror"
case $kind in
c) flags="-x c -std=c11 $warnings -Wstrict-prototypes" folder=include ;;
c++) flags="-x c++ -std=c++11 $warnings" folder=include ;;
internal) flags="-x c -std=c11 $warnings -D_GNU_SOURCE -I$root/src" folder=src ;;
*) echo "unknown kind $kind" >&2 && exit 2 ;;
esac

count=0
for header in $(cd "$root/$folder" && find . -name '*.h' | sed 's|^\./||' | sort); do
    printf '#include "%s"\n#include "%s"\nint used(void);\n' "$header" "$header" |
        $compiler $flags -I"$root/include" -fsyntax-only - || {
        echo "$header does not compile alone with $compiler ($kind)"
        exit 1
    }
    count=$((count + 1))
done
echo "$count headers"
[ "$count" -gt 0 ]
