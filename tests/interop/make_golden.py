#!/usr/bin/env python3
"""Writes tests/golden/parquet: small files by every engine, which golden_test.c reads without them.

    build/interop-venv/bin/python tests/interop/make_golden.py tests/golden/parquet

All hold the same 20 documents, which golden_test.c makes by the same rules.
"""

import os
import shutil
import struct
import sys
import tempfile
import uuid

import arro3.core
import arro3.io
import duckdb
import numpy as np
import polars
import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import SparkSession

ROWS, DIMENSION = 20, 6

IDS = [bytes((i * 16 + b * 7 + 1) & 255 for b in range(16)) for i in range(ROWS)]
EXTERNAL_IDS = [None if i % 4 == 1 else "" if i == 6 else f"doc-{i}-ü" for i in range(ROWS)]
METADATA = [None if i % 5 == 3 else f'{{"n":{i}}}' for i in range(ROWS)]
TIMES = [-1000 if i == 0 else 1_700_000_000_000_000 + i * 1_001_000 for i in range(ROWS)]
VECTORS = np.array(
    [[(i * 7 + j * 3 - 50) / 8 for j in range(DIMENSION)] for i in range(ROWS)], dtype=np.float32
)
for row, column, bits in (
    (3, 2, 0x80000000),
    (4, 1, 0x00000001),
    (5, 0, 0x7F800000),
    (6, 5, 0xFF7FFFFF),
):
    VECTORS[row, column] = struct.unpack("<f", struct.pack("<I", bits))[0]


def fixed(nullable=True):
    field = pa.field("item", pa.float32(), nullable=nullable)
    return pa.FixedSizeListArray.from_arrays(
        pa.array(VECTORS.reshape(-1)), type=pa.list_(field, DIMENSION)
    )


def variable():
    offsets = pa.array(range(0, ROWS * DIMENSION + 1, DIMENSION), pa.int32())
    return pa.ListArray.from_arrays(offsets, pa.array(VECTORS.reshape(-1)))


def table(vector=None, ids=None, unit="us"):
    times = (
        pa.array(TIMES, pa.int64()).cast(pa.timestamp("us", "UTC")).cast(pa.timestamp(unit, "UTC"))
    )
    return pa.table(
        {
            "document_id": pa.array(IDS, pa.binary(16)) if ids is None else ids,
            "external_id": pa.array(EXTERNAL_IDS, pa.string()),
            "vector": fixed() if vector is None else vector,
            "metadata_json": pa.array(METADATA, pa.string()),
            "inserted_at": times,
        }
    )


def by_pyarrow(out):
    def write(name, source=None, **options):
        pq.write_table(table() if source is None else source, out(f"pyarrow-{name}"), **options)

    for codec in ("none", "snappy", "gzip", "zstd", "lz4"):
        write(codec, compression=codec)
    write("v2-pages", data_page_version="2.0")
    write("required", table(fixed(nullable=False)))
    write("list", table(variable()), store_schema=False)
    write("element-named-item", table(variable()), use_compliant_nested_type=False)
    write("uuid", table(ids=pa.array(IDS, pa.binary(16)).cast(pa.uuid())))
    write("text-ids", table(ids=pa.array([str(uuid.UUID(bytes=i)) for i in IDS])))
    write("int96", use_deprecated_int96_timestamps=True)
    write("nanos", table(unit="ns"))
    write("millis-checksums", table(unit="ms"), write_page_checksum=True)
    write("small-pages", data_page_size=64, write_batch_size=2, dictionary_pagesize_limit=32)
    write("row-groups", row_group_size=7)
    write(
        "byte-stream-split",
        use_dictionary=False,
        column_encoding={"vector.list.element": "BYTE_STREAM_SPLIT"},
    )
    write(
        "delta",
        use_dictionary=False,
        column_encoding={
            "external_id": "DELTA_BYTE_ARRAY",
            "metadata_json": "DELTA_LENGTH_BYTE_ARRAY",
            "inserted_at": "DELTA_BINARY_PACKED",
        },
    )


def by_duckdb(out):
    source = table(variable())  # noqa: F841 (the queries read it)
    for name, vector, options in (
        ("list", "FLOAT[]", ""),
        ("array", f"FLOAT[{DIMENSION}]", ""),
        ("v2", "FLOAT[]", ", parquet_version v2"),
        ("zstd", "FLOAT[]", ", compression zstd"),
    ):
        duckdb.sql(
            "copy (select hex(document_id)::uuid as document_id, external_id,"
            f" vector::{vector} as vector, metadata_json, inserted_at from source)"
            f" to '{out('duckdb-' + name)}' (format parquet{options})"
        )


def by_polars(out):
    for name, vector in (("array", fixed()), ("list", variable())):
        polars.from_arrow(table(vector)).write_parquet(out(f"polars-{name}"))


def by_arro3(out):
    for name, options in (
        ("defaults", {}),
        ("v2", {"writer_version": "parquet_2_0"}),
        ("v2-plain", {"writer_version": "parquet_2_0", "dictionary_enabled": False}),
        ("zstd", {"compression": "zstd(1)"}),
    ):
        arro3.io.write_parquet(
            arro3.core.Table.from_arrow(table()), out(f"arro3-{name}"), **options
        )


def by_spark(out):
    builder = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
    builder = builder.config("spark.driver.bindAddress", "127.0.0.1")
    spark = builder.config("spark.driver.host", "127.0.0.1").getOrCreate()
    with tempfile.TemporaryDirectory() as work:
        source = os.path.join(work, "source.parquet")
        pq.write_table(table(variable()), source)
        for name, options in (
            ("defaults", {}),
            ("v2", {"parquet.writer.version": "v2"}),
            ("legacy", {"spark.sql.parquet.writeLegacyFormat": "true"}),
            ("micros", {"spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS"}),
        ):
            for key, value in options.items():
                spark.conf.set(key, value)
            writer = spark.read.parquet(source).coalesce(1).write
            for key, value in options.items():
                writer = writer.option(key, value)
            folder = os.path.join(work, name)
            writer.parquet(folder)
            for key in options:
                spark.conf.unset(key)
            part = next(f for f in os.listdir(folder) if f.endswith(".parquet"))
            shutil.copyfile(os.path.join(folder, part), out(f"spark-{name}"))
    spark.stop()


def main():
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    os.makedirs(sys.argv[1], exist_ok=True)
    for write in (by_pyarrow, by_duckdb, by_polars, by_arro3, by_spark):
        write(lambda name: os.path.join(sys.argv[1], name + ".parquet"))


main()
