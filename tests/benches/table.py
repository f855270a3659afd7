#!/usr/bin/env python3
"""One table of what `bench` and its peers told, by size: ours, theirs, ratio. Writes bench.json beside.

    python3 tests/benches/table.py FOLDER...

Each FOLDER is one size: ours.json (bench), raw.json (peers.py), private-*.json (private.py; may lack).
Exits with 1 where the peers' exact results were not ours.
"""

import json
import os
import platform
import sys
from datetime import date
from pathlib import Path

RAW_AIM, PRIVATE_AIM = 0.5, 20


def size(folder):
    ours = json.loads(Path(folder, "ours.json").read_text())
    raw = json.loads(Path(folder, "raw.json").read_text())
    private = [json.loads(file.read_text()) for file in sorted(Path(folder).glob("private-*.json"))]
    return ours, raw, private


def slope(points):
    """Milliseconds a million rows and at none, by least squares, and the share of the variance explained."""
    n = len(points)
    mean_x, mean_y = (sum(axis) / n for axis in zip(*points))
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    each = sum((x - mean_x) * (y - mean_y) for x, y in points) / spread
    start = mean_y - each * mean_x
    rest = sum((y - start - each * x) ** 2 for x, y in points)
    whole = sum((y - mean_y) ** 2 for _, y in points)
    return each, start, 1 - rest / whole if whole else 1.0


def main(folders):
    made, lines, sound = [], [], True
    for folder in folders:
        ours, raw, private = size(folder)
        sound &= raw["equal"]
        warm = ours["warm_ms"]
        rows = f"{ours['rows'] / 1e6:.0f} M"
        lines.append((rows, "ours: private, judged, charged, signed, durable", warm, "", ""))
        for one in raw["results"]:
            name = f"{one['engine']}, {one['storage']}, {one['threads']} thread(s), no privacy"
            lines.append((rows, name, one["median_ms"], f"ours takes {warm / one['median_ms']:.2f} of it", f"{one['rss_mib']} MiB"))
        for one in private:
            spent = 1e3 * one["median_s"]
            name = f"{one['engine']} {one['version']}, private count and sum"
            lines.append((rows, name, spent, f"ours is {spent / warm:,.0f} times as fast", f"{one['rss_mib']} MiB"))
        fastest = min(one["median_ms"] for one in raw["results"])
        against = min((1e3 * one["median_s"] for one in private), default=None)
        made.append({
            **ours, "raw": raw["results"], "private": private, "versions": raw["versions"], "passing_rows": raw["passing_rows"],
            "of_fastest_raw": round(warm / fastest, 4), "times_fastest_private": against and round(against / warm, 1),
        })
    for row in lines:
        print("{:>6}  {:<58} {:>12,.1f} ms  {:<28} {}".format(*row))
    for one in made:
        private = one["times_fastest_private"]
        told = f"{private} times as fast as the fastest private peer (aim {PRIVATE_AIM})" if private else "private peers did not run"
        print(f"{one['rows'] / 1e6:.0f} M: {one['of_fastest_raw']} of the fastest engine without privacy (aim {RAW_AIM}); {told};"
              f" 2,000 questions: the first {one['first_ms']:.2f} ms, the last {one['last_ms']:.2f} ms")
    fit = None
    if len(made) > 2:
        each, start, explained = fit = slope([(one["rows"] / 1e6, one["warm_ms"]) for one in made])
        print(f"fit over {len(made)} sizes: {start:.2f} ms + {each:.3f} ms a million stays, {100 * explained:.2f} % of the variance")
    about = {"date": date.today().isoformat(), "machine": platform.machine(), "cores": os.cpu_count(), "sizes": made, "fit": fit}
    out = Path(folders[-1], "bench.json")
    out.write_text(json.dumps(about, indent=1))
    print(f"written: {out}")
    if not sound:
        sys.exit("the peers' exact results differ from ours")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1:])
