"""Risk figures of tables by pyCANON and pandas, to compare with the node's.

A line of standard input is a table: {"quasi": [[...]], "group": [...], "days": [...], "threshold": t}.
A line of standard output holds its figures."""

import json
import sys

import pandas as pd
from pycanon import anonymity
from pycanon.metrics import max_rir

for line in sys.stdin:
    table = json.loads(line)
    names = [f"q{place}" for place in range(len(table["quasi"]))]
    # Text, so that pyCANON takes groups for categories; numbers, so that it takes days as ordered.
    data = pd.DataFrame({name: codes for name, codes in zip(names, table["quasi"])})
    data["group"] = [f"g{group}" for group in table["group"]]
    data["days"] = table["days"]
    size = data.groupby(names)["days"].transform("size")
    ordered = data["days"].nunique() > 1
    figures = {
        "k": int(anonymity.k_anonymity(data, names)),
        "l": int(anonymity.l_diversity(data, names, ["group"])),
        "entropy_l": int(anonymity.entropy_l_diversity(data, names, ["group"])),
        "t_groups": float(anonymity.t_closeness(data, names, ["group"])),
        "t_days": float(anonymity.t_closeness(data, names, ["days"])) if ordered else 0.0,
        "max": float(max_rir(data, names)),
        "mean": float((1 / size).mean()),
        "above": int((1 / size > table["threshold"]).sum()),
        "classes": int(data.groupby(names).ngroups),
    }
    print(json.dumps(figures), flush=True)
