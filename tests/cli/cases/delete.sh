AKIDB_STORE=$(store_at store)
export AKIDB_STORE
documents 1 5 >a.jsonl
first=$(akidb -q create words a.jsonl)
second=$(akidb -q create words a.jsonl)
third=$(akidb -q create words a.jsonl)
run akidb delete words "$first"
run akidb delete words "$first"
run akidb --json delete words "$second"
run akidb -q delete words latest
run akidb list words
run akidb delete words latest
run objects 'store/*'

# Which one is the latest is not sure while one is damaged.
need akidb -q create words a.jsonl >first
need akidb -q create words a.jsonl >second
put_object /dev/null "$(objects "store/*$(cat second).metadata.json")"
unchanged store akidb delete words latest
run akidb -q delete words "$(cat second)"
run akidb -q delete words latest
