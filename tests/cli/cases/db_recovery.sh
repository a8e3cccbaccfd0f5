# A log that is torn, or damaged, and a snapshot that is damaged.
local_only "data folders are local"
documents 1 40 >a.jsonl
need akidb db insert --data data --batch-rows 10 --ack words a.jsonl >/dev/null
run akidb db wal --data data
need cp -r data torn
need cp -r data damaged

# The last batch was still being written: nobody was promised it.
need truncate -s 2900 torn/wal/00000000000000000001.wal
unchanged torn/wal akidb db wal --data torn
run akidb db wal --data torn --summary --json
run akidb db count --data torn words
run akidb db count --data torn words
ls torn/wal

# A bit of the second batch is not what it was, and it had been acknowledged.
need flip damaged/wal/00000000000000000001.wal 2100
unchanged damaged/wal akidb db count --data damaged words
unchanged damaged/wal akidb db wal --data damaged
run akidb db wal --data damaged --json --summary
unchanged damaged/wal akidb db wal --data damaged --recovery salvage
unchanged damaged/wal akidb db wal --data damaged --recovery up-to --summary
need cp -r damaged salvaged
run akidb db count --data damaged --recovery up-to words
run akidb db count --data damaged words
run akidb db -q count --data salvaged --recovery salvage words
run akidb db get --data salvaged words --external-id word-11 --external-id word-25 \
    --columns external_id
run akidb db wal --data salvaged
ls salvaged/wal

# The newest snapshot is damaged.
need akidb -q db flush --data data >/dev/null
need akidb -q db delete --data data words --external-id word-1
need akidb -q db flush --data data >newest
newest=$(cat newest)
: >"data/store/snapshots/08368075-d26b-5a31-bc6a-d6923f230e79/$newest.parquet"
run akidb db count --data data words
run akidb db count --data data --allow-older-snapshot words

# The only segment has no head any more: no mode of recovery reads it, but what was flushed comes.
need cp -r data headless
need flip headless/wal/00000000000000000001.wal 8
run akidb db count --data headless words
unchanged headless akidb db count --data headless --recovery salvage words
need rm "data/store/snapshots/08368075-d26b-5a31-bc6a-d6923f230e79/$newest.metadata.json"
run akidb -q db adopt --data anew --store data/store
run akidb db count --data anew --store data/store words
