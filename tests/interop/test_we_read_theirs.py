"""akidb imports what every engine writes, and restores equal documents."""

import os
import uuid

import arro3.core
import arro3.io
import duckdb
import numpy as np
import polars
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import sample

ROWS, DIMENSION = 500, 24
DOCUMENTS = sample.make(ROWS, DIMENSION)
FINE = sample.make(ROWS, DIMENSION, step=1)


def fixed_size_list(vectors, nullable=True):
    field = pa.field("item", pa.float32(), nullable=nullable)
    return pa.FixedSizeListArray.from_arrays(
        pa.array(vectors.reshape(-1)), type=pa.list_(field, vectors.shape[1])
    )


def variable_list(vectors):
    offsets = np.arange(len(vectors) + 1, dtype=np.int32) * vectors.shape[1]
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(vectors.reshape(-1)))


def arrow_table(documents, vector=None, ids=None, unit="us", zone="UTC"):
    times = pa.array(documents.times, pa.int64()).cast(pa.timestamp("us", zone))
    return pa.table(
        {
            "document_id": pa.array(documents.ids, pa.binary(16)) if ids is None else ids,
            "external_id": pa.array(documents.external_ids, pa.string()),
            "vector": fixed_size_list(documents.vectors) if vector is None else vector,
            "metadata_json": pa.array(documents.metadata, pa.string()),
            "inserted_at": times.cast(pa.timestamp(unit, zone)),
        }
    )


def check(store, expected, *files, arguments=(), **what):
    """Imports the files, restores, and compares; then the same through our own .parquet export."""
    snapshot = store.create(*arguments, *files)
    store.run("verify", "docs", snapshot)
    sample.assert_same(store.restore(snapshot), expected, **what)
    return snapshot


@pytest.fixture
def path(store):
    return os.path.join(store.folder, "theirs.parquet")


PYARROW_OPTIONS = {
    "defaults": {},
    "uncompressed": {"compression": "none"},
    "gzip": {"compression": "gzip"},
    "zstd": {"compression": "zstd"},
    "lz4": {"compression": "lz4"},
    "v2-pages": {"data_page_version": "2.0"},
    "v2-pages-uncompressed": {"data_page_version": "2.0", "compression": "none"},
    "no-dictionary": {"use_dictionary": False},
    "format-1.0": {"version": "1.0"},
    "page-checksums": {"write_page_checksum": True},
    "page-index": {"write_page_index": True},
    "no-arrow-schema": {"store_schema": False},
    "element-named-item": {"use_compliant_nested_type": False},
    "int96-times": {"use_deprecated_int96_timestamps": True},
    "small-pages": {"data_page_size": 512, "write_batch_size": 16},
    "small-pages-v2": {"data_page_size": 512, "write_batch_size": 16, "data_page_version": "2.0"},
    "many-row-groups": {"row_group_size": 70},
    "no-statistics": {"write_statistics": False},
    "dictionary-overflow": {"dictionary_pagesize_limit": 256},
    "byte-stream-split": {
        "use_dictionary": False,
        "column_encoding": {"vector.list.element": "BYTE_STREAM_SPLIT"},
    },
    "delta-byte-array": {
        "use_dictionary": False,
        "column_encoding": {"external_id": "DELTA_BYTE_ARRAY", "metadata_json": "DELTA_BYTE_ARRAY"},
    },
    "delta-length": {
        "use_dictionary": False,
        "column_encoding": {
            "external_id": "DELTA_LENGTH_BYTE_ARRAY",
            "metadata_json": "DELTA_LENGTH_BYTE_ARRAY",
        },
    },
    "delta-binary-packed": {
        "use_dictionary": False,
        "column_encoding": {"inserted_at": "DELTA_BINARY_PACKED"},
    },
}


@pytest.mark.parametrize("options", PYARROW_OPTIONS.values(), ids=PYARROW_OPTIONS)
def test_pyarrow_with_every_option(store, path, options):
    pq.write_table(arrow_table(FINE), path, **options)
    check(store, FINE, path)


PYARROW_VECTORS = {
    "fixed-size-list": fixed_size_list(DOCUMENTS.vectors),
    "fixed-size-list-required": fixed_size_list(DOCUMENTS.vectors, nullable=False),
    "list": variable_list(DOCUMENTS.vectors),
    "large-list": variable_list(DOCUMENTS.vectors).cast(pa.large_list(pa.float32())),
}


@pytest.mark.parametrize("vector", PYARROW_VECTORS.values(), ids=PYARROW_VECTORS)
def test_pyarrow_with_every_kind_of_list(store, path, vector):
    pq.write_table(arrow_table(DOCUMENTS, vector), path)
    check(store, DOCUMENTS, path)


@pytest.mark.parametrize("kind", ["binary", "fixed-size-binary", "uuid", "text"])
def test_pyarrow_with_every_kind_of_id(store, path, kind):
    ids = {
        "binary": lambda: pa.array(DOCUMENTS.ids, pa.binary()),
        "fixed-size-binary": lambda: pa.array(DOCUMENTS.ids, pa.binary(16)),
        "uuid": lambda: pa.array(DOCUMENTS.ids, pa.binary(16)).cast(pa.uuid()),
        "text": lambda: pa.array([str(uuid.UUID(bytes=i)) for i in DOCUMENTS.ids]),
    }[kind]()
    pq.write_table(arrow_table(DOCUMENTS, ids=ids), path)
    check(store, DOCUMENTS, path)


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "Europe/Berlin"])
def test_pyarrow_with_every_time_unit(store, path, unit, zone):
    documents = DOCUMENTS if unit == "ms" else FINE
    pq.write_table(arrow_table(documents, unit=unit, zone=zone), path)
    check(store, documents, path)


def test_vectors_alone_under_another_name(store, path):
    pq.write_table(pa.table({"embedding": fixed_size_list(DOCUMENTS.vectors)}), path)
    restored = store.restore(store.create(path))
    assert (restored.vectors.view(np.uint32) == DOCUMENTS.vectors.view(np.uint32)).all()


def test_columns_by_name(store, path):
    table = pa.table(
        {
            "a": fixed_size_list(DOCUMENTS.vectors[::-1].copy()),
            "b": fixed_size_list(DOCUMENTS.vectors),
            "key": pa.array(DOCUMENTS.ids, pa.binary(16)),
        }
    )
    pq.write_table(table, path)
    restored = store.restore(store.create("--vector-column", "b", "--id-column", "key", path))
    assert restored.ids == DOCUMENTS.ids
    assert (restored.vectors == DOCUMENTS.vectors).all()


def test_arbitrary_bits_from_pyarrow(store, path):
    vectors = sample.make_hostile_bits(300, 33)
    pq.write_table(pa.table({"vector": fixed_size_list(vectors)}), path)
    snapshot = store.create(path)
    out = os.path.join(store.folder, "out.npy")
    store.run("restore", "docs", snapshot, out)
    assert (np.load(out).view(np.uint32) == vectors.view(np.uint32)).all()


DUCKDB_OPTIONS = {
    "defaults": "",
    "zstd": ", compression zstd",
    "gzip": ", compression gzip",
    "lz4": ", compression lz4_raw",
    "uncompressed": ", compression uncompressed",
    "v2-encodings": ", parquet_version v2",
    "small-row-groups": ", row_group_size 2048",
}


@pytest.mark.parametrize("options", DUCKDB_OPTIONS.values(), ids=DUCKDB_OPTIONS)
@pytest.mark.parametrize("vector", ["FLOAT[]", f"FLOAT[{DIMENSION}]"])
@pytest.mark.parametrize("identity", ["blob", "uuid"])
def test_duckdb(store, path, options, vector, identity):
    source = arrow_table(FINE, variable_list(FINE.vectors))  # noqa: F841 (the query reads it)
    key = "document_id" if identity == "blob" else "hex(document_id)::uuid as document_id"
    duckdb.sql(
        f"copy (select {key}, external_id, vector::{vector} as vector, metadata_json,"
        f" inserted_at from source) to '{path}' (format parquet{options})"
    )
    check(store, FINE, path)


def test_duckdb_vectors_that_span_pages(store, path):
    """DuckDB begins a page in the middle of a row when a chunk passes 100 MiB."""
    duckdb.sql(
        f"copy (select [((i * 1000 + j) % 65521)::FLOAT for j in range(1000)] as vector"
        f" from range(60000) t(i)) to '{path}' (format parquet, compression uncompressed)"
    )
    out = os.path.join(store.folder, "out.npy")
    store.run("restore", "docs", store.create(path), out)
    expected = (np.arange(60_000_000, dtype=np.int64) % 65521).astype(np.float32)
    assert (np.load(out).reshape(-1) == expected).all()


@pytest.mark.parametrize("compression", ["uncompressed", "snappy", "zstd", "gzip", "lz4"])
@pytest.mark.parametrize("kind", ["array", "list"])
def test_polars(store, path, compression, kind):
    vector = fixed_size_list(FINE.vectors) if kind == "array" else variable_list(FINE.vectors)
    frame = polars.from_arrow(arrow_table(FINE, vector))
    frame.write_parquet(path, compression=compression)
    check(store, FINE, path)


ARRO3_OPTIONS = {
    "defaults": {},
    "snappy": {"compression": "snappy"},
    "zstd": {"compression": "zstd(3)"},
    "gzip": {"compression": "gzip(6)"},
    "lz4": {"compression": "lz4_raw"},
    "v2-pages": {"writer_version": "parquet_2_0"},
    "no-dictionary": {"dictionary_enabled": False},
    "no-dictionary-v2": {"dictionary_enabled": False, "writer_version": "parquet_2_0"},
    "small-pages": {"data_page_row_count_limit": 20, "write_batch_size": 16},
    "many-row-groups": {"max_row_group_size": 64},
    "no-arrow-schema": {"skip_arrow_metadata": True},
    "byte-stream-split": {
        "dictionary_enabled": False,
        "column_encoding": {"vector.list.item": "byte_stream_split"},
    },
}


@pytest.mark.parametrize("options", ARRO3_OPTIONS.values(), ids=ARRO3_OPTIONS)
@pytest.mark.parametrize("kind", ["fixed-size-list", "list"])
def test_arro3(store, path, options, kind):
    vector = fixed_size_list(FINE.vectors) if kind != "list" else variable_list(FINE.vectors)
    arro3.io.write_parquet(arro3.core.Table.from_arrow(arrow_table(FINE, vector)), path, **options)
    check(store, FINE, path)


SPARK_OPTIONS = {
    "defaults": {},
    "legacy-format": {"spark.sql.parquet.writeLegacyFormat": "true"},
    "v2-pages": {"parquet.writer.version": "v2"},
    "int96": {"spark.sql.parquet.outputTimestampType": "INT96"},
    "millis": {"spark.sql.parquet.outputTimestampType": "TIMESTAMP_MILLIS"},
    "zstd": {"spark.sql.parquet.compression.codec": "zstd"},
    "gzip": {"spark.sql.parquet.compression.codec": "gzip"},
    "lz4": {"spark.sql.parquet.compression.codec": "lz4_raw"},
    "uncompressed": {"spark.sql.parquet.compression.codec": "none"},
}


@pytest.mark.parametrize("name", SPARK_OPTIONS)
def test_spark(store, spark, name):
    documents = DOCUMENTS if name == "millis" else FINE
    source = os.path.join(store.folder, "source.parquet")
    folder = os.path.join(store.folder, "theirs")
    pq.write_table(arrow_table(documents, variable_list(documents.vectors)), source)
    options = SPARK_OPTIONS[name]
    for key, value in options.items():
        spark.conf.set(key, value)
    try:
        writer = spark.read.parquet(source).repartition(3).write
        for key, value in options.items():
            if key.startswith("parquet."):
                writer = writer.option(key, value)
        writer.parquet(folder)
    finally:
        for key in options:
            spark.conf.unset(key)
    files = sorted(os.path.join(folder, f) for f in os.listdir(folder) if f.endswith(".parquet"))
    assert len(files) == 3
    check(store, documents, *files, in_any_order=True)


@pytest.mark.parametrize("suffix", ["npy", "fvecs", "jsonl", "parquet"])
def test_exports_are_what_other_tools_read(store, suffix):
    source = os.path.join(store.folder, "source.jsonl")
    sample.to_jsonl(DOCUMENTS, source)
    out = os.path.join(store.folder, f"out.{suffix}")
    store.run("restore", "docs", store.create(source), out)
    if suffix == "npy":
        vectors = np.load(out)
    elif suffix == "fvecs":
        raw = np.fromfile(out, dtype=np.int32).reshape(-1, DIMENSION + 1)
        assert (raw[:, 0] == DIMENSION).all()
        vectors = np.ascontiguousarray(raw[:, 1:]).view(np.float32)
    elif suffix == "jsonl":
        vectors = sample.from_jsonl(out).vectors
    else:
        vectors = np.stack(pq.read_table(out)["vector"].to_numpy())
    assert (vectors.view(np.uint32) == DOCUMENTS.vectors.view(np.uint32)).all()


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_npy_of_every_kind(store, kind, order, version):
    vectors = np.random.default_rng(1).standard_normal((100, 10)).astype(kind)
    source = os.path.join(store.folder, "source.npy")
    with open(source, "wb") as out:
        np.lib.format.write_array(out, np.asarray(vectors, order=order), version=version)
    arguments = ["--narrow"] if kind == np.float64 else []
    out = os.path.join(store.folder, "out.npy")
    store.run("restore", "docs", store.create(*arguments, source), out)
    assert (np.load(out) == vectors.astype(np.float32)).all()
