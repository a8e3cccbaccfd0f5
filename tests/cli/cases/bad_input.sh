# Files that cannot be imported: each is named, with the place, and nothing stored is changed.
AKIDB_STORE=$(store_at store)
export AKIDB_STORE
documents 1 20 >good.jsonl
need akidb -q create words good.jsonl >/dev/null
need akidb -q restore words latest good.parquet
need akidb -q restore words latest good.npy
need akidb -q restore words latest good.fvecs
bad() {
    unchanged store akidb create words "$@"
}
bad nowhere.npy
bad nowhere.txt
mkdir folder.npy
bad folder.npy

: >empty.npy
: >empty.fvecs
: >empty.jsonl
: >empty.parquet
for ending in npy fvecs jsonl parquet; do
    bad empty.$ending
done
bad --allow-empty empty.jsonl

for ending in npy fvecs jsonl parquet; do
    dd if=good.$ending of=short.$ending bs=1 count=$(($(file_size good.$ending) - 7)) 2>/dev/null
    bad short.$ending
    echo 'this is a text, not what its name says' >text.$ending
    bad text.$ending
done
cp good.parquet flipped.parquet
flip flipped.parquet 60
bad flipped.parquet
cp good.parquet footer.parquet
flip footer.parquet $(($(file_size footer.parquet) - 5))
bad footer.parquet
bad --vector-column embedding good.parquet
bad --id-column key good.parquet

line='{"doc_id":"00000000-0000-4000-8000-000000000001","vector":[1,2,3,4]}'
jsonl() {
    printf '%s\n' "$line" "$1" >bad.jsonl
    bad bad.jsonl
}
jsonl 'nothing'
jsonl '{"vector":[1,2,3]}'
jsonl '{"vector":[]}'
jsonl '{"vector":[1,2,3,"4"]}'
jsonl '{"vector":null}'
jsonl '{"external_id":"no vector"}'
jsonl '{"doc_id":"7","vector":[1,2,3,4]}'
jsonl '{"vector":[1,2,3,4],"inserted_at":"yesterday"}'
jsonl '{"vector":[1,2,3,4],"external_id":7}'
jsonl "$line"
jsonl "$(printf '{"vector":[1,2,3,4],"external_id":"\377"}')"

printf '{"vector":[1,2]}\n' >two.jsonl
bad good.jsonl two.jsonl
seq 1 19 >ids.txt
bad --ids ids.txt good.npy
seq 1 21 >ids.txt
bad --ids ids.txt good.npy
bad --ids nowhere.txt good.npy
documents 1 30000 >many.jsonl
documents 7 1 >>many.jsonl
bad many.jsonl
documents 21 5 >more.jsonl
documents 3 1 >>more.jsonl
bad good.jsonl more.jsonl
printf '{"vector":[1,2],"inserted_at":"2026-01-01T00:00:00.123456Z"}\n' >fine.jsonl
bad --time-unit millis fine.jsonl
{
    printf '{"vector":[1,2],"inserted_at":"2026-01-01T00:00:00Z"}\n%.0s' $(seq 1 50000)
    cat fine.jsonl
} >late.jsonl
bad late.jsonl
run akidb create fine fine.jsonl
run akidb --store ftp://host/store create words good.npy
