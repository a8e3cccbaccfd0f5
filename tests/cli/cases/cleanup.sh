AKIDB_STORE=$(store_at store)
export AKIDB_STORE
documents 1 5 >a.jsonl
for i in 1 2 3 4; do
    need akidb -q create words a.jsonl >/dev/null
done
run akidb cleanup --keep-last 3 --dry-run words
unchanged store akidb cleanup --keep-last 3 --dry-run words
run akidb cleanup --keep-last 3 words
run akidb cleanup --keep-within 30d words
run akidb cleanup --older-than 7d words
run akidb --json cleanup --older-than 1h --keep-daily 7 --keep-weekly 4 --keep-monthly 12 words
sleep 1.1
run akidb cleanup --older-than 1s --dry-run words
run akidb -q cleanup --older-than 1s words
run akidb list words
run akidb cleanup --older-than 1s --keep-last 0 words
run akidb cleanup --older-than 1s --keep-last 0 words
# A damaged snapshot does not say when it was created, and is left alone.
need akidb -q create words a.jsonl >/dev/null
for metadata in $(objects 'store/*.metadata.json'); do
    put_object /dev/null "$metadata"
done
run akidb cleanup --older-than 1s words
run akidb --json cleanup --older-than 1s words
