local_only "a bucket has no folder that could be missing"
# A store that is not there is something else than one with nothing in it, and nothing makes one by
# looking for it.
run akidb list
run akidb --store nowhere list
run akidb --json --store nowhere list words
for command in 'show words' 'verify words' 'restore words a.npy' 'delete words latest' \
    'cleanup words --keep-last 1' 'sync words --to other' 'migrate words' gc; do
    run akidb --store nowhere $command
done
ls
mkdir empty
run akidb --store empty list
run akidb --store empty --json list
run akidb --store empty list words
run akidb --store empty gc
run akidb --store /proc/x list
run akidb --store empty/x/y sync words --to other
documents 1 3 >a.jsonl
run akidb --store /proc/x create words a.jsonl
run akidb --store new/store -q create words a.jsonl
run akidb --store new/store list
