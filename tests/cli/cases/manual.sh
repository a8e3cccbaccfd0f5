# The manual page, docs/cli.md and the completions are made from the tables that parse.
akidb help --markdown >cli.md
cp "$source_dir/docs/cli.md" docs-cli.md
run cmp cli.md docs-cli.md
akidb help --man >akidb.1
for command in create restore get list show verify delete cleanup copy sync migrate gc help; do
    grep -q "^\.SS \"$command\"" akidb.1 || echo "no $command in the manual page"
    akidb $command --help | sed -n 's/^ *\(-., \)\{0,1\}\(--[a-z-]*\).*/\2/p' >options
    for shell in bash zsh fish; do
        akidb help --completion $shell >completion
        while read -r option; do
            grep -q -e "$option" -e "-l ${option#--}" completion ||
                echo "no $option of $command in the $shell completion"
        done <options
    done
done
wc -l <options | tr -d ' '

# Commands of two words.
for family in db tier; do
    for word in $(akidb $family --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\)  .*/\1/p'); do
        grep -q "^\.SS \"$family $word\"" akidb.1 || echo "no $family $word in the manual page"
        akidb help $family "$word" >one
        akidb $family "$word" --help >two
        run cmp one two
    done
done

if command -v bash >/dev/null; then
    akidb help --completion bash >akidb.bash
    complete() {
        bash -c '. ./akidb.bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _akidb
                 printf "%s\n" "$*: ${COMPREPLY[*]}"' bash "$@"
    }
    complete akidb re
    complete akidb --store x m
    complete akidb create --compression z
    complete akidb create words --layout ''
    complete akidb verify --level ''
    complete akidb help cl
    complete akidb gc --
    complete akidb db ''
    complete akidb db --data d fl
    complete akidb db insert --durability ''
    complete akidb db get --data d words --col
    complete akidb db --al
    touch a-file.npy
    complete akidb create words a-f
fi
