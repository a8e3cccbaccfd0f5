#!/usr/bin/env python3
"""report.py RESULTS ROOT: puts a run into the documentation.

RESULTS is the bench.jsonl of bench.py, ROOT the project's folder. What stands between the lines
BEGIN and END of docs/benchmarks.md is replaced, and the sentences of README.md that begin with
**Fast.**; docs/benchmark.svg is drawn. The words around them are written by hand. bench.py prints
the same tables. With --check as RESULTS: whether the three tell of the same run.
"""

import json
import pathlib
import re
import sys
import textwrap

import chart
import goals as aims

BEGIN = "<!-- begin: bench/report.py -->\n"
END = "<!-- end: bench/report.py -->\n"

LIMITS = {"memcpy": "memcpy", "read": "read", "crc32": "CRC-32", "write": "write + fsync"}


def table(head, rows):
    """Aligned, so that it reads well on a terminal too: the first column left, figures right."""
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]

    def line(row):
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        return "| " + " | ".join(cells) + " |"

    rule = "|" + "|".join(["-" * (widths[0] + 2)] + ["-" * (w + 1) + ":" for w in widths[1:]]) + "|"
    return "\n".join([line(head), rule, *map(line, rows)]) + "\n"


def shape(size):
    rows, dimension = map(int, size.split("x"))
    return f"{rows:,} × {dimension}", rows * dimension * 4


def ms(seconds):
    return f"{seconds * 1e3:,.1f}" if seconds < 0.01 else f"{seconds * 1e3:,.0f}"


def spread(line):
    return f"{ms(min(line['seconds_all']))} – {ms(max(line['seconds_all']))}"


def processors(count):
    return "1 processor" if count == 1 else f"{count} processors"


def groups(lines):
    """Lines by size and processors, in the order in which they were measured."""
    found = {}
    for line in lines:
        if "size" in line:
            found.setdefault((line["size"], line["threads"]), []).append(line)
    return found


def by_name(lines, what):
    return {line["name"]: line for line in lines if line["what"] == what}


# ---- the sections -------------------------------------------------------------------------------


def snapshot_row(name, create, restore, into, limits):
    return [
        name,
        ms(create["seconds"]),
        spread(create),
        f"{create['seconds'] / limits['write']['seconds']:.2f}",
        ms(restore["seconds"]),
        spread(restore),
        f"{restore['seconds'] / limits['memcpy']['seconds']:.2f}",
        ms(into["seconds"]) if into else "",
        f"{create['bytes'] / 1e6:,.1f}",
        f"{create['peak_bytes'] / 1e6:,.0f} / {restore['peak_bytes'] / 1e6:,.0f}",
        f"{create['cpu_seconds']:.2f} / {restore['cpu_seconds']:.2f}",
    ]


SNAPSHOT_HEAD = ["", "create ms", "low – high", "× write + fsync", "restore ms", "low – high"]
SNAPSHOT_HEAD += ["× memcpy", "into ms", "file MB", "memory MB", "processor s"]


def snapshots(lines):
    text = ""
    for (size, threads), group in groups(lines).items():
        created, restored = by_name(group, "create"), by_name(group, "restore")
        if not created:
            continue
        into, limits = by_name(group, "restore-into"), by_name(group, "limit")
        name, vector_bytes = shape(size)
        runs = next(iter(created.values()))["runs"]
        text += f"\n{name}, {vector_bytes / 1e6:,.1f} MB of vectors, {processors(threads)}, "
        text += f"{runs} {'run' if runs == 1 else 'runs'}:\n\n"
        rows = [
            snapshot_row(name, create, restored[name], into.get(name), limits)
            for name, create in created.items()
        ]
        text += table(SNAPSHOT_HEAD, rows)
        told = [
            f"{LIMITS[name]} {ms(line['seconds'])} ms ({spread(line)})"
            for name, line in limits.items()
            if name in LIMITS
        ]
        text += f"\nLimits in the same run: {', '.join(told)}.\n"
    return text


def codecs(lines):
    text = snapshots(lines)
    entropy = by_name([line for line in lines if "what" in line], "limit").get("entropy")
    encoded = by_name([line for line in lines if "what" in line], "encode")
    if not entropy or not encoded:
        return text
    name, vector_bytes = shape(entropy["size"])
    text += f"\nEncoding {name} with one processor into an output that drops it. The least that"
    text += " split floats take when each byte is coded for itself, their order-0 entropy, is "
    text += f"{entropy['bytes'] / 1e6:,.1f} MB in this data:\n\n"
    rows = [
        [
            name,
            f"{vector_bytes / line['cpu_seconds'] / 1e9:.2f}",
            f"{line['vector_bytes'] / 1e6:,.1f}",
            f"{line['vector_bytes'] / entropy['bytes']:.4f}",
        ]
        for name, line in encoded.items()
    ]
    return text + table(["", "GB of vectors a processor second", "vectors MB", "÷ entropy"], rows)


def json_section(lines):
    text = snapshots(lines)
    rows = []
    for (size, threads), group in groups(lines).items():
        for what in ("create", "restore"):
            found = by_name(group, what)
            ours, parquet = found["akidb json"]["seconds"], found["akidb none"]["seconds"]
            orjson = found.get("orjson")
            rows.append(
                [
                    f"{shape(size)[0]}, {processors(threads)}, {what}",
                    f"{ours / parquet:.1f}",
                    f"{orjson['seconds'] / ours:.2f}" if orjson else "",
                ]
            )
    if not rows:
        return text
    head = ["", "Parquet, times faster than our JSON", "our JSON, times faster than orjson"]
    return text + "\n" + table(head, rows)


def foreign(lines):
    text = ""
    for (size, threads), group in groups(lines).items():
        found = {line["name"]: line for line in group}
        rows = []
        for name, theirs in found.items():
            ours = found.get(f"akidb of {name}")
            if ours:
                times = [ms(theirs["seconds"]), spread(theirs), ms(ours["seconds"]), spread(ours)]
                rows.append([name, *times, f"{theirs['seconds'] / ours['seconds']:.1f}"])
        head = ["written by", "read by itself, ms", "low – high", "by akidb, ms", "low – high"]
        text += f"\n{shape(size)[0]}, {processors(threads)}:\n\n"
        text += table([*head, "times faster"], rows)
    return text


def streams(lines):
    rows = [
        [
            f"{line['what'].replace('-', ' ')}, {processors(line['threads'])}",
            f"{line['rows']:,}",
            f"{line['seconds']:.2f}",
            f"{shape(line['size'])[1] / line['seconds'] / 1e9:.2f}",
            f"{line['peak_bytes'] / 1e6:,.0f}",
            f"{line['cpu_seconds'] / line['rows'] * 1e9:,.0f}",
        ]
        for line in lines
        if "size" in line
    ]
    if not rows:
        return ""
    head = ["", "rows of 128", "s", "GB/s", "memory MB", "processor ns a row"]
    return "\n" + table(head, rows)


S3_WORKS = {
    "create": "create, bodies not signed, as curl's",
    "create-signed": "create, as it is without options",
    "restore": "restore",
    "restore-into": "restore into the caller's arrays",
}


def s3(lines):
    text = ""
    for (size, threads), group in groups(lines).items():
        curl = {line["what"]: line for line in group if line["name"] == "curl"}
        rows = []
        for line in group:
            if line["name"] == "curl" or not curl:
                continue
            base = curl[line["what"].split("-")[0]]
            rows.append(
                [
                    S3_WORKS[line["what"]],
                    ms(base["seconds"]),
                    spread(base),
                    ms(line["seconds"]),
                    spread(line),
                    f"{line['seconds'] / base['seconds']:.2f}",
                    f"{base['cpu_seconds']:.2f} / {line['cpu_seconds']:.2f}",
                    f"{base['server_seconds']:.2f} / {line['server_seconds']:.2f}",
                ]
            )
        text += f"\nMinIO on loopback, {shape(size)[0]}, {processors(threads)}:\n\n"
        head = ["", "curl ms", "low – high", "akidb ms", "low – high", "ratio", "processor s"]
        text += table([*head, "MinIO's processor s"], rows)
    return text


def tiers(lines):
    found = {}
    for line in lines:
        if "value" in line:
            found.setdefault((line["what"], line["unit"]), []).append(line["value"])
    if not found:
        return ""
    rows = []
    for (what, unit), values in found.items():
        values.sort()
        several = f"{values[0]:.4g} – {values[-1]:.4g}" if len(values) > 1 else ""
        rows.append([what, f"{values[len(values) // 2]:.4g}", unit, several])
    stores = {line["store"] for line in lines if "store" in line}
    cold = "MinIO on loopback" if "MinIO" in stores else "a folder"
    return f"\nThe cold tier is {cold}:\n\n" + table(["", "", "unit", "low – high"], rows)


SECTIONS = {
    "main": ("Create and restore", snapshots),
    "zstd": ("With zstd", snapshots),
    "codecs": ("Encodings, codecs and profiles", codecs),
    "embeddings": ("Real embeddings", codecs),
    "json": ("JSON", json_section),
    "foreign": ("Files of other engines", foreign),
    "streams": ("Streams", streams),
    "encode": ("Processor time of a row", streams),
    "s3": ("S3", s3),
    "tiers": ("Tiers", tiers),
}


def section(lines, name):
    """A section with its title; nothing when it was not measured."""
    lines = [line for line in lines if line["section"] == name]
    if not lines:
        return ""
    title, tell = SECTIONS[name]
    text = f"\n### {title}\n" + tell(lines)
    for line in lines:
        if "left_out" in line:
            text += f"\nLeft out: {line['left_out']} ({line['why']}).\n"
    return text


# ---- the whole ----------------------------------------------------------------------------------


def goals(about, lines):
    rows = [[*row[:3], "yes" if row[3] else "no"] for row in aims.rows(about, lines)]
    if not rows:
        return ""
    return "\n### Goals\n\n" + table(["", "goal", "in this run", "reached"], rows)


def in_short(about, lines):
    """The sentences of the README."""
    rows, dimension, threads = about["main"]
    size = f"{rows}x{dimension}"
    group = [
        line
        for line in lines
        if line["section"] == "main" and (line.get("size"), line.get("threads")) == (size, threads)
    ]
    created, restored = by_name(group, "create"), by_name(group, "restore")
    limits = by_name(group, "limit")
    ours = "akidb snappy (default)"
    create, restore = created[ours]["seconds"], restored[ours]["seconds"]
    text = f"{rows:,} vectors of {dimension} floats become a durable snapshot in {create:.2f} s by "
    text += f"default, {create / limits['write']['seconds']:.2f} times what writing and syncing "
    text += f"the bare bytes takes on the same machine, and come back in {restore:.2f} s, every "
    text += "checksum checked. In the same run these took: "
    peers = [
        f"{name} {created[name]['seconds']:.2f} s and {restored[name]['seconds']:.2f} s"
        for name in ("DuckDB", "Polars", "pyarrow", "Lance")
        if name in created
    ]
    return text + ", ".join(peers)


def about_text(about, lines):
    dates = sorted({line["date"] for line in lines})
    when = " to ".join(dict.fromkeys([dates[0], dates[-1]]))
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    text = f"\nOne run of {when}: {about['machine']}. {versions}.\n"
    if about["divide"] != 1:
        text += f"\nA quick look: every number of rows divided by {about['divide']}.\n"
    return text


BULLET = re.compile(r"^- \*\*Fast\.\*\* (.*?) \(\[docs/benchmarks\.md\].*?(?=^- |^$)", re.M | re.S)
LINKS = "([docs/benchmarks.md](docs/benchmarks.md), [chart](docs/benchmark.svg); `make bench` "
LINKS += "measures yours)"


def fill(text, **options):
    return textwrap.fill(text, 100, break_on_hyphens=False, break_long_words=False, **options)


def write_page(path, text):
    before, begin, rest = path.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        sys.exit(f"{path}: the lines to put the run between are not there")
    path.write_text(before + BEGIN + text + END + after)


def write_readme(path, short):
    bullet = fill(f"- **Fast.** {short} {LINKS}.", subsequent_indent="  ") + "\n"
    text, count = BULLET.subn(lambda _: bullet, path.read_text(), count=1)
    if count == 0:
        sys.exit(f"{path}: there is no **Fast.** to put the run into")
    path.write_text(text)


def check(root):
    """Whether README, page and chart tell of the same run."""
    words = " ".join((root / "docs/benchmarks.md").read_text().split())
    told = BULLET.search((root / "README.md").read_text())
    if not told or f"In short: {' '.join(told[1].split())}." not in words:
        sys.exit("README.md, **Fast.**: other figures than in docs/benchmarks.md, In short")
    note = re.search(r">([^<>;]*, [^<>;]*); ", (root / "docs/benchmark.svg").read_text())
    date, _, machine = note[1].partition(", ") if note else ("no date", "", "no machine")
    if f"One run of {date}" not in words or machine not in words:
        sys.exit("docs/benchmark.svg: not of the run of docs/benchmarks.md")


def main():
    if sys.argv[1] == "--check":
        check(pathlib.Path(sys.argv[2]))
        return
    about, *lines = map(json.loads, pathlib.Path(sys.argv[1]).read_text().splitlines())
    root = pathlib.Path(sys.argv[2])
    short = in_short(about, lines)
    text = about_text(about, lines) + "\n" + fill(f"In short: {short}.") + "\n"
    text += goals(about, lines)
    text += "".join(section(lines, name) for name in SECTIONS)
    write_page(root / "docs/benchmarks.md", text + "\n")
    write_readme(root / "README.md", short)
    chart.write(root / "docs/benchmark.svg", about, lines)


if __name__ == "__main__":
    main()
