AKIDB_STORE=$(store_at store)
export AKIDB_STORE
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
run akidb --store "$(store_at store)" list from-stdin

# A collection by UUID, in any case, has no name.
run akidb create 0945DB03-3ED2-5AEA-B1B9-96709BCB3B20 a.jsonl
run akidb list 0945db03-3ed2-5aea-b1b9-96709bcb3b20

# A snapshot of no documents, where the file says the dimension.
printf '\223NUMPY\001\000\166\000%-117s\n' \
    "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 4), }" >none.npy
run akidb create none none.npy
run akidb create --allow-empty none none.npy
run akidb verify none
run akidb restore none latest none-again.npy

# External ids from a text file, one for each input.
printf '%s\n' one two three four five >a.txt
printf 'six\r\nseven\r\neight\r\nnine\r\nten' >b.txt
need akidb -q restore words latest a.npy
need akidb -q restore words latest b.fvecs
run akidb create --ids a.txt --ids b.txt named a.npy b.fvecs
run akidb restore named latest - --columns external_id --external-id five --external-id ten

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
