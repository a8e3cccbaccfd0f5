AKIDB_STORE=$(store_at store)
export AKIDB_STORE
documents 1 9 >in.jsonl
need akidb -q create --part-rows 4 words in.jsonl >id
id=$(cat id)

# Byte by byte, once.
run akidb copy words latest --to "$(store_at other)"
run akidb copy words latest --to "$(store_at other)"
run same_objects store other
run akidb --store "$(store_at other)" verify words
run akidb --json copy words "$id" --to "$(store_at third)"
run akidb copy words latest
run akidb copy nothing latest --to "$(store_at other)"

# An interrupted copy goes on: the metadata and a part are missing, another is damaged.
need drop_object "$(objects 'other/*.metadata.json')"
need drop_object "$(objects 'other/*part-00001.parquet')"
need flip_object "$(objects 'other/*part-00000.parquet')" 100
run akidb copy words "$id" --to "$(store_at other)"
run same_objects store other

# Another snapshot of that id is left alone.
echo '{}' >stranger
need put_object stranger "$(objects 'other/*.metadata.json')"
run akidb copy words "$id" --to "$(store_at other)"

# All that are missing.
need akidb -q create words in.jsonl >/dev/null
run akidb sync words --to "$(store_at third)" --dry-run
run akidb sync words --to "$(store_at third)"
run akidb sync words --to "$(store_at third)"
run akidb sync words --to "$(store_at fourth)"
run akidb --json sync words --to "$(store_at fourth)"
run akidb sync nothing --to "$(store_at third)"
run same_objects store third

# Damage does not spread.
need flip_object "$(objects 'store/*part-00001.parquet' | head -n 1)" 100
run akidb -q sync words --to "$(store_at fifth)"
run akidb --store "$(store_at fifth)" -q verify words
