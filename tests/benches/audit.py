"""Times a month close and an audit end to end with the real binaries, and checks the findings.

    python3 tests/benches/audit.py BIN_FOLDER [SETTLEMENTS]

Three payers; planted at the first: 40 omitted, 25 changed by 1 fen, 15 repeated, 10 invented.
Prints seconds, processor seconds (user and system) and peak memory of each step; exits with 1 if the findings are not exactly these.
The aim for 100,000 settlements asked about is 90 s on 2 cores in all and 500 MiB a step.
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BIN = Path(sys.argv[1])
COUNT = int(sys.argv[2]) if len(sys.argv) > 2 else 100_000
MONTH = "2025-12"
OFFICERS = {"li-hua": "steward", "zhao-min": "security_officer"}
MAPPING = """dataset = "settlements"
settlement = "no"
[payer]
column = "payer"
values = { A = "i01", B = "i02", C = "i03" }
[amount]
column = "fen"
unit = "fen"
[case_group]
columns = ["drg"]
"""


def settlement(payer, i):
    number = hashlib.sha256(f"{payer}-{i}".encode()).hexdigest()[:20]
    return f"S{number}", payer, 1000 + i * 37 % 2_000_000, ["FM19", "BR21"][i % 2]


def lists():
    """What the first payer paid, and what the hospital commits to."""
    paid = [settlement("A", i) for i in range(COUNT)]
    listed = list(paid)
    for i in range(40, 65):
        number, payer, fen, group = listed[i * 7]
        listed[i * 7] = (number, payer, fen + 1, group)
    listed += [paid[i * 7] for i in range(65, 80)]
    listed += [(f"INVENTED{i}", "A", 500_000 + i, "FM19") for i in range(10)]
    omitted = {paid[i * 7][0] for i in range(40)}
    listed = [one for one in listed if one[0] not in omitted]
    others = COUNT // 20
    listed += [settlement(payer, i) for payer in "BC" for i in range(others)]
    return paid, listed


def run(name, *words, quiet=True):
    """Runs a command; gives its output, seconds and peak memory in MiB."""
    start = time.monotonic()
    with tempfile.TemporaryFile() as out:
        child = subprocess.Popen([BIN / name, *map(str, words)], stdout=out)
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        text = out.read().decode()
    seconds = time.monotonic() - start
    if child.returncode != 0:
        sys.exit(f"{name} {words} ended with {child.returncode}")
    if not quiet:
        name = " ".join(map(str, words[:4])).split("/")[0]
        TIMES.append((name, seconds, used.ru_utime, used.ru_stime, used.ru_maxrss / 1024))
    return text


TIMES = []


def main():
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        node = ["--data", home / "node"]
        alliance = ["--data", home / "alliance"]
        run("consilium-node", "synth", "--out", home / "files", "--seed", 7, "--year", 2025,
            "--hospitals", 1, "--stays", 100)
        run("consilium-coordinator", "init", "--alliance", "bench", *alliance, "--host", "localhost")
        run("consilium-coordinator", *alliance, "dictionary", "build", "--plan", "chs", "--table",
            home / "files/groups.csv", "--out", home / "dictionary.json")
        run("consilium-node", *node, "init", "--hospital", "h01")
        run("consilium-node", *node, "dictionary", "accept", home / "dictionary.json",
            "--unsigned-for-trial")
        for officer, role in OFFICERS.items():
            run("consilium-node", *node, "officer", "add", officer, "--role", role)
        for officer in OFFICERS:
            run("consilium-node", *node, "policy", "approve", "--as", officer)
        paid, listed = lists()
        (home / "mapping.toml").write_text(MAPPING)
        (home / "listed.csv").write_text(
            "no,payer,fen,drg\n" + "".join(f"{n},{p},{f},{g}\n" for n, p, f, g in listed))
        (home / "paid.csv").write_text(
            "settlement,fen,group\n" + "".join(f"{n},{f},{g}\n" for n, _, f, g in paid))
        key = run("consilium-node", *node, "audit", "key").strip()
        case = home / "audit"
        begun = run("consilium-coordinator", "audit", "begin", case, "--alliance", "bench",
                    "--hospital", "h01", "--payer", "i01", "--month", MONTH, "--log-key", key)
        lines = begun.splitlines()
        run("consilium-node", *node, "audit", "payer", *lines[1].split()[-2:])
        start = time.monotonic()
        step = lambda name, *words: run(name, *words, quiet=False)
        step("consilium-node", "close", MONTH, *node, "--settlements", home / "listed.csv",
             "--mapping", home / "mapping.toml", "--nonce", lines[2].split()[-1])
        step("consilium-node", "audit", "book", *node, "i01", MONTH, "--out", home / "book")
        step("consilium-coordinator", "audit", "prepare", case, "--paid", home / "paid.csv",
             "--book", home / "book")
        serve = ["audit", "serve-batch", *node, case / "requests", case / "replies"]
        step("consilium-node", *serve)
        step("consilium-coordinator", "audit", "match", case)
        step("consilium-coordinator", "audit", "totals", case)
        subprocess.run([BIN / "consilium-coordinator", "audit", "sample", case],
                       stderr=subprocess.DEVNULL)
        subprocess.run([BIN / "consilium-node", *map(str, serve)], stderr=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL)
        (opening,) = json.loads(run("consilium-node", *node, "audit", "list", "--json"))
        for officer in OFFICERS:
            step("consilium-node", "audit", "approve", *node, opening["request"], "--as", officer)
        step("consilium-node", *serve)
        step("consilium-coordinator", "audit", "sample", case)
        report = json.loads(step("consilium-coordinator", "audit", "report", case, "--json"))
        step("consilium-coordinator", "audit", "verify", case / "pack", "--log-key", key)
        total = time.monotonic() - start
        user, system, memory = (f(t[i] for t in TIMES) for f, i in ((sum, 2), (sum, 3), (max, 4)))
        load = Path("/proc/loadavg")
        print("load", load.read_text().strip() if load.exists() else "unknown")
        for row in [*TIMES, ("all", total, user, system, memory)]:
            print("{:<44} {:8.2f} s {:8.2f} user {:6.2f} system {:6.0f} MiB".format(*row))
        counts = {}
        for finding in report["findings"]:
            counts[finding["fault"]] = counts.get(finding["fault"], 0) + 1
        print(counts, "every fen accounted for" if report["accounted"] else "not accounted for")
        planted = {"missing": 40, "amount": 25, "duplicated": 15, "invented": 10}
        if counts != planted or not report["accounted"]:
            sys.exit("the findings are not those planted")


main()
