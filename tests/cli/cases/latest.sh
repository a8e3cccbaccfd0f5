# Without SNAPSHOT the latest is meant, where nothing can be lost by it.
store=$(store_at store)
on_store() {
    run akidb --store "$store" "$@"
}
documents 1 5 >a.jsonl
documents 6 2 >b.jsonl
need akidb --store "$store" -q create words a.jsonl >/dev/null
need akidb --store "$store" -q create words b.jsonl >/dev/null
on_store restore words - --columns external_id
on_store get words --external-id word-6 --columns external_id
on_store get words --external-id word-1 --columns external_id
on_store show words | grep '^documents'
on_store copy words --to "$(store_at other)"
run akidb --store "$(store_at other)" list words
on_store migrate words --format json
on_store migrate words --format json --delete-source
on_store delete words
on_store restore words
on_store restore words 3f1c
on_store restore words latest x.npy y
