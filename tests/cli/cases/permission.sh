local_only "folders may not be read"
# Folders that may not be read or written: exit code 1.
documents 1 5 >a.jsonl
chmod 755 . .. 2>/dev/null
need akidb --store store -q create words a.jsonl >/dev/null
if [ "$(id -u)" -eq 0 ]; then
    chown -R 65534:65534 store
    as_user akidb --version >/dev/null 2>&1 || skip "the program cannot be run as another user"
fi
find store -type d -exec chmod 500 {} +
unchanged store as_user akidb --store store create words a.jsonl
unchanged store as_user akidb --store store delete words latest
unchanged store as_user akidb --store "file://$PWD/store" verify words
mkdir closed
chmod 555 closed
unchanged closed as_user akidb --store closed/store create words a.jsonl
unchanged closed as_user akidb --store store restore words latest closed/out.npy
run as_user akidb --store closed/store list
find store -type f -exec chmod 000 {} +
run as_user akidb --store store list words
run as_user akidb --store store verify words
chmod 000 store
run as_user akidb --store store list
