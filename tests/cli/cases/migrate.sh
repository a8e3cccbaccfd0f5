# A migrated snapshot keeps the time of its creation, so ids name them here, not "latest".
AKIDB_STORE=$(store_at store)
export AKIDB_STORE
kinds() {
    akidb -q list words | awk '{ print $3, $4, $5, $6 }' | sort
}
documents 1 9 >a.jsonl
first=$(akidb -q create --format json --compression gzip --label kind=test words a.jsonl)
need akidb -q restore words "$first" before.jsonl
run akidb migrate --format parquet --compression zstd:3 words "$first" >out
cat out
second=$(tail -n 1 out)
run kinds
run akidb migrate --format json --delete-source words "$second"
third=$(akidb -q migrate --format parquet --vector-encoding byte-stream-split words "$first")
run kinds
need akidb -q restore words "$third" after.jsonl
run cmp before.jsonl after.jsonl
akidb --json migrate --format parquet words "$third" >metadata.json
run sh -c 'grep -o "\"migrated-from\"\|\"kind\"\|\"vector_count\":[ ]*9" metadata.json'
run sh -c 'akidb verify words | grep -c good'
run akidb migrate --format json --layout file words "$first"
run akidb migrate --format parquet words 00000000-0000-4000-8000-000000000000
need flip_object "$(objects "store/*$third[./]*parquet")" 100
unchanged store akidb migrate --format json --delete-source words "$third"
