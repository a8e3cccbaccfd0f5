export AKIDB_STORE=store
documents 1 5 >a.jsonl
need akidb -q create --layout file words a.jsonl >/dev/null
need akidb -q create --layout file words a.jsonl >/dev/null
run akidb gc
part=$(objects metadata.json | head -n 1)
need rm "$part"
unchanged store akidb gc
unchanged store akidb gc --older-than 0s --dry-run
run akidb gc --older-than 0s
run akidb --json gc --older-than 0s
run akidb verify words
run sh -c 'objects() { find store -type f -name "*.parquet"; }; objects | wc -l | tr -d " "'

# Damaged metadata protects its parts, and is deleted only by name.
metadata=$(objects metadata.json)
: >"$metadata"
unchanged store akidb gc --older-than 0s
unchanged store akidb cleanup --keep-last 1 --older-than 1s words
run akidb delete words "$(basename "$metadata" .metadata.json)"
run akidb gc --older-than 0s
run find store -type f
