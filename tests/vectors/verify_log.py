#!/usr/bin/env python3
"""Verifies published logs, written independently of the Rust code from the words of its
documentation (schemas/proofs/src/history) and the C2SP and RFC texts. Standard library only.

    python3 tests/vectors/verify_log.py FOLDER...

Each folder holds entries.jsonl, keys, checkpoints/*.note and perhaps seen/*.note. One line a
folder: `sound ENTRIES WITNESSED` or the first fault's name and its numbers. Exit 1 if any has one.
"""

import base64
import hashlib
import json
import re
import sys
import unicodedata
from pathlib import Path

QUORUM = 2
SLUG = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
HEX = re.compile(r"[0-9a-f]{64}")


class Fault(Exception):
    """The first fault of a log."""


# Ed25519 (RFC 8032), as much as verifying needs, in extended coordinates.

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)


def add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def double(p):
    a, b, c = p[0] * p[0] % P, p[1] * p[1] % P, 2 * p[2] * p[2] % P
    h = a + b
    e, g = h - (p[0] + p[1]) ** 2 % P, a - b
    f = c + g
    return e * f % P, g * h % P, f * g % P, e * h % P


def both(s, p, h, q):
    """s times p plus h times q."""
    table = (None, p, q, add(p, q))
    total = (0, 1, 1, 0)
    for bit in reversed(range(max(s.bit_length(), h.bit_length()))):
        total = double(total)
        chosen = table[(s >> bit & 1) + 2 * (h >> bit & 1)]
        if chosen:
            total = add(total, chosen)
    return total


def point(encoded):
    """The point of 32 bytes; None if they are none."""
    y = int.from_bytes(encoded, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


BASE = point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def signed(public, message, signature):
    """Whether the key has signed the message."""
    key = point(public)
    if len(signature) != 64 or key is None:
        return False
    s = int.from_bytes(signature[32:], "little")
    if s >= ORDER:
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % ORDER
    negative = (-key[0] % P, key[1], key[2], -key[3] % P)
    x, y, z, _ = both(s, BASE, h, negative)
    inverse = pow(z, P - 2, P)
    x, y = x * inverse % P, y * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little") == signature[:32]


# RFC 6962 and the entries.


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def root(leaves):
    if not leaves:
        return sha256()
    if len(leaves) == 1:
        return leaves[0]
    k = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\x01", root(leaves[:k]), root(leaves[k:]))


def digest(tag, part):
    parts = [piece for each in (tag, part) for piece in (len(each).to_bytes(8, "little"), each)]
    return sha256(*parts).hex()


def whole(value, least, most):
    return type(value) is int and least <= value <= most


def matches(pattern, value):
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def entry(line):
    """An entry in its canonical form, or a ValueError."""
    value = json.loads(line.decode("utf-8"))
    fields = {"sequence", "previous", "at", "kind", "subject", "detail"}
    if not isinstance(value, dict) or set(value) != fields or not isinstance(value["detail"], dict):
        raise ValueError
    sound = (
        whole(value["sequence"], 0, 2**64 - 1)
        and whole(value["at"], -(2**63), 2**63 - 1)
        and matches(HEX, value["previous"])
        and matches(HEX, value["subject"])
        and matches(SLUG, value["kind"])
        and all(matches(SLUG, name) and isinstance(text, str) for name, text in value["detail"].items())
    )
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    if not sound or text.encode("utf-8") != line:
        raise ValueError
    return value


def chain(content):
    """Entries with digests and leaf hashes, one unbroken chain."""
    lines = content.split(b"\n")
    ended = lines.pop() == b""
    if not ended:
        lines = content.split(b"\n")
    entries = []
    for number, line in enumerate(lines, start=1):
        try:
            if number == len(lines) and not ended:
                raise ValueError
            entries.append((entry(line), digest(b"consilium-entry-v1", line), sha256(b"\x00", line)))
        except (ValueError, RecursionError):
            raise Fault(f"edited {number}") from None
    numbers = {value["sequence"] for value, _, _ in entries}
    for expected, (value, _, _) in enumerate(entries, start=1):
        if value["sequence"] != expected:
            if expected in numbers:
                raise Fault(f"reordered {expected}")
            raise Fault(f"{'deleted' if value['sequence'] > expected else 'inserted'} {expected}")
    head = "0" * 64
    for place, (value, own, _) in enumerate(entries):
        if value["previous"] != head:
            following = entries[place + 1][0]["previous"] if place + 1 < len(entries) else own
            itself = place == 0 or following != own
            raise Fault(f"edited {place + 1 if itself else place}")
        head = own
    return entries


# C2SP signed notes, cosignatures and checkpoints.


def unbase64(text):
    decoded = base64.b64decode(text, validate=True)
    if base64.b64encode(decoded).decode() != text:
        raise ValueError
    return decoded


def check_name(name):
    odd = any(c.isspace() or c == "+" or unicodedata.category(c) == "Cc" for c in name)
    if not 1 <= len(name.encode()) <= 255 or odd:
        raise ValueError


def parse_keys(content):
    """(log, witnesses): each (organisation, name, kind, id, public key)."""
    text = content.decode("utf-8")
    if not text.endswith("\n"):
        raise ValueError
    log, witnesses = None, []
    for line in text[:-1].split("\n"):
        role, organisation, key = line.split(" ")
        name, identity, encoded = key.split("+", 2)
        check_name(name)
        decoded = unbase64(encoded)
        own = sha256(name.encode(), b"\n", decoded)[:4]
        if not matches(SLUG, organisation) or len(decoded) != 33 or own.hex() != identity:
            raise ValueError
        member = (organisation, name, decoded[0], own, decoded[1:])
        if (role, decoded[0]) == ("log", 1) and log is None:
            log = member
        elif (role, decoded[0]) == ("witness", 4):
            witnesses.append(member)
        else:
            raise ValueError
    if log is None:
        raise ValueError
    return log, witnesses


def accept(content, log, witnesses):
    """(size, root, {organisation: time}) of a checkpoint that its log signed, or a ValueError."""
    text = content.decode("utf-8")
    if len(content) > 65536:
        raise ValueError
    body, separator, signatures = text.rpartition("\n\n")
    body += "\n"
    control = any(c < " " and c != "\n" for c in body)
    refused = control or body.startswith("cosignature/v1\n") or len(body.encode()) == 32
    if not separator or refused or not signatures.endswith("\n"):
        raise ValueError
    lines = []
    for line in signatures[:-1].split("\n"):
        dash, name, encoded = line.split(" ", 2)
        check_name(name)
        decoded = unbase64(encoded)
        if dash != "\u2014" or len(decoded) < 5:
            raise ValueError
        lines.append((name, decoded[:4], decoded[4:]))
    if len(lines) > 64:
        raise ValueError
    by_log, times_ = False, {}
    for name, identity, signature in lines:
        known = [member for member in [log, *witnesses] if (member[1], member[3]) == (name, identity)]
        if not known:
            continue
        organisation, _, kind, _, public = known[0]
        message = body.encode()
        if kind == 4:
            time = int.from_bytes(signature[:8], "big")
            if len(signature) < 8 or time >= 2**63:
                raise ValueError
            message = f"cosignature/v1\ntime {time}\n".encode() + message
            signature = signature[8:]
        if not signed(public, message, signature):
            raise ValueError
        if kind == 1:
            by_log = True
        elif organisation != log[0]:
            times_[organisation] = max(time, times_.get(organisation, 0))
    if not by_log:
        raise ValueError
    origin, size, encoded, rest = body.split("\n")
    decoded = unbase64(encoded)
    canonical = re.fullmatch("0|[1-9][0-9]*", size, re.ASCII)
    if rest or not canonical or int(size) > 2**62 or len(decoded) != 32 or origin != log[1]:
        raise ValueError
    return int(size), decoded, times_


def judge(folder):
    """The line that says how a published log stands."""
    try:
        log, witnesses = parse_keys((folder / "keys").read_bytes())
    except ValueError:
        raise Fault("keys") from None
    entries = chain((folder / "entries.jsonl").read_bytes())
    leaves = [leaf for _, _, leaf in entries]
    seen = []
    for place in ("checkpoints", "seen"):
        for path in sorted((folder / place).glob("*.note")):
            try:
                seen.append((*accept(path.read_bytes(), log, witnesses), place == "checkpoints"))
            except ValueError:
                raise Fault(f"checkpoint {path.name}") from None
    seen.sort(key=lambda one: one[0])
    for one, following in zip(seen, seen[1:]):
        if one[0] == following[0] and one[1] != following[1]:
            raise Fault(f"forked {one[0]} {following[0]}")
    held = [one for one in seen if one[0] <= len(leaves)]
    agreeing = [one[0] for one in held if root(leaves[: one[0]]) == one[1]]
    broken = [one for one in held if one[0] not in agreeing]
    if broken:
        to = broken[0][0]
        start = max((size for size in agreeing if size < to), default=0)
        later = [size for size in agreeing if size > to]
        if later:
            raise Fault(f"forked {to} {later[0]}")
        moments = [time for one in held if one[0] == to for time in one[2].values()]
        late = moments and any(value["at"] > min(moments) for value, _, _ in entries[start:to])
        raise Fault(f"{'replayed' if late else 'rewritten'} {start} {to}")
    beyond = [one for one in seen if one[0] > len(leaves)]
    for one in beyond:
        if one[3]:
            raise Fault(f"truncated {len(leaves)} {one[0]}")
    if beyond:
        raise Fault(f"replayed {len(leaves)} {beyond[0][0]}")
    enough = [one[0] for one in seen if len(one[2]) >= QUORUM]
    return f"sound {len(leaves)} {max(enough, default=0)}"


def main(folders):
    faults = 0
    for folder in folders:
        try:
            print(judge(Path(folder)))
        except Fault as fault:
            faults += 1
            print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
