#!/usr/bin/env python3
"""A private count and sum of cost by case group, by programs that give differential privacy too.

    PYTHON private.py prepare    --data NODE --dictionary dictionary.json --from 2025-01 --to 2025-06 --work SCRATCH
    PYTHON private.py smartnoise|opendp|pipelinedp --from 2025-01 --to 2025-06 --work SCRATCH [--runs 3]

`prepare` (with pyarrow) writes the columns that the question needs, once: patient, case group, month
and cost in thousandths of the group's reference, already capped, which the node computes from its
own columns with every question. Each program then reads that file, which is not timed, and answers
the same question: months asked, at most three case groups of a patient and one stay in each, count
and capped sum by case group with public groups, rho 0.04 (or the ε of it at δ = 1e-6). The node's
own figure is of more: five measures, a histogram among them, with the policy judged, the loss
charged in a durable ledger and the answer signed. Prints one line of JSON.
"""

import argparse
import json
import math
import resource
import statistics
import sys
import time
from pathlib import Path

GROUPS, STAYS = 3, 1
RHO, DELTA = 0.04, 1e-6
EPSILON = RHO + 2 * math.sqrt(RHO * math.log(1 / DELTA))


def month_index(text):
    return (int(text[:4]) - 1970) * 12 + int(text[5:7]) - 1


def prepare(args):
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    from peers import Terms, read_columns

    terms = Terms(args.dictionary, "cost", "los")
    references = pa.array(terms.cost_reference, pa.int64())
    table = read_columns(args.data, None, ids=("stay",))
    parts = []
    for batch in table.to_batches(1 << 20):
        reference = references.take(batch["case_group"])
        twice = pc.add(pc.multiply(pc.cast(batch["cost"], pa.int64()), 2000), reference)
        thousandths = pc.divide(twice, pc.multiply(reference, 2))
        # The first eight bytes of an id that is a hash: enough to tell patients apart.
        patient = pa.Array.from_buffers(pa.binary(16), len(batch), batch["patient"].buffers(), offset=batch["patient"].offset)
        words = pa.Array.from_buffers(pa.int64(), 2 * (len(batch) + patient.offset), [None, patient.buffers()[1]])
        parts.append(pa.record_batch({
            "patient": words.slice(2 * patient.offset).take(pa.array(range(0, 2 * len(batch), 2))),
            "case_group": pc.cast(batch["case_group"], pa.int32()),
            "month": pc.cast(batch["month"], pa.int32()),
            "value": pc.cast(pc.min_element_wise(thousandths, terms.cap), pa.int32()),
        }))
    made = pa.Table.from_batches(parts)
    pq.write_table(made, Path(args.work, "private.parquet"), compression="snappy")
    Path(args.work, "private.json").write_text(json.dumps({"groups": len(terms.cost_reference), "cap": terms.cap}))
    return {"rows": len(made)}


def smartnoise(file, terms, start, end):
    """SmartNoise SQL over a data frame, its way for data on one machine."""
    import pandas as pd
    import snsql

    frame = pd.read_parquet(file)
    frame = frame[(frame.month >= start) & (frame.month <= end)].drop(columns=["month"])
    whole = {"type": "int"}
    about = {"": {"bench": {"stays": {
        "max_ids": GROUPS * STAYS, "row_privacy": False, "sample_max_ids": True, "censor_dims": False, "rows": len(frame),
        "patient": {**whole, "private_id": True}, "case_group": whole,
        "value": {**whole, "lower": 0, "upper": terms["cap"]},
    }}}}
    sql = "SELECT case_group, COUNT(*) AS n, SUM(value) AS total FROM bench.stays GROUP BY case_group"

    def ask():
        reader = snsql.from_df(frame, privacy=snsql.Privacy(epsilon=EPSILON / 2, delta=DELTA), metadata=about)
        return {row[0]: row[1] for row in reader.execute(sql)[1:]}

    return ask


def opendp(file, terms, start, end):
    """OpenDP's own Polars front, with truncation by patient and group."""
    import opendp.prelude as dp
    import polars as pl

    dp.enable_features("contrib")
    rows = pl.read_parquet(file).filter(pl.col("month").is_between(start, end)).drop("month")
    groups = pl.LazyFrame({"case_group": pl.Series(range(terms["groups"]), dtype=pl.Int32)})

    def ask():
        asked = dp.Context.compositor(
            data=rows.lazy(),
            privacy_unit=dp.unit_of(contributions=1, identifier="patient"),
            privacy_loss=dp.loss_of(rho=RHO),
            split_evenly_over=1,
            margins=[dp.polars.Margin(by=[], max_length=len(rows), max_groups=terms["groups"])],
        )
        cost = pl.col("value").fill_null(0).dp.sum((0, terms["cap"]))
        query = (
            asked.query()
            .truncate_per_group(STAYS, by=["case_group"])
            .truncate_num_groups(GROUPS, by=["case_group"], keep="first")
            .group_by("case_group")
            .agg(dp.len(), cost)
            .with_keys(groups)
        )
        released = query.release().collect()
        return dict(zip(released["case_group"], released["len"]))

    return ask


def pipelinedp(file, terms, start, end):
    """PipelineDP on its local backend."""
    import pipeline_dp
    import pyarrow.parquet as pq

    table = pq.read_table(file, filters=[("month", ">=", start), ("month", "<=", end)])
    rows = list(zip(*(table[name].to_pylist() for name in ("patient", "case_group", "value"))))

    def ask():
        accountant = pipeline_dp.NaiveBudgetAccountant(total_epsilon=EPSILON, total_delta=DELTA)
        engine = pipeline_dp.DPEngine(accountant, pipeline_dp.LocalBackend())
        wanted = pipeline_dp.AggregateParams(
            noise_kind=pipeline_dp.NoiseKind.GAUSSIAN,
            metrics=[pipeline_dp.Metrics.COUNT, pipeline_dp.Metrics.SUM],
            max_partitions_contributed=GROUPS, max_contributions_per_partition=STAYS,
            min_value=0, max_value=terms["cap"],
        )
        read = pipeline_dp.DataExtractors(
            privacy_id_extractor=lambda row: row[0],
            partition_extractor=lambda row: row[1],
            value_extractor=lambda row: row[2],
        )
        answer = engine.aggregate(rows, wanted, read, public_partitions=list(range(terms["groups"])))
        accountant.compute_budgets()
        return {group: value.count for group, value in answer}

    return ask


PEERS = {
    "smartnoise": (smartnoise, "snsql", "smartnoise-sql"),
    "opendp": (opendp, "opendp", "opendp"),
    "pipelinedp": (pipelinedp, "pipeline_dp", "pipeline-dp"),
}


def measure(args):
    from importlib.metadata import version

    make, _, package = PEERS[args.step]
    terms = json.loads(Path(args.work, "private.json").read_text())
    ask = make(Path(args.work, "private.parquet"), terms, month_index(args.start), month_index(args.end))
    times, total = [], 0
    for _ in range(args.runs):
        begun = time.perf_counter()
        counts = ask()
        times.append(time.perf_counter() - begun)
        total = sum(counts.values())
    return {
        "engine": args.step, "version": version(package), "runs": args.runs,
        "median_s": round(statistics.median(times), 4), "least_s": round(min(times), 4),
        "rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "groups": len(counts), "count": round(total),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("step", choices=("prepare", *PEERS))
    parser.add_argument("--data", help="the node's data folder")
    parser.add_argument("--dictionary", help="dictionary as JSON, plain or sealed")
    parser.add_argument("--from", dest="start", required=True, help="first month, YYYY-MM")
    parser.add_argument("--to", dest="end", required=True, help="last month, YYYY-MM")
    parser.add_argument("--work", required=True, help="folder for the file that is asked")
    parser.add_argument("--runs", type=int, default=3, help="timed runs, the median counts")
    args = parser.parse_args()
    if args.step == "prepare":
        if args.data is None or args.dictionary is None:
            sys.exit("prepare wants --data and --dictionary")
        Path(args.work).mkdir(parents=True, exist_ok=True)
        print(json.dumps(prepare(args)))
    else:
        print(json.dumps(measure(args)))


if __name__ == "__main__":
    main()
