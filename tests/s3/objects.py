#!/usr/bin/env python3
"""Objects of the bucket AKIDB_TEST_S3_BUCKET at AKIDB_TEST_S3_ENDPOINT, for shell scripts.

    objects.py make-bucket
    objects.py list PREFIX            keys, one a line
    objects.py fingerprint PREFIX     key, size and ETag
    objects.py mirror PREFIX FOLDER   each as a file below FOLDER
    objects.py get KEY FILE
    objects.py put FILE KEY
    objects.py delete KEY...
"""
import os
import signal
import sys

from client import Client, Failed


def read(path):
    with open(path, "rb") as file:
        return file.read()


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)


def mirror(client, prefix, folder):
    for key, _, _ in client.list(prefix):
        path = os.path.join(folder, os.path.relpath(key, prefix))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        write(path, client.get(key))


def main(command, *rest):
    client = Client.of_environment()
    if command == "make-bucket":
        client.make_bucket()
    elif command == "list":
        for key, _, _ in client.list(*rest):
            print(key)
    elif command == "fingerprint":
        for found in client.list(*rest):
            print(*found)
    elif command == "mirror":
        mirror(client, *rest)
    elif command == "get":
        write(rest[1], client.get(rest[0]))
    elif command == "put":
        client.put(rest[1], read(rest[0]))
    elif command == "delete":
        for key in rest:
            client.delete(key)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `head` may have had enough
    try:
        main(*sys.argv[1:])
    except Failed as problem:
        sys.exit(f"objects.py: {problem}")
