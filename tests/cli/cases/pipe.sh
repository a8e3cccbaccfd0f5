# A reader that has had enough ends the program without a word, unless SIGPIPE is ignored; a closed
# stdout is an error, and no file of the store takes the place of a closed stdout or stderr.
AKIDB_STORE=$(store_at store)
export AKIDB_STORE
documents 1 30000 >many.jsonl
need akidb -q create words many.jsonl >/dev/null

ended() {
    echo "$1: exit $2" >>ends
}
{
    env --default-signal=PIPE akidb restore words latest -
    ended restore $?
} | head -n 1
{
    sleep 0.5
    env --default-signal=PIPE akidb help --markdown
    ended help $?
} | :
{
    env --ignore-signal=PIPE akidb restore words latest -
    ended 'restore, SIGPIPE ignored' $?
} | head -n 1
cat ends

run sh -c 'akidb list words >&-'
run sh -c 'akidb restore words latest - >&-'
run sh -c 'akidb -q create words many.jsonl >&- 2>&-'
run akidb verify words
