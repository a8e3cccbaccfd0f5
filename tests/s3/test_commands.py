"""The command line on an S3 server (environment.py): rights, killed uploads, writers at once.

AKIDB is the program. run_real.py runs this on real servers, on_own_server.py on the tests' own.
"""
import array
import base64
import functools
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

import users
from client import Client

AKIDB = os.environ["AKIDB"]
SERVER = os.environ["AKIDB_TEST_S3_SERVER"]
RUN = f"commands-{int(time.time())}-{os.getpid()}"
ROWS, DIMENSION = 90_000, 128  # 46 MB: an upload in parts
KILLS = int(os.environ.get("AKIDB_TEST_S3_KILLS", "6"))

# What docs/operations.md says that each command needs.
RIGHTS = {
    "creator": ["s3:PutObject"],
    "restorer": ["s3:GetObject"],
    "reader": ["s3:GetObject", "s3:ListBucket"],
    "cleaner": ["s3:GetObject", "s3:ListBucket", "s3:DeleteObject"],
    "collector": ["s3:GetObject", "s3:ListBucket", "s3:DeleteObject",
                  "s3:ListBucketMultipartUploads", "s3:ListMultipartUploadParts",
                  "s3:AbortMultipartUpload"],
    "copier": ["s3:PutObject", "s3:GetObject", "s3:ListBucket"],
}


def write_npy(path, rows, dimension):
    """Random vectors, a block of them again and again."""
    dice = random.Random(7)
    block = array.array("f", (dice.uniform(-1, 1) for _ in range(1000 * dimension))).tobytes()
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {dimension}), }}"
    header = header.ljust(117) + "\n"
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode())
        for first in range(0, rows, 1000):
            file.write(block[:min(1000, rows - first) * dimension * 4])


class Place(unittest.TestCase):
    """A store of its own for each test."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="akidb-s3-commands-")
        cls.small, cls.large = cls.folder + "/small.npy", cls.folder + "/large.npy"
        write_npy(cls.small, 100, 8)
        write_npy(cls.large, ROWS, DIMENSION)
        cls.out = cls.folder + "/out.npy"

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def setUp(self):
        self.client = Client.of_environment()
        self.prefix = f"{RUN}/{self.id().rsplit('.', 1)[1]}"

    def command(self, *arguments, prefix=None):
        store = f"s3://{self.client.bucket}/{prefix or self.prefix}"
        return [AKIDB, "--store", store, "-q", *arguments]

    def environment(self, keys=None):
        env = {**os.environ, "AWS_ENDPOINT_URL": self.client.endpoint}
        if keys is not None:
            env.pop("AWS_SESSION_TOKEN", None)
            names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
            env.update(zip(names, keys))
        return env

    def run_akidb(self, *arguments, keys=None, prefix=None):
        return subprocess.run(self.command(*arguments, prefix=prefix), check=False, text=True,
                              env=self.environment(keys), capture_output=True)

    def akidb(self, *arguments, **how):
        done = self.run_akidb(*arguments, **how)
        self.assertEqual(done.returncode, 0, f"{arguments}: {done.stderr}")
        return done.stdout.strip()

    def assert_refused(self, *arguments, keys, right):
        done = self.run_akidb(*arguments, keys=keys)
        self.assertEqual(done.returncode, 1, f"{arguments}: {done.stdout} {done.stderr}")
        self.assertIn(right, done.stderr)

    def assert_same(self, one, other):
        with open(one, "rb") as left, open(other, "rb") as right:
            self.assertTrue(left.read() == right.read(), f"{one} and {other} differ")


def control(command):
    """Tells the tests' own server something."""
    url = os.environ["AKIDB_TEST_S3_ENDPOINT"] + "/-/control"
    urllib.request.urlopen(url, json.dumps(command).encode(), timeout=10).close()


@functools.lru_cache
def keys_by_rights():
    return users.MAKERS[SERVER](Client.of_environment(), RIGHTS)


@unittest.skipUnless(SERVER in users.MAKERS, "who gives a server would have to make the keys")
class FewRights(Place):
    def setUp(self):
        super().setUp()
        for name, keys in keys_by_rights().items():
            setattr(self, name, keys)

    def test_put_object_alone_creates_and_does_no_more(self):
        # On Ceph an object belongs to who put it: he may read it, and the bucket's owner may not.
        for source in (self.small, self.large):
            snapshot = self.akidb("create", "words", source, keys=self.creator)
            self.akidb("restore", "words", snapshot, self.out, keys=self.reader)
            self.assert_same(source, self.out)
        snapshot, right = self.akidb("create", "words", self.small), "s3:GetObject"
        self.assert_refused("restore", "words", snapshot, self.out, keys=self.creator, right=right)
        self.assert_refused("delete", "words", snapshot, keys=self.creator, right=right)
        self.assert_refused("list", "words", keys=self.creator, right="s3:ListBucket")
        self.akidb("verify", "words", keys=self.reader)

    def test_get_object_alone_restores_by_full_id_and_does_no_more(self):
        snapshot = self.akidb("create", "words", self.small)
        for command in (["restore", "words", snapshot, self.out], ["verify", "words", snapshot],
                        ["show", "words", snapshot], ["get", "words", snapshot, "--id"]):
            if command[0] == "get":
                line = self.akidb("restore", "words", snapshot, "-", "--limit", "1")
                command.append(line.split('"')[3])
            self.akidb(*command, keys=self.restorer)
        self.assert_same(self.small, self.out)
        for command in (["restore", "words", "latest", self.out], ["list", "words"]):
            self.assert_refused(*command, keys=self.restorer, right="s3:ListBucket")
        self.assert_refused("create", "words", self.small, keys=self.restorer,
                            right="s3:PutObject")
        self.assert_refused("delete", "words", snapshot, keys=self.restorer,
                            right="s3:DeleteObject")
        self.akidb("verify", "words")

    def test_list_bucket_besides_finds_the_latest(self):
        snapshot = self.akidb("create", "words", self.small)
        self.akidb("restore", "words", "latest", self.out, keys=self.reader)
        self.akidb("restore", "words", snapshot[:8], self.out, keys=self.reader)
        self.assertIn(snapshot, self.akidb("list", "words", keys=self.reader))
        self.akidb("verify", "words", keys=self.reader)
        self.assert_refused("delete", "words", "latest", keys=self.reader,
                            right="s3:DeleteObject")

    def test_delete_object_besides_deletes_and_cleans_up(self):
        snapshot = self.akidb("create", "words", self.small)
        for _ in range(2):
            self.akidb("create", "words", self.small)
        self.akidb("delete", "words", snapshot, keys=self.cleaner)
        self.akidb("cleanup", "words", "--keep-last", "1", keys=self.cleaner)
        self.assertEqual(len(self.akidb("list", "words").splitlines()), 1)
        self.assert_refused("create", "words", self.small, keys=self.cleaner,
                            right="s3:PutObject")

    def test_the_rights_of_gc_are_enough_for_it(self):
        self.akidb("create", "words", self.small)
        self.client.delete(next(key for key, _, _ in self.client.list(self.prefix)
                                if key.endswith(".metadata.json")))
        self.client.send("POST", f"{self.prefix}/snapshots/upload", "uploads=")
        self.akidb("gc", "--older-than", "0s", keys=self.collector)
        self.assertEqual(self.client.list(self.prefix), [])
        self.assertEqual(self.client.uploads(self.prefix), [])

    def test_the_rights_of_migrate_are_enough_for_it(self):
        snapshot = self.akidb("create", "words", self.small)
        other = self.akidb("migrate", "words", snapshot, "--format", "json", keys=self.copier)
        self.akidb("restore", "words", other.splitlines()[-1], self.out, keys=self.reader)
        self.assert_same(self.small, self.out)


    def test_the_rights_of_migrate_are_enough_for_copy_and_sync(self):
        snapshot = self.akidb("create", "words", self.small, keys=self.creator)
        there = f"s3://{self.client.bucket}/{self.prefix}-there"
        self.akidb("copy", "words", snapshot, "--to", there, keys=self.copier)
        self.akidb("create", "words", self.small, keys=self.creator)
        self.akidb("sync", "words", "--to", there, keys=self.copier)
        listed = self.akidb("list", "words", prefix=self.prefix + "-there", keys=self.reader)
        self.assertEqual(len(listed.splitlines()), 2)
        self.akidb("verify", "words", prefix=self.prefix + "-there", keys=self.reader)


class Interrupted(Place):
    def started(self, *arguments):
        # Who runs the tests may ignore SIGINT.
        return subprocess.Popen(["env", "--default-signal=INT", *self.command(*arguments)],
                                env=self.environment(), stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL)

    def stop_amid_upload(self, how, wait):
        """Creates, and sends a signal `wait` seconds after the upload has begun. Whether that came
        before the end."""
        creator = self.started("create", "words", "--compression", "none", self.large)
        deadline = time.monotonic() + 60
        while creator.poll() is None and not self.client.uploads(self.prefix):
            self.assertLess(time.monotonic(), deadline)
        time.sleep(wait)
        creator.send_signal(how)
        return creator.wait() == -how

    def listed(self):
        return {line.split()[0] for line in self.akidb("list", "words").splitlines()}

    def test_a_killed_create_leaves_nothing_that_is_listed(self):
        kept = {self.akidb("create", "words", self.small)}
        dice = random.Random(11)
        killed = 0
        for i in range(KILLS):
            # The first one at once: a fast server is soon done.
            wait = dice.uniform(0, 0.4) * i / KILLS
            was_killed = self.stop_amid_upload(signal.SIGKILL, wait)
            listed = self.listed()
            self.assertLessEqual(kept, listed)
            # It may have been on its way out, all done: what is listed is verified below.
            self.assertLessEqual(len(listed - kept), 1)
            killed += was_killed and listed == kept
            kept = listed
        self.assertGreater(killed, 0)
        self.assertTrue(self.client.uploads(self.prefix))
        self.akidb("verify", "words")
        self.akidb("gc", "--older-than", "0s")
        self.assertEqual(self.client.uploads(self.prefix), [])
        objects = [key for key, _, _ in self.client.list(self.prefix)]
        self.assertTrue(all(any(snapshot in key for snapshot in kept) for key in objects), objects)
        self.akidb("verify", "words")
        self.assertEqual(self.listed(), kept)

    def test_an_interrupted_create_leaves_no_upload(self):
        stopped = 0
        for how in (signal.SIGINT, signal.SIGTERM) * 2:
            stopped += self.stop_amid_upload(how, 0)
            self.assertEqual(self.client.uploads(self.prefix), [])
        self.assertGreater(stopped, 0)
        self.akidb("create", "words", self.small)
        self.akidb("verify", "words")


class Encrypted(Place):
    """Each object of a snapshot, put whole or in parts, says how it is encrypted."""

    def assert_encrypts(self, method, key=None):
        for source in (self.small, self.large):
            snapshot = self.akidb("--sse", ":".join(filter(None, [method, key])), "create", "words",
                                  source)
            self.akidb("restore", "words", snapshot, self.out)
            self.assert_same(source, self.out)
        objects = self.client.list(self.prefix)
        self.assertGreaterEqual(len(objects), 4)
        for name, _, _ in objects:
            found = self.client.head(name)
            self.assertEqual(found["x-amz-server-side-encryption"], method, name)
            if key is not None:
                self.assertIn(key, found["x-amz-server-side-encryption-aws-kms-key-id"], name)

    def test_by_a_key_of_the_server(self):
        self.assert_encrypts("AES256")

    def test_by_the_key_service(self):
        self.assert_encrypts("aws:kms")

    def test_by_a_named_key_of_the_key_service(self):
        self.assert_encrypts("aws:kms", "akidb-tests")

    @unittest.skipUnless(SERVER in ("own", "rgw", "versitygw"), "it encrypts what it is asked to")
    def test_a_server_that_passes_over_it_is_found_out_and_keeps_nothing(self):
        if SERVER == "own":
            control({"set": {"encryption": "ignored"}})
            self.addCleanup(control, {"set": {"encryption": "aws"}})
        for source in (self.small, self.large):
            done = self.run_akidb("--sse", "AES256", "create", "words", source)
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn("AES256", done.stderr)
            self.assertEqual(self.client.list(self.prefix), [])
            self.assertEqual(self.client.uploads(self.prefix), [])

    def test_not_unless_asked_for(self):
        self.akidb("create", "words", self.small)
        for name, _, _ in self.client.list(self.prefix):
            self.assertIsNone(self.client.head(name)["x-amz-server-side-encryption"])

    def test_an_unknown_method_is_refused(self):
        done = self.run_akidb("--sse", "rot13", "create", "words", self.small)
        self.assertIn(done.returncode, (1, 2))
        self.assertIn("rot13", done.stderr)
        self.assertEqual(self.client.list(self.prefix), [])


@unittest.skipUnless(SERVER == "rgw", "only Ceph can be told that a day has two seconds")
class Lifecycle(Place):
    RULES = """<LifecycleConfiguration><Rule><ID>unfinished uploads</ID><Status>Enabled</Status>
        <Filter><Prefix>%s/</Prefix></Filter><AbortIncompleteMultipartUpload>
        <DaysAfterInitiation>7</DaysAfterInitiation></AbortIncompleteMultipartUpload>
        </Rule></LifecycleConfiguration>"""

    def test_the_rule_of_the_manual_removes_uploads_and_nothing_else(self):
        self.akidb("create", "words", self.small)
        before = self.client.list(self.prefix)
        for key in (f"{self.prefix}/snapshots/upload", f"{self.prefix}-other/upload"):
            self.client.send("POST", key, "uploads=")
        rules = (self.RULES % self.prefix).encode()
        digest = base64.b64encode(hashlib.md5(rules).digest()).decode()
        self.client.send("PUT", query="lifecycle=", body=rules, headers={"content-md5": digest})
        deadline = time.monotonic() + 90
        while self.client.uploads(self.prefix + "/"):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.5)
        self.assertTrue(self.client.uploads(self.prefix + "-other/"))
        self.assertEqual(self.client.list(self.prefix), before)
        self.client.send("DELETE", query="lifecycle=")


class AtOnce(Place):
    def test_creators_in_one_collection_all_succeed(self):
        creators = [subprocess.Popen(self.command("create", "words", self.small), text=True,
                                     env=self.environment(), stdout=subprocess.PIPE)
                    for _ in range(6)]
        made = {creator.communicate()[0].strip() for creator in creators}
        self.assertEqual([creator.returncode for creator in creators], [0] * 6)
        found = {line.split()[0] for line in self.akidb("list", "words").splitlines()}
        self.assertEqual(found, made)
        self.akidb("verify", "words")


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))
