#!/bin/sh
# Installs a build to a fresh prefix and builds every example against it, with pkg-config and with
# find_package, shared and static, outside the source tree; then runs each.
#   install_test.sh BUILD SOURCE CFLAGS COMPILER
set -eu
build=$1 source=$2 flags=$3 compiler=$4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
prefix=$work/usr

fail() {
    echo "install_test: $1" >&2
    exit 1
}

cmake --install "$build" --prefix "$prefix" >"$work/install.log" || {
    cat "$work/install.log"
    fail "cmake --install failed"
}
libdir=$(dirname "$(find "$prefix" -name libakidb.a)")
[ -n "$libdir" ] || fail "libakidb.a is not installed"
for file in include/akidb/akidb.h include/akidb/sys/store_backend.h; do
    [ -f "$prefix/$file" ] || fail "$file is not installed"
done
export PKG_CONFIG_PATH="$libdir/pkgconfig" LD_LIBRARY_PATH="$libdir" CC="$compiler"

# run FOLDER: every example of it, each on a store of its own
run() {
    for program in snapshot_and_restore streaming own_store storage_backend tiering \
        mapped_search; do
        rm -rf "$work/store"
        "$1/$program" "$work/store" || fail "$1/$program failed"
    done
}

for static in "" 1; do
    cp -r "$source/examples" "$work/make$static"
    make -s -C "$work/make$static" ${static:+STATIC=1} CFLAGS="-O1 -Wall -Wextra -Werror $flags"
    run "$work/make$static"

    cmake -G Ninja -S "$work/make$static" -B "$work/cmake$static" -DCMAKE_PREFIX_PATH="$prefix" \
        ${static:+-DAKIDB_STATIC=ON} -DCMAKE_C_FLAGS="$flags" >"$work/cmake.log" &&
        cmake --build "$work/cmake$static" >>"$work/cmake.log" || {
        cat "$work/cmake.log"
        fail "find_package(akidb) ${static:+static }does not build the examples"
    }
    run "$work/cmake$static"
done

if [ -x "$prefix/bin/akidb" ]; then
    (unset LD_LIBRARY_PATH && "$prefix/bin/akidb" --version >/dev/null) ||
        fail "the installed akidb does not run"
    for file in man/man1/akidb.1 bash-completion/completions/akidb zsh/site-functions/_akidb \
        fish/vendor_completions.d/akidb.fish; do
        [ -s "$prefix/share/$file" ] || fail "share/$file is not installed"
    done
fi
if ldd "$work/make1/streaming" | grep -q libakidb; then
    fail "STATIC=1 has linked the shared library"
fi
version=$(pkg-config --modversion akidb)
grep -q "VERSION_STRING \"$version\"" "$prefix/include/akidb/base.h" ||
    fail "akidb.pc says $version, base.h another version"
