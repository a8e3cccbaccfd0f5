export AKIDB_STORE=store
documents 1 5 >a.jsonl
documents 6 5 >b.jsonl

# The id is the last line, and alone with --quiet; --json is the metadata.
run akidb create words a.jsonl
run akidb --quiet create words a.jsonl b.jsonl
akidb --json create --label kind=test words a.jsonl >metadata.json
run sh -c 'grep -o "\"vector_count\":[ ]*5\|\"dimension\":[ ]*4\|\"name\"\|\"kind\"" metadata.json'
documents 1 3 | run akidb create from-stdin -
run akidb list
run akidb list words
run akidb -q list words
run akidb --store "file://$PWD/store" list from-stdin

# A collection by UUID, in any case, has no name.
run akidb create 0945DB03-3ED2-5AEA-B1B9-96709BCB3B20 a.jsonl
run akidb list 0945db03-3ed2-5aea-b1b9-96709bcb3b20

# Formats, codecs, encodings, layouts.
for codec in none snappy zstd zstd:19 lz4 gzip gzip:9; do
    run akidb -q create --compression $codec parquet a.jsonl b.jsonl
done
for codec in none snappy zstd:3 gzip; do
    run akidb -q create --format json --compression $codec json a.jsonl b.jsonl
done
run akidb create --vector-encoding byte-stream-split --row-group-size 2 --page-size 4K \
    --no-dictionary more a.jsonl
run akidb create --layout file more a.jsonl
run akidb create --layout folder --part-rows 2 more a.jsonl
run akidb create --trust-ids --threads 1 more a.jsonl
for collection in parquet json more; do
    run akidb verify $collection
done
