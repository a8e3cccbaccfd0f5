# A data folder and all that it needs, looked at without opening it.
store=$(store_at store)
db() {
    word=$1
    shift
    run akidb db "$word" --data data --store "$store" "$@"
}
documents 1 25 >a.jsonl
for name in words films; do
    need akidb -q db insert --data data --store "$store" $name a.jsonl
    need akidb -q db flush --data data --store "$store" $name >/dev/null
done
need akidb -q tier demote --data data --store "$store" words
need akidb -q tier demote --data data --store "$store" films --to cold
need akidb -q db insert --data data --store "$store" notes a.jsonl
before=$(find data -type f -exec cksum {} + | sort)
db verify
db verify --level exists
db -q verify
db verify --json
[ "$before" = "$(find data -type f -exec cksum {} + | sort)" ] || echo "THE DATA FOLDER CHANGED"

# Also while somebody has it open.
mkfifo pipe
akidb -q db insert --data data --store "$store" notes pipe --input-format jsonl &
writer=$!
exec 3>pipe
tries=0
while akidb -q db count --data data --store "$store" notes >/dev/null 2>&1 && [ $tries -lt 100 ]; do
    tries=$((tries + 1))
    sleep 0.1
done
db -q verify
exec 3>&-
wait $writer

# A local copy, the only copy of a cold collection, the log, the catalogue.
for copy in data/warm/snapshots/*/*.parquet; do
    flip "$copy" 100
done
db -q verify
for copy in data/warm/snapshots/*/*.parquet; do
    flip "$copy" 100
done
for metadata in $(objects 'store/*.metadata.json'); do
    get_object "$metadata" kept
    grep -q films kept && drop_object "$metadata" && break
done
db -q verify --metrics-file akidb.prom
grep 'last_exit_code{.*"db verify"' akidb.prom | sed 's/.* //'
put_object kept "$metadata"
db -q verify
run akidb -q db verify --data data --store "$(store_at another)" --level exists
flip data/wal/00000000000000000001.wal 70
db -q verify
flip data/wal/00000000000000000001.wal 70
flip data/catalogue 40
db verify
run akidb db verify --data nowhere
run akidb db verify
rm -r data
