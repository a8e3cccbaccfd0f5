AKIDB_STORE=$(store_at store)
export AKIDB_STORE
documents 1 5 >a.jsonl
need akidb -q create --layout file words a.jsonl >/dev/null
need akidb -q create --layout file words a.jsonl >/dev/null
run akidb gc
need drop_object "$(objects 'store/*.metadata.json' | head -n 1)"
unchanged store akidb gc
unchanged store akidb gc --older-than 0s --dry-run
run akidb gc --older-than 0s
run akidb --json gc --older-than 0s
run akidb verify words
objects "store/*.parquet" | wc -l | tr -d " "

# Damaged metadata protects its parts, and is deleted only by name.
metadata=$(objects 'store/*.metadata.json')
put_object /dev/null "$metadata"
unchanged store akidb gc --older-than 0s
unchanged store akidb cleanup --keep-last 1 --older-than 1s words
run akidb delete words "$(basename "$metadata" .metadata.json)"
run akidb gc --older-than 0s
run objects 'store/*'
