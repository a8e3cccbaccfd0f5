#!/bin/sh
# Stops what start_rgw.sh or start_minio.sh started in FOLDER, by its process ids, last one first.
set -u
dir=${1:?the folder}
[ -f "$dir/pids" ] || exit 0
for pid in $(tac "$dir/pids"); do
    kill "$pid" 2>/dev/null || continue
    tries=50
    while kill -0 "$pid" 2>/dev/null; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || kill -9 "$pid" 2>/dev/null
        [ "$tries" -gt -20 ] || break
        sleep 0.1
    done
done
rm -f "$dir/pids"
