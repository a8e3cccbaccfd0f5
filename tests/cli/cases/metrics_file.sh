# What runs note for Prometheus, and what survives from one to the next.
AKIDB_STORE=$(store_at store)
export AKIDB_STORE
documents 1 5 >a.jsonl
note=--metrics-file=akidb.prom
# told NAME...: the samples of these metrics, times and durations made equal
told() {
    for name; do
        grep "^$name[{ ]" akidb.prom | sed "s|store=\"[^\"]*\"|store=\"store\"|
            /timestamp/s/ [1-9][0-9]*\$/ <seconds>/
            /duration/s/ [0-9.]*\$/ <seconds>/
            s/_bytes{\(.*\)} [0-9]*\$/_bytes{\1} <n>/
            s/_bytes_total{\(.*\)} [1-9][0-9]*\$/_bytes_total{\1} <n>/"
    done
}
run akidb -q create words a.jsonl $note
told akidb_command_runs_total akidb_command_last_run_timestamp_seconds \
    akidb_command_last_exit_code akidb_command_last_duration_seconds \
    akidb_command_last_success_timestamp_seconds akidb_store_sent_bytes_total \
    akidb_last_snapshot_timestamp_seconds akidb_last_snapshot_bytes akidb_last_snapshot_documents
stat -c %a akidb.prom
grep -c '^# TYPE' akidb.prom
grep '^# .* akidb_command_runs_total' akidb.prom

# A run that fails does not erase when the last one went well; counters add up.
grep 'last_s.*_timestamp' akidb.prom >before
run akidb create words missing.jsonl $note
run akidb -q verify words $note
run akidb -q verify words latest --level size $note
grep 'last_s.*_timestamp' akidb.prom | grep create >after_create
grep create before | diff - after_create
told akidb_command_runs_total akidb_command_last_exit_code akidb_last_snapshot_documents \
    akidb_last_good_verify_timestamp_seconds akidb_verified_snapshots
grep 'command="verify".*kind="list"' akidb.prom | sed 's/.*kind/kind/'

# A damaged snapshot: the last good verify stays, the outcome is told.
grep 'good_verify.*decode' akidb.prom >before
for part in $(objects 'store/*.parquet'); do
    flip_object "$part" 100
done
sleep 1.1
run akidb -q verify words $note
grep 'good_verify.*decode' akidb.prom | diff before -
told akidb_verified_snapshots akidb_command_last_exit_code
run akidb -q create words a.jsonl $note
run akidb -q cleanup words --keep-last 1 --dry-run $note
run akidb -q cleanup words --keep-last 1 $note
run akidb -q cleanup words --keep-last 1 $note
told akidb_snapshots akidb_snapshots_deleted_total

# What goes to another store, and what gc removes.
run akidb -q copy words --to "$(store_at other)" $note
run akidb -q sync words --to "$(store_at other)" $note
run akidb -q gc $note
told akidb_copied_snapshots_total akidb_copied_bytes_total akidb_gc_removed_objects_total \
    akidb_gc_removed_bytes_total
run akidb -q migrate words --format json $note
grep -c 'akidb_command_last_success_timestamp_seconds.*command="\(copy\|sync\|gc\|migrate\)"' \
    akidb.prom

# Names are escaped.
run akidb -q create 'a "b\c' a.jsonl $note
told akidb_last_snapshot_documents

# db: the metrics of the whole folder; a collection that is dropped goes.
run akidb -q db insert --data data words a.jsonl $note
run akidb -q db insert --data data notes a.jsonl $note
run akidb -q db flush --data data --store "$(store_at data/store)" words $note
told akidb_command_runs_total akidb_upserted_documents_total akidb_documents \
    akidb_last_snapshot_timestamp_seconds akidb_snapshots_made_total
run akidb -q db drop --data data --store "$(store_at data/store)" notes $note
told akidb_documents
run akidb db count --data data --store "$(store_at data/store)" notes $note
grep 'command="db count"' akidb.prom | grep 'runs_total\|exit_code'

# Another file is not overwritten, and the work is done all the same.
echo 'my shopping list' >list
run akidb -q verify words latest --metrics-file list
cat list
run akidb -q verify words latest --metrics-file missing/akidb.prom
run akidb -q verify words latest --metrics-file .
ls | grep -v '^store$\|^other$'
