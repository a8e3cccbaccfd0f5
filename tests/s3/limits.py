"""What the servers that the tests know cannot do, and why: by the name of the test that shows it.

All tests run on all servers. A failure of a test that stands here is reported as the server's; any
other is ours. A server that is given by the environment (environment.py) has no limits.
"""

NO_ENCRYPTION = "it encrypts nothing, and passes over the header without a word"

CANNOT = {
    "own": {},
    # Version 16.2, of Debian 12.
    "rgw": {
        "by_a_key_of_the_server":
            "it knows no AES256 before version 17, and passes over the header without a word",
        "by_the_key_service":
            "it has no key by default: --sse aws:kms:KEY has to name one (400 InvalidArgument)",
    },
    "minio": {},
    "versitygw": {
        "by_a_key_of_the_server": NO_ENCRYPTION,
        "by_the_key_service": NO_ENCRYPTION,
        "by_a_named_key_of_the_key_service": NO_ENCRYPTION,
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
