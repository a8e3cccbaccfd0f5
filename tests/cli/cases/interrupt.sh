# A create that is interrupted while it waits for its input: ends by the signal, leaves nothing
# that is visible, and gc removes what there may be.
AKIDB_STORE=$(store_at store)
export AKIDB_STORE
documents 1 5 >a.jsonl
need akidb -q create words a.jsonl >/dev/null
before=$(fingerprint store)
documents 1 30000 >many.jsonl
for signal in INT TERM HUP; do
    mkfifo slow.jsonl
    # A shell ignores SIGINT in what it starts in the background, and nohup SIGHUP.
    env --default-signal=INT,HUP akidb create --row-group-size 1000 words slow.jsonl >out 2>err &
    creator=$!
    exec 9>slow.jsonl
    cat many.jsonl >&9
    sleep 0.5
    kill -$signal $creator
    { wait $creator; } 2>shell # the shell says there how it ended
    echo "$signal: exit $(($? - 128)) above 128"
    cat out err
    exec 9>&-
    rm slow.jsonl
    run akidb -q list words
done
run akidb -q gc --older-than 0s
[ "$before" = "$(fingerprint store)" ] || echo "THE FILES CHANGED"
objects 'store/*' | wc -l | tr -d ' '
