# A writer is killed amid its batches, again and again: all that it acknowledged is there.
local_only "data folders are local"
rounds=6
round=0
while [ $round -lt $rounds ]; do
    round=$((round + 1))
    documents $((round * 1000)) 600 >in.jsonl
    : >acks
    akidb db insert --data data --batch-rows 1 --ack words in.jsonl >acks &
    writer=$!
    tries=0
    until [ "$(wc -l <acks)" -ge $((round * 11)) ] || [ $tries -ge 500 ]; do
        sleep 0.01
        tries=$((tries + 1))
    done
    kill -9 $writer
    wait $writer 2>/dev/null
    # The last line may be cut off.
    acked=$(sed -n '$!p' acks | tail -n 1)
    [ "${acked:-0}" -ge 1 ] && [ "$acked" -lt 600 ] || echo "round $round: not killed amid its work"
    head -n "$acked" in.jsonl | cut -d'"' -f4 >ids
    akidb db get --data data words --ids ids -o found.jsonl ||
        echo "round $round: something acknowledged is missing"
    [ "$(wc -l <found.jsonl)" -eq "$acked" ] || echo "round $round: $acked acknowledged"
    # Each document is one batch: what is there is the beginning of what was sent.
    akidb -q db flush --data data >/dev/null || echo "round $round: cannot be flushed"
done
echo "$round rounds"
