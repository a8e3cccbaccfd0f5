#!/usr/bin/env python3
"""on_own_server.py COMMAND...: runs a command while the tests' own S3 server runs, with the
environment in which the tests of a server find it (environment.py)."""
import os
import subprocess
import sys

import environment

HERE = os.path.dirname(os.path.abspath(__file__))


def main():
    server = subprocess.Popen(
        [sys.executable, os.path.join(HERE, "server.py"), "--bucket", environment.BUCKET],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        endpoint = server.stdout.readline().strip()
        return subprocess.call(sys.argv[1:], env=environment.of("own", endpoint))
    finally:
        server.stdin.close()  # it ends with that
        server.wait()


if __name__ == "__main__":
    sys.exit(main())
