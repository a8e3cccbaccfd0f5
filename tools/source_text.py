"""What check_layers, tidy and check_symbols share: finding sources, and C without its comments."""

import os
import re

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FOLDERS = ("src", "include", "cli", "tests", "fuzz", "bench", "examples", "tools", "cmake", "docs")
DATA = ("tests/golden", "tests/data", "fuzz/corpus", "examples/data")

_TOKEN = re.compile(r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.DOTALL)


def files(suffixes, folders=FOLDERS):
    """Paths under the project's folders that end so, relative to its root, sorted."""
    found = []
    for folder in folders:
        for place, folders_here, names in os.walk(os.path.join(ROOT, folder)):
            relative = os.path.relpath(place, ROOT)
            if relative.startswith(DATA):
                folders_here[:] = []
                continue
            folders_here[:] = [f for f in folders_here if f != "__pycache__"]
            found += [os.path.join(relative, n) for n in names if n.endswith(suffixes)]
    return sorted(found)


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8", newline="") as file:
        return file.read()


def without_comments(text, keep_strings=False):
    """C with comments, and strings unless kept, blanked out; lines and columns stay."""

    def blank(match):
        token = match.group()
        if token.startswith("/") or not keep_strings:
            return re.sub(r"[^\n]", " ", token)
        return token

    return _TOKEN.sub(blank, text)
