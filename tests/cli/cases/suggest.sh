# What is suggested for a word that is no command: what is near, and never what is not.
for word in lits delte clenup insert drop status frob x; do
    run akidb $word
done
for word in frob dorp inset colections status; do
    run akidb db $word
done
run akidb tier pormote
run akidb tier list
run akidb help frob
run akidb list --quite
run akidb list --frob
