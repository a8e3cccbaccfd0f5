"""The documents that every test of this folder writes and expects back, and how they are compared.

A `Documents` holds columns: 16-byte ids, external ids, float32 vectors, metadata as JSON text,
times in microseconds. Vectors are compared bit by bit, metadata as JSON values.
"""

import dataclasses
import datetime
import hashlib
import json
import uuid

import numpy as np

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
FIRST_TIME = 1_700_000_000_000_000  # 2023-11-14T22:13:20Z


@dataclasses.dataclass
class Documents:
    ids: list
    external_ids: list
    vectors: np.ndarray
    metadata: list
    times: list

    def __len__(self):
        return len(self.ids)


def make(rows, dimension, step=1000, special=True):
    """Random documents from a fixed seed. `step` is the distance of times in microseconds;
    `special` puts in floats that a careless copy would change."""
    random = np.random.default_rng(rows * 65537 + dimension)
    vectors = random.standard_normal((rows, dimension)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    if special:
        bits = vectors.view(np.uint32)
        values = [0x80000000, 0x00000001, 0x007FFFFF, 0x7F7FFFFF, 0x00800000]
        for i, value in enumerate(values):
            bits[i % rows, (3 * i) % dimension] = value
    ids = [hashlib.md5(b"%d" % i).digest() for i in range(rows)]
    external_ids = [
        None if i % 7 == 3 else "" if i % 11 == 5 else f"doc-{i}-ä€𝄞" for i in range(rows)
    ]
    metadata = [
        (
            None
            if i % 5 == 2
            else json.dumps({"n": i, "tags": ["a", f"t{i % 13}"], "deep": {"x": i / 8}})
        )
        for i in range(rows)
    ]
    times = [FIRST_TIME - (rows // 2) * step + i * step for i in range(rows)]
    return Documents(ids, external_ids, vectors, metadata, times)


def make_hostile_bits(rows, dimension):
    """Vectors of arbitrary bits: NaNs with payloads, infinities, subnormals."""
    random = np.random.default_rng(99)
    bits = random.integers(0, 2**32, (rows, dimension), dtype=np.uint32)
    bits[:, 0] = 0x7F800000  # infinity
    bits[:, 1] = 0x7FC12345  # a quiet NaN with a payload
    return bits.view(np.float32)


def to_jsonl(documents, path):
    with open(path, "w", encoding="utf-8") as out:
        for i in range(len(documents)):
            line = {
                "doc_id": str(uuid.UUID(bytes=documents.ids[i])),
                "external_id": documents.external_ids[i],
                "vector": [float(x) for x in documents.vectors[i]],
                "metadata": (
                    None if documents.metadata[i] is None else json.loads(documents.metadata[i])
                ),
                "inserted_at": time_text(documents.times[i]),
            }
            out.write(json.dumps(line) + "\n")


def from_jsonl(path):
    with open(path, encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return Documents(
        [uuid.UUID(row["doc_id"]).bytes for row in rows],
        [row["external_id"] for row in rows],
        np.array([row["vector"] for row in rows], dtype=np.float32),
        [None if row["metadata"] is None else json.dumps(row["metadata"]) for row in rows],
        [time_of_text(row["inserted_at"]) for row in rows],
    )


def time_text(microseconds):
    return (EPOCH + datetime.timedelta(microseconds=microseconds)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def time_of_text(text):
    time = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return (time - EPOCH) // datetime.timedelta(microseconds=1)


def assert_same(found, expected, in_any_order=False):
    """Fails unless both hold the same documents."""
    assert len(found) == len(expected)
    order = range(len(found))
    if in_any_order:
        place = {key: i for i, key in enumerate(found.ids)}
        order = [place[key] for key in expected.ids]
    assert [found.ids[i] for i in order] == expected.ids
    assert [found.external_ids[i] for i in order] == expected.external_ids
    vectors = np.ascontiguousarray(found.vectors[list(order)])
    assert vectors.dtype == np.float32
    assert vectors.shape == expected.vectors.shape
    assert (vectors.view(np.uint32) == expected.vectors.view(np.uint32)).all()

    def parsed(texts):
        return [None if text is None else json.loads(text) for text in texts]

    assert parsed([found.metadata[i] for i in order]) == parsed(expected.metadata)
    assert [found.times[i] for i in order] == expected.times
