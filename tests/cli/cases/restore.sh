AKIDB_STORE=$(store_at store)
export AKIDB_STORE
documents 1 9 >in.jsonl
need akidb -q create --row-group-size 2 words in.jsonl >id
id=$(cat id)

# Every format, and back again: the vectors stay bit for bit.
for file in out.npy out.fvecs out.jsonl out.parquet; do
    run akidb restore words latest $file
    need akidb -q create "of-$file" $file >/dev/null
    need akidb -q restore "of-$file" latest again-$file
    run cmp $file again-$file
    need akidb -q restore "of-$file" latest vectors.npy
    run cmp vectors.npy out.npy
done
run akidb --json restore words latest out.npy
run sh -c 'akidb restore words latest - >stdout.jsonl'
run cmp stdout.jsonl out.jsonl

# A snapshot by its id, in any case, by the beginning of it, and by a wrong one.
need akidb -q restore words "$(echo "$id" | tr a-f A-F)" by-id.npy
run cmp by-id.npy out.npy
need akidb -q restore words "$(echo "$id" | cut -c1-8)" by-prefix.npy
run cmp by-prefix.npy out.npy
run akidb restore words zzz no.npy
run akidb restore words 00000000-0000-4000-8000-000000000000 no.npy
run akidb restore nothing latest no.npy

# Filters.
run akidb restore words latest - --external-id word-3 --id 00000000-0000-4000-8000-000000000005
printf 'word-1\n\n00000000-0000-4000-8000-000000000002\r\n' >names
run akidb restore words latest - --ids names --columns external_id
run akidb restore words latest - --inserted-after 2026-01-04 --inserted-before 2026-01-06T00:00:00Z
run akidb restore words latest - --limit 2 --columns vector,metadata
run akidb restore words latest some.parquet --external-id word-7 --columns vector,inserted_at
need akidb -q create some some.parquet >/dev/null
run akidb restore some latest -

# Names that are not there: told, and nothing is made.
run akidb restore words latest no.npy --external-id word-1 --external-id king
printf '%s\n' a b c d e f g >names
run akidb restore words latest no.npy --ids names
run akidb restore words latest - --external-id word-1 --id 00000000-0000-4000-8000-00000000dead
run akidb restore words latest no.npy --ids nowhere
: >empty
run akidb restore words latest no.npy --ids empty
run test -e no.npy

# A file that stood there is replaced only by a whole one.
echo precious >keep.npy
run akidb restore words latest keep.npy --external-id king
run cat keep.npy
run akidb restore words latest no/such/folder/out.npy
run sh -c 'akidb restore words latest - >/dev/full'

# A damaged snapshot is passed over, with a warning; nothing but damaged ones is not the same as none.
need akidb -q create damaged in.jsonl >first
need akidb -q create damaged in.jsonl >second
put_object /dev/null "$(objects "store/*$(cat second).metadata.json")"
run akidb restore damaged latest - --limit 1
put_object /dev/null "$(objects "store/*$(cat first).metadata.json")"
run akidb restore damaged latest no.npy
