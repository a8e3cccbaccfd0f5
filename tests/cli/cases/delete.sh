export AKIDB_STORE=store
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
run find store -type f

# Which one is the latest is not sure while one is damaged.
need akidb -q create words a.jsonl >first
need akidb -q create words a.jsonl >second
echo >"$(find store -name "$(cat second).metadata.json")"
unchanged store akidb delete words latest
run akidb -q delete words "$(cat second)"
run akidb -q delete words latest
