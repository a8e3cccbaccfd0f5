# What verify, list and restore say of damage of every kind, and the worst of several.
export AKIDB_STORE=store
documents 1 20 >a.jsonl
make() {
    rm -rf store
    need akidb -q create --compression none --layout file words a.jsonl >id
    id=$(cat id)
    part=$(objects parquet)
    metadata=$(objects metadata.json)
}
look() {
    echo "== $*"
    echo "== $*" >&2
    unchanged store akidb verify words
    rm -f out.npy
    unchanged store akidb restore words "$id" out.npy
    run test -e out.npy
}
make
run akidb verify words
for level in exists size checksum decode; do
    run akidb verify --level $level words latest
done
run akidb --json verify words
run akidb -q verify words
run akidb verify nothing
run akidb verify words 00000000-0000-4000-8000-000000000000

need flip "$part" 100
look a flipped bit in a part
for level in exists size checksum; do
    run akidb verify --level $level words
done
make
need dd if="$part" of=short bs=1 count=200 2>/dev/null
need cp short "$part"
look a part cut short
run akidb verify --level size words
run akidb verify --level exists words
make
printf 'more' >>"$part"
look bytes after a part
make
need rm "$part"
look no part
run akidb show words latest
make
: >"$metadata"
look empty metadata
run akidb list words
make
echo 'not JSON' >"$metadata"
look metadata that is not JSON
run akidb --json list words
make
need sed 's/"vector_count":[ ]*20/"vector_count":21/' "$metadata" >m
need cp m "$metadata"
look metadata with another count
make
need sed 's/"dimension":[ ]*4/"dimension":5/' "$metadata" >m
need cp m "$metadata"
look metadata with another dimension

# Of several the worst: corrupt before missing.
make
need akidb -q create --layout file words a.jsonl >/dev/null
need akidb -q create --layout file words a.jsonl >/dev/null
set -- $(objects parquet)
need rm "$1"
need flip "$2" 100
akidb verify words >out 2>&1
echo "exit $?"
run sh -c "cut -c39-48 out | grep 'good\|missing\|corrupt' | sort"
