#!/usr/bin/env python3
"""Kills a creator of snapshots at random moments, again and again, and looks at what is left.

    kill_loop.py AKIDB [ROUNDS | forever] [--seed N]

Each round starts `akidb create` in a loop, kills it with SIGKILL after a random time, and then
asks:
- list shows every snapshot that was acknowledged, and nothing half-made;
- verify decodes every listed snapshot;
- gc at age 0 removes everything else, and nothing of a listed snapshot;
- the store then holds just the listed snapshots' files, and all of them still verify.
The same seed gives the same moments and options.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../examples/data")
ROWS = 4000
KINDS = (
    [],
    ["--part-rows", "100"],
    ["--part-rows", "300", "--row-group-size", "64", "--compression", "zstd"],
    ["--layout", "folder"],
    ["--format", "json", "--compression", "gzip"],
)
COLLECTION = "crash"
KEPT = 8  # snapshots between rounds; the older ones are deleted, as a user would


class Failure(Exception):
    pass


class Loop:
    def __init__(self, akidb, seed):
        self.akidb = os.path.abspath(akidb)
        self.random = random.Random(seed)
        self.folder = tempfile.mkdtemp(prefix="akidb-crash-")
        self.store = os.path.join(self.folder, "store")
        self.acknowledged = set()
        self.duration = 0.1

    def close(self):
        shutil.rmtree(self.folder)

    def run(self, *arguments):
        command = [self.akidb, "--store", self.store, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Failure(f"{' '.join(arguments)}: exit code {done.returncode}\n{done.stderr}")
        return done.stdout

    def create_command(self):
        options = self.random.choice(KINDS) + self.random.choice(([], ["--threads", "2"]))
        return [
            self.akidb,
            "--store",
            self.store,
            "--quiet",
            "create",
            COLLECTION,
            *options,
            os.path.join(DATA, "glove-100d.npy"),
            "--ids",
            os.path.join(DATA, "glove-100d.words.txt"),
        ]

    def measure(self):
        """How long one create takes: the moments to kill are spread over a few of them."""
        start = time.monotonic()
        done = subprocess.run(self.create_command(), capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Failure(f"create: {done.stderr}")
        self.duration = time.monotonic() - start
        self.acknowledged.add(done.stdout.split()[-1])

    def create_and_kill(self):
        """Creates until the moment comes; what was printed in full was acknowledged."""
        end = time.monotonic() + self.random.random() * 3 * self.duration
        while True:
            child = subprocess.Popen(
                self.create_command(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
            try:
                out, err = child.communicate(timeout=max(0, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.send_signal(signal.SIGKILL)
                out, err = child.communicate()
            if child.returncode not in (0, -signal.SIGKILL):
                raise Failure(f"create: exit code {child.returncode}\n{err.decode()}")
            if out.endswith(b"\n"):
                self.acknowledged.add(out.decode().split()[-1])
            if child.returncode != 0:
                return

    def listed(self):
        """The files that each listed snapshot has, by its id."""
        snapshots = {}
        for entry in json.loads(self.run("--json", "list", COLLECTION)):
            if entry.get("vector_count") != ROWS:
                raise Failure(f"list shows a snapshot that is not whole: {entry}")
            parts = [part["key"] for part in entry["parts"]]
            metadata = f"snapshots/{entry['collection_id']}/{entry['snapshot_id']}.metadata.json"
            snapshots[entry["snapshot_id"]] = {metadata, *parts}
        return snapshots

    def files(self):
        found = set()
        for place, _, names in os.walk(self.store):
            found |= {os.path.relpath(os.path.join(place, name), self.store) for name in names}
        return found

    def check(self):
        snapshots = self.listed()
        lost = self.acknowledged - snapshots.keys()
        if lost:
            raise Failure(f"acknowledged, and not in the list: {lost}")
        owned = set().union(*snapshots.values())
        before = self.files()
        if owned - before:
            raise Failure(f"listed, and not there: {owned - before}")
        self.run("verify", COLLECTION)
        time.sleep(0.002)  # so that age 0 lies in the past by the clock of any file system
        self.run("gc", "--older-than", "0s")
        after = self.files()
        if after != owned:
            raise Failure(f"gc left {after - owned}, and removed {owned - after}")
        if self.listed() != snapshots:
            raise Failure("gc has changed the list")
        self.run("verify", COLLECTION)
        return len(before - owned), len(snapshots)

    def forget_old_ones(self):
        ids = list(self.listed())
        for snapshot in ids[KEPT:]:
            self.run("delete", COLLECTION, snapshot)
            self.acknowledged.discard(snapshot)

    def round(self):
        self.create_and_kill()
        counts = self.check()
        self.forget_old_ones()
        return counts


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("akidb")
    parser.add_argument("rounds", nargs="?", default=os.environ.get("AKIDB_CRASH_ROUNDS", "20"))
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    rounds = None if arguments.rounds == "forever" else int(arguments.rounds)
    loop = Loop(arguments.akidb, arguments.seed)
    done = interrupted = 0
    try:
        loop.measure()
        while rounds is None or done < rounds:
            leftovers, snapshots = loop.round()
            interrupted += leftovers > 0
            done += 1
            if rounds is None:
                print(f"round {done}: {leftovers} leftovers, {snapshots} snapshots", flush=True)
    except Failure as failure:
        print(f"seed {arguments.seed}, round {done + 1}: {failure}\nthe store: {loop.store}")
        return 1
    except KeyboardInterrupt:
        pass
    loop.close()
    print(f"{done} rounds; {interrupted} of them killed a writer that left something behind")
    return 0


if __name__ == "__main__":
    sys.exit(main())
