"""How each engine reads a snapshot's files into sample.Documents, asserting the types it sees."""

import arro3.io
import duckdb
import numpy as np
import polars
import pyarrow as pa
import pyarrow.parquet as pq

from sample import Documents


def from_arrow(table, dimension):
    """Arrow tables of pyarrow and arro3: the vector must be a FixedSizeList of the dimension."""
    vector = table.schema.field("vector").type
    assert pa.types.is_fixed_size_list(vector), vector
    assert vector.list_size == dimension
    assert vector.value_type == pa.float32()
    assert pa.types.is_timestamp(table.schema.field("inserted_at").type)
    assert table.schema.field("inserted_at").type.tz == "UTC"
    assert table.schema.field("dimension").type == pa.uint32()
    assert table.schema.field("external_id").type in (pa.string(), pa.large_string())
    assert set(table["dimension"].to_pylist()) == {dimension}
    flat = np.concatenate([np.asarray(chunk.flatten()) for chunk in table["vector"].chunks])
    return Documents(
        table["document_id"].to_pylist(),
        table["external_id"].to_pylist(),
        flat.reshape(-1, dimension),
        table["metadata_json"].to_pylist(),
        table["inserted_at"].cast(pa.timestamp("us", "UTC")).cast(pa.int64()).to_pylist(),
    )


def pyarrow_read(files, path, dimension):
    table = pa.concat_tables([pq.read_table(f, page_checksum_verification=True) for f in files])
    assert pq.read_table(path).num_rows == table.num_rows  # a folder reads as one dataset
    return from_arrow(table, dimension)


def arro3_read(files, path, dimension):
    tables = [pa.table(arro3.io.read_parquet(f).read_all()) for f in files]
    return from_arrow(pa.concat_tables(tables), dimension)


def duckdb_read(files, path, dimension):
    source = path + "*.parquet" if path.endswith("/") else path
    duckdb.sql("set preserve_insertion_order = true")
    relation = duckdb.sql(
        "select document_id, external_id, dimension, vector, metadata_json, inserted_at,"
        f" epoch_us(inserted_at) as us from read_parquet('{source}')"
    )
    types = {name: str(kind) for name, kind in zip(relation.columns, relation.types)}
    assert types["document_id"] == "BLOB"
    assert types["external_id"] == "VARCHAR"
    assert types["dimension"] == "UINTEGER"
    assert types["vector"] in ("FLOAT[]", f"FLOAT[{dimension}]")
    assert types["inserted_at"] == "TIMESTAMP WITH TIME ZONE"
    table = relation.project("document_id, external_id, vector, metadata_json, us").to_arrow_table()
    vectors = table["vector"].combine_chunks()
    lengths = np.diff(np.asarray(vectors.offsets)) if hasattr(vectors, "offsets") else None
    assert lengths is None or (lengths == dimension).all()
    return Documents(
        table["document_id"].to_pylist(),
        table["external_id"].to_pylist(),
        np.asarray(vectors.flatten()).reshape(-1, dimension),
        table["metadata_json"].to_pylist(),
        table["us"].to_pylist(),
    )


def polars_read(files, path, dimension):
    frame = polars.read_parquet(path + "*.parquet" if path.endswith("/") else path)
    return from_polars(frame, dimension)


def from_polars(frame, dimension):
    schema = frame.schema
    assert schema["document_id"] == polars.Binary
    assert schema["external_id"] == polars.String
    assert schema["dimension"] == polars.UInt32
    assert schema["vector"] == polars.Array(polars.Float32, dimension)
    assert schema["metadata_json"] == polars.String
    assert isinstance(schema["inserted_at"], polars.Datetime)
    assert schema["inserted_at"].time_zone == "UTC"
    return Documents(
        frame["document_id"].to_list(),
        frame["external_id"].to_list(),
        frame["vector"].to_numpy().reshape(-1, dimension),
        frame["metadata_json"].to_list(),
        frame["inserted_at"].dt.epoch("us").to_list(),
    )


def spark_read(spark, path, dimension):
    frame = spark.read.parquet(path)
    types = dict(frame.dtypes)
    assert types["document_id"] == "binary"
    assert types["external_id"] == "string"
    assert types["dimension"] == "bigint"
    assert types["vector"] == "array<float>"
    assert types["inserted_at"] == "timestamp"
    rows = frame.selectExpr(
        "document_id", "external_id", "vector", "metadata_json", "unix_micros(inserted_at) as us"
    ).collect()
    return Documents(
        [bytes(row.document_id) for row in rows],
        [row.external_id for row in rows],
        np.array([row.vector for row in rows], dtype=np.float32),
        [row.metadata_json for row in rows],
        [row.us for row in rows],
    )


READERS = {
    "pyarrow": pyarrow_read,
    "arro3": arro3_read,
    "duckdb": duckdb_read,
    "polars": polars_read,
}
