#!/usr/bin/env python3
"""make_bucket.py ENDPOINT BUCKET: with the keys of the tests, testkey and testsecret."""
import sys

import sigv4

status, body = sigv4.send(sys.argv[1], "PUT", "/" + sys.argv[2], ("testkey", "testsecret"))
if status != 200:
    sys.exit(f"make_bucket: {status} {body.decode('utf-8', 'replace')}")
