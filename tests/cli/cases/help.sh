run akidb --version
run akidb version
run akidb
run akidb --help
for command in create restore get list show verify delete cleanup copy sync migrate gc help; do
    run akidb $command --help
done
run akidb help list
akidb help list >one
akidb list --help >two
run cmp one two
run akidb db --help
run akidb db wal --help
run akidb tier --help
run akidb tier run --help
