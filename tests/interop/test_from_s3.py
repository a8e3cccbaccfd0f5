"""Engines with their own S3 clients read a snapshot straight from MinIO."""

import os
import shutil
import subprocess
import sys
import tempfile

import numpy as np
import polars
import pyarrow.fs
import pyarrow.parquet as pq
import pytest

import engines
import sample
from conftest import AKIDB

HERE = os.path.dirname(os.path.abspath(__file__))
S3_TESTS = os.path.join(HERE, "../s3")
sys.path.insert(0, S3_TESTS)
import environment  # noqa: E402
from client import Client  # noqa: E402

DOCUMENTS = sample.make(1000, 96)
SHAPES = {"one-file": ["--layout", "file"], "folder": ["--part-rows", "300"]}


@pytest.fixture(scope="module")
def minio():
    """The environment in which its clients find it."""
    folder = tempfile.mkdtemp(prefix="akidb-minio-")
    place = os.path.join(folder, "server")
    try:
        subprocess.run([os.path.join(S3_TESTS, "start_minio.sh"), place], check=True)
        with open(os.path.join(place, "endpoint"), encoding="ascii") as file:
            env = environment.of("minio", file.readline().strip())
        env["AWS_ENDPOINT_URL"] = env["AKIDB_TEST_S3_ENDPOINT"]
        Client.of_environment(env).make_bucket()
        yield env
    finally:
        subprocess.run([os.path.join(S3_TESTS, "stop.sh"), place], check=True)
        shutil.rmtree(folder)


@pytest.fixture(scope="module", params=SHAPES)
def path(request, minio, tmp_path_factory):
    """A snapshot's file or folder: "BUCKET/KEY", with "/" at the end of a folder."""
    source = os.path.join(tmp_path_factory.mktemp("s3"), "documents.jsonl")
    sample.to_jsonl(DOCUMENTS, source)
    store = f"{environment.BUCKET}/{request.param}"
    command = [AKIDB, "--store", "s3://" + store, "-q", "create", *SHAPES[request.param]]
    done = subprocess.run(
        [*command, "docs", source], env=minio, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    keys = [key for key, _, _ in Client.of_environment(minio).list(request.param + "/")]
    parts = [key for key in keys if key.endswith(".parquet")]
    assert len(parts) == (1 if request.param == "one-file" else 4)
    key = parts[0] if len(parts) == 1 else os.path.dirname(parts[0]) + "/"
    return f"{environment.BUCKET}/{key}"


def test_pyarrow_reads_equal_values(minio, path):
    host = minio["AWS_ENDPOINT_URL"].split("//")[1]
    filesystem = pyarrow.fs.S3FileSystem(
        access_key=minio["AWS_ACCESS_KEY_ID"],
        secret_key=minio["AWS_SECRET_ACCESS_KEY"],
        endpoint_override=host,
        scheme="http",
        region=minio["AWS_REGION"],
    )
    table = pq.read_table(path, filesystem=filesystem, page_checksum_verification=True)
    sample.assert_same(engines.from_arrow(table, 96), DOCUMENTS)


def test_polars_reads_equal_values(minio, path):
    frame = polars.read_parquet(
        f"s3://{path}*.parquet" if path.endswith("/") else f"s3://{path}",
        storage_options={
            "aws_endpoint_url": minio["AWS_ENDPOINT_URL"],
            "aws_access_key_id": minio["AWS_ACCESS_KEY_ID"],
            "aws_secret_access_key": minio["AWS_SECRET_ACCESS_KEY"],
            "aws_region": minio["AWS_REGION"],
            "aws_allow_http": "true",
        },
    )
    sample.assert_same(engines.from_polars(frame, 96), DOCUMENTS)


def test_duckdb_reads_equal_values(minio, path, tmp_path):
    uri = f"s3://{path}*.parquet" if path.endswith("/") else f"s3://{path}"
    out = str(tmp_path / "out.parquet")
    subprocess.run(
        [sys.executable, os.path.join(HERE, "duckdb_from_s3.py"), uri, out],
        env={**minio, "PYTHONPATH": os.environ["AKIDB_DUCKDB_S3"]},
        check=True,
    )
    table = pq.read_table(out)
    vectors = np.concatenate([chunk.flatten() for chunk in table["vector"].chunks])
    found = sample.Documents(
        table["document_id"].to_pylist(),
        table["external_id"].to_pylist(),
        vectors.reshape(-1, 96),
        table["metadata_json"].to_pylist(),
        table["us"].to_pylist(),
    )
    sample.assert_same(found, DOCUMENTS)
