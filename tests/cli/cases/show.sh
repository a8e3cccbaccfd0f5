AKIDB_STORE=$(store_at store)
export AKIDB_STORE
documents 1 2000 >a.jsonl
need akidb -q create --label kind=test --compression zstd --vector-encoding byte_stream_split words a.jsonl >/dev/null
run akidb show words latest
documents 1 5 >a.jsonl
need akidb -q create --row-group-size 2 --compression none --layout folder --part-rows 3 words a.jsonl >/dev/null
run akidb show --row-groups words latest
run akidb --json show words latest | sed 's/"metadata":{.*},"parts"/"metadata":{},"parts"/'
need akidb -q create --format json words a.jsonl >/dev/null
run akidb show words latest
run akidb show words 00000000-0000-4000-8000-000000000000
run akidb show nothing latest
documents 1 50 >a.jsonl
need akidb -q create --profile balanced words a.jsonl >/dev/null
run akidb show words latest | sed 's/[0-9.]* %/<ratio> %/g'
