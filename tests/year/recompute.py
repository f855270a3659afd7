"""Recomputes a published budget year with exact fractions and names every fen that differs.

    python3 tests/year/recompute.py YEAR.json

Shares nothing with the program: the split is found by fixing bounds step by step, not by one factor.
Overspend, reserve and surplus are not taken from the inputs: they follow from what the statements say was
paid and from the plan. Signatures are `year verify`'s.
"""

import base64
import hashlib
import json
import sys
from fractions import Fraction as F


def once(pairs):
    """A key that stands twice would be read differently by others."""
    found = dict(pairs)
    if len(found) != len(pairs):
        sys.exit("a key stands twice in the file or in inputs")
    return found


def read(text):
    return json.loads(text, object_pairs_hook=once)


def exact(text):
    return F(str(text))


def half_up(value):
    """Rule R1: half away from zero."""
    sign = -1 if value < 0 else 1
    return sign * ((2 * abs(value.numerator) + value.denominator) // (2 * value.denominator))


def largest_remainder(total, weights):
    """Rule R2: larger remainder, larger weight, earlier place."""
    whole = sum(weights)
    shares = [F(total) * weight / whole for weight in weights]
    parts = [share.numerator // share.denominator for share in shares]
    order = sorted(
        (i for i, weight in enumerate(weights) if weight > 0),
        key=lambda i: (-(shares[i] - parts[i]), -weights[i], i))
    for i in order[:total - sum(parts)]:
        parts[i] += 1
    return parts


def bounded(amount, shares, floors, ceilings):
    """Splits the rest over free members, fixes the side that violates more, and again."""
    fixed = {i: floors[i] for i, share in enumerate(shares) if share == 0}
    while True:
        free = [i for i in range(len(shares)) if i not in fixed]
        if not free:
            break
        rest = amount - sum(fixed.values())
        whole = sum(shares[i] for i in free)
        got = {i: rest * shares[i] / whole for i in free}
        below = {i: floors[i] - got[i] for i in free if got[i] < floors[i]}
        above = {i: got[i] - ceilings[i] for i in free if got[i] > ceilings[i]}
        if not below and not above:
            return [fixed.get(i, got.get(i)) for i in range(len(shares))]
        short, over = sum(below.values()), sum(above.values())
        if short >= over:
            fixed.update({i: floors[i] for i in below})
        if over >= short:
            fixed.update({i: ceilings[i] for i in above})
    return [fixed[i] for i in range(len(shares))]


def kept(plan, month):
    """What a plan gives each member before a month of its year, with what was taken of its deduction."""
    before, last, found = int(month[5:]) - 1, plan.get("revised"), []
    for part in plan["members"]:
        since = int(last["from"][5:]) - 1 if last else 0
        already = last["taken"].get(part["id"], 0) if last else 0
        even = largest_remainder(part["deduction"] - already, [F(1)] * (12 - since))
        found.append({"id": part["id"], "tier": part["tier"], "monthly": part["monthly"][:before],
                      "deduction": part["deduction"], "taken": already + sum(even[:before - since])})
    return found


def plan(rules, given):
    reserve = half_up(given["total"] * exact(rules["reserve"]))
    members = given["members"]
    # Of a plan that is made again in mid-year: what the one before gave stays, the rest is split.
    revision = given.get("revision") or {"from": "0000-01", "given": []}
    before = {one["id"]: one for one in revision["given"]}
    gross = {name: sum(one["monthly"]) + one["taken"] for name, one in before.items()}
    distributable = given["total"] - reserve
    money = distributable - sum(gross.values())
    gone = int(revision["from"][5:]) - 1
    bases = []
    for member in members:
        pairs = list(zip(reversed(member["before"]), reversed(rules["history"])))
        bases.append(sum(fen * exact(weight) for fen, weight in pairs)
                     / sum(exact(weight) for _, weight in pairs))
    base = [value / sum(bases) for value in bases]
    factor = [F(0)] * len(members)
    for one in rules["factors"]:
        values = [max(F(0), worth(rules, given, member, one["id"])) for member in members]
        for i, value in enumerate(values):
            factor[i] += exact(one["weight"]) * value / sum(values)
    alpha = exact(rules["alpha"])
    share = [alpha * b + (1 - alpha) * f for b, f in zip(base, factor)]
    solved = bounded(F(money), share,
                     [money * b * exact(rules["floor"]) for b in base],
                     [money * b * exact(rules["ceiling"]) for b in base])
    amounts = largest_remainder(money, solved)
    there = {member["id"] for member in members}
    left = [one for one in revision["given"] if one["id"] not in there]
    found = {"reserve": reserve, "distributable": distributable,
             "deducted": sum(member.get("deduction", 0) for member in members)
             + sum(one["taken"] for one in left)}
    for member, b, f, s, amount in zip(members, base, factor, share, amounts):
        name = member["id"]
        more = gross.get(name, 0)
        found[f"{name} shares"] = [decimal(b, 6), decimal(f, 6), decimal(s, 6)]
        found[f"{name} unclipped"] = more + half_up(money * s)
        usual = more + money * b
        found[f"{name} change"] = decimal(F(more + amount) / usual - 1 if usual else F(0), 6)
    for place, member in enumerate(members):
        at = solved[place]
        low, high = (money * base[place] * exact(rules[end]) for end in ("floor", "ceiling"))
        # One that its own share takes to a bound exactly is free.
        found[f"{member['id']} decided by"] = (
            "free" if low < at < high else "floor" if at == low else "ceiling")
    for member, amount in zip(members, amounts):
        name = member["id"]
        had = before.get(name, {"monthly": [0] * gone, "taken": 0})
        net = amount - (member.get("deduction", 0) - had["taken"])
        found[f"{name} amount"] = gross.get(name, 0) + amount
        found[f"{name} monthly"] = had["monthly"] + largest_remainder(net, [F(1)] * (12 - gone))
        earmarks(rules, member, gross.get(name, 0) + amount, found)
    for member, b in zip(members, base):
        more = gross.get(member["id"], 0)
        found[f"{member['id']} floor"] = more + half_up(money * b * exact(rules["floor"]))
        found[f"{member['id']} ceiling"] = more + half_up(money * b * exact(rules["ceiling"]))
        found[f"{member['id']} deduction"] = member.get("deduction", 0)
    for one in left:
        name, nothing = one["id"], decimal(F(0), 6)
        found[f"{name} shares"], found[f"{name} change"] = [nothing] * 3, nothing
        found[f"{name} decided by"], found[f"{name} deduction"] = "free", one["taken"]
        for what in ("amount", "unclipped", "floor", "ceiling"):
            found[f"{name} {what}"] = gross[name]
        found[f"{name} monthly"] = one["monthly"] + [0] * (12 - gone)
        earmarks(rules, one, gross[name], found)
    for one in given.get("groups", []):
        fee = half_up(one["cost"] * exact(rules.get("control_level", "1")))
        found[f"control {one['group']}"] = [fee, half_up(fee / exact(one["days"]))]
    return found


def earmarks(rules, member, amount, found):
    left = amount
    for mark in rules.get("earmarks", []):
        if member["tier"] in mark["tiers"]:
            part = min(left, half_up(amount * exact(mark["share"])))
            found[f"{member['id']} {mark['id']}"] = part
            left -= part


def told_plan(told):
    found = {name: told[name] for name in ("reserve", "distributable", "deducted")}
    for part in told["members"]:
        found[f"{part['id']} shares"] = [part["base_share"], part["factor_share"], part["share"]]
        found[f"{part['id']} decided by"] = part["pinned"]
        for name in ("unclipped", "change"):
            found[f"{part['id']} {name}"] = part[name]
        found[f"{part['id']} amount"] = part["amount"]
        found[f"{part['id']} monthly"] = part["monthly"]
        for name in ("floor", "ceiling", "deduction"):
            found[f"{part['id']} {name}"] = part[name]
        for mark, fen in part["earmarks"].items():
            found[f"{part['id']} {mark}"] = fen
    for one in told.get("controls", []):
        found[f"control {one['group']}"] = [one["fee"], one["day"]]
    return found


def nine(number):
    return F(half_up(number * 10**9), 10**9)


def worth(rules, given, member, factor):
    """A factor's value: told, rated from scores, or the demand that a member is there for."""
    if factor in member["factors"]:
        return exact(member["factors"][factor]["value"])
    if factor == "capability-score":
        whole = F(0)
        for name, weight in rules["capability"][member["tier"]].items():
            score = exact(member["scores"][name]["value"])
            if name in rules.get("scales", {}):
                worst, best = (exact(rules["scales"][name][end]) for end in ("worst", "best"))
                score = 100 * max(F(0), min(F(1), (score - worst) / (best - worst)))
            whole += exact(weight) * score
        return nine(whole)
    whole = F(0)
    for line, demand in given["demand"].items():
        parts = [exact(one.get("serves", {}).get(line, "0")) for one in given["members"]]
        whole += exact(demand["value"]) * exact(member.get("serves", {}).get(line, "0")) / sum(parts)
    return nine(whole)


def bonus(rules, given):
    members = given["members"]
    columns = []
    for one in rules["dimensions"]:
        values = [max(F(0), exact(m["dimensions"][one["id"]]["value"])) for m in members]
        if sum(values) > 0:
            columns.append((one["id"], exact(one["weight"]), values))
    weights = sum(weight for _, weight, _ in columns)
    scores, left_of, found = [], [], {}
    for i, member in enumerate(members):
        score = sum((weight / weights * values[i] / sum(values) for _, weight, values in columns), F(0))
        keeps, flags = F(1), []
        for one in rules.get("gaming", []):
            seen = member.get("gaming", {}).get(one["id"])
            if seen is None:
                continue
            value, variance = exact(seen["value"]), exact(seen.get("variance") or 0)
            far = value - exact(one["limit"])
            # The whole 95 % interval above the limit.
            if far > 0 and far * far > F(1.959963984540054) ** 2 * variance:
                keeps *= exact(one["keeps"])
                flags.append(one["id"])
        if not member["quality_held"]:
            keeps *= exact(rules["gate"])
        name = member["id"]
        found[f"score before {name}"] = decimal(score, 6)
        found[f"lowered {name}"] = [not member["quality_held"], sorted(flags)]
        for dimension, weight, values in columns:
            own, whole = values[i], sum(values)
            more = own / 100
            gain = (own + more) / (whole + more) - own / whole
            found[f"moved {name} {dimension}"] = decimal(
                weight / weights * (own / whole - F(1, len(members))), 6)
            found[f"gain {name} {dimension}"] = decimal(weight / weights * gain * keeps, 6)
        scores.append(score * keeps)
        left_of.append(keeps)
    covers = rules.get("gate_covers_prizes", True)
    left_of = {m["id"]: keeps if covers else F(1) for m, keeps in zip(members, left_of)}

    def split(name, amount, which):
        weighed = [score if which(member) else F(0) for member, score in zip(members, scores)]
        if sum(weighed) == 0:
            return 0
        for member, part, weight in zip(members, largest_remainder(amount, weighed), weighed):
            if weight > 0:
                key = f"{name} {member['id']}"
                found[key] = found.get(key, 0) + part
        return amount

    given_out = split("basic", half_up(given["basic"] * exact(rules["basic_members"])), lambda m: True)
    grassroots = half_up(given["performance"] * exact(rules["performance_grassroots"]))
    given_out += split("performance", grassroots,
                       lambda m: m["tier"] == "grassroots" and m["quality_held"])
    lead = f"performance {given['lead']}"
    support = half_up((given["performance"] - grassroots) * left_of[given["lead"]])
    found[lead] = found.get(lead, 0) + support
    given_out += support
    found["retained"] = given["basic"] + given["performance"] + given["strategic"] - given_out
    for member, score in zip(members, scores):
        found[f"score {member['id']}"] = decimal(score, 6)
    up, down = given.get("upward", {}), given.get("downward", {})
    found["siphon"] = (decimal(F(sum(up.values()), sum(down.values())), 2)
                       if up and sum(down.values()) else None)
    found.update(pool(rules["pool"], given, left_of))
    return found


def decimal(value, places):
    whole = half_up(value * 10**places)
    sign, whole = ("-" if whole < 0 else ""), abs(whole)
    return f"{sign}{whole // 10**places}.{whole % 10**places:0{places}}"


def pool(rules, given, left_of):
    """Shares of own surplus; prizes by referrals among grassroots members, and to one team."""
    tiers = {member["id"]: member["tier"] for member in given["members"]}
    found, whole = {}, 0
    for name, own in given.get("own", {}).items():
        part = half_up(own * exact(rules["share"]))
        found[f"put_in {name}"], found[f"kept {name}"] = part, own - part
        whole += part
    first = half_up(whole * exact(rules["referrals"]))
    counts = {name: n * left_of[name] for name, n in given.get("referrals", {}).items()
              if n * left_of[name] > 0 and tiers[name] == "grassroots"}
    best = sorted(counts, key=lambda name: (-counts[name], name))[:rules["top"]]
    left = 0
    if best:
        for name, fen in zip(best, largest_remainder(first, [counts[name] for name in best])):
            found[f"referrals {name}"] = fen
    else:
        left += first
    risen = {name: rise for name, rise in given.get("teams", {}).items() if rise > 0}
    if risen:
        fastest = min(risen, key=lambda name: (-risen[name], name))
        found[f"team {fastest}"] = whole - first
    else:
        left += whole - first
    found["pool"], found["left"] = whole, left
    return found


def told_bonus(told):
    found = {"retained": told["retained"], "pool": told["pool"]["total"], "left": told["pool"]["left"],
             "siphon": told["siphon"]}
    for score in told["scores"]:
        name = score["id"]
        found[f"score {name}"], found[f"score before {name}"] = score["counts"], score["before"]
        found[f"lowered {name}"] = [score["gated"], sorted(score["flagged"])]
        for dimension, moved in score["moved"].items():
            found[f"moved {name} {dimension}"] = moved
            found[f"gain {name} {dimension}"] = score["gains"][dimension]
    for name in ("put_in", "kept", "referrals"):
        for member, fen in told["pool"][name].items():
            found[f"{name} {member}"] = fen
    if told["pool"]["team"]:
        found[f"team {told['pool']['team'][0]}"] = told["pool"]["team"][1]
    for name in ("basic", "performance"):
        for member, fen in told[name].items():
            found[f"{name} {member}"] = fen
    return found


UNREASONABLE = {"over_treatment", "management_gap", "inflated_volume"}


def settlement(rules, given):
    own, shared = {}, 0
    for one in given["classified"]:
        if one["cause"] in UNREASONABLE:
            own[one["member"]] = own.get(one["member"], 0) + one["amount"]
        else:
            shared += one["amount"]
    insurer = half_up(shared * exact(rules["insurer"]))
    reserve = min(shared - insurer, given["reserve"])
    found = {"reasonable": shared, "unreasonable": sum(own.values()),
             "insurer": insurer, "from_reserve": reserve, "uncovered": shared - insurer - reserve,
             "reserve_after": given["reserve"] - reserve}
    for member, fen in own.items():
        found[f"responsible {member}"] = fen
        found[f"next_year {member}"] = half_up(fen * exact(rules["next_year"]))
    return found


def told_settlement(told):
    names = ("reasonable", "unreasonable", "insurer", "from_reserve", "uncovered", "reserve_after")
    found = {name: told[name] for name in names}
    for name in ("responsible", "next_year"):
        for member, fen in told[name].items():
            found[f"{name} {member}"] = fen
    return found


def appraisal(rules, given):
    weights = rules["stages"][given["stage"]]
    found = {}
    for member in given["members"]:
        points, each = F(0), {}
        for one in rules["indicators"]:
            if one["id"] not in weights:
                continue
            worst, best = exact(one["worst"]), exact(one["best"])
            part = (exact(member["values"][one["id"]]["value"]) - worst) / (best - worst)
            part = max(F(0), min(F(1), part))
            points += part * weights[one["id"]]
            each[one["id"]] = [decimal(part * 100, 4), decimal(part * weights[one["id"]], 4)]
        whole = sum(exact(share) * (points if source == "indicators"
                                    else exact(member["scores"][source]))
                    for source, share in rules["sources"].items())
        off = rules.get("shortcomings") or {"points": {}, "most": "0"}
        less = sum(exact(off["points"].get(kind, "0")) * times
                   for kind, times in member.get("shortcomings", {}).items())
        less = min(less, exact(off["most"]))
        whole = max(F(0), whole - less)
        grade = next(g for g in rules["grades"] if whole >= exact(g["from"]))
        found[member["id"]] = [decimal(whole, 2), grade["id"]]
        found[f"{member['id']} points"] = [decimal(points, 4), each]
        found[f"{member['id']} less"] = decimal(less, 2) if less else None
        found[f"{member['id']} follows"] = [exact(grade["payment"]), grade.get("improve_days")]
    return found


def told_appraisal(told):
    found = {}
    for one in told:
        found[one["id"]] = [one["composite"], one["grade"]]
        found[f"{one['id']} points"] = [one["points"], one["indicators"]]
        found[f"{one['id']} less"] = one.get("less")
        found[f"{one['id']} follows"] = [exact(one["payment"]), one["improve_days"]]
    return found


WAYS = {
    "plan": ("budget", plan, told_plan),
    "bonus": ("bonus", bonus, told_bonus),
    "settlement": ("overspend", settlement, told_settlement),
    "appraisal": ("appraisal", appraisal, told_appraisal),
}


def digest(tag, value):
    """SHA-256 over lengths and bytes of a tag and of the canonical JSON (schemas/src/canonical.rs)."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    parts = [tag.encode(), text.encode()]
    return hashlib.sha256(b"".join(len(one).to_bytes(8, "little") + one for one in parts)).hexdigest()


def statements(year):
    """What was said, in order: by its name, with what belongs to it."""
    for kept in year["statements"]:
        says = json.loads(base64.b64decode(kept["statement"]["body"]))["says"]
        yield (says, {}) if isinstance(says, str) else next(iter(says.items()))


def remaining(plan, paid):
    """Each member's budget less its deduction and what was paid: below zero it overspent."""
    return {part["id"]: part["amount"] - part["deduction"] - sum(paid.get(part["id"], {}).values())
            for part in plan["members"]}


def grounds(matter, given, plan, paid, members, changing, target):
    """What a result rests on, from members, plan and payments: figures as told and as they follow."""
    if matter == "plan":
        told = {"members": sorted(one["id"] for one in given["members"]), "kept": given.get("revision"),
                "target": given["total"]}
        again = {"from": changing, "given": kept(plan, changing)} if changing and plan else None
        return told, {"members": sorted(members), "kept": again, "target": target}
    if matter not in ("settlement", "bonus"):
        return {}, {}
    left = remaining(plan, paid)
    if matter == "settlement":
        own = {f"overspend {name}": -fen for name, fen in left.items() if fen < 0}
        own["reserve"] = plan["reserve"] + plan["deducted"]
        told = {f"overspend {name}": fen for name, fen in given["overspend"].items()}
        told["reserve"] = given["reserve"]
        parts = {}
        for one in given["classified"]:
            parts[one["member"]] = parts.get(one["member"], 0) + one["amount"]
        for name, fen in left.items():
            own[f"classified {name}"], told[f"classified {name}"] = max(0, -fen), parts.get(name, 0)
        return told, own
    there = {name: max(0, fen) for name, fen in left.items()}
    told, own = {}, {}
    for name, fen in given.get("own", {}).items():
        told[f"own of {name}"], own[f"own of {name}"] = fen, min(fen, there.get(name, 0))
    shared = given["basic"] + given["performance"] + given["strategic"]
    shared += sum(given.get("own", {}).values())
    told["surplus"], own["surplus"] = shared, min(shared, sum(there.values()))
    return told, own


def replayed(year):
    """For each result its rules, and what it rests on, as they stood when it was proposed; and proposals of
    results that are not in the file."""
    every = {digest("consilium-year-rules-v1", one): one
             for one in [year["rules"]] + year.get("earlier", [])}
    results = {digest("consilium-year-result-v1", one["computed"]): place
               for place, one in enumerate(year["results"])}
    found, rules, plan, paid = {}, None, None, {}
    # Who is there until the end, changes that no plan in force knows of, and a plan with its signatures.
    members, changes, newest, signed, target, missing = set(), {}, None, 0, None, []
    again = None
    for name, said in statements(year):
        about_plan = said.get("matter") == "plan"
        if name == "open":
            rules, plan, paid = every.get(said["rules"]), None, {}
            members, changes, newest, signed = set(said["members"]), {}, None, 0
            target, again = said["target"], None
        elif name == "target":
            target = said["target"]
        elif name == "paid":
            paid.setdefault(said["member"], {})[said["month"]] = said["amount"]
        elif name in ("join", "leave"):
            changes[said["member"]] = (name, said["from"])
            (members.add if name == "join" else members.discard)(said["member"])
        elif name == "stay":
            back, _ = changes.pop(said["member"])
            (members.discard if back == "join" else members.add)(said["member"])
            if back == "join":
                paid.pop(said["member"], None)
        elif name == "replan":
            again = (said["from"], said.get("target"))
        elif name == "stand":
            again = None
        elif name == "object" and about_plan:
            signed = 0
        elif name == "sign" and about_plan and newest is not None:
            signed += 1
            if rules and signed == len(rules["year"]["matters"]["plan"]["signers"]):
                plan, changes = newest, {}
                target, again = again[1] or target if again else target, None
        elif name == "propose" and said["result"] in results:
            place = results[said["result"]]
            proposed = year["results"][place]
            (matter, told), = proposed["computed"].items()
            if matter == "plan":
                newest, signed = told, 0
            changing = next((month for _, month in changes.values()), again[0] if again else None)
            wanted = again[1] or target if again else target
            rests = ({}, {}) if plan is None and matter != "plan" else grounds(
                matter, read(proposed["inputs"]), plan, paid, members, changing, wanted)
            found[place] = (rules, plan is not None or matter == "plan", *rests)
        elif name == "propose":
            missing.append(said["matter"])
    return found, missing


def main(path):
    with open(path, encoding="utf-8") as file:
        year = read(file.read())
    figures, differing = 0, 0
    every = [year["rules"]] + year.get("earlier", [])
    known, missing = replayed(year)
    for matter in missing:
        differing += 1
        print(f"{matter}: a result that was proposed is not in the file")
    for place, proposed in enumerate(year["results"]):
        (matter, told), = proposed["computed"].items()
        kind, compute, told_of = WAYS[matter]
        rules, planned, told_grounds, own_grounds = known.get(place, (None, False, {}, {}))
        if not planned:
            differing += 1
            print(f"{matter}: no statement proposes this result, or no plan stands before it")
        told = {**told_of(told), **told_grounds}
        given = read(proposed["inputs"])
        if "reserve" in own_grounds:
            given["reserve"] = own_grounds["reserve"]
        tried = []
        for one in [rules] if rules else every:
            try:
                own = {**compute(one[kind], given), **own_grounds}
            except (KeyError, ZeroDivisionError):
                continue
            wrong = [name for name in sorted(set(own) | set(told)) if own.get(name) != told.get(name)]
            tried.append((len(wrong), wrong, own))
        if not tried:
            differing += 1
            print(f"{matter}: cannot be recomputed under the year's rules")
            continue
        _, wrong, own = min(tried, key=lambda one: one[0])
        figures += len(own)
        differing += len(wrong)
        for name in wrong:
            print(f"{matter}: {name}: {told.get(name)} published, {own.get(name)} recomputed")
    print(f"{len(year['results'])} results, {figures} figures recomputed, {differing} differ")
    return 1 if differing or not figures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
