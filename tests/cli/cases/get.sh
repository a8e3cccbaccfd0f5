AKIDB_STORE=$(store_at store)
export AKIDB_STORE
documents 1 9 >in.jsonl
need akidb -q create --row-group-size 2 words in.jsonl >id

# By either kind of id, in the order in which they were written.
run akidb get words latest --id 00000000-0000-4000-8000-000000000005
run akidb get words latest --external-id word-8 --external-id word-2
run akidb get words latest --external-id word-8 --id 00000000-0000-4000-8000-000000000008 --columns metadata
run akidb get words latest --id 00000000-0000-4000-8000-000000000005 --columns vector

# What is there is printed when something else is not.
run akidb get words latest --external-id word-3 --external-id king
run akidb get words latest --id 00000000-0000-4000-8000-00000000dead
run akidb get words latest
run akidb get nothing latest --external-id king

# The same from JSON, where all is read.
need akidb -q create --format json words in.jsonl >/dev/null
run akidb get words latest --external-id word-4

# How many requests: four by the full id, and a list to find which is the latest.
need akidb -q create --layout file large in.jsonl >id
run akidb get large "$(cat id)" --external-id word-4 --columns external_id,vector --stats
run akidb -q create --layout file large in.jsonl --stats
need akidb -q restore large "$(cat id)" out.npy --stats 2>stats
awk '/^ *all/ { print "restore: " ($2 <= 4 ? "four requests at most" : $2 " requests") }' stats

# Damage is said: a byte of the part's end.
part=$(objects "store/*$(cat id).parquet")
flip_object "$part" $(($(object_size "$part") - 20))
run akidb get large "$(cat id)" --external-id word-4
