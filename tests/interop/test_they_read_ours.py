"""Every engine reads every kind of file that akidb writes, to equal values and the right types."""

import os

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import engines
import sample
from conftest import Store

ROWS, DIMENSION = 1000, 96
COMPRESSIONS = ("none", "snappy", "zstd", "lz4", "gzip")
ENCODINGS = ("plain", "byte-stream-split")
SHAPES = {
    "one-row-group": [],
    "many-row-groups": ["--row-group-size", "128"],
    "many-parts": ["--part-rows", "300", "--row-group-size", "128"],
}
DOCUMENTS = sample.make(ROWS, DIMENSION)
FINE_TIMES = sample.make(50, 8, step=1)
NO_EXTRAS = sample.Documents(
    DOCUMENTS.ids, [None] * ROWS, DOCUMENTS.vectors, [None] * ROWS, DOCUMENTS.times
)


@pytest.fixture(scope="module")
def snapshots(tmp_path_factory):
    """A snapshot for each compression, encoding and shape."""
    store = Store(tmp_path_factory.mktemp("ours"))
    source = os.path.join(store.folder, "documents.jsonl")
    sample.to_jsonl(DOCUMENTS, source)
    made = {}
    for compression in COMPRESSIONS:
        for encoding in ENCODINGS:
            for shape, options in SHAPES.items():
                snapshot = store.create(
                    "--compression", compression, "--vector-encoding", encoding, *options, source
                )
                made[compression, encoding, shape] = store.parts(snapshot)
    return made


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("engine", engines.READERS)
def test_an_engine_reads_equal_values(snapshots, engine, compression, encoding, shape):
    files, path = snapshots[compression, encoding, shape]
    found = engines.READERS[engine](files, path, DIMENSION)
    sample.assert_same(found, DOCUMENTS)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_spark_reads_equal_values(snapshots, spark, compression, encoding, shape):
    _, path = snapshots[compression, encoding, shape]
    sample.assert_same(engines.spark_read(spark, path, DIMENSION), DOCUMENTS, in_any_order=True)


def test_the_shapes_are_what_they_are_called(snapshots):
    for (compression, encoding, shape), (files, _) in snapshots.items():
        groups = [pq.ParquetFile(f).num_row_groups for f in files]
        assert (
            groups
            == {"one-row-group": [1], "many-row-groups": [8], "many-parts": [3, 3, 3, 1]}[shape]
        )
        chunk = pq.ParquetFile(files[0]).metadata.row_group(0)
        vector = next(
            chunk.column(i)
            for i in range(chunk.num_columns)
            if chunk.column(i).path_in_schema.startswith("vector")
        )
        assert (encoding == "byte-stream-split") == ("BYTE_STREAM_SPLIT" in vector.encodings)


def test_duckdb_finds_external_ids_by_our_bloom_filters(snapshots):
    (path,), _ = snapshots["snappy", "plain", "many-row-groups"]
    excluded = {"there": 0, "elsewhere": 0}
    for row, name in enumerate(DOCUMENTS.external_ids):
        if name is None or row % 7 != 0:
            continue
        query = "select bloom_filter_excludes from parquet_bloom_probe(?, 'external_id', ?)"
        for group, (excludes,) in enumerate(duckdb.execute(query, [path, name]).fetchall()):
            excluded["there" if group == row // 128 else "elsewhere"] += excludes
    assert excluded["there"] == 0
    assert excluded["elsewhere"] > 0


@pytest.mark.parametrize("engine", engines.READERS)
@pytest.mark.parametrize(
    "name, documents", [("microseconds", FINE_TIMES), ("no-extras", NO_EXTRAS)]
)
def test_optional_columns_and_fine_times(store, engine, name, documents):
    source = os.path.join(store.folder, "documents.jsonl")
    sample.to_jsonl(documents, source)
    files, path = store.parts(store.create(source))
    found = engines.READERS[engine](files, path, documents.vectors.shape[1])
    sample.assert_same(found, documents)
    unit = "us" if name == "microseconds" else "ms"
    assert pq.read_schema(files[0]).field("inserted_at").type == pa.timestamp(unit, "UTC")


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("dimension", [2, 3, 7, 8, 9, 15, 16, 17, 100, 1536])
@pytest.mark.parametrize("engine", engines.READERS)
def test_arbitrary_bits_survive_in_every_dimension(store, engine, dimension, encoding):
    vectors = sample.make_hostile_bits(200, dimension)
    source = os.path.join(store.folder, "bits.npy")
    np.save(source, vectors)
    files, path = store.parts(store.create("--vector-encoding", encoding, source))
    found = engines.READERS[engine](files, path, dimension)
    assert (np.ascontiguousarray(found.vectors).view(np.uint32) == vectors.view(np.uint32)).all()


def test_dimension_one_is_a_list_too(store):
    source = os.path.join(store.folder, "one.npy")
    vectors = np.arange(100, dtype=np.float32).reshape(-1, 1)
    np.save(source, vectors)
    files, path = store.parts(store.create(source))
    for read in engines.READERS.values():
        assert (read(files, path, 1).vectors == vectors).all()


@pytest.mark.parametrize("engine", engines.READERS)
def test_rows_larger_than_a_page(store, engine):
    vectors = np.random.default_rng(5).standard_normal((40, 65536)).astype(np.float32)
    source = os.path.join(store.folder, "wide.npy")
    np.save(source, vectors)
    files, path = store.parts(store.create("--row-group-size", "7", source))
    assert (engines.READERS[engine](files, path, 65536).vectors == vectors).all()


def test_statistics_are_right_and_the_vector_has_none(snapshots):
    files, _ = snapshots["snappy", "plain", "many-row-groups"]
    metadata = pq.ParquetFile(files[0]).metadata
    first = 0
    for group in range(metadata.num_row_groups):
        chunk = metadata.row_group(group)
        rows = slice(first, first + chunk.num_rows)
        first += chunk.num_rows
        for i in range(chunk.num_columns):
            column = chunk.column(i)
            name, statistics = column.path_in_schema.split(".")[0], column.statistics
            if name == "vector":
                assert statistics is None or not statistics.has_min_max
            elif name == "document_id":
                assert statistics.min == min(DOCUMENTS.ids[rows])
                assert statistics.max == max(DOCUMENTS.ids[rows])
            elif name == "external_id":
                assert statistics.null_count == DOCUMENTS.external_ids[rows].count(None)
    assert first == ROWS
