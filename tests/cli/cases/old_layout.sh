# Snapshots of the older tool: no format, no checksums, microseconds in the times.
export AKIDB_STORE=store
collection=11111111-1111-4111-8111-111111111111
snapshot=22222222-2222-4222-8222-222222222222
mkdir -p store/snapshots
cat >store/snapshots/$snapshot.json <<'END'
[{"doc_id":"00000000-0000-4000-8000-000000000001","external_id":"one","vector":[1.0,0.5],"metadata":{"a":1},"inserted_at":"2025-11-08T04:23:45.152660Z"},
 {"doc_id":"00000000-0000-4000-8000-000000000002","external_id":null,"vector":[-0.0,0.1],"metadata":null,"inserted_at":"2025-11-08T04:23:45.152661Z"}]
END
size=$(file_size store/snapshots/$snapshot.json)
printf '{"snapshot_id":"%s","collection_id":"%s","vector_count":2,"dimension":2,"created_at":"2025-11-08T04:23:45.152660Z","size_bytes":%d,"compression":"None"}' \
    $snapshot $collection "$size" >store/snapshots/$snapshot.meta.json
run akidb list
run akidb list $collection
run akidb show $collection latest
run akidb verify $collection
run akidb restore $collection latest -
run akidb migrate --to parquet --delete-source $collection latest
run akidb list $collection
run akidb verify $collection
run akidb restore $collection latest -
run ls store/snapshots
