# Functions for the cases; sourced by run.sh.

# Runs a command, with its line before and its exit code, if that is not 0, after. The line goes to
# stderr too, so that each message stands under the command that gave it.
run() {
    printf '$ %s\n' "$*"
    printf '$ %s\n' "$*" >&2
    "$@"
    code=$?
    [ $code -eq 0 ] || printf '[exit %d]\n' $code
    return 0
}

# Runs a command that makes what a case needs; the case ends if it fails.
need() {
    "$@" || {
        echo "needed, and failed: $*" >&2
        exit 1
    }
}

# documents FIRST COUNT: JSON lines with every field, in a fixed way.
documents() {
    awk -v first="$1" -v count="$2" 'BEGIN {
        for (i = first; i < first + count; i++)
            printf "{\"doc_id\":\"00000000-0000-4000-8000-%012d\",\"external_id\":\"word-%d\"," \
                   "\"vector\":[%d,%d.5,-0.25,1e-3],\"metadata\":{\"n\":%d}," \
                   "\"inserted_at\":\"2026-01-%02dT00:00:00Z\"}\n", i, i, i, i, i, i % 28 + 1
    }'
}

# One line for each file under a folder: name and checksum.
fingerprint() {
    find "$1" -type f -exec cksum {} + 2>/dev/null | sort
}

# unchanged FOLDER COMMAND...: runs the command, and says if a file of the folder changed.
unchanged() {
    folder=$1
    shift
    before=$(fingerprint "$folder")
    run "$@"
    [ "$before" = "$(fingerprint "$folder")" ] || echo "THE FILES OF $folder CHANGED"
}

# The names of the snapshot objects of a kind in the store "store": parquet, metadata.json, ...
objects() {
    find store -type f -name "*.$1" | sort
}

# flip FILE OFFSET: turns over one bit.
flip() {
    old=$(od -An -tu1 -j "$2" -N 1 "$1" | tr -d ' ')
    printf "\\$(printf '%03o' $((old ^ 1)))" |
        dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}

file_size() {
    wc -c <"$1" | tr -d ' '
}

# skip REASON: the case cannot be run here.
skip() {
    echo "SKIPPED: $*" >&2
    exit 77
}

# Runs a command as a user who is not root, also when the tests run as root.
as_user() {
    if [ "$(id -u)" -ne 0 ]; then
        "$@"
    else
        setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
    fi
}
