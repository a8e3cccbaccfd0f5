"""bench.py BUILD [options]: the benchmark, in one run on one machine.

Every line of its tables is the median of several runs, each in a process of its own; contestants
take turns, so that what else the machine does meets all of them alike. The work itself is in
akidb_bench (bench.c) and, for the other engines, in peers.py; this file only decides who runs when,
and tells what came out: tables on the terminal, JSON lines in BUILD/bench.jsonl, and a chart.
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import random
import resource
import shutil
import statistics
import subprocess
import sys

import chart

HERE = pathlib.Path(__file__).resolve().parent

PEERS = ["pyarrow", "parquet-rs", "DuckDB", "Polars", "Lance"]
PEERS_ZSTD = ["pyarrow/zstd", "parquet-rs/zstd", "DuckDB/zstd", "Polars/zstd"]
LIMITS = ["memcpy", "read", "crc32", "write"]

# What we call a way to write, and the options of akidb_bench for it.
OURS = {
    "akidb none": ["--compression", "none"],
    "akidb snappy (default)": [],
    "akidb balanced": ["--profile", "balanced"],
}
OURS_MORE = {
    "akidb lz4": ["--compression", "lz4"],
    "akidb zstd": ["--compression", "zstd"],
    "akidb zstd, split": ["--compression", "zstd", "--encoding", "split"],
    "akidb none, split": ["--compression", "none", "--encoding", "split"],
    "akidb snappy, split": ["--compression", "snappy", "--encoding", "split"],
    "akidb lz4, split": ["--compression", "lz4", "--encoding", "split"],
    "akidb small": ["--profile", "small"],
}
JSON = {"akidb json": ["--format", "json"]}


# Bytes of memory that everybody finds ready, for each byte of vectors: DuckDB, which needs most,
# takes 950 MB and a file of 217 MB in the page cache for 205 MB. As JSON, documents are larger.
MEMORY_FACTOR = 6
MEMORY_FACTOR_JSON = 24
MEMORY_LEAST = 64 << 20

# With one processor too, and with the compressed files of the other engines.
FULL_SIZE = (100000, 512)


class Failure(Exception):
    pass


class Bench:
    """Where things are, and what has been measured."""

    def __init__(self, options):
        self.options = options
        self.build = pathlib.Path(options.build).resolve()
        self.folder = pathlib.Path(options.folder or self.build / "bench-data").resolve()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.python = self.build / "bench-venv/bin/python"
        self.lines = []
        self.memory = MEMORY_LEAST

    def processors(self, threads):
        """The processors that a contestant with so many threads is bound to."""
        return set(sorted(os.sched_getaffinity(0))[:threads])

    def run(self, command, threads):
        """One run of one contestant: the JSON object that it prints."""
        done = subprocess.run(
            [str(word) for word in command],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: os.sched_setaffinity(0, self.processors(threads)),
        )
        if done.returncode != 0:
            raise Failure(f"{' '.join(map(str, command))}\n{done.stderr.strip()}")
        return json.loads(done.stdout.splitlines()[-1])

    def ours(self, what, data, folder, threads, *options):
        command = [self.build / "akidb_bench", what, data, folder, "--threads", threads, *options]
        return self.run([*command, "--memory", self.memory], threads)

    def peer(self, engine, what, data, path, threads):
        command = [self.python, HERE / "peers.py", engine, what, data, path, self.memory]
        return self.run(command, threads)

    def expect(self, vector_bytes, factor=MEMORY_FACTOR):
        """From now on everybody finds so much memory ready (bench_begin in bench.h)."""
        most = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 4
        self.memory = min(most, max(MEMORY_LEAST, vector_bytes * factor))

    def data(self, rows, dimension):
        """The folder of documents of this size, made when it is not there."""
        folder = self.folder / f"{rows}x{dimension}"
        if not (folder / "shape").exists():
            self.ours("data", folder, folder, 1, "--rows", rows, "--dimension", dimension)
        return folder

    def add(self, section, size, threads, name, what, costs):
        """A line of the results from the costs of several runs of the same work."""
        line = {
            "section": section,
            "size": size,
            "threads": threads,
            "name": name,
            "what": what,
            "runs": len(costs),
            "seconds": statistics.median(cost["seconds"] for cost in costs),
            "seconds_all": [cost["seconds"] for cost in costs],
            "cpu_seconds": statistics.median(cost["cpu_seconds"] for cost in costs),
            "peak_bytes": max(cost["peak_bytes"] for cost in costs),
            "bytes": costs[-1]["bytes"],
            "rows": costs[-1]["rows"],
        }
        self.lines.append(line)
        return line

    def find(self, section, size, threads, name, what):
        for line in self.lines:
            if (line["section"], line["size"], line["threads"]) == (section, size, threads):
                if (line["name"], line["what"]) == (name, what):
                    return line
        return None


def remove(path):
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def alternate(contestants, runs):
    """Calls every contestant once, `runs` times over, each time in another order, so that nobody
    always follows the same one; the costs of each, by name."""
    order = random.Random(1)
    costs = {name: [] for name in contestants}
    for _ in range(runs):
        for name in order.sample(list(contestants), len(contestants)):
            costs[name].append(contestants[name]())
    return costs


# ---- create and restore -------------------------------------------------------------------------


def create_and_restore(bench, section, rows, dimension, threads, ours, peers, limits):
    data = bench.data(rows, dimension)
    size = f"{rows}x{dimension}"
    place = bench.folder / "written"
    remove(place)
    place.mkdir()
    bench.expect(rows * dimension * 4, MEMORY_FACTOR_JSON if section == "json" else MEMORY_FACTOR)

    def limit(name):
        return {"limit": bench.ours(name, data, place, 1)}

    def our(options):
        folder = place / "store"
        costs = {}
        for what in ("create", "restore"):
            costs[what] = bench.ours(what, data, folder, threads, *options)
        remove(folder)
        return costs

    def peer(name):
        path = place / "file"
        costs = {}
        for what in ("create", "restore"):
            costs[what] = bench.peer(name, what, data, path, threads)
        remove(path)
        remove(place / "warm-up-file")
        return costs

    contestants = {name: lambda name=name: limit(name) for name in limits}
    contestants |= {name: lambda options=options: our(options) for name, options in ours.items()}
    contestants |= {name: lambda name=name: peer(name) for name in peers}
    for name, found in alternate(contestants, bench.options.runs).items():
        for what in found[0]:
            bench.add(section, size, threads, name, what, [costs[what] for costs in found])
    remove(place)
    print_create_and_restore(bench, section, size, threads, rows * dimension * 4)


def print_create_and_restore(bench, section, size, threads, vector_bytes):
    lines = [
        line
        for line in bench.lines
        if (line["section"], line["size"], line["threads"]) == (section, size, threads)
    ]
    bound = "1 processor" if threads == 1 else f"{threads} processors"
    print(f"\n{size}, {vector_bytes / 1e6:.1f} MB of vectors, {bound}\n")
    print(
        f"{'':24} {'create ms':>10} {'x limit':>8} {'restore ms':>11} {'x limit':>8} "
        f"{'MB':>8} {'peak MB':>15} {'cpu s':>13}"
    )
    limits = {line["name"]: line["seconds"] for line in lines if line["what"] == "limit"}
    for name, seconds in limits.items():
        print(f"{'limit: ' + name:24} {seconds * 1e3:10.1f}")
    created = {line["name"]: line for line in lines if line["what"] == "create"}
    restored = {line["name"]: line for line in lines if line["what"] == "restore"}
    for name, create in created.items():
        restore = restored[name]
        print(
            f"{name:24} {create['seconds'] * 1e3:10.1f} {ratio(create, limits, 'write')} "
            f"{restore['seconds'] * 1e3:11.1f} {ratio(restore, limits, 'memcpy')} "
            f"{create['bytes'] / 1e6:8.1f} "
            f"{create['peak_bytes'] / 1e6:7.0f}/{restore['peak_bytes'] / 1e6:7.0f} "
            f"{create['cpu_seconds']:6.2f}/{restore['cpu_seconds']:6.2f}"
        )
    sys.stdout.flush()


def ratio(line, limits, name):
    return f"{line['seconds'] / limits[name]:8.2f}" if name in limits else f"{'':8}"


# ---- files of other engines ---------------------------------------------------------------------


def foreign_files(bench, rows, dimension, threads):
    """How long we take for a file that another engine wrote, and how long that engine takes."""
    data = bench.data(rows, dimension)
    size = f"{rows}x{dimension}"
    path = bench.folder / "foreign.parquet"
    bench.expect(rows * dimension * 4)
    print(f"\nfiles of other engines, {size}, {threads} processors\n")
    print(f"{'':24} {'itself ms':>10} {'akidb ms':>10} {'ratio':>8}")
    for name in ("pyarrow", "DuckDB", "Polars", "parquet-rs"):
        bench.peer(name, "create", data, path, threads)
        costs = alternate(
            {
                name: lambda: bench.peer(name, "restore", data, path, threads),
                "akidb": lambda: bench.ours("import", data, path, threads),
            },
            bench.options.runs,
        )
        theirs = bench.add("foreign", size, threads, name, "restore", costs[name])
        ours = bench.add("foreign", size, threads, f"akidb of {name}", "restore", costs["akidb"])
        print(
            f"{name:24} {theirs['seconds'] * 1e3:10.1f} {ours['seconds'] * 1e3:10.1f} "
            f"{theirs['seconds'] / ours['seconds']:8.1f}",
            flush=True,
        )
        remove(path)
        remove(path.with_name("warm-up-foreign.parquet"))


# ---- streams ------------------------------------------------------------------------------------


def streams(bench, counts, dimension, threads):
    """Memory and CPU time for each vector, which must not grow with the number of rows."""
    print(f"\nstreams of dimension {dimension}, {threads} processors\n")
    print(f"{'':24} {'rows':>10} {'s':>8} {'MB/s':>8} {'peak MB':>8} {'cpu ns/row':>11}")
    for what in ("encode", "stream-create", "stream-restore"):
        for rows in counts:
            size = ("--rows", rows, "--dimension", dimension)
            folder = bench.folder / f"stream-{rows}"
            bench.expect(0 if what == "encode" else rows * dimension * 4, 1)
            cost = bench.ours(what, "-", folder, threads, "--compression", "none", *size)
            line = bench.add("stream", f"{rows}x{dimension}", threads, "akidb none", what, [cost])
            print(
                f"{what:24} {rows:10} {line['seconds']:8.2f} "
                f"{rows * dimension * 4 / 1e6 / line['seconds']:8.0f} "
                f"{line['peak_bytes'] / 1e6:8.0f} {line['cpu_seconds'] / rows * 1e9:11.0f}",
                flush=True,
            )
            if what == "stream-restore":
                remove(folder)


# ---- S3 -----------------------------------------------------------------------------------------


CURL = ["curl", "--silent", "--show-error", "--fail", "--user", "testkey:testsecret"]
CURL += ["--aws-sigv4", "aws:amz:us-east-1:s3", "--output", "/dev/null"]


def s3(bench, rows, dimension, threads):
    """Through MinIO on loopback, beside curl, which moves the bytes of the same snapshot."""
    scripts = HERE.parent / "tests/s3"
    folder = bench.folder / "minio"
    remove(folder)
    subprocess.run([scripts / "start_minio.sh", folder], check=True)
    try:
        endpoint = (folder / "endpoint").read_text().strip()
        server = [int(pid) for pid in (folder / "pids").read_text().split()]
        keys = {"AWS_ACCESS_KEY_ID": "testkey", "AWS_SECRET_ACCESS_KEY": "testsecret"}
        os.environ |= keys | {"AWS_ENDPOINT_URL": endpoint, "AWS_REGION": "us-east-1"}
        subprocess.run([*CURL, "--request", "PUT", endpoint + "/bench"], check=True)
        s3_lines(bench, endpoint + "/bench/raw", bench.data(rows, dimension), threads, server)
    finally:
        subprocess.run([scripts / "stop.sh", folder], check=True)
        remove(folder)


def processor_seconds(pids):
    """What running processes have spent so far."""
    ticks = 0
    for pid in pids:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def s3_lines(bench, url, data, threads, server):
    none = OURS["akidb none"]
    bench.expect((data / "vectors").stat().st_size)
    file = bench.folder / "snapshot.parquet"
    local = bench.folder / "local"
    remove(local)
    bench.ours("create", data, local, threads, *none)
    next(local.glob("snapshots/*/*.parquet")).rename(file)
    remove(local)

    def curl(*options):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        times = ["--write-out", '{"seconds":%{time_total}}']
        cost = bench.run([*CURL, *times, *options, url], threads)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
        size = file.stat().st_size
        return cost | {"cpu_seconds": spent, "peak_bytes": 0, "bytes": size, "rows": 0}

    def with_server(work):
        before = processor_seconds(server)
        cost = work()
        return cost | {"server_seconds": processor_seconds(server) - before}

    def akidb(what, *options):
        return bench.ours(what, data, "s3://bench/akidb", threads, *options)

    works = {
        ("curl", "create"): lambda: curl("--upload-file", file),
        ("curl", "restore"): curl,
        ("akidb none", "create"): lambda: akidb("create", *none),
        ("akidb none", "restore"): lambda: akidb("restore"),
        ("akidb none", "restore-into"): lambda: akidb("restore-into"),
    }
    for work in works.values():
        work()  # so that the server has the memory that it works with
    costs = alternate(
        {name: lambda work=work: with_server(work) for name, work in works.items()},
        bench.options.runs,
    )
    remove(file)
    lines = {}
    for (name, what), found in costs.items():
        line = bench.add("s3", data.name, threads, name, what, found)
        line["server_seconds"] = statistics.median(cost["server_seconds"] for cost in found)
        lines[name, what] = line
    print_s3(data.name, threads, lines)


def print_s3(size, threads, lines):
    print(f"\nMinIO on loopback, {size}, {threads} processors; cpu s: the client's, MinIO's\n")
    print(f"{'':14} {'curl ms':>10} {'akidb ms':>10} {'ratio':>6} {'curl':>14} {'akidb':>14}")
    for what, beside in (("create", "create"), ("restore", "restore"), ("restore-into", "restore")):
        both = lines["curl", beside], lines["akidb none", what]
        theirs, ours = (line["seconds"] for line in both)
        spent = [f"{line['cpu_seconds']:6.2f}, {line['server_seconds']:6.2f}" for line in both]
        print(
            f"{what:14} {theirs * 1e3:10.1f} {ours * 1e3:10.1f} {ours / theirs:6.2f} "
            f"{spent[0]} {spent[1]}",
            flush=True,
        )


# ---- the run ------------------------------------------------------------------------------------


def machine():
    model = ""
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    count = len(os.sched_getaffinity(0))
    return f"{count} processors ({model}), {memory:.0f} GiB, Linux {platform.release()}"


def versions(bench):
    if not bench.python.exists():
        return {}
    names = {"pyarrow": "pyarrow", "arro3-io": "parquet-rs", "duckdb": "DuckDB"}
    names |= {"polars": "Polars", "pylance": "Lance"}
    script = "import importlib.metadata as m, json, sys; "
    script += "print(json.dumps({n: m.version(n) for n in sys.argv[1:]}))"
    found = subprocess.run(
        [bench.python, "-c", script, *names], stdout=subprocess.PIPE, text=True, check=True
    )
    return {names[name]: version for name, version in json.loads(found.stdout).items()}


def read_size(text):
    rows, _, dimension = text.partition("x")
    return int(rows), int(dimension)


def read_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", help="the folder with akidb_bench")
    parser.add_argument("--folder", help="where files are written (BUILD/bench-data)")
    parser.add_argument("--runs", type=int, default=5, help="of which the median is told (5)")
    parser.add_argument(
        "--sizes",
        type=lambda text: [read_size(size) for size in text.split(",")],
        default="10000x512,100000x512,100000x1536,1000000x128",
    )
    parser.add_argument("--full", action="store_true", help="every size as 100000x512 is measured")
    parser.add_argument("--no-peers", action="store_true", help="ours and the limits alone")
    parser.add_argument(
        "--sections",
        default="main,codecs,json,foreign,streams,s3",
        help="main,codecs,json,foreign,streams,s3",
    )
    parser.add_argument("--stream-rows", type=int, default=10_000_000)
    parser.add_argument("--chart", help="write the chart of create and restore here (SVG)")
    return parser.parse_args()


def main():
    options = read_options()
    bench = Bench(options)
    sections = options.sections.split(",")
    has_peers = not options.no_peers
    every = len(os.sched_getaffinity(0))
    about = {
        "machine": machine(),
        "date": datetime.date.today().isoformat(),
        "versions": versions(bench) if has_peers else {},
    }
    print(about["machine"])
    print(", ".join(f"{name} {version}" for name, version in about["versions"].items()))

    if "main" in sections:
        for rows, dimension in options.sizes:
            full = (rows, dimension) == FULL_SIZE or options.full
            peers = PEERS + (PEERS_ZSTD if full else [])
            for threads in sorted({1, every}) if full else [every]:
                create_and_restore(
                    bench, "main", rows, dimension, threads, OURS, peers * has_peers, LIMITS
                )
    if "codecs" in sections:
        limits = ["memcpy", "write"]
        create_and_restore(bench, "codecs", 100000, 512, every, OURS | OURS_MORE, [], limits)
    if "json" in sections:
        peers = ["orjson"] if has_peers else []
        ours = JSON | {"akidb none": OURS["akidb none"]}
        for threads in sorted({1, every}):
            create_and_restore(bench, "json", 10000, 512, threads, ours, peers, ["memcpy", "write"])
    if "foreign" in sections and has_peers:
        foreign_files(bench, 100000, 512, every)
    if "streams" in sections:
        streams(bench, [options.stream_rows // 10, options.stream_rows], 128, every)

    if "s3" in sections:
        s3(bench, 100000, 512, every)

    results = bench.build / "bench.jsonl"
    with results.open("w") as file:
        for line in [about, *bench.lines]:
            file.write(json.dumps(line) + "\n")
    print(f"\n{results}")
    if options.chart and "main" in sections:
        chart.write(pathlib.Path(options.chart), about, bench.lines, "100000x512", every)


try:
    main()
except Failure as failure:
    sys.exit(f"bench: {failure}")
