#!/usr/bin/env python3
"""Makes schemas/vectors/*.json: canonical bytes, digests and Ed25519 seals, written independently
of the Rust code from the words of its documentation, so that each checks the other.

    python3 -m venv venv && venv/bin/pip install cryptography
    venv/bin/python tests/vectors/make_vectors.py

Everything is fixed: running it again writes the same bytes. Keys are made from the seeds below
and are for these files only.
"""

import base64
import hashlib
import json
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

FOLDER = Path(__file__).resolve().parents[2] / "schemas" / "vectors"
ZERO = "0" * 64


def canonical(value):
    """UTF-8, keys sorted by code point, no white space, whole numbers only."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode()


def digest(tag, *parts):
    """SHA-256 over tag and parts, each after its length as 8 little-endian bytes."""
    hasher = hashlib.sha256()
    for part in (tag.encode(), *parts):
        hasher.update(len(part).to_bytes(8, "little"))
        hasher.update(part)
    return hasher.digest()


class Key:
    """An Ed25519 key from a name."""

    def __init__(self, name):
        self.seed = hashlib.sha256(("vector key " + name).encode()).digest()
        self.secret = Ed25519PrivateKey.from_private_bytes(self.seed)
        self.public = self.secret.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.fingerprint = digest("consilium-key-v1", self.public).hex()

    def seal(self, tag, message):
        body = canonical(message)
        return {
            "alg": "ed25519",
            "key": self.fingerprint,
            "body": base64.b64encode(body).decode(),
            "signature": base64.b64encode(self.secret.sign(digest(tag, body))).decode(),
        }

    def described(self):
        return {"seed": self.seed.hex(), "public": self.public.hex(), "fingerprint": self.fingerprint}


def vector(tag, message, key=None):
    """A message with its canonical text, its digest and, if it is sealed, its envelope."""
    made = {"tag": tag, "message": message, "canonical": canonical(message).decode()}
    made["digest"] = digest(tag, canonical(message)).hex()
    if key:
        made["key"] = key.described()
        made["sealed"] = key.seal(tag, message)
    return made


def write(name, value):
    FOLDER.mkdir(parents=True, exist_ok=True)
    text = json.dumps(value, indent=1, sort_keys=True, ensure_ascii=True)
    (FOLDER / f"{name}.json").write_text(text + "\n", encoding="ascii")


def values():
    plain = {
        "empty object": {},
        "empty array": [],
        "null": None,
        "booleans": [True, False],
        "zero": 0,
        "greatest": 2**64 - 1,
        "least": -(2**63),
        "keys in order of code points": {"b": 1, "a": 2, "B": 3, "_": 4, "10": 5, "9": 6, "é": 7, "中": 8, "": 9, "😀": 10, "\uffee": 11},
        "nesting": {"a": [{"b": [{"c": {"d": [[], {}, [[0]]]}}]}], "z": {"y": {"x": None}}},
        "unicode": "医联体 ƒ é e\u0301 \u2028 \ufeff 😀 \U0010ffff",
        "escapes": "quote \" backslash \\ slash / \b\f\n\r\t \u0000\u0001\u001f\u007f",
        "escapes in keys": {"\n": 1, "\"": 2, "\\": 3},
    }
    made = [{"name": name, **vector("vector-value", value)} for name, value in plain.items()]
    write("values", made)


def refused():
    """Texts that mean something, or nearly, and are not canonical."""
    write("refused", [
        "", " ", " 1", "1 ", "01", "+1", "-0", "1.0", "0.5", "1e3", "1E0", "18446744073709551616",
        "-9223372036854775809", "NaN", "Infinity", "True", "'a'", '"\\u00e9"', '"\\/"', '"\\u000A"',
        '"\\ud800"', '{"b":1,"a":2}', '{"a":1,"a":1}', '{"a":1, "b":2}', "[1,]", "[1]\n", "{}{}",
        "\ufeff{}", "[" * 25 + "]" * 25,
    ])


def digests():
    cases = [("", []), ("t", []), ("t", [b""]), ("t", [b"ab", b"c"]), ("t", [b"a", b"bc"]), ("ta", [b"b"]),
             ("consilium-key-v1", [bytes(range(32))]), ("医", ["中".encode(), bytes(300)])]
    write("digests", [
        {"tag": tag, "parts": [part.hex() for part in parts], "digest": digest(tag, *parts).hex()}
        for tag, parts in cases
    ])


def label(zh, en):
    return {"zh": zh, "en": en}


def dictionary():
    def group(code, zh, en, mdc, weight_micro, cost):
        references = {"cost": cost, "charge": cost * 106 // 100, "stay": 7500}
        return {"code": code, "name": label(zh, en), "mdc": mdc, "weight_micro": weight_micro, "references": references}

    def dimension(name, zh, en, source, keys=()):
        listed = [{"code": code, "label": label(code, code)} for code in keys]
        return {"id": name, "label": label(zh, en), "source": source, "keys": listed}

    def field(name, zh, en, unit, reference, part_of=None):
        return {"id": name, "label": label(zh, en), "unit": unit, "reference": reference,
                "most": 4_000_000_000, "required": part_of is None, "part_of": part_of}

    return {
        "alliance": "north-river", "version": 3, "currency": "CNY",
        "scheme": {"id": "chs-drg", "version": "1.1"}, "cap": 3, "max_rows": 10_000_000,
        "groups": [
            group("ES35", "肺炎，轻", "Pneumonia (mild)", "MDCE", 380_000, 456_000),
            group("IC29", "髋膝关节置换", "Hip or knee replacement", "MDCI", 4_400_000, 5_280_000),
            group("other", "其他", "Other", "other", 1_000_000, 1_200_000),
        ],
        "dimensions": [
            dimension("case_group", "病组", "Case group", "case_group"),
            dimension("mdc", "大类", "Major category", "mdc"),
            dimension("month", "月份", "Month", "month"),
            dimension("sex", "性别", "Sex", "exact", ["m", "f", "other"]),
            dimension("district", "地区", "District", {"prefix": {"chars": 4}}, ["2301", "2302", "other"]),
            dimension("age_band", "年龄", "Age", "bands", ["0-64", "65-89", "90+", "other"]),
        ],
        "fields": [
            field("cost", "成本", "Cost", "fen", "cost"),
            field("drugs", "药品", "Drugs", "fen", "cost", "cost"),
            field("other_costs", "其他", "Other", "fen", "cost", "cost"),
            field("los", "住院日", "Length of stay", "milli_day", "stay"),
        ],
        "bin_edges": [0, 500, 1000, 2000, 3000, 20_000],
    }


def question(dictionary_digest):
    return {
        "dataset": "stays", "dictionary": dictionary_digest, "rules": digest("rules", b"vector").hex(),
        "period": {"from": "2025-03", "to": "2025-03"}, "filter": {"sex": ["f", "m"]},
        "tables": [
            {"by": [], "blocks": [{"measure": {"kind": "count"}, "rho": 10_000_000}]},
            {"by": ["case_group"], "blocks": [
                {"measure": {"kind": "count"}, "rho": 10_000_000},
                {"measure": {"kind": "count_where", "filter": {"age_band": ["90+"]}}, "rho": 1},
                {"measure": {"kind": "sum", "field": "cost"}, "rho": 25_000_000},
                {"measure": {"kind": "histogram", "field": "cost"}, "rho": 5_000_000},
                {"measure": {"kind": "structure", "field": "cost"}, "rho": 5_000_000},
            ]},
        ],
        "bounds": {"groups": 3, "stays": 1}, "series": {"months": 3}, "release": "attributed",
    }


def messages():
    alliance, hospital = Key("alliance"), Key("hospital h01")
    terms = dictionary()
    write("dictionary", vector("consilium-dictionary-v1", terms, alliance))

    asked = question(digest("consilium-dictionary-v1", canonical(terms)).hex())
    made = vector("consilium-question-v1", asked)
    year = {**asked, "period": {"from": "2025-01", "to": "2025-01"}}
    made["series"] = digest("consilium-series-v1", canonical(year)).hex()
    write("question", made)

    opened = {
        "id": "2025-03.monthly", "template": {"id": "monthly-benchmark", "version": 2}, "purpose": "benchmark",
        "question": asked, "roster": ["h01", "h02", "h03"], "min_answers": 2,
        "opened": 1_764_000_000, "deadline": 1_764_604_800,
    }
    write("round", vector("consilium-round-v1", opened, alliance))
    free = {**opened, "id": "free-1", "template": None, "purpose": "free", "question": {**asked, "series": None}}
    write("round-free", vector("consilium-round-v1", free, alliance))

    answered = {
        "question": made["digest"], "hospital": "h01",
        "snapshots": [{"month": "2025-03", "release": 7, "grade": "B", "counted": "patient", "span": "month"}],
        "mechanism": digest("layout", b"vector").hex(), "policy": digest("policy", b"vector").hex(),
        "blocks": [[120], [-3, 0, 9_007_199_254_740_993], None, [-(2**63), 2**63 - 1], []],
    }
    write("answer", vector("consilium-answer-v1", answered, hospital))

    reply = {
        "round": digest("consilium-round-v1", canonical(opened)).hex(), "hospital": "h01",
        "said": {"answered": hospital.seal("consilium-answer-v1", answered)}, "log_head": digest("head").hex(),
    }
    write("reply", vector("consilium-reply-v1", reply, hospital))
    write("reply-declined", vector(
        "consilium-reply-v1", {**reply, "said": {"declined": "out_of_allowance"}, "log_head": ZERO}, hospital))


def chain():
    entries, previous = [], ZERO
    steps = [
        ("load", {"month": "2025-03", "grade": "B"}),
        ("release", {}),
        ("charge", {"rho": "0.05", "purpose": "benchmark", "note": "新 \"x\""}),
    ]
    for sequence, (kind, detail) in enumerate(steps, start=1):
        entry = {
            "sequence": sequence, "previous": previous, "at": 1_764_000_000 + sequence, "kind": kind,
            "subject": digest("subject", bytes([sequence])).hex(), "detail": detail,
        }
        entries.append(vector("consilium-entry-v1", entry))
        previous = entries[-1]["digest"]
    write("chain", {"entries": entries, "head": previous})


def join():
    secret = digest("secret", b"vector")
    code = {"url": "https://coordinator.example:8443", "hospital": "h01", "ca": digest("ca").hex(), "secret": secret.hex()}
    text = "consilium1." + base64.urlsafe_b64encode(canonical(code)).decode().rstrip("=")
    write("join-code", {"code": code, "text": text, "secret_digest": digest("consilium-join-secret-v1", secret).hex()})


if __name__ == "__main__":
    for make in (values, refused, digests, messages, chain, join):
        make()
