# A data folder from its first document to its snapshots and back.
store=$(store_at store)
db() {
    word=$1
    shift
    run akidb db "$word" --data data --store "$store" "$@"
}
documents 1 25 >a.jsonl
documents 26 5 >b.jsonl
db insert words a.jsonl
db insert words a.jsonl b.jsonl
db insert --ack --batch-rows 12 notes a.jsonl b.jsonl
db insert --no-create --json words b.jsonl
db -q insert words b.jsonl
db count words
db --json count words
db -q collections
db get words --external-id word-3 --columns external_id,metadata
db get words --external-id word-3 --id 00000000-0000-4000-8000-000000000003 \
    --id 00000000-0000-4000-8000-000000000001 --columns external_id
printf 'word-7\n00000000-0000-4000-8000-000000000008\nnobody\n' >wanted
db get words --ids wanted --columns external_id
db get words --external-id word-9 -o one.jsonl
cut -c1-60 one.jsonl
db delete words --ids wanted
db --json delete words --external-id word-1
db get words --external-id word-1

# Every format that create takes. A file of Parquet comes by row groups, and is cut.
seq -f 'word-%g' 1 30 >all
for format in npy fvecs parquet; do
    need akidb db get --data data notes --ids all -o all.$format
    db insert --batch-rows 7 --ack $format all.$format
done
db count parquet
db get parquet --external-id word-30

# Snapshots.
db flush words
db flush --json notes words
need akidb -q db flush --data data --store "$store" | wc -l | tr -d ' '
db snapshots words
run akidb --store "$store" verify words
db delete words --external-id word-2
db collections --json | sed 's/"memory_bytes":[0-9]*/"memory_bytes":0/g'
db restore words latest
db --json restore words latest
db count words
db flush --keep-last 1 words
db snapshots words
db stat | sed 's/recovery  *[0-9.]* s/recovery <n> s/'
db stat --json | sed 's/"microseconds":[0-9]*/"microseconds":0/'
db metrics | grep -v '^#' | sed -n 's/\(akidb_documents\|akidb_wal_last_lsn\|akidb_collections\)/\1/p'
db metrics --json | grep -o '"name":"akidb_collections".*"value":[0-9]*}' | sed 's/}.*//'

# Gone, and back from the store.
db drop words
db count words
db --json create words --dimension 4
db restore words latest
db drop words
db adopt
db --json adopt
db count words
run akidb db adopt --data other --store "$store"
run akidb db count --data other --store "$store" words
