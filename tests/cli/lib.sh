# Functions for the cases; sourced by run.sh.
#
# A case runs on a local disk and on S3. It names its stores by `store_at`, and touches what lies in
# them by the functions for objects below, never by the path of a file. A case that can be about
# local files only begins with a line `local_only REASON`, by which it is known to CMakeLists.txt.

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

# skip REASON: the case cannot be run here.
skip() {
    echo "SKIPPED: $*" >&2
    exit 77
}

# local_only REASON: the case has no meaning on S3.
local_only() {
    [ "$kind" = local ] || skip "only on a local disk: $*"
}

# ---- stores and the objects in them: STORE/KEY ----

# store_at NAME: what --store takes for the case's own store of that name.
store_at() {
    if [ "$kind" = local ]; then
        echo "$1"
    else
        echo "s3://$AKIDB_TEST_S3_BUCKET/$s3_prefix/$1"
    fi
}

s3_objects() {
    "$python" "$source_dir/tests/s3/objects.py" "$@"
}

# objects PATTERN: the names of the objects that match, as STORE/KEY, sorted.
objects() {
    if [ "$kind" = local ]; then
        find "${1%%/*}" -type f -path "$1" | sort
    else
        s3_objects list "$s3_prefix/${1%%/*}/" | while read -r name; do
            case ${name#"$s3_prefix/"} in
            $1) echo "${name#"$s3_prefix/"}" ;;
            esac
        done
    fi
}

# get_object NAME FILE, put_object FILE NAME, drop_object NAME
get_object() {
    if [ "$kind" = local ]; then cat "$1" >"$2"; else s3_objects get "$s3_prefix/$1" "$2"; fi
}

put_object() {
    if [ "$kind" = local ]; then
        mkdir -p "$(dirname "$2")" && cat "$1" >"$2"
    else
        s3_objects put "$1" "$s3_prefix/$2"
    fi
}

drop_object() {
    if [ "$kind" = local ]; then rm "$1"; else s3_objects delete "$s3_prefix/$1"; fi
}

object_size() {
    get_object "$1" object.size && file_size object.size && rm object.size
}

# flip_object NAME OFFSET: turns over one bit.
flip_object() {
    get_object "$1" object.flip && flip object.flip "$2" && put_object object.flip "$1" &&
        rm object.flip
}

# same_objects STORE STORE: says what differs.
same_objects() {
    if [ "$kind" = local ]; then
        diff -r "$1" "$2"
    else
        mkdir mirrors
        s3_objects mirror "$s3_prefix/$1" "mirrors/$1"
        s3_objects mirror "$s3_prefix/$2" "mirrors/$2"
        (cd mirrors && diff -r "$1" "$2")
        rm -r mirrors
    fi
}

# One line for each object of a store, or each file under a folder: name and checksum.
fingerprint() {
    if [ "$kind" = local ]; then
        find "$1" -type f -exec cksum {} + 2>/dev/null | sort
    else
        s3_objects fingerprint "$s3_prefix/$1/"
    fi
}

# unchanged STORE COMMAND...: runs the command, and says if an object of the store changed.
unchanged() {
    folder=$1
    shift
    before=$(fingerprint "$folder")
    run "$@"
    [ "$before" = "$(fingerprint "$folder")" ] || echo "THE FILES OF $folder CHANGED"
}

# ---- files of the case ----

# documents FIRST COUNT: JSON lines with every field, in a fixed way.
documents() {
    awk -v first="$1" -v count="$2" 'BEGIN {
        for (i = first; i < first + count; i++)
            printf "{\"doc_id\":\"00000000-0000-4000-8000-%012d\",\"external_id\":\"word-%d\"," \
                   "\"vector\":[%d,%d.5,-0.25,1e-3],\"metadata\":{\"n\":%d}," \
                   "\"inserted_at\":\"2026-01-%02dT00:00:00Z\"}\n", i, i, i, i, i, i % 28 + 1
    }'
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

# Runs a command as a user who is not root, also when the tests run as root.
as_user() {
    if [ "$(id -u)" -ne 0 ]; then
        "$@"
    else
        setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
    fi
}
