"""Every engine reads what each profile writes, for vectors that make it choose differently."""

import os

import numpy as np
import pytest

import engines
import sample
from conftest import Store

ROWS, DIMENSION = 1000, 96
PROFILES = ("fast", "compatible", "balanced", "small")
SPREAD = sample.make(ROWS, DIMENSION)
REPEATED = sample.Documents(
    SPREAD.ids,
    SPREAD.external_ids,
    np.ascontiguousarray(SPREAD.vectors[np.arange(ROWS) * 7 % 16]),
    SPREAD.metadata,
    SPREAD.times,
)
DATA = {"spread": SPREAD, "repeated": REPEATED}


@pytest.fixture(scope="module")
def snapshots(tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("profiles"))
    made = {}
    for name, documents in DATA.items():
        source = os.path.join(store.folder, f"{name}.jsonl")
        sample.to_jsonl(documents, source)
        for profile in PROFILES:
            made[profile, name] = store.parts(store.create("--profile", profile, source))
    return made


@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("engine", engines.READERS)
def test_an_engine_reads_equal_values(snapshots, engine, profile, name):
    files, path = snapshots[profile, name]
    sample.assert_same(engines.READERS[engine](files, path, DIMENSION), DATA[name])
