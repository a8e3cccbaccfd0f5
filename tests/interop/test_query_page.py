"""The statements of docs/query.md, run as they stand there, on a local store."""

import json
import os
import re

import duckdb
import pytest

from conftest import Store

HERE = os.path.dirname(os.path.abspath(__file__))
ROWS = 20


@pytest.fixture(scope="module")
def snapshots(tmp_path_factory):
    """The store's folder, and the ids that the page leaves open: of a file and of a folder."""
    store = Store(tmp_path_factory.mktemp("page"))
    source = os.path.join(store.folder, "documents.jsonl")
    with open(source, "w", encoding="ascii") as out:
        for i in range(ROWS):
            name = "illness" if i == 7 else f"word-{i}"
            line = {
                "external_id": name,
                "vector": [i + 1.0, 2.0, -1.0],
                "metadata": {"title": f"Of {name}"},
            }
            out.write(json.dumps(line) + "\n")
    file = store.create("--layout", "file", source)
    folder = store.create("--layout", "folder", "--part-rows", "8", source)
    collection = os.path.basename(os.path.dirname(store.parts(file)[1]))
    return store.path, collection, file, folder


def blocks(heading, language):
    """The code below a heading of the page."""
    with open(os.path.join(HERE, "../../docs/query.md"), encoding="utf-8") as page:
        section = page.read().split(f"\n## {heading}\n")[1].split("\n## ")[0]
    found = re.findall(rf"```{language}\n(.*?)```", section, re.DOTALL)
    assert found
    return found


def filled_in(code, snapshots):
    _, collection, file, folder = snapshots
    code = re.sub(r"s3a?://bucket/prefix/", "", code).replace("COLLECTION", collection)
    return code.replace("SNAPSHOT/", folder + "/").replace("SNAPSHOT.", file + ".")


def of_a_server(code):
    """Code with a server's address, which test_from_s3.py runs the like of."""
    return "127.0.0.1:9000" in code


def test_of_duckdb(snapshots, monkeypatch):
    monkeypatch.chdir(snapshots[0])
    connection = duckdb.connect()
    statements = [
        statement
        for code in blocks("DuckDB", "sql")
        if not of_a_server(code)
        for statement in connection.extract_statements(filled_in(code, snapshots))
    ]
    some, nearest, ids = [connection.sql(s.query).to_arrow_table() for s in statements]
    assert some["title"].to_pylist()[3] == "Of word-3"
    assert nearest["external_id"].to_pylist()[0] == "illness"
    assert nearest["similarity"].to_pylist()[0] == pytest.approx(1)
    assert re.fullmatch("[0-9a-f]{32}", ids.column(0).to_pylist()[0])


def test_of_python(snapshots, monkeypatch):
    monkeypatch.chdir(snapshots[0])
    names = {}
    for code in blocks("Python: pyarrow, Polars", "python"):
        if of_a_server(code):
            compile(code, "query.md", "exec")
            continue
        exec(filled_in(code, snapshots), names)  # our own page
        assert names["table"].num_rows == ROWS
        assert names["frame"].shape == (ROWS, 6)
    assert names["matrix"].shape == (ROWS, 3)


def test_of_spark(snapshots, spark, monkeypatch, capfd):
    (code,) = blocks("Spark", "python")
    code = filled_in(code, snapshots).replace('("snapshots', f'("{snapshots[0]}/snapshots')
    exec(code, {"spark": spark})
    assert "Of word-3" in capfd.readouterr().out
