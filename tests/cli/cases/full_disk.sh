local_only "the disk is full"
# A disk without space: exit code 1, what was there stays, nothing half-made is visible.
run sh -c 'akidb --help >/dev/full'
[ "$(id -u)" -eq 0 ] || skip "only root can mount a small disk"
mkdir disk
mount -t tmpfs -o size=256k none disk 2>/dev/null || skip "mounting is not allowed here"
trap 'umount disk' EXIT
documents 1 20 >small.jsonl
documents 1 20000 >large.jsonl
export AKIDB_STORE=disk/store
run akidb -q create --layout folder words small.jsonl
unchanged disk/store akidb create words large.jsonl
unchanged disk/store akidb create --format json words large.jsonl
run akidb list words
run akidb verify words
run akidb --store other -q create words large.jsonl
unchanged disk akidb --store other restore words latest disk/out.npy
