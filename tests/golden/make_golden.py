#!/usr/bin/env python3
"""Writes small Parquet files with other engines, and files.txt, the list of them.

    python3 -m venv venv
    venv/bin/pip install pyarrow duckdb polars arro3-core arro3-io chdb pyspark
    venv/bin/python tests/golden/make_golden.py [ENGINE...]

Each engine's files go to <engine>-<version>/ beside this script; files of older versions stay. The
values follow from the row number alone, so that the reader of files.txt can compute them again:

    document_id   bytes 0-7: the row as a big-endian number; byte 8 + j: (17 j) xor (row mod 256)
    external_id   null where row mod 3 = 2, otherwise "ext-ROW"
    vector[j]     (row * k + j) / 4 - 100
    metadata      null where row mod 5 = 4, otherwise {"group":ROW mod 4}
    inserted_at   1700000000000000 + row * 61001000 microseconds

Those in special/ hold the same 20 documents, with values that are easily lost: see special_table.

A line of files.txt: path, rows, k, flags. Flags: "-" for none, or letters: i no ids, e no external
ids, m no metadata, t no times, n no nulls, d vectors are float64, o ids are the row number as an
integer (other ids), u not supported: the file must be refused as such, s the documents of special/.
"""
import datetime
import pathlib
import struct
import sys
import uuid

HERE = pathlib.Path(__file__).resolve().parent
ENTRIES = []


def document_id(row):
    return row.to_bytes(8, "big") + bytes((17 * j) ^ (row & 255) for j in range(8))


def external_id(row, nulls=True):
    return None if nulls and row % 3 == 2 else f"ext-{row}"


def vector(row, k):
    return [(row * k + j) / 4 - 100 for j in range(k)]


def metadata(row, nulls=True):
    return None if nulls and row % 5 == 4 else '{"group":%d}' % (row % 4)


def micros(row):
    return 1700000000000000 + row * 61001000


class Folder:
    def __init__(self, name):
        self.path = HERE / name
        self.path.mkdir(exist_ok=True)

    def file(self, name, rows, k, flags="-"):
        path = self.path / (name + ".parquet")
        ENTRIES.append(f"{path.relative_to(HERE)} {rows} {k} {flags}")
        return str(path)


def pyarrow_files():
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder = Folder("pyarrow-" + pa.__version__)

    def table(rows, k, *, vectors="fixed", leaf="float32", ids="binary", unit="ms", tz="UTC",
              nulls=True, nullable=True, dimension="uint32"):
        values = np.array([vector(i, k) for i in range(rows)], dtype=leaf).reshape(-1)
        child = pa.field("element", pa.from_numpy_dtype(values.dtype), nullable)
        flat = pa.array(values)
        if vectors == "fixed":
            column = pa.FixedSizeListArray.from_arrays(flat, type=pa.list_(child, k))
        else:
            kind = pa.list_(child) if vectors == "list" else pa.large_list(child)
            maker = pa.ListArray if vectors == "list" else pa.LargeListArray
            width = "i4" if vectors == "list" else "i8"
            column = maker.from_arrays(pa.array(np.arange(rows + 1, dtype=width) * k), flat,
                                       type=kind)
        raw = [document_id(i) for i in range(rows)]
        id_column = {
            "binary": lambda: pa.array(raw, pa.binary()),
            "fixed": lambda: pa.array(raw, pa.binary(16)),
            "uuid": lambda: pa.array(raw, pa.uuid()),
            "text": lambda: pa.array([str(uuid.UUID(bytes=b)) for b in raw]),
            "integer": lambda: pa.array(range(rows), pa.int64()),
        }[ids]()
        scale = {"ms": 1000, "us": 1}
        if unit == "int64":
            time_column = pa.array([micros(i) for i in range(rows)], pa.int64())
        elif unit == "ns":
            time_column = pa.array([micros(i) * 1000 + i % 1000 for i in range(rows)],
                                   pa.timestamp("ns", tz))
        else:
            time_column = pa.array([micros(i) // scale[unit] for i in range(rows)],
                                   pa.timestamp(unit, tz))
        columns = {
            "document_id": id_column,
            "external_id": pa.array([external_id(i, nulls) for i in range(rows)], pa.string()),
            "dimension": pa.array([k] * rows, getattr(pa, dimension)()),
            "vector": column,
            "metadata_json": pa.array([metadata(i, nulls) for i in range(rows)], pa.string()),
            "inserted_at": time_column,
        }
        required = {"document_id", "dimension", "vector", "inserted_at"} if not nullable else set()
        schema = pa.schema([pa.field(n, c.type, n not in required) for n, c in columns.items()])
        return pa.table(list(columns.values()), schema=schema)

    def write(name, data, k, flags="-", **options):
        options.setdefault("compression", "snappy")
        pq.write_table(data, folder.file(name, data.num_rows, k, flags), **options)

    plain = table(100, 4)
    for codec in ("none", "snappy", "gzip", "zstd", "lz4"):
        for version in ("1.0", "2.0"):
            write(f"{codec}-v{version[0]}", plain, 4, compression=codec,
                  data_page_version=version)
            write(f"{codec}-v{version[0]}-plain", plain, 4, compression=codec,
                  data_page_version=version, use_dictionary=False)
    write("brotli", plain, 4, "u", compression="brotli")
    for k in (1, 2, 7, 8, 9, 16, 31, 100, 384):
        rows = 4 if k > 300 else 10 if k > 50 else 40
        write(f"k{k}", table(rows, k), k)
        write(f"k{k}-required", table(rows, k, vectors="list", nullable=False), k,
              use_dictionary=False, compression="zstd")
    write("checksums", plain, 4, write_page_checksum=True, compression="zstd")
    write("checksums-v2", plain, 4, write_page_checksum=True, data_page_version="2.0")
    write("row-groups", plain, 4, row_group_size=17)
    write("small-pages", plain, 4, data_page_size=64, write_batch_size=8)
    write("small-pages-v2", plain, 4, data_page_size=64, write_batch_size=8,
          data_page_version="2.0", use_dictionary=False)
    write("dictionary-fallback", table(300, 4), 4, dictionary_pagesize_limit=512,
          data_page_size=256, write_batch_size=16)
    write("page-index", plain, 4, write_page_index=True)
    write("large-list", table(50, 5, vectors="large"), 5)
    write("list", table(50, 5, vectors="list"), 5)
    write("list-item", table(50, 5, vectors="list"), 5, use_compliant_nested_type=False)
    write("double", table(50, 5, leaf="float64"), 5, "d")
    write("double-split", table(50, 5, leaf="float64"), 5, "d", use_dictionary=False,
          column_encoding={"vector.list.element": "BYTE_STREAM_SPLIT"})
    write("half", table(50, 4, leaf="float16"), 4)
    write("half-plain", table(50, 4, leaf="float16"), 4, use_dictionary=False)
    for ids in ("fixed", "uuid", "text"):
        write(f"id-{ids}", table(50, 4, ids=ids), 4)
        write(f"id-{ids}-plain", table(50, 4, ids=ids), 4, use_dictionary=False)
    write("id-integer", table(50, 4, ids="integer").drop_columns(["external_id"]), 4, "oe")
    for unit, zone in (("ms", None), ("us", "UTC"), ("us", None), ("ns", "UTC"), ("int64", None)):
        name = f"time-{unit}-{'utc' if zone else 'local'}"
        write(name, table(30, 3, unit=unit, tz=zone), 3)
    write("time-int96", table(30, 3, unit="ns", tz=None), 3, use_deprecated_int96_timestamps=True)
    for kind in ("int32", "int64", "uint8", "uint64"):
        write(f"dimension-{kind}", table(20, 3, dimension=kind), 3)
    write("no-dimension", table(20, 3).drop_columns(["dimension"]), 3)
    write("no-nulls", table(20, 3, nulls=False), 3, "n")
    delta = {
        "document_id": "DELTA_BYTE_ARRAY", "external_id": "DELTA_BYTE_ARRAY",
        "dimension": "DELTA_BINARY_PACKED", "vector.list.element": "BYTE_STREAM_SPLIT",
        "metadata_json": "DELTA_LENGTH_BYTE_ARRAY", "inserted_at": "DELTA_BINARY_PACKED",
    }
    for ids in ("binary", "fixed"):
        for version in ("1.0", "2.0"):
            write(f"delta-{ids}-v{version[0]}", table(300, 4, ids=ids), 4, use_dictionary=False,
                  column_encoding=delta, data_page_version=version)
    split = {"document_id": "BYTE_STREAM_SPLIT", "dimension": "BYTE_STREAM_SPLIT",
             "vector.list.element": "BYTE_STREAM_SPLIT", "inserted_at": "BYTE_STREAM_SPLIT"}
    write("split", table(50, 4, ids="fixed"), 4, use_dictionary=False, column_encoding=split,
          compression="zstd")
    only = {"embedding": table(20, 3)["vector"]}
    write("only-vectors", pa.table(only), 3, "iemt")
    shuffled = table(20, 3).select(["inserted_at", "metadata_json", "vector", "dimension",
                                    "external_id", "document_id"])
    extra = shuffled.append_column("tags", pa.array([["a", "b"]] * 20))
    extra = extra.append_column("flag", pa.array([True, None] * 10))
    extra = extra.add_column(0, "nested", pa.array([{"x": 1, "y": {"z": "t"}}] * 20))
    extra = extra.append_column("map", pa.array([[("k", 1.5)]] * 20,
                                                pa.map_(pa.string(), pa.float32())))
    write("extra-columns", extra, 3)
    upper = table(20, 3).rename_columns(
        ["Document_ID", "EXTERNAL_ID", "Dimension", "Vector", "METADATA", "Inserted_At"])
    write("other-case", upper, 3)
    write("no-rows", table(0, 3), 0)


def duckdb_files():
    import duckdb

    folder = Folder("duckdb-" + duckdb.__version__)
    db = duckdb.connect()
    db.execute("set timezone='UTC'")

    def write(name, rows, k, options="", *, ids="uuid", vectors="list", time="timestamp",
              text="varchar", flags="-"):
        raw = [document_id(i) for i in range(rows)]
        db.execute("create or replace table source (row bigint, id uuid, e varchar, v float[], "
                   "m varchar, t bigint)")
        for i in range(rows):
            db.execute("insert into source values (?, ?, ?, ?, ?, ?)",
                       [i, str(uuid.UUID(bytes=raw[i])), external_id(i), vector(i, k), metadata(i),
                        micros(i)])
        id_text = {"uuid": "id", "blob": "unhex(replace(id::varchar, '-', ''))",
                   "text": "id::varchar"}[ids]
        v_text = {"list": "v", "array": f"v::float[{k}]", "double": "v::double[]"}[vectors]
        t_text = {"timestamp": "make_timestamp(t)", "ms": "make_timestamp(t)::timestamp_ms",
                  "ns": "make_timestamp(t)::timestamp_ns",
                  "tz": "make_timestamp(t)::timestamptz"}[time]
        path = folder.file(name, rows, k, flags)
        db.execute(f"copy (select {id_text} as document_id, e as external_id, {k}::uinteger as "
                   f"dimension, {v_text} as vector, m::{text} as metadata_json, {t_text} as "
                   f"inserted_at from source order by row) to '{path}' (format parquet {options})")

    write("default", 100, 4)
    for codec in ("uncompressed", "snappy", "gzip", "zstd", "lz4"):
        write(codec, 40, 8, f", compression {codec}")
        write(codec + "-v2", 40, 8, f", compression {codec}, parquet_version v2")
    write("array", 50, 5, vectors="array")
    write("double", 50, 5, vectors="double", flags="d")
    write("blob", 50, 5, ids="blob")
    write("text", 50, 5, ids="text", text="json")
    for time in ("ms", "ns", "tz"):
        write("time-" + time, 30, 3, time=time)
    for k in (1, 16, 100, 260):
        write(f"k{k}", 8, k)
    write("row-groups", 3000, 1, ", row_group_size 2048, compression zstd, parquet_version v2")


def polars_files():
    import polars as pl

    folder = Folder("polars-" + pl.__version__)

    def frame(rows, k, vectors="list", unit="ms", leaf=None, ids="binary"):
        raw = [document_id(i) for i in range(rows)]
        leaf = leaf or pl.Float32
        kind = pl.List(leaf) if vectors == "list" else pl.Array(leaf, k)
        scale = {"ms": 1000, "us": 1}.get(unit)
        times = [micros(i) * 1000 if scale is None else micros(i) // scale for i in range(rows)]
        return pl.DataFrame({
            "document_id": pl.Series(raw if ids == "binary" else
                                     [str(uuid.UUID(bytes=b)) for b in raw]),
            "external_id": [external_id(i) for i in range(rows)],
            "dimension": pl.Series([k] * rows, dtype=pl.UInt32),
            "vector": pl.Series([vector(i, k) for i in range(rows)], dtype=kind),
            "metadata_json": [metadata(i) for i in range(rows)],
            "inserted_at": pl.Series(times, dtype=pl.Int64).cast(pl.Datetime(unit)),
        })

    def write(name, data, k, flags="-", **options):
        data.write_parquet(folder.file(name, data.height, k, flags), **options)

    for codec in ("uncompressed", "snappy", "gzip", "zstd", "lz4"):
        write(codec, frame(40, 8), 8, compression=codec)
    write("array", frame(40, 8, vectors="array"), 8)
    write("text", frame(40, 8, ids="text"), 8)
    write("double", frame(40, 8, leaf=pl.Float64), 8, "d")
    write("us", frame(30, 3, unit="us"), 3)
    write("ns", frame(30, 3, unit="ns"), 3)
    write("small-pages", frame(200, 4), 4, data_page_size=128)
    write("row-groups", frame(100, 4), 4, row_group_size=30)
    for k in (1, 16, 100):
        write(f"k{k}", frame(20, k), k)


def arro3_files():
    import importlib.metadata

    import arro3.core
    import arro3.io
    import pyarrow as pa

    folder = Folder("arro3-" + importlib.metadata.version("arro3-io"))

    def table(rows, k, nullable=True, fixed=True):
        child = pa.field("item", pa.float32(), nullable)
        kind = pa.list_(child, k) if fixed else pa.list_(child)
        return pa.table({
            "document_id": pa.array([document_id(i) for i in range(rows)],
                                    pa.binary() if nullable else pa.binary(16)),
            "external_id": [external_id(i) for i in range(rows)],
            "dimension": pa.array([k] * rows, pa.uint32()),
            "vector": pa.array([vector(i, k) for i in range(rows)], kind),
            "metadata_json": [metadata(i) for i in range(rows)],
            "inserted_at": pa.array([micros(i) // 1000 for i in range(rows)],
                                    pa.timestamp("ms", "UTC")),
        })

    def write(name, data, k, flags="-", **options):
        arro3.io.write_parquet(arro3.core.Table.from_arrow(data),
                               folder.file(name, data.num_rows, k, flags), **options)

    for codec in ("uncompressed", "snappy", "gzip(6)", "zstd(1)", "lz4_raw"):
        for version in ("parquet_1_0", "parquet_2_0"):
            write(f"{codec.split('(')[0]}-{version[8]}", table(40, 8), 8, compression=codec,
                  writer_version=version)
    write("plain", table(40, 8), 8, dictionary_enabled=False)
    write("plain-2", table(40, 8), 8, dictionary_enabled=False, writer_version="parquet_2_0")
    write("required", table(40, 8, nullable=False), 8)
    write("list", table(40, 8, fixed=False), 8)
    write("small-pages", table(200, 4), 4, data_page_size_limit=64, write_batch_size=8)
    write("small-pages-2", table(200, 4), 4, data_page_size_limit=64, write_batch_size=8,
          writer_version="parquet_2_0")
    for k in (1, 16, 100):
        write(f"k{k}", table(20, k), k)


def clickhouse_files():
    import chdb

    version = str(chdb.query("select version()", "TabSeparated")).strip()
    folder = Folder("clickhouse-" + version)

    def write(name, rows, k, settings="", ids="FixedString(16)", time=3, leaf="Float32"):
        tail = "arrayStringConcat(arrayMap(j -> char(bitXor(17 * j, number % 256)), range(8)))"
        raw = (f"unhex(concat(leftPad(hex(toUInt64(number)), 16, '0'), hex({tail})))")
        id_text = {"FixedString(16)": f"toFixedString({raw}, 16)", "String": raw,
                   "UUID": "toUUID(concat(" + ", '-', ".join(
                       f"substring(lower(hex({raw})), {a}, {n})"
                       for a, n in ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))) + "))"}[ids]
        sql = (f"select {id_text} as document_id, "
               "if(number % 3 = 2, null, concat('ext-', toString(number))) as external_id, "
               f"toUInt32({k}) as dimension, "
               f"arrayMap(j -> to{leaf}((number * {k} + j) / 4 - 100), range({k})) as vector, "
               "if(number % 5 = 4, null, concat('{\"group\":', toString(number % 4), '}')) "
               "as metadata_json, "
               f"fromUnixTimestamp64Micro(toInt64(1700000000000000 + number * 61001000), 'UTC')"
               f"::DateTime64({time}, 'UTC') as inserted_at "
               f"from numbers({rows}) settings output_format_parquet_string_as_string=0 {settings}")
        if ids != "String":
            sql = sql.replace("string_as_string=0", "string_as_string=1")
        data = chdb.query(sql, "Parquet").bytes()
        with open(folder.file(name, rows, k, "d" if leaf == "Float64" else "-"), "wb") as file:
            file.write(data)

    for codec in ("none", "snappy", "gzip", "zstd", "lz4"):
        write(codec, 40, 8, f", output_format_parquet_compression_method='{codec}'")
    write("uuid", 40, 8, ids="UUID")
    write("string", 40, 8, ids="String")
    write("micros", 30, 3, time=6)
    write("nanos", 30, 3, time=9)
    write("double", 30, 3, leaf="Float64")
    write("small-pages", 100, 4, ", output_format_parquet_data_page_size=200, "
          "output_format_parquet_batch_size=16")
    for k in (1, 16, 100):
        write(f"k{k}", 20, k)


def spark_files():
    import shutil
    import pyspark
    from pyspark.sql import SparkSession, types as T

    folder = Folder("spark-" + pyspark.__version__)
    spark = (SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
             .config("spark.sql.session.timeZone", "UTC").getOrCreate())
    utc = datetime.timezone.utc

    def write(name, rows, k, flags="-", nullable=True, double=False, ids="binary", **options):
        leaf = T.DoubleType() if double else T.FloatType()
        schema = T.StructType([
            T.StructField("document_id", T.BinaryType() if ids == "binary" else T.StringType()),
            T.StructField("external_id", T.StringType()),
            T.StructField("dimension", T.IntegerType()),
            T.StructField("vector", T.ArrayType(leaf, nullable), nullable),
            T.StructField("metadata_json", T.StringType()),
            T.StructField("inserted_at", T.TimestampType()),
        ])
        epoch = datetime.datetime(1970, 1, 1, tzinfo=utc)
        data = [(document_id(i) if ids == "binary" else str(uuid.UUID(bytes=document_id(i))),
                 external_id(i), k, vector(i, k), metadata(i),
                 epoch + datetime.timedelta(microseconds=micros(i))) for i in range(rows)]
        legacy = options.pop("legacy", "false")
        times = options.pop("times", "TIMESTAMP_MICROS")
        spark.conf.set("spark.sql.parquet.writeLegacyFormat", legacy)
        spark.conf.set("spark.sql.parquet.outputTimestampType", times)
        path = folder.file(name, rows, k, flags)
        out = path + ".folder"
        writer = spark.createDataFrame(data, schema).coalesce(1).write.mode("overwrite")
        for key, value in options.items():
            writer = writer.option(key.replace("__", "."), value)
        writer.parquet(out)
        part = next(pathlib.Path(out).glob("part-*.parquet"))
        shutil.move(part, path)
        shutil.rmtree(out)

    for codec in ("none", "snappy", "gzip", "zstd", "lz4_raw"):
        write(codec, 40, 8, compression=codec)
    write("legacy", 40, 8, legacy="true")
    write("required", 40, 8, nullable=False)
    write("double", 30, 3, "d", double=True)
    write("text", 30, 3, ids="text")
    write("int96", 30, 3, times="INT96")
    write("millis", 30, 3, times="TIMESTAMP_MILLIS")
    write("v2", 200, 4, parquet__writer__version="PARQUET_2_0")
    write("v2-plain", 200, 4, parquet__writer__version="PARQUET_2_0",
          parquet__enable__dictionary="false")
    write("small-pages", 400, 4, parquet__page__size="64", parquet__block__size="65536",
          **{"parquet__page__row__count__limit": "20"})
    spark.stop()


SPECIAL_ROWS, SPECIAL_K = 20, 6


def special_table(vectors="fixed", ids="fixed", unit="us", nullable=True):
    """Minus zero, a subnormal, infinity and the lowest float; a time before 1970; an empty text and
    one that is not ASCII. golden_test.c makes the same by the same rules."""
    import numpy as np
    import pyarrow as pa

    values = np.array([[(i * 7 + j * 3 - 50) / 8 for j in range(SPECIAL_K)]
                       for i in range(SPECIAL_ROWS)], dtype=np.float32)
    for row, column, bits in ((3, 2, 0x80000000), (4, 1, 0x00000001), (5, 0, 0x7F800000),
                              (6, 5, 0xFF7FFFFF)):
        values[row, column] = struct.unpack("<f", struct.pack("<I", bits))[0]
    flat = pa.array(values.reshape(-1))
    if vectors == "fixed":
        field = pa.field("item", pa.float32(), nullable=nullable)
        column = pa.FixedSizeListArray.from_arrays(flat, type=pa.list_(field, SPECIAL_K))
    else:
        ends = pa.array(range(0, SPECIAL_ROWS * SPECIAL_K + 1, SPECIAL_K), pa.int32())
        column = pa.ListArray.from_arrays(ends, flat)
    raw = [bytes((i * 16 + b * 7 + 1) & 255 for b in range(16)) for i in range(SPECIAL_ROWS)]
    times = [-1000 if i == 0 else 1_700_000_000_000_000 + i * 1_001_000
             for i in range(SPECIAL_ROWS)]
    return pa.table({
        "document_id": {
            "fixed": lambda: pa.array(raw, pa.binary(16)),
            "uuid": lambda: pa.array(raw, pa.binary(16)).cast(pa.uuid()),
            "text": lambda: pa.array([str(uuid.UUID(bytes=b)) for b in raw]),
        }[ids](),
        "external_id": pa.array([None if i % 4 == 1 else "" if i == 6 else f"doc-{i}-\u00fc"
                                 for i in range(SPECIAL_ROWS)], pa.string()),
        "vector": column,
        "metadata_json": pa.array([None if i % 5 == 3 else f'{{"n":{i}}}'
                                   for i in range(SPECIAL_ROWS)], pa.string()),
        "inserted_at": pa.array(times, pa.int64()).cast(pa.timestamp("us", "UTC"))
        .cast(pa.timestamp(unit, "UTC")),
    })


def special_file(name):
    return Folder("special").file(name, SPECIAL_ROWS, SPECIAL_K, "s")


def special_by_pyarrow():
    import pyarrow.parquet as pq

    def write(name, data=None, **options):
        pq.write_table(data or special_table(), special_file("pyarrow-" + name), **options)

    for codec in ("none", "snappy", "gzip", "zstd", "lz4"):
        write(codec, compression=codec)
    write("v2-pages", data_page_version="2.0")
    write("required", special_table(nullable=False))
    write("list", special_table("list"), store_schema=False)
    write("element-named-item", special_table("list"), use_compliant_nested_type=False)
    write("uuid", special_table(ids="uuid"))
    write("text-ids", special_table(ids="text"))
    write("int96", use_deprecated_int96_timestamps=True)
    write("nanos", special_table(unit="ns"))
    write("millis-checksums", special_table(unit="ms"), write_page_checksum=True)
    write("small-pages", data_page_size=64, write_batch_size=2, dictionary_pagesize_limit=32)
    write("row-groups", row_group_size=7)
    write("byte-stream-split", use_dictionary=False,
          column_encoding={"vector.list.element": "BYTE_STREAM_SPLIT"})
    write("delta", use_dictionary=False,
          column_encoding={"external_id": "DELTA_BYTE_ARRAY",
                           "metadata_json": "DELTA_LENGTH_BYTE_ARRAY",
                           "inserted_at": "DELTA_BINARY_PACKED"})


def special_by_duckdb():
    import duckdb

    source = special_table("list")  # noqa: F841 (the queries read it)
    for name, kind, options in (("list", "FLOAT[]", ""), ("array", f"FLOAT[{SPECIAL_K}]", ""),
                                ("v2", "FLOAT[]", ", parquet_version v2"),
                                ("zstd", "FLOAT[]", ", compression zstd")):
        duckdb.sql("copy (select hex(document_id)::uuid as document_id, external_id, "
                   f"vector::{kind} as vector, metadata_json, inserted_at from source) "
                   f"to '{special_file('duckdb-' + name)}' (format parquet{options})")


def special_by_polars():
    import polars as pl

    for name, vectors in (("array", "fixed"), ("list", "list")):
        pl.from_arrow(special_table(vectors)).write_parquet(special_file("polars-" + name))


def special_by_arro3():
    import arro3.core
    import arro3.io

    for name, options in (("defaults", {}), ("v2", {"writer_version": "parquet_2_0"}),
                          ("v2-plain", {"writer_version": "parquet_2_0",
                                        "dictionary_enabled": False}),
                          ("zstd", {"compression": "zstd(1)"})):
        arro3.io.write_parquet(arro3.core.Table.from_arrow(special_table()),
                               special_file("arro3-" + name), **options)


def special_by_spark(spark):
    import shutil
    import tempfile

    import pyarrow.parquet as pq

    with tempfile.TemporaryDirectory() as work:
        source = f"{work}/source.parquet"
        pq.write_table(special_table("list"), source)
        for name, options in (("defaults", {}), ("v2", {"parquet.writer.version": "v2"}),
                              ("legacy", {"spark.sql.parquet.writeLegacyFormat": "true"}),
                              ("micros", {"spark.sql.parquet.outputTimestampType":
                                          "TIMESTAMP_MICROS"})):
            writer = spark.read.parquet(source).coalesce(1).write
            for key, value in options.items():
                spark.conf.set(key, value)
                writer = writer.option(key, value)
            writer.parquet(f"{work}/{name}")
            for key in options:
                spark.conf.unset(key)
            part = next(pathlib.Path(f"{work}/{name}").glob("part-*.parquet"))
            shutil.copyfile(part, special_file("spark-" + name))


def special_files():
    from pyspark.sql import SparkSession

    special_by_pyarrow()
    special_by_duckdb()
    special_by_polars()
    special_by_arro3()
    spark = (SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
             .getOrCreate())
    special_by_spark(spark)
    spark.stop()


ENGINES = {
    "pyarrow": pyarrow_files, "duckdb": duckdb_files, "polars": polars_files,
    "arro3": arro3_files, "clickhouse": clickhouse_files, "spark": spark_files,
    "special": special_files,
}


def main():
    chosen = sys.argv[1:] or list(ENGINES)
    for name in chosen:
        ENGINES[name]()
    list_path = HERE / "files.txt"
    written = {line.split()[0]: line for line in ENTRIES}
    kept = {}
    if list_path.exists():
        for line in list_path.read_text().splitlines():
            kept[line.split()[0]] = line
    kept.update(written)
    list_path.write_text("".join(kept[path] + "\n" for path in sorted(kept)))
    for path in sorted(written):
        size = (HERE / path).stat().st_size
        if size > 30000:
            print(f"{path}: {size} bytes", file=sys.stderr)
    print(f"{len(written)} files written, {len(kept)} in files.txt")


main()
