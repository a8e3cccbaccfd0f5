"""The command line on the tests' own S3 server, which fails on request: how a bucket is named, what
is told of slow requests, and how a signal ends one that waits.

AKIDB is the program; on_own_server.py runs this.
"""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

from client import Client
from test_commands import write_npy

AKIDB = os.environ["AKIDB"]
ENDPOINT = os.environ["AKIDB_TEST_S3_ENDPOINT"]
DEAD = "http://127.0.0.1:1"  # where nobody listens
ENDED_SECONDS = 5  # a request that hangs takes longer by far


def tell(**command):
    request = urllib.request.Request(ENDPOINT + "/-/control", json.dumps(command).encode())
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


class Place(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="akidb-s3-settings-")
        cls.small, cls.large = cls.folder + "/small.npy", cls.folder + "/large.npy"
        write_npy(cls.small, 100, 8)
        write_npy(cls.large, 90_000, 128)  # 46 MB: an upload in parts
        cls.config = cls.folder + "/config"
        with open(cls.config, "w", encoding="ascii") as file:
            file.write("[profile good]\n"
                       f"aws_access_key_id = {os.environ['AWS_ACCESS_KEY_ID']}\n"
                       f"aws_secret_access_key = {os.environ['AWS_SECRET_ACCESS_KEY']}\n"
                       f"endpoint_url = {ENDPOINT}\n"
                       "[profile keyless]\n"
                       f"endpoint_url = {ENDPOINT}\n")

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def setUp(self):
        tell(reset=True, clear=True)
        self.client = Client.of_environment()
        self.store = f"s3://{self.client.bucket}/here"

    def start(self, *arguments, **variables):
        env = {**os.environ, "AWS_ENDPOINT_URL": ENDPOINT, "AWS_CONFIG_FILE": self.config,
               **variables}
        return subprocess.Popen([AKIDB, "--store", self.store, *arguments], text=True, env=env,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def run_akidb(self, *arguments, **variables):
        """(exit code, stdout, stderr)"""
        process = self.start(*arguments, **variables)
        out, err = process.communicate(timeout=60)
        return process.returncode, out.strip(), err

    def akidb(self, *arguments, **variables):
        code, out, err = self.run_akidb(*arguments, **variables)
        self.assertEqual(code, 0, f"{arguments}: {err}")
        return out


class Named(Place):
    def test_options_go_before_the_environment(self):
        wrong = {"AWS_ENDPOINT_URL": DEAD, "AWS_REGION": "eu-test-9", "AWS_CA_BUNDLE": "/none"}
        tell(set={"region": "eu-test-1"})
        self.akidb("-q", "--endpoint-url", ENDPOINT, "--region", "eu-test-1", "create", "words",
                   self.small, **wrong)
        self.assertEqual(tell(log=True)["requests"], 2)  # none to learn the region by

    def test_a_profile_goes_before_keys_of_the_environment(self):
        wrong = {"AWS_ACCESS_KEY_ID": "other", "AWS_SECRET_ACCESS_KEY": "other"}
        code, _, err = self.run_akidb("create", "words", self.small, AWS_PROFILE="good", **wrong)
        self.assertEqual(code, 1, err)
        self.assertIn("InvalidAccessKeyId", err)
        self.akidb("--aws-profile", "good", "create", "words", self.small, **wrong)
        code, _, err = self.run_akidb("--aws-profile", "keyless", "create", "words", self.small)
        self.assertEqual(code, 1, err)
        self.assertIn("no AWS credentials", err)

    def test_a_copy_goes_from_one_server_to_another(self):
        snapshot = self.akidb("-q", "create", "words", self.small)
        here = {"AWS_ENDPOINT_URL": "", "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
        source = self.store
        for options in (["--to-aws-profile", "good"],
                        ["--to-aws-profile", "good", "--to-endpoint-url", ENDPOINT]):
            self.store = tempfile.mkdtemp(dir=self.folder)
            to = f"s3://{self.client.bucket}/to-{len(options)}"
            self.akidb("-q", "create", "words", self.small)
            self.akidb("--endpoint-url", DEAD, "--sse", "AES256", "sync", "words", "--to", to,
                       *options, **here)
            self.assertEqual(len(self.client.list(to.rpartition("/")[2])), 2)
        self.store = source
        to = tempfile.mkdtemp(dir=self.folder)
        self.akidb("--aws-profile", "good", "copy", "words", snapshot, "--to", to, **here)
        self.store = to
        self.akidb("verify", "words")


class Slow(Place):
    def test_a_retry_is_told_once_it_takes_long(self):
        tell(fault={"op": "PutObject", "kind": "500"})
        _, _, err = self.run_akidb("create", "words", self.small)
        self.assertNotIn("note", err)
        tell(set={"retry_after": 2})
        for options, told in ([], True), (["--quiet"], False):
            tell(fault={"op": "PutObject", "kind": "slow-down"})
            code, _, err = self.run_akidb(*options, "create", "words", self.small)
            self.assertEqual(code, 0, err)
            self.assertEqual("akidb: note: s3:PutObject: try 1 failed" in err, told, err)

    def test_stats_tell_what_went_over_the_wire(self):
        tell(fault={"op": "PutObject", "kind": "500", "count": 2})
        _, _, err = self.run_akidb("create", "words", self.small, "--stats")
        lines = [line.split() for line in err.splitlines()]
        self.assertIn(["PUT", "4", "requests"], lines)
        self.assertIn(["all", "4", "requests"], lines)
        self.assertIn("2 retried, 2 failed, ", err)
        self.assertEqual(tell(log=True)["requests"], 4)


class Interrupted(Place):
    def interrupt(self, op, *arguments, **variables):
        """Sends SIGINT once a request of that operation has come, and is not answered."""
        process = self.start(*arguments, **variables)
        deadline = time.monotonic() + 60
        while tell(log=True)["log"].get(op, 0) == 0:
            self.assertIsNone(process.poll())
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=ENDED_SECONDS)
        self.assertEqual(process.returncode, -signal.SIGINT, err)
        self.assertIn("akidb: interrupted", err)

    def test_a_request_that_hangs(self):
        self.akidb("-q", "create", "words", self.small)
        before = self.client.list()
        create_small = ["create", "words", self.small]
        create_large = ["create", "words", "--compression", "none", self.large]
        cases = [("PutObject", "stall", create_small), ("PutObject", "slow-down", create_small),
                 ("CreateMultipartUpload", "stall", create_large),
                 ("UploadPart", "stall", create_large),
                 ("CompleteMultipartUpload", "stall", create_large),
                 ("ListObjectsV2", "stall", ["list", "words"]),
                 ("GetObject", "stall-body", ["verify", "words"]),
                 ("DeleteObject", "stall", ["delete", "words", "latest"])]
        for op, kind, arguments in cases:
            with self.subTest(op=op, kind=kind):
                tell(reset=True)
                tell(set={"stall_seconds": 60, "retry_after": 60},
                     fault={"op": op, "kind": kind, "count": 100})
                self.interrupt(op, *arguments)
                tell(reset=True)
                self.assertEqual(self.client.list(), before)
                self.assertEqual(self.client.uploads(), [])

    def test_keys_that_do_not_come(self):
        token = self.folder + "/token"
        with open(token, "w", encoding="ascii") as file:
            file.write("identity+token/=")
        tell(set={"stall_seconds": 60}, fault={"op": "sts-keys", "kind": "stall"})
        self.interrupt("sts-keys", "list", "words", AWS_ACCESS_KEY_ID="",
                       AWS_SECRET_ACCESS_KEY="", AWS_WEB_IDENTITY_TOKEN_FILE=token,
                       AWS_ROLE_ARN="arn:aws:iam::1:role/test",
                       AWS_ENDPOINT_URL_STS=ENDPOINT + "/-/sts")


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))
