#!/bin/sh
# run.sh [--s3] AKIDB CASE.sh: runs a case in a new, empty folder and compares what it printed with
# CASE.stdout and CASE.stderr. Ids, times and sizes are made equal first. With UPDATE=1 it writes
# the two files instead; look at the difference before you commit it.
#
# With --s3 the case's stores lie in the bucket that tests/s3/environment.py speaks of, and it must
# print the same.
#
# A case sees `akidb` and the functions of lib.sh. It exits with 77, having said why, to be skipped.
# It needs a POSIX shell and the POSIX tools.
set -u

kind=local
if [ "$1" = --s3 ]; then
    kind=s3
    shift
    : "${AKIDB_TEST_S3_ENDPOINT:?names the server}" "${AKIDB_TEST_S3_BUCKET:?names the bucket}"
    # Itself, not a script that looks for one at each call.
    python=$(python3 -c 'import sys; print(sys.executable)')
fi

absolute() {
    echo "$(cd "$(dirname "$1")" && pwd)/$(basename "$1")"
}
akidb=$(absolute "$1")
case=$(absolute "$2")
here=$(cd "$(dirname "$0")" && pwd)
golden=${case%.sh}
s3_prefix=cli-$(basename "$golden")-$(date +%s)-$$

scratch=$(mktemp -d "${TMPDIR:-/tmp}/akidb-cli-XXXXXX") || exit 1
trap 'chmod -R u+rwx "$scratch" 2>/dev/null; rm -rf "$scratch"' EXIT
mkdir "$scratch/work" "$scratch/tmp"

# On S3 a store's name stands for the folder of that name, as an argument and in messages; "not
# there" is said in other words; and Ceph gives rise to a note.
same_words=
if [ $kind = s3 ]; then
    uri=s3://$AKIDB_TEST_S3_BUCKET/$s3_prefix
    same_words="/^akidb: note: the server knows no CRC-32C/d
        /^\\$ /s|$uri/||g
        s|$uri/\\([a-z]*\\)/\\(.*\\): not there (404)|\\2: there is no such object below <work>/\\1|
        s|$uri/\\([a-z]*\\)\\([:,\\\"]\\)|file://<work>/\\1\\2|g
        s|$uri/\\([a-z]*\\)\$|file://<work>/\\1|"
fi

# Ids become <id 1>, <id 2>, ... in the order in which they appear; sizes, times, checksums and
# ratios one word each.
normalise() {
    awk '
    BEGIN {
        x = "[0-9a-f]"; x4 = x x x x
        id = x4 x4 "-" x4 "-" x4 "-" x4 "-" x4 x4 x4
    }
    {
        rest = $0; line = ""
        while (match(rest, id)) {
            found = substr(rest, RSTART, RLENGTH)
            if (!(found in seen))
                seen[found] = ++count
            line = line substr(rest, 1, RSTART - 1) "<id " seen[found] ">"
            rest = substr(rest, RSTART + RLENGTH)
        }
        line = line rest
        d = "[0-9]"
        gsub(d d d d "-" d d "-" d d "T" d d ":" d d ":" d d "(\\.[0-9]+)?Z", "<time>", line)
        gsub(" *[0-9][0-9.]* (B|KiB|MiB|GiB)", " <size>", line)
        gsub("[0-9]+ bytes", "<n> bytes", line)
        gsub("as the metadata has it, found [0-9]+", "as the metadata has it, found <n>", line)
        gsub(" [01][.]" d d d " ", " <ratio> ", line)
        gsub("crc32c[: ]" x4 x4, "crc32c <crc>", line)
        gsub("CRC-32C " x4 x4, "CRC-32C <crc>", line)
        gsub("CRC-32 " x4 x4, "CRC-32 <crc>", line)
        if (sub("found " x4 x4 "$", "", line))
            line = line "found <crc>"
        gsub("at byte " d d d d "+", "at byte <n>", line)
        gsub(/_bytes":[0-9]+/, "_bytes\":0", line)
        gsub(/bytes_read":[0-9]+/, "bytes_read\":0", line)
        print line
    }' "$1" | sed "s|$scratch/work|<work>|g" | sed "$same_words"
}

(
    cd "$scratch/work" || exit 1
    PATH=$(dirname "$akidb"):$PATH
    LC_ALL=C
    TMPDIR=$scratch/tmp
    source_dir=$(cd "$here/../.." && pwd)
    export PATH LC_ALL TMPDIR source_dir
    unset AKIDB_STORE
    [ $kind = local ] || export AWS_ENDPOINT_URL="$AKIDB_TEST_S3_ENDPOINT"
    . "$here/lib.sh"
    . "$case"
) >"$scratch/stdout" 2>"$scratch/stderr" </dev/null
code=$?

if [ $code -eq 77 ]; then
    cat "$scratch/stderr"
    exit 77
fi
failed=0
if [ $code -ne 0 ]; then
    echo "the case ended with exit code $code"
    failed=1
fi
if [ $kind = s3 ] && [ -n "$(find "$scratch/work" -type d -name snapshots)" ]; then
    echo "the case kept a store on the local disk: it lacks store_at, or local_only"
    failed=1
fi
for stream in stdout stderr; do
    normalise "$scratch/$stream" >"$scratch/$stream.normal"
    if [ "${UPDATE:-0}" = 1 ]; then
        cp "$scratch/$stream.normal" "$golden.$stream"
    elif ! diff -u "$golden.$stream" "$scratch/$stream.normal"; then
        failed=1
    fi
done
if [ $failed -ne 0 ]; then
    echo "--- stderr as it was:"
    cat "$scratch/stderr"
fi
exit $failed
