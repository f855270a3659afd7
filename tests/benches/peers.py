#!/usr/bin/env python3
"""The node's benchmark question put to DuckDB and Polars, on the node's own column files.

    python3 -m venv venv && venv/bin/pip install duckdb polars pyarrow
    venv/bin/python tests/benches/peers.py --data DATA --dictionary dictionary.json \
        --from 2025-01 --to 2025-06 --work SCRATCH

The question: for each case group the count, the capped sum and sum of squares of cost, the sum of
length of stay and a histogram of cost, over the months asked, of rows with group_rank < K and
stay_rank < c. All arithmetic is in whole numbers, as in the node: with reference r of the row's
group, u = floor((2000 x + r) / (2 r)) thousandths; the summand is min(u, 1000 cap), which is the
same as rounding min(x, cap r); the bin is that of u itself, the top bin open.

Every engine gets all months and all columns but the two 16-byte ids, in month order. Each engine
and number of threads is a process of its own: load or open, run each way of writing the query
once, then the fastest way `--runs` times; times are of the query alone. Prints JSON. `digest` is
the SHA-256 of the lines `group,count,sum,squares,los,bin0,bin1,...` (each with a line feed) for
all groups of the dictionary by position from 0.
"""

import argparse
import base64
import hashlib
import json
import os
import re
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq

IDS = ("patient", "stay")
ENGINES = ("duckdb-own", "duckdb-parquet", "polars-memory", "polars-parquet")


class Terms:
    """What the dictionary says about the question."""

    def __init__(self, path, cost, los):
        text = json.loads(Path(path).read_text())
        if "body" in text:
            text = json.loads(base64.b64decode(text["body"]))
        fields = {field["id"]: field["reference"] for field in text["fields"]}
        references = [group["references"] for group in text["groups"]]
        self.cost_reference = [one[fields[cost]] for one in references]
        self.los_reference = [one[fields[los]] for one in references]
        self.cap = 1000 * text["cap"]
        self.edges = text["bin_edges"]
        # Bin of every u from 0 to the last edge.
        self.bin_of = [0] * (self.edges[-1] + 1)
        for number, edge in enumerate(self.edges):
            until = self.edges[number + 1] if number + 1 < len(self.edges) else edge + 1
            self.bin_of[edge:until] = [number] * (until - edge)

    def digest(self, rows):
        """Folds rows (group, bin, count, sum, squares, los) into one line a group."""
        lines = [[0] * (4 + len(self.edges)) for _ in self.cost_reference]
        for group, bin_, count, total, squares, los in rows:
            for place, value in enumerate((count, total, squares, los)):
                lines[group][place] += int(value)
            lines[group][4 + bin_] += int(count)
        text = "".join(f"{group},{','.join(map(str, line))}\n" for group, line in enumerate(lines))
        return hashlib.sha256(text.encode()).hexdigest(), sum(line[0] for line in lines)


def month_index(text):
    return (int(text[:4]) - 1970) * 12 + int(text[5:7]) - 1


def read_columns(data, load, ids=IDS):
    """All months as one Arrow table without the ids: columns, ranks and `month` (months since 1970-01)."""
    months = []
    for path in Path(data, "columns").glob(f"{load or '*'}/*.arrow"):
        if re.fullmatch(r"\d{4}-\d{2}\.arrow", path.name):
            months.append((path.stem, path))
    if not months:
        sys.exit(f"no month files under {data}/columns")
    tables = []
    for month, path in sorted(months):
        columns, ranks = (
            pa.ipc.open_file(pa.memory_map(str(file))).read_all()
            for file in (path, path.with_name(f"{month}.ranks.arrow"))
        )
        columns = columns.drop_columns([name for name in ids if name in columns.column_names])
        for name in ranks.column_names:
            columns = columns.append_column(name, ranks[name])
        index = pa.array([month_index(month)] * len(columns), pa.uint16())
        tables.append(columns.append_column("month", index))
    return pa.concat_tables(tables)


def duckdb_ways(args, terms, source):
    """The query in SQL: small tables joined, or the bins as a tree of comparisons."""
    narrow = "INTEGER" if terms.cap**2 < 2**31 else "BIGINT"
    rank = (
        f"month BETWEEN {month_index(args.start)} AND {month_index(args.end)}"
        f" AND group_rank < {args.groups} AND stay_rank < {args.stays}"
    )

    def tree(low, high):
        if low == high:
            return str(low)
        middle = (low + high + 1) // 2
        return f"CASE WHEN u < {terms.edges[middle]} THEN {tree(low, middle - 1)} ELSE {tree(middle, high)} END"

    scaled = (
        f"SELECT g, (2000 * {args.cost}::BIGINT + cost_reference) // (2 * cost_reference) AS u,"
        f" least((2000 * {args.los}::BIGINT + los_reference) // (2 * los_reference), {terms.cap})::{narrow} AS l"
        f" FROM {source} JOIN terms ON case_group = g WHERE {rank}"
    )
    summed = (
        f"count(*), sum(least(u, {terms.cap})::{narrow}),"
        f" sum(least(u, {terms.cap})::{narrow} * least(u, {terms.cap})::{narrow}), sum(l)"
    )
    last = len(terms.edges) - 1
    return {
        "joined bins": f"SELECT g, bin, {summed} FROM ({scaled}) JOIN bins ON least(u, {terms.edges[-1]})::INTEGER = edge GROUP BY g, bin",
        "tree of bins": f"SELECT g, {tree(0, last)} AS bin, {summed} FROM ({scaled}) GROUP BY g, bin",
    }


def run_duckdb(args, terms):
    import duckdb

    own = args.engine == "duckdb-own"
    base = duckdb.connect(str(work(args, "peers.duckdb")), read_only=True) if own else duckdb.connect()
    base.execute(f"SET threads = {args.threads}")
    groups = list(range(len(terms.cost_reference)))
    small = {
        "terms": pa.table({
            "g": pa.array(groups, pa.uint16()),
            "cost_reference": pa.array(terms.cost_reference, pa.int64()),
            "los_reference": pa.array(terms.los_reference, pa.int64()),
        }),
        "bins": pa.table({
            "edge": pa.array(range(len(terms.bin_of)), pa.int32()),
            "bin": pa.array(terms.bin_of, pa.uint8()),
        }),
    }
    for name, table in small.items():
        base.register(f"{name}_arrow", table)
        base.execute(f"CREATE TEMP TABLE {name} AS SELECT * FROM {name}_arrow")
    source = "stays" if own else f"read_parquet('{work(args, 'peers.parquet')}')"
    ways = duckdb_ways(args, terms, source)
    return {way: lambda sql=sql: base.execute(sql).fetchall() for way, sql in ways.items()}


def run_polars(args, terms):
    import polars as pl

    if args.engine == "polars-memory":
        source = pl.from_arrow(read_columns(args.data, args.load), rechunk=True).lazy()
    else:
        source = pl.scan_parquet(work(args, "peers.parquet"))

    def scaled(column, references):
        reference = pl.lit(pl.Series(references, dtype=pl.Int64)).gather(pl.col("case_group"))
        return (2000 * pl.col(column).cast(pl.Int64) + reference) // (2 * reference)

    group = pl.col("case_group")
    references = pl.LazyFrame({
        "case_group": pl.Series(range(len(terms.cost_reference)), dtype=pl.UInt16),
        "cost_reference": pl.Series(terms.cost_reference, dtype=pl.Int64),
        "los_reference": pl.Series(terms.los_reference, dtype=pl.Int64),
    })
    kept = source.filter(
        pl.col("month").is_between(month_index(args.start), month_index(args.end)),
        pl.col("group_rank") < args.groups,
        pl.col("stay_rank") < args.stays,
    ).select(group, args.cost, args.los)
    looked_up = kept.select(
        group, u=scaled(args.cost, terms.cost_reference), l=scaled(args.los, terms.los_reference)
    )
    joined = kept.join(references, on="case_group").select(
        group,
        u=(2000 * pl.col(args.cost).cast(pl.Int64) + pl.col("cost_reference")) // (2 * pl.col("cost_reference")),
        l=(2000 * pl.col(args.los).cast(pl.Int64) + pl.col("los_reference")) // (2 * pl.col("los_reference")),
    )
    bins = pl.lit(pl.Series(terms.bin_of, dtype=pl.UInt8))

    def query(rows):
        rows = rows.with_columns(
            bin=bins.gather(pl.col("u").clip(0, terms.edges[-1])),
            v=pl.col("u").clip(0, terms.cap),
            l=pl.col("l").clip(0, terms.cap),
        )
        return rows.group_by("case_group", "bin").agg(
            count=pl.len(), total=pl.col("v").sum(), squares=(pl.col("v") * pl.col("v")).sum(), los=pl.col("l").sum()
        )

    shapes = {"looked-up references": looked_up, "joined references": joined}
    return {
        f"{shape}, {engine}": lambda plan=query(rows), engine=engine: plan.collect(engine=engine).rows()
        for shape, rows in shapes.items()
        for engine in ("in-memory", "streaming")
    }


def measure(args, terms):
    """One engine with one number of threads: the fastest way, timed."""
    ways = run_duckdb(args, terms) if args.engine.startswith("duckdb") else run_polars(args, terms)
    tried, digests = {}, set()

    def timed(run):
        start = time.perf_counter()
        rows = run()
        spent = (time.perf_counter() - start) * 1000
        digests.add(terms.digest(rows))
        return spent

    for way, run in ways.items():
        tried[way] = min(timed(run) for _ in range(2))
    way = min(tried, key=tried.get)
    times = sorted(timed(ways[way]) for _ in range(args.runs))
    if len(digests) != 1:
        sys.exit(f"{args.engine}: runs differ")
    digest, passing = digests.pop()
    engine, storage = args.engine.split("-")
    return {
        "engine": engine, "storage": storage, "threads": args.threads, "way": way,
        "median_ms": round(statistics.median(times), 3), "least_ms": round(times[0], 3),
        "rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "passing_rows": passing, "digest": digest,
    }


def prepare(args):
    """Writes the DuckDB file and the Parquet file (snappy) once."""
    import duckdb

    table = read_columns(args.data, args.load)
    pq.write_table(table, work(args, "peers.parquet"), compression="snappy", row_group_size=1 << 20)
    own = work(args, "peers.duckdb")
    own.unlink(missing_ok=True)
    with duckdb.connect(str(own)) as base:
        base.register("columns", table)
        base.execute("SET preserve_insertion_order = true")
        base.execute("CREATE TABLE stays AS SELECT * FROM columns")
    return {"rows": len(table), "columns": table.column_names}


def work(args, name):
    return Path(args.work, name)


def again(arguments, step, threads=1):
    """This script in a process of its own, so that threads and memory are that step's alone."""
    environment = {**os.environ, "POLARS_MAX_THREADS": str(threads)}
    command = [sys.executable, __file__, *arguments, "--engine", step, "--threads", str(threads)]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="the node's data folder")
    parser.add_argument("--load", help="one load id; all loads if absent")
    parser.add_argument("--dictionary", required=True, help="dictionary as JSON, plain or sealed")
    parser.add_argument("--from", dest="start", required=True, help="first month, YYYY-MM")
    parser.add_argument("--to", dest="end", required=True, help="last month, YYYY-MM")
    parser.add_argument("--work", required=True, help="folder for the engines' own files")
    parser.add_argument("--cost", default="cost", help="the cost field's id")
    parser.add_argument("--los", default="los", help="the length-of-stay field's id")
    parser.add_argument("--groups", type=int, default=3, help="K of the question's bounds")
    parser.add_argument("--stays", type=int, default=1, help="c of the question's bounds")
    parser.add_argument("--runs", type=int, default=7, help="timed runs, the median counts")
    parser.add_argument("--at", default="1,2", help="numbers of threads")
    parser.add_argument("--engine", choices=("prepare", *ENGINES), help=argparse.SUPPRESS)
    parser.add_argument("--threads", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args(arguments)
    terms = Terms(args.dictionary, args.cost, args.los)
    if args.engine:
        made = prepare(args) if args.engine == "prepare" else measure(args, terms)
        print(json.dumps(made))
        return
    Path(args.work).mkdir(parents=True, exist_ok=True)
    prepared = again(arguments, "prepare")
    threads = [int(number) for number in args.at.split(",")]
    results = [again(arguments, engine, number) for engine in ENGINES for number in threads]
    digests = {result.pop("digest") for result in results}
    passing = {result.pop("passing_rows") for result in results}
    versions = {name: __import__(name).__version__ for name in ("duckdb", "polars", "pyarrow")}
    print(json.dumps({
        **prepared, "from": args.start, "to": args.end, "versions": versions, "equal": len(digests) == 1,
        "digest": min(digests), "passing_rows": min(passing), "results": results,
    }, indent=1))
    if len(digests) != 1:
        sys.exit("the engines' results differ")


if __name__ == "__main__":
    main(sys.argv[1:])
