export AKIDB_STORE=store
documents 1 9 >in.jsonl
need akidb -q create --part-rows 4 words in.jsonl >id
id=$(cat id)

# Byte by byte, once.
run akidb copy words latest --to other
run akidb copy words latest --to other
run diff -r store other
run akidb --store other verify words
run akidb --json copy words "$id" --to third
run akidb copy words latest
run akidb copy nothing latest --to other

# An interrupted copy goes on: the metadata and a part are missing, another is damaged.
find other -name '*.metadata.json' -exec rm {} +
find other -name 'part-00001.parquet' -exec rm {} +
flip "$(find other -name 'part-00000.parquet')" 100
run akidb copy words "$id" --to other
run diff -r store other

# Another snapshot of that id is left alone.
find other -name '*.metadata.json' -exec sh -c 'echo "{}" >"$1"' sh {} \;
run akidb copy words "$id" --to other
rm -r other

# All that are missing.
need akidb -q create words in.jsonl >/dev/null
run akidb sync words --to third --dry-run
run akidb sync words --to third
run akidb sync words --to third
run akidb sync words --to fourth
run akidb --json sync words --to fourth
run akidb sync nothing --to third
run diff -r store third

# Damage does not spread.
flip "$(find store -name 'part-00001.parquet' | head -n 1)" 100
run akidb -q sync words --to fifth
run akidb --store fifth -q verify words
