#!/usr/bin/env python3
"""report.py RESULTS PAGE: puts the tables of a run into a page of the documentation.

RESULTS is the bench.jsonl of bench.py. What stands in PAGE between the lines BEGIN and END is
replaced; the words around the tables are written by hand.
"""

import json
import pathlib
import sys

BEGIN = "<!-- begin: bench/report.py -->\n"
END = "<!-- end: bench/report.py -->\n"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def shape(size):
    rows, dimension = map(int, size.split("x"))
    return f"{rows:,} × {dimension}", rows * dimension * 4 / 1e6


def groups(lines, section):
    """The lines of a section by size and processors, in the order in which they were measured."""
    found = {}
    for line in lines:
        if line["section"] == section:
            found.setdefault((line["size"], line["threads"]), []).append(line)
    return found


def processors(count):
    return "1 processor" if count == 1 else f"{count} processors"


def create_and_restore(lines, section):
    text = ""
    for (size, threads), group in groups(lines, section).items():
        name, megabytes = shape(size)
        text += f"\n{name}, {megabytes:,.1f} MB of vectors, {processors(threads)}:\n\n"
        limits = {line["name"]: line["seconds"] for line in group if line["what"] == "limit"}
        restored = {line["name"]: line for line in group if line["what"] == "restore"}
        names = {"memcpy": "memcpy", "read": "read", "crc32": "CRC-32", "write": "write + fsync"}
        rows = []
        for create in group:
            if create["what"] != "create":
                continue
            restore = restored[create["name"]]
            rows.append(
                [
                    create["name"],
                    f"{create['seconds'] * 1e3:,.0f}",
                    f"{create['seconds'] / limits['write']:.2f}",
                    f"{restore['seconds'] * 1e3:,.0f}",
                    f"{restore['seconds'] / limits['memcpy']:.2f}",
                    f"{create['bytes'] / 1e6:,.1f}",
                    f"{create['peak_bytes'] / 1e6:,.0f} / {restore['peak_bytes'] / 1e6:,.0f}",
                    f"{create['cpu_seconds']:.2f} / {restore['cpu_seconds']:.2f}",
                ]
            )
        head = ["", "create ms", "× write + fsync", "restore ms", "× memcpy", "file MB"]
        text += table([*head, "memory MB", "processor s"], rows)
        told = [f"{names[name]} {seconds * 1e3:,.1f} ms" for name, seconds in limits.items()]
        text += f"\nLimits in the same run: {', '.join(told)}.\n"
    return text


def foreign(lines):
    text = ""
    for (size, threads), group in groups(lines, "foreign").items():
        name, _ = shape(size)
        text += f"\nFiles of other engines, {name}, {processors(threads)}:\n\n"
        ours = {line["name"]: line for line in group}
        rows = [
            [
                line["name"],
                f"{line['seconds'] * 1e3:,.0f}",
                f"{ours['akidb of ' + line['name']]['seconds'] * 1e3:,.0f}",
                f"{line['seconds'] / ours['akidb of ' + line['name']]['seconds']:.1f}",
            ]
            for line in group
            if not line["name"].startswith("akidb")
        ]
        text += table(["written by", "read by itself, ms", "by akidb, ms", "times faster"], rows)
    return text


def streams(lines):
    rows = [
        [
            line["what"].replace("-", " "),
            f"{line['rows']:,}",
            f"{line['seconds']:.2f}",
            f"{line['peak_bytes'] / 1e6:,.0f}",
            f"{line['cpu_seconds'] / line['rows'] * 1e9:,.0f}",
        ]
        for line in lines
        if line["section"] == "stream"
    ]
    if not rows:
        return ""
    head = ["", "rows", "s", "memory MB", "processor ns a row"]
    return "\nStreams of dimension 128, none:\n\n" + table(head, rows)


def s3(lines):
    text = ""
    for (size, threads), group in groups(lines, "s3").items():
        name, _ = shape(size)
        curl = {line["what"]: line["seconds"] for line in group if line["name"] == "curl"}
        rows = []
        for line in group:
            if line["name"] == "curl":
                continue
            base = curl.get(line["what"]) or curl["restore"]
            what = line["what"].replace("restore-into", "restore into the caller's arrays")
            times = [f"{base * 1e3:,.0f}", f"{line['seconds'] * 1e3:,.0f}"]
            rows.append([what, *times, f"{line['seconds'] / base:.2f}"])
        text += f"\nMinIO on loopback, {name}, {processors(threads)}:\n\n"
        text += table(["", "curl ms", "akidb ms", "ratio"], rows)
    return text


def main():
    about, *lines = map(json.loads, pathlib.Path(sys.argv[1]).read_text().splitlines())
    page = pathlib.Path(sys.argv[2])
    before, _, rest = page.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    text = f"\nOne run of {about['date']}: {about['machine']}. {versions}.\n"
    text += create_and_restore(lines, "main")
    text += "\n### Encodings and codecs\n" + create_and_restore(lines, "codecs")
    text += "\n### JSON\n" + create_and_restore(lines, "json")
    text += "\n### Files of other engines\n" + foreign(lines)
    text += "\n### Streams\n" + streams(lines)
    text += "\n### S3\n" + s3(lines)
    page.write_text(before + BEGIN + text + "\n" + END + after)


main()
