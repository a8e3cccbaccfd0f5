"""peers.py ENGINE create|restore DATA FILE MEMORY: what akidb_bench does, by another engine.

ENGINE is a name of `ENGINES`, with "/zstd" behind it when the file is to be compressed. DATA is a
folder that `akidb_bench data` has made, MEMORY the --memory of akidb_bench. Prints one JSON object
with the fields that akidb_bench prints. The number of threads is what the process may use: the
caller binds it to processors.
"""

import ctypes
import json
import mmap
import os
import pathlib
import resource
import shutil
import sys
import time

import numpy as np

ZSTD_LEVEL = 3

# Rows of a row group, where an engine can be told: its unit of parallel work. With its own default
# of 122,880 DuckDB has one for 100,000 rows, works with one thread and takes twice as long; Polars
# takes half as long again.
ROW_GROUP = 10240


def load(folder):
    """The documents as arrays: what a program has in memory before it asks an engine to write."""
    rows, dimension = map(int, (folder / "shape").read_text().split())

    def texts(name):
        offsets = np.fromfile(folder / f"{name}.offsets", np.int64)
        return offsets, np.fromfile(folder / f"{name}.bytes", np.uint8)

    return {
        "rows": rows,
        "dimension": dimension,
        "vectors": np.fromfile(folder / "vectors", np.float32),
        "ids": np.fromfile(folder / "ids", np.uint8),
        "times": np.fromfile(folder / "times", np.int64),
        "external": texts("external"),
        "metadata": texts("metadata"),
    }


def arrow_table(data):
    """A view of the arrays; nothing is copied."""
    import pyarrow as pa

    rows = data["rows"]

    def texts(name):
        offsets, text = data[name]
        return pa.LargeStringArray.from_buffers(rows, pa.py_buffer(offsets), pa.py_buffer(text))

    ids = pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(16), rows, [None, pa.py_buffer(data["ids"])]
    )
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(data["vectors"]), data["dimension"])
    times = pa.array(data["times"]).cast(pa.timestamp("us", "UTC"))
    return pa.table(
        {
            "document_id": ids,
            "external_id": texts("external"),
            "vector": vectors,
            "metadata_json": texts("metadata"),
            "inserted_at": times,
        }
    )


def same_documents(table, data):
    """Whether an Arrow table has the documents of the data, whatever its types are called."""
    wanted = arrow_table(data)
    for name in wanted.column_names:
        if name != "vector" and name in table.column_names:
            if not table.column(name).cast(wanted.schema.field(name).type).equals(wanted[name]):
                return False
    at = 0
    for chunk in table.column("vector").chunks:
        floats = chunk.flatten().to_numpy(zero_copy_only=True)
        if not np.array_equal(floats, data["vectors"][at : at + len(floats)]):
            return False
        at += len(floats)
    return at == len(data["vectors"])


class Pyarrow:
    """Page checksums are written and checked."""

    name = "pyarrow"

    def __init__(self):
        import pyarrow.parquet

        self.parquet = pyarrow.parquet

    def create(self, table, path, zstd):
        options = {"compression": "none"}
        if zstd:
            options = {
                "compression": "zstd",
                "compression_level": ZSTD_LEVEL,
                "use_byte_stream_split": ["vector.list.element"],
            }
        self.parquet.write_table(
            table,
            path,
            use_dictionary=False,
            write_page_checksum=True,
            row_group_size=ROW_GROUP,
            write_statistics=False,
            **options,
        )

    def restore(self, path):
        return self.parquet.read_table(path, page_checksum_verification=True)


class ParquetRs:
    """The Rust implementation, by arro3. It has no page checksums."""

    name = "parquet-rs"

    def __init__(self):
        import arro3.io

        self.io = arro3.io

    def create(self, table, path, zstd):
        options = {"compression": "uncompressed"}
        if zstd:
            options = {
                "compression": f"zstd({ZSTD_LEVEL})",
                "column_encoding": {("vector", "list", "item"): "byte_stream_split"},
            }
        self.io.write_parquet(
            table, str(path), dictionary_enabled=False, max_row_group_size=ROW_GROUP, **options
        )

    def restore(self, path):
        import pyarrow

        return pyarrow.table(self.io.read_parquet(str(path)).read_all())


class DuckDB:
    """It writes no page checksums."""

    name = "DuckDB"

    def __init__(self):
        import duckdb

        self.connection = duckdb.connect()
        self.connection.execute(f"SET threads = {len(os.sched_getaffinity(0))}")

    def create(self, table, path, zstd):
        options = "compression uncompressed"
        if zstd:  # floats are split in files of version 2
            options = f"compression zstd, compression_level {ZSTD_LEVEL}, parquet_version v2"
        self.connection.register("documents", table)
        self.connection.execute(
            f"COPY documents TO '{path}' (format parquet, row_group_size {ROW_GROUP}, {options})"
        )

    def restore(self, path):
        return self.connection.sql(f"SELECT * FROM read_parquet('{path}')").to_arrow_table()


class Polars:
    """It writes no page checksums."""

    name = "Polars"

    def __init__(self):
        os.environ["POLARS_MAX_THREADS"] = str(len(os.sched_getaffinity(0)))
        import polars

        self.polars = polars

    def create(self, table, path, zstd):
        options = {"compression": "uncompressed"}
        if zstd:
            options = {"compression": "zstd", "compression_level": ZSTD_LEVEL}
        self.polars.from_arrow(table).write_parquet(
            path, statistics=False, row_group_size=ROW_GROUP, **options
        )

    def restore(self, path):
        return self.polars.read_parquet(path).to_arrow()


class Lance:
    """Its own format, not Parquet, without checksums."""

    name = "Lance"

    def __init__(self):
        import lance

        self.lance = lance

    def create(self, table, path, zstd):
        assert not zstd, "Lance chooses its own compression"
        self.lance.write_dataset(table, str(path), mode="overwrite")

    def restore(self, path):
        return self.lance.dataset(str(path)).to_table()


class Orjson:
    """JSON text of the same documents as our JSON snapshots have. What it is given is Python's own:
    a list of dicts, each vector a row of a NumPy array, which is what it writes fastest. They are
    made before the clock starts, and what it reads stays as it comes, dicts and lists of Python."""

    name = "orjson"

    def __init__(self):
        import orjson

        self.orjson = orjson

    def prepare(self, table):
        import uuid

        vectors = table.column("vector").combine_chunks().flatten().to_numpy()
        vectors = vectors.reshape(table.num_rows, -1)
        rest = table.drop_columns(["vector"]).to_pylist()
        return [
            {
                "doc_id": str(uuid.UUID(bytes=row["document_id"])),
                "external_id": row["external_id"],
                "vector": vector,
                "metadata": self.orjson.Fragment(row["metadata_json"]),
                "inserted_at": row["inserted_at"],
            }
            for row, vector in zip(rest, vectors)
        ]

    def create(self, documents, path, zstd):
        assert not zstd, "JSON is written as it is"
        options = self.orjson.OPT_SERIALIZE_NUMPY | self.orjson.OPT_UTC_Z
        path.write_bytes(self.orjson.dumps(documents, option=options))

    def restore(self, path):
        return self.orjson.loads(path.read_bytes())

    def table(self, documents):
        import pyarrow as pa

        vectors = np.array([document["vector"] for document in documents], np.float32)
        column = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), vectors.shape[1])
        names = pa.array([document["external_id"] for document in documents])
        return pa.table({"vector": column, "external_id": names})


ENGINES = {engine.name: engine for engine in (Pyarrow, ParquetRs, DuckDB, Polars, Lance, Orjson)}


def memory_of(name):
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) * 1024
    return 0


def cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def files_of(path):
    return [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]


def make_durable(path):
    """What the engines leave to their callers."""
    folders = {file.parent for file in files_of(path)} | {path.parent}
    for name in [*files_of(path), *folders]:
        handle = os.open(name, os.O_RDONLY)
        os.fsync(handle)
        os.close(handle)


def have_memory(size):
    """Free memory that the kernel hands to the work first: see bench_begin in bench.h."""
    with mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as memory:
        memory.madvise(mmap.MADV_HUGEPAGE)
        view = (ctypes.c_char * size).from_buffer(memory)
        ctypes.memset(ctypes.addressof(view), 1, size)
        del view  # or the mapping could not be closed


def measure(work, memory):
    """The cost of work(), and what it returned."""
    have_memory(memory)
    pathlib.Path("/proc/self/clear_refs").write_text("5")  # the peak is forgotten: proc(5)
    resident, cpu, start = memory_of("VmRSS"), cpu_seconds(), time.monotonic()
    result = work()
    cost = {"seconds": time.monotonic() - start, "cpu_seconds": cpu_seconds() - cpu}
    cost["peak_bytes"] = max(0, memory_of("VmHWM") - resident)
    return cost, result


def warm_up(engine, path, zstd):
    """Whatever an engine does at its first call only, on a few rows; the file does not stay."""
    rows = 64
    offsets = np.arange(rows + 1, dtype=np.int64)
    text = np.full(rows, ord("1"), np.uint8)  # as metadata it is JSON
    table = arrow_table(
        {
            "rows": rows,
            "dimension": 8,
            "vectors": np.zeros(rows * 8, np.float32),
            "ids": np.zeros(rows * 16, np.uint8),
            "times": np.zeros(rows, np.int64),
            "external": (offsets, text),
            "metadata": (offsets, text),
        }
    )
    engine.create(engine.prepare(table) if hasattr(engine, "prepare") else table, path, zstd)
    engine.restore(path)
    shutil.rmtree(path) if path.is_dir() else path.unlink()


def main():
    name, what = sys.argv[1:3]
    folder, path = map(pathlib.Path, sys.argv[3:5])
    memory = int(sys.argv[5])
    name, _, codec = name.partition("/")
    zstd = codec == "zstd"
    engine = ENGINES[name]()
    warm_up(engine, path.with_name("warm-up-" + path.name), zstd)
    if what == "create":
        data = load(folder)
        ready = engine.prepare(arrow_table(data)) if hasattr(engine, "prepare") else None

        def create():
            engine.create(arrow_table(data) if ready is None else ready, path, zstd)
            make_durable(path)

        cost, _ = measure(create, memory)
    else:
        cost, restored = measure(lambda: engine.restore(path), memory)
        table = engine.table(restored) if hasattr(engine, "table") else restored
        data = load(folder)
        if not same_documents(table, data):
            sys.exit(f"{name}: the documents differ from those that were written")
    cost["bytes"] = sum(file.stat().st_size for file in files_of(path))
    cost["rows"] = data["rows"]
    print(json.dumps(cost))


main()
