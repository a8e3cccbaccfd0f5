# Snapshots of the older tool: no format, no checksums, microseconds in the times.
AKIDB_STORE=$(store_at store)
export AKIDB_STORE
collection=11111111-1111-4111-8111-111111111111
snapshot=22222222-2222-4222-8222-222222222222
cat >documents.json <<'END'
[{"doc_id":"00000000-0000-4000-8000-000000000001","external_id":"one","vector":[1.0,0.5],"metadata":{"a":1},"inserted_at":"2025-11-08T04:23:45.152660Z"},
 {"doc_id":"00000000-0000-4000-8000-000000000002","external_id":null,"vector":[-0.0,0.1],"metadata":null,"inserted_at":"2025-11-08T04:23:45.152661Z"}]
END
size=$(file_size documents.json)
printf '{"snapshot_id":"%s","collection_id":"%s","vector_count":2,"dimension":2,"created_at":"2025-11-08T04:23:45.152660Z","size_bytes":%d,"compression":"None"}' \
    $snapshot $collection "$size" >metadata.good
metadata=store/snapshots/$snapshot.meta.json
need put_object documents.json store/snapshots/$snapshot.json
need put_object metadata.good $metadata
run akidb list
run akidb list $collection

# What contradicts the documents is found even without checksums.
for change in 's/"vector_count":2/"vector_count":3/' 's/"dimension":2/"dimension":3/' \
    's/"size_bytes":[0-9]*/"size_bytes":7/' 's/"compression":"None"/"compression":"Zstd"/' \
    's/"dimension":2/"dimension":99999999/' 's/"created_at":"2025/"created_at":"20255/' \
    "s/$collection/nobody/"; do
    sed "$change" metadata.good >metadata.bad
    need put_object metadata.bad $metadata
    run akidb verify $collection $snapshot
    run akidb -q restore $collection $snapshot no.npy
done
run test -e no.npy
need put_object metadata.good $metadata

run akidb show $collection latest
run akidb verify $collection
run akidb restore $collection latest -
run akidb migrate --format parquet --delete-source $collection latest
run akidb list $collection
run akidb verify $collection
run akidb restore $collection latest -
run objects 'store/snapshots/*'
