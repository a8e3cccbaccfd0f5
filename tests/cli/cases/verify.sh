# What verify, list and restore say of damage of every kind, and the worst of several.
AKIDB_STORE=$(store_at store)
export AKIDB_STORE
documents 1 20 >a.jsonl
make() {
    for object in $(objects 'store/*' 2>/dev/null); do
        need drop_object "$object"
    done
    need akidb -q create --compression none --layout file words a.jsonl >id
    id=$(cat id)
    part=$(objects 'store/*.parquet')
    metadata=$(objects 'store/*.metadata.json')
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

need flip_object "$part" 100
look a flipped bit in a part
for level in exists size checksum; do
    run akidb verify --level $level words
done
make
need get_object "$part" whole
need dd if=whole of=short bs=1 count=200 2>/dev/null
need put_object short "$part"
look a part cut short
run akidb verify --level size words
run akidb verify --level exists words
make
need get_object "$part" long
printf 'more' >>long
need put_object long "$part"
look bytes after a part
make
need drop_object "$part"
look no part
run akidb show words latest
make
need put_object /dev/null "$metadata"
look empty metadata
run akidb list words
make
echo 'not JSON' >m
need put_object m "$metadata"
look metadata that is not JSON
run akidb --json list words
make
need get_object "$metadata" good
need sed 's/"vector_count":[ ]*20/"vector_count":21/' good >m
need put_object m "$metadata"
look metadata with another count
make
need get_object "$metadata" good
need sed 's/"dimension":[ ]*4/"dimension":5/' good >m
need put_object m "$metadata"
look metadata with another dimension

# Of several the worst: corrupt before missing.
make
need akidb -q create --layout file words a.jsonl >/dev/null
need akidb -q create --layout file words a.jsonl >/dev/null
set -- $(objects 'store/*.parquet')
need drop_object "$1"
need flip_object "$2" 100
akidb verify words >out 2>&1
echo "exit $?"
run sh -c "cut -c39-48 out | grep 'good\|missing\|corrupt' | sort"
