"""duckdb_from_s3.py URI OUT: copies what DuckDB reads from an S3 server to a local Parquet file.

Runs in a process of its own: PyPI has the extension for S3 (duckdb_s3.txt) only for another DuckDB
than the one in requirements.txt. The server and its keys are in the environment, as for akidb.
"""

import os
import sys
import urllib.parse

import duckdb
from duckdb_extensions import import_extension


def main(uri, out):
    url = urllib.parse.urlsplit(os.environ["AWS_ENDPOINT_URL"])
    import_extension("httpfs")
    duckdb.sql("LOAD httpfs")
    duckdb.sql(
        f"CREATE SECRET (TYPE s3, KEY_ID '{os.environ['AWS_ACCESS_KEY_ID']}',"
        f" SECRET '{os.environ['AWS_SECRET_ACCESS_KEY']}', REGION '{os.environ['AWS_REGION']}',"
        f" ENDPOINT '{url.netloc}', URL_STYLE 'path', USE_SSL {url.scheme == 'https'})"
    )
    duckdb.sql("set preserve_insertion_order = true")
    duckdb.sql(
        "COPY (SELECT document_id, external_id, vector, metadata_json,"
        f" epoch_us(inserted_at) AS us FROM read_parquet('{uri}')) TO '{out}'"
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
