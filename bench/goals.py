"""What the project wants to reach, beside what a run has reached: ratios within that run."""

DURABLE = {"DuckDB": 8, "Polars": 8}
LOADED = {"DuckDB": 10, "Polars": 10}


class Run:
    """Lines of results, found by what was measured."""

    def __init__(self, about, lines):
        rows, dimension, self.threads = about["main"]
        self.size = f"{rows}x{dimension}"
        self.lines = lines

    def all(self, section, **wanted):
        return [
            line
            for line in self.lines
            if line["section"] == section
            and all(line.get(key) == value for key, value in wanted.items())
        ]

    def one(self, section, name, what, **wanted):
        """A line of the main size and all processors, unless told otherwise; None if not there."""
        wanted = {"size": self.size, "threads": self.threads} | wanted
        found = self.all(section, name=name, what=what, **wanted)
        return found[0] if found else None

    def tier(self, what):
        values = sorted(line["value"] for line in self.all("tiers", what=what))
        return values[len(values) // 2] if values else None


def at_most(what, goal, value, form="{:.2f}"):
    return [what, "≤ " + form.format(goal), form.format(value), value <= goal]


def at_least(what, goal, value, form="{:.2f} ×"):
    return [what, "≥ " + form.format(goal), form.format(value), value >= goal]


def ratio(a, b):
    return a["seconds"] / b["seconds"]


def create_and_restore(run):
    for what, limit, most, wanted in (
        ("create", "write", 1.25, DURABLE),
        ("restore", "memcpy", 2.5, LOADED),
    ):
        ours, bound = run.one("main", "akidb none", what), run.one("main", limit, "limit")
        if not ours or not bound:
            continue
        told = {"write": "write + fsync", "memcpy": "memcpy into new memory"}[limit]
        yield at_most(f"{what}, none ÷ {told} of the same bytes", most, ratio(ours, bound))
        for name in ("DuckDB", "Polars", "pyarrow", "parquet-rs", "Lance"):
            theirs = run.one("main", name, what)
            if theirs:
                aim = f"{what}, none: faster than {name}"
                row = at_least(aim, wanted.get(name, 1), ratio(theirs, ours), "{:.1f} ×")
                if what == "create":
                    row[2] += f" (at the limit: {ratio(theirs, bound):.1f} ×)"
                yield row


def balanced(run):
    size = run.size
    rows, dimension = map(int, size.split("x"))
    gigabytes = rows * dimension * 4 / 1e9
    encode = run.one("codecs", "akidb balanced", "encode", threads=1)
    if encode:
        pace = gigabytes / encode["cpu_seconds"]
        yield at_least("balanced, encoding: GB per processor second", 1.2, pace, "{:.2f}")
    for what, text, aim in (
        ("create", "create, with the disk's share", 1.2),
        ("restore", "restore into new memory", 2.5),
        ("restore-into", "restore into the caller's arrays", 2.5),
    ):
        line = run.one("main", "akidb balanced", what, threads=1)
        line = line or run.one("main", "akidb balanced", what)
        if line:
            pace = gigabytes / line["cpu_seconds"]
            yield at_least(f"balanced, {text}: GB per processor second", aim, pace, "{:.2f}")
    entropy = run.one("codecs", "entropy", "limit")
    if entropy and encode:
        over = encode["vector_bytes"] / entropy["bytes"]
        text = "balanced, stored vectors ÷ order-0 entropy of split floats"
        yield at_most(text, 1.01, over, "{:.4f}")
    ours = run.one("zstd", "akidb balanced", "create")
    for theirs in run.all("zstd", what="create"):
        if ours and theirs["name"].endswith("/zstd"):
            share = ours["bytes"] / theirs["bytes"]
            yield at_most(f"balanced, file ÷ that of {theirs['name']}", 1, share, "{:.3f}")


def foreign(run):
    for name in ("pyarrow", "DuckDB", "Polars", "parquet-rs"):
        theirs = run.one("foreign", name, "restore")
        ours = run.one("foreign", f"akidb of {name}", "restore")
        if theirs and ours:
            text = f"a file of {name}: read faster than by its writer"
            yield at_least(text, 5, ratio(theirs, ours), "{:.1f} ×")


def streams(run):
    for what in ("stream-create", "stream-restore"):
        lines = sorted(run.all("streams", what=what), key=lambda line: line["rows"])
        if len(lines) > 1:
            small, large = lines[0], lines[-1]
            least, most = small["peak_bytes"] / 1e6, large["peak_bytes"] / 1e6
            text = f"{what.replace('-', ' ')} of {large['rows']:,} × 128: memory"
            reached = f"{most:.0f} MB ({least:.0f} MB for {small['rows']:,})"
            is_flat = most <= 200 and most <= 1.25 * least
            yield [text, "≤ 200 MB, the same for fewer", reached, is_flat]
    costs = [line["cpu_seconds"] / line["rows"] for line in run.all("encode", what="encode")]
    if len(costs) > 1:
        text = "processor time of a row, encoding 100,000 to 10,000,000: largest ÷ smallest"
        yield at_most(text, 1.15, max(costs) / min(costs))


def json(run):
    for line in run.all("json", name="akidb json"):
        where = {"size": line["size"], "threads": line["threads"]}
        rows, dimension = line["size"].split("x")
        told = f"{line['what']} of {int(rows):,} × {dimension}, {line['threads']} processors"
        told = told.replace(" 1 processors", " 1 processor")
        orjson = run.one("json", "orjson", line["what"], **where)
        parquet = run.one("json", "akidb none", line["what"], **where)
        if orjson:
            yield at_least(f"JSON, {told}: faster than orjson", 1, ratio(orjson, line))
        if parquet:
            text = f"Parquet, {told}: faster than our JSON"
            yield at_least(text, 8, ratio(line, parquet), "{:.1f} ×")


def s3(run):
    for what in ("create", "restore", "restore-into"):
        ours, curl = run.one("s3", "akidb none", what), run.one("s3", "curl", what.split("-")[0])
        if ours and curl:
            yield at_most(f"S3, {what.replace('-', ' ')} ÷ curl", 1.25, ratio(ours, curl))


def tiers(run):
    promotion, memory = run.tier("move warm to hot"), run.tier("memory warm")
    if promotion:
        yield at_least("promotion, warm to hot: GB/s", 1, promotion, "{:.2f}")
    if memory:
        yield at_most("memory of a warm collection: MB", 8, memory, "{:.1f}")


def rows(about, lines):
    """What, goal, reached, whether: of all that was measured."""
    run = Run(about, lines)
    found = []
    for part in (create_and_restore, balanced, foreign, streams, json, s3, tiers):
        found += part(run)
    return found
