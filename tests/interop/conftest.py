"""The command line under test, and a Spark session that is started once."""

import glob
import os
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))
import sample  # noqa: E402

AKIDB = os.environ.get("AKIDB", "build/akidb")


class Store:
    """A store in a folder, driven through the command line."""

    def __init__(self, folder):
        self.folder = str(folder)
        self.path = os.path.join(self.folder, "store")

    def run(self, *arguments):
        command = [AKIDB, "--store", self.path, "--quiet", *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stderr}"
        return done.stdout

    def create(self, *arguments):
        """The id of a new snapshot of the collection `docs`."""
        return self.run("create", "docs", *arguments).strip().split("\n")[-1]

    def parts(self, snapshot):
        """The Parquet files of a snapshot, and the path that an engine is pointed at."""
        folder = glob.glob(f"{self.path}/snapshots/*/{snapshot}/")
        if folder:
            return sorted(glob.glob(f"{folder[0]}*.parquet")), folder[0]
        files = glob.glob(f"{self.path}/snapshots/*/{snapshot}.parquet")
        assert len(files) == 1
        return files, files[0]

    def restore(self, snapshot):
        """The documents of a snapshot, by way of .jsonl."""
        out = os.path.join(self.folder, f"{snapshot}.jsonl")
        self.run("restore", "docs", snapshot, out)
        return sample.from_jsonl(out)


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path)


@pytest.fixture(scope="session")
def spark():
    session = pytest.importorskip("pyspark.sql").SparkSession
    builder = (
        session.builder.master("local[2]").appName("akidb").config("spark.ui.enabled", "false")
    )
    builder = builder.config("spark.sql.session.timeZone", "UTC")
    builder = builder.config("spark.sql.shuffle.partitions", "2")
    builder = builder.config("spark.driver.bindAddress", "127.0.0.1")
    builder = builder.config("spark.driver.host", "127.0.0.1")
    started = builder.getOrCreate()
    started.sparkContext.setLogLevel("ERROR")
    yield started
    started.stop()
