#!/usr/bin/env python3
"""Checks peers.py on made-up column files of the node's shape against a plain loop.

    venv/bin/python tests/benches/test_peers.py [ROWS]
"""

import hashlib
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.ipc

BATCH = 65_536
CAP = 3
EDGES = [0, 68, 82, 99, 119, 144, 174, 211, 255, 308, 372, 450, 544, 658, 795, 961, 1162, 1405, 1698, 2053,
         2482, 3000, 3627, 4384, 5300, 6407, 7746, 9364, 11_320, 13_685, 16_544, 20_000]


def dictionary():
    groups = [{"references": {"cost": 7 + 999_983 * i, "charge": 1, "stay": 1 + 331 * i}} for i in range(74)]
    fields = [{"id": "cost", "reference": "cost"}, {"id": "los", "reference": "stay"}]
    return {"groups": groups, "fields": fields, "cap": CAP, "bin_edges": EDGES}


def write(path, table):
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as file:
        file.write_table(table, max_chunksize=BATCH)


def month(chance, terms, rows):
    group = [int(74 * chance.random() ** 2) for _ in range(rows)]
    ids = pa.array([chance.randbytes(16) for _ in range(rows)], pa.binary(16))
    cost = [min(2**32 - 2, int(terms["groups"][g]["references"]["cost"] * chance.lognormvariate(0, 1))) for g in group]
    los = [int(terms["groups"][g]["references"]["stay"] * chance.lognormvariate(0, 0.7)) for g in group]
    columns = {"patient": ids, "stay": ids, "case_group": pa.array(group, pa.uint16()),
               "sex": pa.array([chance.randrange(3) for _ in group], pa.uint8()),
               "cost": pa.array(cost, pa.uint32()), "los": pa.array(los, pa.uint32())}
    rank = [(min(255, int(chance.expovariate(1))), min(255, int(chance.expovariate(2)))) for _ in group]
    ranks = {"group_rank": pa.array([a for a, _ in rank], pa.uint8()),
             "stay_rank": pa.array([b for _, b in rank], pa.uint8()),
             "series_rank": pa.array([0] * rows, pa.uint8())}
    return pa.table(columns), pa.table(ranks), zip(group, cost, los, rank)


def main(rows):
    chance, terms = random.Random(5), dictionary()
    lines = [[0] * (4 + len(EDGES)) for _ in terms["groups"]]
    with tempfile.TemporaryDirectory() as folder:
        loads = Path(folder, "columns", "load1")
        loads.mkdir(parents=True)
        for number in range(1, 5):
            columns, ranks, plain = month(chance, terms, rows // 4)
            write(loads / f"2025-{number:02}.arrow", columns)
            write(loads / f"2025-{number:02}.ranks.arrow", ranks)
            for group, cost, los, (group_rank, stay_rank) in plain:
                if not (2 <= number <= 3 and group_rank < 3 and stay_rank < 1):
                    continue
                references = terms["groups"][group]["references"]

                def scaled(x, reference):
                    return (2000 * x + reference) // (2 * reference)

                r, s = references["cost"], references["stay"]
                v, l, u = scaled(min(cost, CAP * r), r), scaled(min(los, CAP * s), s), scaled(cost, r)
                line = lines[group]
                line[:4] = line[0] + 1, line[1] + v, line[2] + v * v, line[3] + l
                line[4 + max(i for i, edge in enumerate(EDGES) if edge <= u)] += 1
        path = Path(folder, "dictionary.json")
        path.write_text(json.dumps(terms))
        peers = Path(__file__).with_name("peers.py")
        done = subprocess.run(
            [sys.executable, peers, "--data", folder, "--dictionary", path, "--from", "2025-02", "--to", "2025-03",
             "--work", Path(folder, "work"), "--runs", "3"],
            stdout=subprocess.PIPE, check=True,
        )
    print(done.stdout.decode())
    found = json.loads(done.stdout)
    text = "".join(f"{group},{','.join(map(str, line))}\n" for group, line in enumerate(lines))
    assert found["equal"] and found["digest"] == hashlib.sha256(text.encode()).hexdigest(), "results differ"
    assert found["rows"] == rows // 4 * 4 and found["passing_rows"] == sum(line[0] for line in lines)
    print("equal to the plain loop")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
