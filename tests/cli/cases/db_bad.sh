# What goes wrong with db commands, and what is said. No folder is made where only something is read.
local_only "data folders are local"
documents 1 5 >a.jsonl
run akidb db 2>/dev/null
run akidb db frobnicate
run akidb db inser words a.jsonl
run akidb db count words
run akidb db --data data count
run akidb db count --data data words
run akidb db get --data data words --id 00000000-0000-4000-8000-000000000001
run akidb db wal --data data
run ls
run akidb db insert --data data
run akidb db insert --data data --ack --json words a.jsonl
run akidb db insert --data data --batch-rows 0 words a.jsonl
run akidb db insert --data data --durability never words a.jsonl
run akidb db insert --data data --interval 5 words a.jsonl
run akidb db insert --data data --wal-segment-size 1 words a.jsonl
run akidb db insert --data data --keep-last 0 words a.jsonl
run akidb db insert --data data words missing.jsonl
run akidb db insert --data data '' a.jsonl
run akidb db insert --data data --no-create words a.jsonl
run akidb db create --data data words
run akidb db create --data data words --dimension 70000
run akidb db insert --data a.jsonl words a.jsonl

# A file whose third line is no document: the batches before it stay.
sed '4s/.*/{"vector":[1,2]}/' a.jsonl >bad.jsonl
run akidb db insert --data data --batch-rows 2 --ack words bad.jsonl
run akidb db insert --data data --batch-rows 2 words bad.jsonl
run akidb db count --data data words
echo '{"vector":[1,2]}' >two.jsonl
run akidb db insert --data data words two.jsonl
: >empty.jsonl
run akidb db insert --data data words empty.jsonl
run akidb db create --data data words --dimension 4
run akidb db insert --data data --memory-limit 1 words a.jsonl
run akidb db count --data data nobody
run akidb db drop --data data nobody
run akidb db delete --data data nobody --external-id x
run akidb db delete --data data words
run akidb db get --data data words
run akidb db get --data data words --external-id word-1 -o out.txt
run akidb db get --data data words --external-id word-1 -o out.npy --columns metadata
run akidb db flush --data data nobody words
run akidb db snapshots --data data nobody
run akidb db restore --data data words 00000000-0000-4000-8000-000000000001
run akidb db restore --data data nobody latest

# A second process while one has the folder; 'wal' only looks.
mkfifo in
akidb db insert --data data --batch-rows 1 --input-format jsonl --ack words in >acks &
exec 3>in
documents 6 1 >&3
tries=0
until [ -s acks ] || [ $tries -ge 200 ]; do
    sleep 0.05
    tries=$((tries + 1))
done
[ "$(cat acks)" = 1 ] || echo "NO RECEIPT WHILE THE PIPE IS OPEN"
run akidb db count --data data words
run akidb db insert --data data words a.jsonl
run akidb db wal --data data --summary | sed 's/LSN 1 to [0-9]*/LSN 1 to <n>/; s/^[0-9]* entries/<n> entries/'
exec 3>&-
wait
run akidb db count --data data words

# No room for a segment of the log: it is told which option makes that smaller.
run sh -c "trap '' XFSZ; ulimit -f 8192; akidb db insert --data little words a.jsonl"
run sh -c "trap '' XFSZ; ulimit -f 8192; akidb db --data little --wal-segment-size 1M insert words a.jsonl"
