"""What the servers that the tests know cannot do, and why: by the name of the test that shows it.

All tests run on all servers. A failure of a test that stands here is reported as the server's; any
other is ours. A server that is given by the environment (environment.py) has no limits.
"""

CANNOT = {
    "own": {},
    "rgw": {},
    "minio": {},
    "versitygw": {
        "of_many_who_create_a_key_one_wins":
            "its posix backend looks whether a key is there before it writes: two can both win",
        "a_key_above_another_is_stored_or_refused":
            "keys are paths of files: 'a' and 'a/b' cannot both be there, and it answers 409",
        "puts_and_deletes_of_neighbours_do_not_meet":
            "a put fails when a delete next to it removes the folder that has become empty",
    },
}

# Ceph before 20 passes over If-None-Match where an upload is completed: there what the suite puts
# if absent has to be whole.
SINGLE_PUT_BYTES = {"rgw": 1000}
