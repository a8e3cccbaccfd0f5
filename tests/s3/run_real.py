#!/usr/bin/env python3
"""Runs the tests of S3 on a real server on loopback, which it starts and stops.

    run_real.py rgw|minio|versitygw BUILD [STEP...]
    run_real.py given BUILD [STEP...]     on the server that AKIDB_TEST_S3_ENDPOINT names

BUILD is a build with tests (AKIDB_TESTS). The steps, all unless told:

    suite     what every object store must do (tests/conformance)
    cycles    snapshots while a proxy breaks 30 % of all requests
    storage   fifty collections whose writer is killed (storage_test.c), moves between the tiers
              (tests/unit/storage/tiers_s3_test.c), and the worker of tiering, also while the server
              stands still (tests/unit/tiering/s3_test.c)
    cases     the golden tests of the command line (tests/cli)
    commands  killed uploads, rights, encryption (test_commands.py)

What a server cannot do stands in limits.py.
"""
import concurrent.futures
import glob
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import environment
import limits
from client import Client

HERE = os.path.dirname(os.path.abspath(__file__))
CASES = os.path.join(HERE, "../cli")


class Run:
    def __init__(self, server, build, env):
        self.server, self.build, self.env = server, os.path.abspath(build), env
        self.cannot = limits.CANNOT.get(server, {})
        self.problems = 0

    def report(self, failed, output):
        """Counts those of the tests that failed which are not the server's fault."""
        for name in sorted(set(failed) & set(self.cannot)):
            print(f"{self.server} cannot: {name}: {self.cannot[name]}")
        ours = sorted(set(failed) - set(self.cannot))
        if ours:
            self.problems += len(ours)
            print(f"{output}\nFAILED on {self.server}: {', '.join(ours)}")

    def program(self, path, **env):
        """Runs a cmocka program, which names the tests that fail."""
        # A test that fails cleans nothing up.
        env["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
        done = subprocess.run([os.path.join(self.build, path)], env={**self.env, **env}, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        failed = re.findall(r"^\[  FAILED  \] ([a-z_0-9]+)$", done.stdout, re.MULTILINE)
        if done.returncode < 0 or done.returncode > 0 and not failed:
            failed.append(f"{path} (exit code {done.returncode})")
        self.report(failed, done.stdout)
        return done.stdout

    # ---- the steps ----

    def suite(self):
        single = str(limits.SINGLE_PUT_BYTES.get(self.server, 2))
        self.program("tests/conformance/conformance_s3", AKIDB_TEST_S3_SINGLE_PUT=single)

    def cycles(self):
        if self.env["AKIDB_TEST_S3_ENDPOINT"].startswith("https:"):
            print("the proxy cannot look into TLS: the cycles run without its faults")
            self.program("tests/s3/s3_cycles")
            return
        proxy = subprocess.Popen(
            [sys.executable, os.path.join(HERE, "proxy.py"), self.env["AKIDB_TEST_S3_ENDPOINT"]],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            output = self.program("tests/s3/s3_cycles",
                                  AKIDB_TEST_S3_ENDPOINT=proxy.stdout.readline().strip())
            print(*(line for line in output.splitlines() if line[:1].isdigit()), sep="\n")
        finally:
            proxy.stdin.close()  # it ends with that
            proxy.wait()

    def storage(self):
        self.program("tests/s3/s3_storage")
        self.program("tests/unit_storage_tiers_s3_test")
        self.program("tests/unit_tiering_s3_test")

    def case(self, path):
        command = ["sh", os.path.join(CASES, "run.sh"), "--s3", os.path.join(self.build, "akidb")]
        done = subprocess.run(command + [path], env=self.env, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False)
        return os.path.basename(path)[:-len(".sh")], done

    def cases(self):
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            for name, done in pool.map(self.case, sorted(glob.glob(CASES + "/cases/*.sh"))):
                if done.returncode == 77:
                    print(f"{name}: {done.stdout.strip()}")
                else:
                    self.report([name] if done.returncode != 0 else [], done.stdout)

    def commands(self):
        command = [sys.executable, "-m", "unittest", "-v", "test_commands"]
        done = subprocess.run(command, cwd=HERE, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False,
                              env={**self.env, "AKIDB": os.path.join(self.build, "akidb")})
        for name, why in re.findall(r"^test_(\w+) .* \.\.\. skipped '(.*)'", done.stdout,
                                    re.MULTILINE):
            print(f"{name}: SKIPPED: {why}")
        failed = re.findall(r"^(?:FAIL|ERROR): (?:test_)?(\w+)", done.stdout, re.MULTILINE)
        if done.returncode != 0 and not failed:
            failed.append("test_commands")
        self.report(failed, done.stdout)

    def all(self, steps):
        for step in steps or ["suite", "cycles", "storage", "cases", "commands"]:
            start = time.monotonic()
            print(f"== {self.server}: {step}", flush=True)
            getattr(self, step)()
            print(f"   {time.monotonic() - start:.0f} s", flush=True)
        return self.problems


def run_started(server, build, steps):
    # In memory where that can be: a server's own syncs are not what is tested.
    parent = os.environ.get("TMPDIR") or ("/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
    folder = tempfile.mkdtemp(prefix=f"akidb-{server}-", dir=parent)
    place = os.path.join(folder, "server")
    try:
        print(f"== {server}: start", flush=True)
        if subprocess.call([os.path.join(HERE, f"start_{server}.sh"), place]) != 0:
            print(f"run_real: NO TEST RAN: {server} could not be started", file=sys.stderr)
            return 1
        with open(os.path.join(place, "endpoint"), encoding="ascii") as file:
            env = environment.of(server, file.readline().strip())
        env["AKIDB_TEST_S3_FOLDER"] = place
        Client.of_environment(env).make_bucket()
        return Run(server, build, env).all(steps)
    finally:
        subprocess.call([os.path.join(HERE, "stop.sh"), place])
        shutil.rmtree(folder, ignore_errors=True)


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    server, build, steps = sys.argv[1], sys.argv[2], sys.argv[3:]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the server is stopped
    if server == "given":
        problems = Run(server, build, environment.given()).all(steps)
    else:
        problems = run_started(server, build, steps)
    print(f"== {server}: " + ("all passed" if problems == 0 else f"{problems} failed"))
    sys.exit(problems != 0)


if __name__ == "__main__":
    main()
