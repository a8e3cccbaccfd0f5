"""bench.py BUILD [options]: the benchmark, in one run on one machine.

Every figure is the median of several runs, each in a process of its own; contestants take turns in
an order that changes from round to round, so that what else the machine does meets all of them
alike. The work itself is in akidb_bench (bench.c) and, for the other engines, in peers.py; this
file only decides who runs when. What comes out is told by report.py, and kept, section by section,
as JSON lines in BUILD/bench.jsonl.
"""

import argparse
import contextlib
import datetime
import json
import os
import pathlib
import platform
import random
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import time

import chart
import report

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
    "akidb none, split": ["--compression", "none", "--encoding", "split"],
    "akidb snappy, split": ["--compression", "snappy", "--encoding", "split"],
    "akidb lz4, split": ["--compression", "lz4", "--encoding", "split"],
    "akidb zstd, split": ["--compression", "zstd", "--encoding", "split"],
    "akidb small": ["--profile", "small"],
}
JSON = {"akidb json": ["--format", "json"]}

# Bytes of memory that everybody finds ready, for each byte of vectors: DuckDB, which needs most,
# takes 1.8 GB and a file of 0.6 in the page cache for 0.6. The objects that orjson makes are
# larger; so much for the others would leave them too little time before the host has it back.
MEMORY_FACTOR = 4
MEMORY_FACTORS = {"orjson": 24}
MEMORY_LEAST = 64 << 20

# A round that takes longer is not repeated more than three times.
SLOW_ROUND = 60

ROOM = 12 << 30  # bytes of disk; the streams take most


class Failure(Exception):
    pass


def loudly(text):
    print(f"\n!!! {text}\n", file=sys.stderr, flush=True)


class Bench:
    """Where things are, and what has been measured."""

    def __init__(self, options):
        self.options = options
        self.build = pathlib.Path(options.build).resolve()
        folder = pathlib.Path(options.folder or self.build / "bench-data").resolve()
        folder.mkdir(parents=True, exist_ok=True)
        self.documents = folder / "documents"
        self.folder = folder / "run"  # all else that is written
        self.python = self.build / "bench-venv/bin/python"
        self.results = self.build / "bench.jsonl"
        self.every = len(os.sched_getaffinity(0))
        self.lines = []
        self.memory = MEMORY_LEAST

    def rows(self, count):
        """So many rows, or fewer when only a quick look is wanted."""
        return max(1000, count // self.options.divide)

    def main_size(self):
        """What is measured most thoroughly."""
        return self.rows(100_000), 512

    def peers(self, names):
        return [] if self.options.no_peers else names

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
        folder = self.documents / f"{rows}x{dimension}"
        self.documents.mkdir(exist_ok=True)
        if not (folder / "shape").exists():
            self.ours("data", folder, folder, 1, "--rows", rows, "--dimension", dimension)
        return folder

    def place(self):
        """An empty folder, on the disk that is measured."""
        remove(self.folder)
        self.folder.mkdir()
        return self.folder

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
        }
        for more in ("bytes", "rows", "vector_bytes"):
            line[more] = costs[-1].get(more, 0)
        if "server_seconds" in costs[0]:
            line["server_seconds"] = statistics.median(cost["server_seconds"] for cost in costs)
        self.lines.append(line)

    def contest(self, section, size, threads, contestants):
        """Every contestant in turn, `runs` times over, each round in another order, so that nobody
        always follows the same one. A contestant is a function that gives the cost of each of its
        works by name. Another engine that fails takes no further part; we may not fail."""
        order = random.Random(1)
        found = {name: [] for name in contestants}
        runs, done = self.options.runs, 0
        while done < runs:
            begun = time.monotonic()
            for name in order.sample(list(found), len(found)):
                try:
                    found[name].append(contestants[name]())
                except Failure as failure:
                    if name.partition("/")[0] not in [*PEERS, "orjson"]:
                        raise
                    del found[name]
                    self.leave_out(section, f"{name}, {size}", failure)
            done += 1
            took = time.monotonic() - begun
            if took > SLOW_ROUND:
                runs = min(runs, 3)
            told = f"{section}, {size}, {threads} processors: round {done} of {runs}, {took:.0f} s"
            print(told.replace(" 1 processors", " 1 processor"), file=sys.stderr, flush=True)
        for name, rounds in found.items():
            for what in rounds[0]:
                costs = [costs[what] for costs in rounds]
                self.add(section, costs[0].get("size", size), threads, name, what, costs)

    def leave_out(self, section, what, why):
        loudly(f"left out: {what}: {why}")
        reason = str(why).splitlines()[-1] if str(why) else "no reason given"
        self.lines.append({"section": section, "left_out": what, "why": reason})


def remove(path):
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


# ---- create and restore -------------------------------------------------------------------------


def create_and_restore(bench, section, data, threads, ours, peers, limits):
    place = bench.place()

    rows, dimension = map(int, (data / "shape").read_text().split())

    def expect(name):
        bench.expect(rows * dimension * 4, MEMORY_FACTORS.get(name, MEMORY_FACTOR))

    def limit(name):
        expect(name)
        return {"limit": bench.ours(name, data, place, 1)}

    def our(name, options):
        expect(name)
        folder = place / "store"
        works = ["create", "restore"] + ["restore-into"] * (name != "akidb json")
        costs = {what: bench.ours(what, data, folder, threads, *options) for what in works}
        remove(folder)
        return costs

    def peer(name):
        expect(name)
        path = place / "file"
        costs = {what: bench.peer(name, what, data, path, threads) for what in WORKS_OF_PEERS}
        remove(path)
        return costs

    contestants = {name: lambda name=name: limit(name) for name in limits}
    contestants |= {name: lambda name=name, o=o: our(name, o) for name, o in ours.items()}
    contestants |= {name: lambda name=name: peer(name) for name in bench.peers(peers)}
    bench.contest(section, f"{rows}x{dimension}", threads, contestants)


WORKS_OF_PEERS = ["create", "restore"]


def section_main(bench):
    for rows, dimension in bench.options.sizes:
        data = bench.data(bench.rows(rows), dimension)
        create_and_restore(bench, "main", data, bench.every, OURS, PEERS, LIMITS)
    data = bench.data(*bench.main_size())
    if bench.every > 1:
        create_and_restore(bench, "main", data, 1, OURS, PEERS, LIMITS)


def section_zstd(bench):
    data = bench.data(*bench.main_size())
    ours = {"akidb balanced": OURS["akidb balanced"], "akidb small": OURS_MORE["akidb small"]}
    create_and_restore(bench, "zstd", data, bench.every, ours, PEERS_ZSTD, ["memcpy", "write"])


def section_codecs(bench):
    data = bench.data(*bench.main_size())
    limits = ["memcpy", "write", "entropy"]
    create_and_restore(bench, "codecs", data, bench.every, OURS | OURS_MORE, [], limits)
    encodings(bench, "codecs", data, OURS | OURS_MORE)


def encodings(bench, section, data, ours):
    """Into an output that drops all, with one processor."""

    def encode(options):
        return {"encode": bench.ours("encode-data", data, bench.folder, 1, *options)}

    rows, dimension = map(int, (data / "shape").read_text().split())
    ways = {name: lambda o=o: encode(o) for name, o in ours.items()}
    bench.contest(section, f"{rows}x{dimension}", 1, ways)


def section_embeddings(bench):
    data = bench.documents / "embeddings"
    if not (data / "shape").exists():
        bench.documents.mkdir(exist_ok=True)
        try:
            subprocess.run([sys.executable, HERE / "embeddings.py", data], check=True)
        except (OSError, subprocess.SubprocessError) as error:
            bench.leave_out("embeddings", "real embeddings, which npm has to fetch", error)
            return
    create_and_restore(
        bench, "embeddings", data, bench.every, OURS, PEERS + PEERS_ZSTD, [*LIMITS, "entropy"]
    )
    encodings(bench, "embeddings", data, OURS | OURS_MORE)


def section_json(bench):
    ours = JSON | {"akidb none": OURS["akidb none"]}
    for rows, threads in ((10_000, 1), (10_000, bench.every), (100_000, bench.every)):
        data = bench.data(bench.rows(rows), 512)
        create_and_restore(bench, "json", data, threads, ours, ["orjson"], ["memcpy", "write"])


# ---- files of other engines ---------------------------------------------------------------------


def section_foreign(bench):
    """How long we take for a file that another engine wrote, and how long that engine takes."""
    rows, dimension = bench.main_size()
    data = bench.data(rows, dimension)
    bench.expect(rows * dimension * 4)
    for name in bench.peers(["pyarrow", "DuckDB", "Polars", "parquet-rs"]):
        path = bench.place() / "file.parquet"
        threads = bench.every
        try:
            bench.peer(name, "create", data, path, threads)
        except Failure as failure:
            bench.leave_out("foreign", name, failure)
            continue
        contestants = {
            name: lambda: {"restore": bench.peer(name, "restore", data, path, threads)},
            f"akidb of {name}": lambda: {"restore": bench.ours("import", data, path, threads)},
        }
        bench.contest("foreign", f"{rows}x{dimension}", threads, contestants)


# ---- streams ------------------------------------------------------------------------------------


STREAM_DIMENSION = 128


def section_streams(bench):
    """Memory, which must not grow with the number of rows."""
    none = OURS["akidb none"]
    threads = bench.every
    for rows in (bench.rows(1_000_000), bench.rows(10_000_000)):
        size = f"{rows}x{STREAM_DIMENSION}"
        shape = ("--rows", rows, "--dimension", STREAM_DIMENSION)

        def stream():
            folder = bench.place() / "store"
            bench.expect(rows * STREAM_DIMENSION * 4, 1)
            create = bench.ours("stream-create", "-", folder, threads, *none, *shape)
            bench.expect(0)
            restore = bench.ours("stream-restore", "-", folder, threads)
            remove(folder)
            return {"stream-create": create, "stream-restore": restore}

        bench.contest("streams", size, threads, {"akidb none": stream})


def section_encode(bench):
    """The processor's time for each vector, which must not grow with their number."""
    bench.expect(0)

    def encode(rows):
        shape = ("--rows", rows, "--dimension", STREAM_DIMENSION)
        cost = bench.ours("encode", "-", "-", 1, *OURS["akidb none"], *shape)
        return {"encode": cost | {"size": f"{rows}x{STREAM_DIMENSION}"}}

    counts = [bench.rows(count) for count in (100_000, 1_000_000, 10_000_000)]
    bench.contest("encode", "", 1, {f"{n} rows": lambda n=n: encode(n) for n in counts})


# ---- S3 and tiers -------------------------------------------------------------------------------


CURL = ["curl", "--silent", "--show-error", "--fail", "--user", "testkey:testsecret"]
CURL += ["--aws-sigv4", "aws:amz:us-east-1:s3", "--output", "/dev/null"]


class NoServer(Exception):
    pass


@contextlib.contextmanager
def minio(bench):
    """MinIO on loopback with a bucket "bench": its endpoint and the ids of its processes."""
    scripts = HERE.parent / "tests/s3"
    folder = bench.place() / "minio"
    try:
        subprocess.run([scripts / "start_minio.sh", folder], check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise NoServer(error) from error
    try:
        endpoint = (folder / "endpoint").read_text().strip()
        server = [int(pid) for pid in (folder / "pids").read_text().split()]
        keys = {"AWS_ACCESS_KEY_ID": "testkey", "AWS_SECRET_ACCESS_KEY": "testsecret"}
        os.environ |= keys | {"AWS_ENDPOINT_URL": endpoint, "AWS_REGION": "us-east-1"}
        subprocess.run([*CURL, "--request", "PUT", endpoint + "/bench"], check=True)
        yield endpoint, server
    finally:
        subprocess.run([scripts / "stop.sh", folder], check=True)
        remove(folder)


def section_s3(bench):
    """Through MinIO, beside curl, which moves the bytes of the same snapshot."""
    data = bench.data(*bench.main_size())
    try:
        with minio(bench) as (endpoint, server):
            s3(bench, endpoint + "/bench/raw", data, bench.every, server)
    except NoServer as error:
        bench.leave_out("s3", "S3, which MinIO has to serve", error)


def processor_seconds(pids):
    """What running processes have spent so far."""
    ticks = 0
    for pid in pids:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def s3(bench, url, data, threads, server):
    none = OURS["akidb none"]
    vector_bytes = (data / "vectors").stat().st_size
    file = bench.folder / "snapshot.parquet"
    local = bench.folder / "local"
    bench.ours("create", data, local, threads, *none)
    next(local.glob("snapshots/*/*.parquet")).rename(file)
    remove(local)

    def curl(*options):
        # curl cannot make memory ready by itself, so a work of ours does it just before.
        bench.ours("crc32", data, bench.folder, 1)
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

    def theirs():
        create = with_server(lambda: curl("--upload-file", file))
        return {"create": create, "restore": with_server(curl)}

    def unsigned(work):
        """With bodies that the signature does not cover, as curl sends them."""
        os.environ["AKIDB_S3_SIGN_PAYLOAD"] = "off"
        try:
            return work()
        finally:
            del os.environ["AKIDB_S3_SIGN_PAYLOAD"]

    def ours():
        signed = with_server(lambda: akidb("create", *none))
        create = unsigned(lambda: with_server(lambda: akidb("create", *none)))
        restore = with_server(lambda: akidb("restore"))
        return {
            "create": create,
            "create-signed": signed,
            "restore": restore,
            "restore-into": with_server(lambda: akidb("restore-into")),
        }

    bench.expect(vector_bytes)
    theirs(), ours()  # so that the server has the memory that it works with
    bench.contest("s3", data.name, threads, {"curl": theirs, "akidb none": ours})


def section_tiers(bench):
    """Gets and moves in each tier, told by akidb_tiers_bench itself. Cold is MinIO, or a folder."""
    command = [bench.build / "akidb_tiers_bench", "--rows", bench.rows(100_000)]

    def measure(*options):
        folder = bench.folder / "tiers"
        words = [str(word) for word in (*command, "--folder", folder, *options)]
        done = subprocess.run(words, stdout=subprocess.PIPE, text=True)
        remove(folder)
        if done.returncode != 0:
            raise Failure("akidb_tiers_bench failed")
        for line in map(json.loads, done.stdout.splitlines()):
            bench.lines.append({"section": "tiers", "store": "MinIO" if options else "", **line})

    try:
        with minio(bench):
            measure("--store", "s3://bench/tiers")
    except NoServer as error:
        bench.leave_out("tiers", "a cold tier on S3, which MinIO has to serve", error)
        bench.place()
        measure()


# ---- the run ------------------------------------------------------------------------------------

# And about how many minutes each takes with five runs on two processors.
SECTIONS = {
    "main": (section_main, 15),
    "zstd": (section_zstd, 2),
    "codecs": (section_codecs, 3),
    "embeddings": (section_embeddings, 3),
    "json": (section_json, 4),
    "foreign": (section_foreign, 1),
    "streams": (section_streams, 3),
    "encode": (section_encode, 1),
    "s3": (section_s3, 1),
    "tiers": (section_tiers, 1),
}


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
    if bench.options.no_peers:
        return {}
    names = {"pyarrow": "pyarrow", "arro3-io": "parquet-rs (arro3-io)", "duckdb": "DuckDB"}
    names |= {"polars": "Polars", "pylance": "Lance", "orjson": "orjson"}
    script = "import importlib.metadata as m, json, sys; "
    script += "print(json.dumps({n: m.version(n) for n in sys.argv[1:]}))"
    found = subprocess.run(
        [bench.python, "-c", script, *names], stdout=subprocess.PIPE, text=True, check=True
    )
    return {names[name]: version for name, version in json.loads(found.stdout).items()}


def read_size(text):
    rows, _, dimension = text.partition("x")
    return int(rows), int(dimension)


def read_sizes(text):
    return [read_size(size) for size in text.split(",")]


def read_sections(text):
    names = text.split(",")
    for name in names:
        if name not in SECTIONS:
            raise argparse.ArgumentTypeError(f"{name} is none of {', '.join(SECTIONS)}")
    return names


def read_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", help="the folder with akidb_bench")
    parser.add_argument("--folder", help="where files are written (BUILD/bench-data)")
    parser.add_argument("--runs", type=int, default=5, help="of which the median is told (5)")
    sizes = "10000x512,100000x512,100000x1536,1000000x128"
    parser.add_argument("--sizes", type=read_sizes, default=sizes, help=f"of main ({sizes})")
    parser.add_argument("--divide", type=int, default=1, help="all rows by this: a quick look")
    parser.add_argument("--no-peers", action="store_true", help="ours and the limits alone")
    parser.add_argument(
        "--sections",
        type=read_sections,
        help=f"of {', '.join(SECTIONS)}; the results of the others stay as they were",
    )
    parser.add_argument("--keep-documents", action="store_true", help="for the next run")
    parser.add_argument("--chart", help="write the chart of create and restore here (SVG)")
    return parser.parse_args()


def save(bench, about):
    text = "".join(json.dumps(line) + "\n" for line in [about, *bench.lines])
    new = bench.results.with_suffix(".new")
    new.write_text(text)
    new.replace(bench.results)


def measure_all(bench, about):
    if bench.options.sections and bench.results.exists():
        before, *lines = map(json.loads, bench.results.read_text().splitlines())
        if before["machine"] == about["machine"] and before.get("divide") == about["divide"]:
            bench.lines = lines
    for name in bench.options.sections or SECTIONS:
        bench.lines = [line for line in bench.lines if line["section"] != name]
        begun = time.monotonic()
        SECTIONS[name][0](bench)
        for line in bench.lines:
            if line["section"] == name:
                line["date"] = about["date"]
        save(bench, about)
        print(report.section(bench.lines, name), end="", flush=True)
        print(f"\n({name}: {time.monotonic() - begun:.0f} s)", flush=True)


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    bench = Bench(read_options())
    options = bench.options
    free = shutil.disk_usage(bench.folder.parent).free
    if free < ROOM // options.divide:
        raise Failure(f"{bench.folder.parent} has {free >> 20} MiB free, {ROOM >> 20} are needed")
    about = {
        "machine": machine(),
        "date": datetime.date.today().isoformat(),
        "versions": versions(bench),
        "main": [*bench.main_size(), bench.every],
        "divide": options.divide,
    }
    minutes = sum(SECTIONS[name][1] for name in options.sections or SECTIONS)
    minutes *= (1 + options.runs) / 6 / options.divide
    print(f"{about['machine']}; this takes about {minutes:.0f} minutes", flush=True)
    try:
        measure_all(bench, about)
    finally:
        remove(bench.folder)
        if not options.keep_documents:
            remove(bench.documents)
    print(report.goals(about, bench.lines))
    print(f"\n{bench.results}")
    if options.chart:
        chart.write(pathlib.Path(options.chart), about, bench.lines)


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"bench: {failure}")
    except KeyboardInterrupt:
        sys.exit(130)
