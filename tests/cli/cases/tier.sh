# Where collections lie: seen, pinned, moved by hand and by the policy.
store=$(store_at store)
no_times() {
    sed 's/ in [0-9.]* s$/ in <n> s/; s/, [0-9]* s ago/, <n> s ago/; s/for [0-9]* s$/for <n> s/'
}
tier() {
    word=$1
    shift
    run akidb tier "$word" --data data --store "$store" "$@" | no_times
}
documents 1 25 >a.jsonl
for name in words films; do
    need akidb db -q insert --data data --store "$store" $name a.jsonl
done
tier status
tier -q status
tier pin words
tier demote words
tier unpin --json words
tier demote words
tier demote words
tier demote words
tier demote films --to cold
tier status --json
run akidb db get --data data --store "$store" words --external-id word-7
tier promote words
tier promote words --json --to hot | sed 's/"bytes":[0-9]*/"bytes":0/; s/"microseconds":[0-9]*/"microseconds":0/'
tier promote words
tier status
run akidb db get --data data --store "$store" words --external-id word-7

# The policy.
tier run --dry-run
tier run --dry-run --hot-budget 1K
tier run --hot-budget 1K
tier run --json
tier status -q
need akidb db -q insert --data data --store "$store" words a.jsonl
run akidb db count --data data --store "$store" words

# The worker, until it is stopped.
: >worker.log
akidb tier worker --data data --store "$store" --every 1s --hot-idle 1s --warm-idle 1s \
    --promote-window 1s 2>worker.log &
worker=$!
tries=0
until grep -q 'moved' worker.log || [ $tries -eq 100 ]; do
    tries=$((tries + 1))
    sleep 0.1
done
run akidb tier status --data data --store "$store"
kill -TERM $worker
{ wait $worker; } 2>/dev/null
echo "the worker ended with $?"
sed 's/for [0-9]* s/for <n> s/' worker.log
tier status -q
run akidb db count --data data --store "$store" words

# What goes wrong.
run akidb tier status
run akidb tier status --data nothing
tier frobnicate
tier promote nobody
tier promote words --to cold
tier run --hot-idle 2d --warm-idle 1d
echo 'this is no database' >data/tiering.sqlite
tier status
run ls data/tiering.sqlite.damaged
