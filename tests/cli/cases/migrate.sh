export AKIDB_STORE=store
documents 1 9 >a.jsonl
need akidb -q create --format json --compression gzip --label kind=test words a.jsonl >/dev/null
need akidb -q restore words latest before.jsonl
run akidb migrate --to parquet --compression zstd:3 words latest
run akidb list words
run akidb migrate --to json --delete-source words latest
run akidb -q migrate --to parquet --vector-encoding byte-stream-split words latest
need akidb -q restore words latest after.jsonl
run cmp before.jsonl after.jsonl
run akidb verify words
run akidb migrate --to json --layout file words latest
run akidb migrate --to parquet words 00000000-0000-4000-8000-000000000000
