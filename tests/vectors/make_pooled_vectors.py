#!/usr/bin/env python3
"""Makes schemas/pooled/vectors/*.json: one whole pooled round, from key list to totals, written
independently of the Rust code from the words of its documentation, so that each checks the other.

    python3 -m venv venv && venv/bin/pip install cryptography kyber-py
    venv/bin/python tests/vectors/make_pooled_vectors.py

Everything is fixed: running it again writes the same bytes. Keys and seeds are for these files only.
"""

import base64
import hashlib
import hmac
import json
import struct
from itertools import combinations
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20

from kyber_py.ml_kem import ML_KEM_768
from make_vectors import ZERO, Key, canonical, digest

FOLDER = Path(__file__).resolve().parents[2] / "schemas" / "pooled" / "vectors"
MARCH, DAY = 1_740_787_200, 86_400
WORD = 2**64


def write(name, value):
    FOLDER.mkdir(parents=True, exist_ok=True)
    text = json.dumps(value, indent=1, sort_keys=True, ensure_ascii=True)
    (FOLDER / f"{name}.json").write_text(text + "\n", encoding="ascii")


# RFC 5869, RFC 9180 and X-Wing (draft-connolly-cfrg-xwing-kem), from the texts.

def extract(salt, secret):
    return hmac.digest(salt or bytes(32), secret, "sha256")


def expand(key, info, length):
    block, out, count = b"", b"", 0
    while len(out) < length:
        count += 1
        block = hmac.digest(key, block + info + bytes([count]), "sha256")
        out += block
    return out[:length]


SUITE = b"HPKE" + b"".join(number.to_bytes(2, "big") for number in (0x647A, 0x0001, 0x0003))


def labeled_extract(salt, label, secret):
    return extract(salt, b"HPKE-v1" + SUITE + label + secret)


def labeled_expand(key, label, info, length):
    return expand(key, length.to_bytes(2, "big") + b"HPKE-v1" + SUITE + label + info, length)


def x25519(secret, point=None):
    """The shared secret with a point; the public key where none is given."""
    key = X25519PrivateKey.from_private_bytes(secret)
    return key.exchange(X25519PublicKey.from_public_bytes(point)) if point else key.public_key().public_bytes_raw()


def public_of(secret):
    """X-Wing's public key: ML-KEM-768's, then X25519's."""
    expanded = hashlib.shake_256(secret).digest(96)
    mlkem, _ = ML_KEM_768._keygen_internal(expanded[:32], expanded[32:64])
    return mlkem + x25519(expanded[64:])


def encapsulate(receiver, drawn):
    """X-Wing's shared secret and ciphertext; `drawn` are 64 bytes, ML-KEM's first."""
    mlkem, point = receiver[:1184], receiver[1184:]
    shared, sealed = ML_KEM_768._encaps_internal(mlkem, drawn[:32])
    ephemeral = x25519(drawn[32:])
    label = rb"\.//^" + b"\\"
    text = shared + x25519(drawn[32:], point) + ephemeral + point + label
    return hashlib.sha3_256(text).digest(), sealed + ephemeral


def hpke_seal(receiver, info, aad, content, drawn):
    """SealBase: encapsulated key, then ciphertext."""
    shared, enc = encapsulate(receiver, drawn)
    hashes = [labeled_extract(b"", label, text) for label, text in ((b"psk_id_hash", b""), (b"info_hash", info))]
    context = b"\0" + b"".join(hashes)
    secret = labeled_extract(shared, b"secret", b"")
    key = labeled_expand(secret, b"key", context, 32)
    nonce = labeled_expand(secret, b"base_nonce", context, 12)
    return enc + ChaCha20Poly1305(key).encrypt(nonce, content, aad)


def draft_vector():
    """The draft's vector, kept in the folder: this script must give its key and ciphertext."""
    vector = json.loads((FOLDER / "hpke_pq.json").read_text())
    raw = {name: bytes.fromhex(text) for name, text in vector.items()}
    assert public_of(raw["skRm"]) == raw["pkRm"]
    assert hpke_seal(raw["pkRm"], raw["info"], raw["aad"], raw["pt"], raw["ikmE"]) == raw["enc"] + raw["ct"]


# Masks and vectors.

def mask(seed, manifest, hospital, group, cells):
    info = digest("cams-mask-v1", manifest, hospital.encode(), bytes([group]))
    key = expand(extract(b"", seed), info, 32)
    stream = Cipher(ChaCha20(key, bytes(16)), None).encryptor().update(bytes(8 * cells))
    return list(struct.unpack(f"<{cells}Q", stream))


def packed(vector):
    return struct.pack(f"<{len(vector)}Q", *vector)


def added(vectors):
    return [sum(column) % WORD for column in zip(*vectors)]


def classes(m, f):
    sets = combinations(range(m), m - f)
    return sorted(sum(1 << seat for seat in members) for members in sets)


def random(*name):
    return digest("vector secret", *(str(part).encode() for part in name))


def joined(parts):
    return b"".join(len(part).to_bytes(4, "little") + part for part in parts)


class Round:
    """Five hospitals, the committee h01, h02, c3, c4 with f = 1."""

    hospitals = ["h01", "h02", "h03", "h04", "h05"]
    seats = ["h01", "h02", "c3", "c4"]
    f = 1

    def __init__(self):
        names = ["alliance", "coordinator", *sorted({*self.hospitals, *self.seats})]
        self.keys = {name: Key("pooled " + name) for name in names}
        self.box_secrets = {seat: random("box", seat) for seat in self.seats}
        self.classes = classes(len(self.seats), self.f)
        self.quorum = (len(self.seats) + self.f) // 2 + 1
        self.list = self.key_list()
        self.list_hash = digest("cams-keylist-v1", canonical(self.list)).hex()
        self.manifest = self.opened()
        self.hash = digest("cams-manifest-v1", canonical(self.manifest))
        self.cells = sum(block["cells"] for block in self.manifest["blocks"])

    def key_list(self):
        def seat(name):
            key = {"alliance": "north-river", "epoch": 4, "member": name, "month": "2025-03",
                   "valid_to": MARCH + 45 * DAY, "suite": "mlkem768-x25519-hkdf-sha256-chacha20poly1305",
                   "key": base64.b64encode(public_of(self.box_secrets[name])).decode()}
            return {"member": name, "keys": [self.keys[name].seal("cams-seat-key-v1", key)]}

        def member(name):
            kind = {"c3": "insurer", "c4": "authority"}.get(name, "hospital")
            return {"id": name, "kind": kind, "entity": name + "-ltd", "key": self.keys[name].public.hex()}

        return {
            "alliance": "north-river", "version": 1, "previous": ZERO,
            "valid_from": MARCH, "valid_to": MARCH + 31 * DAY, "t_max": 2, "operator": "office",
            "members": [member(name) for name in sorted({*self.hospitals, *self.seats})],
            "committees": [{"epoch": 4, "f": self.f, "operator_seats": 0, "seats": [seat(name) for name in self.seats]}],
        }

    def signed_list(self):
        word = {"alliance": "north-river", "version": 1, "list": self.list_hash}
        hospitals = self.hospitals[:3]
        return {
            "list": self.keys["alliance"].seal("cams-keylist-v1", self.list),
            "countersigned": [
                {"member": name, "seal": self.keys[name].seal("cams-keylist-countersignature-v1", word)}
                for name in hospitals],
        }

    def opened(self):
        def block(name, cells, scale, max_cell, sigma_total, sigma_share):
            return {"family": digest("family", name).hex(), "cells": cells, "scale": scale, "max_cell": max_cell,
                    "rho": 25_000_000, "sigma_total": sigma_total, "sigma_share": sigma_share}

        return {
            "alliance": "north-river", "round": "2025-03.costs", "question": digest("question").hex(),
            "layout": digest("layout").hex(), "period": {"from": "2025-01", "to": "2025-02"},
            "blocks": [block(b"count", 3, 2, 1, 4096, 2048), block(b"sum", 600, 0, 3000, 8_000_000, 4_000_000)],
            "max_rows": 10_000_000, "roster": self.hospitals, "key_list": self.list_hash, "epoch": 4,
            "key_month": "2025-03", "f": self.f, "t": 1, "n_min": 5,
            "opened": MARCH + DAY, "closes": MARCH + 8 * DAY, "answer_by": MARCH + 20 * DAY,
        }

    def upload(self, number, hospital):
        noised = [(number + 1) * (cell * cell * 1_003 - 77_000) for cell in range(self.cells)]
        seeds = {group: random("seed", hospital, group) for group in self.classes}
        drawn = [random("drawn", hospital, seat) + random("drawn too", hospital, seat) for seat in self.seats]
        masks = {group: mask(seed, self.hash, hospital, group, self.cells) for group, seed in seeds.items()}
        vector = added([[cell % WORD for cell in noised], *masks.values()])
        boxes = []
        for place, seat in enumerate(self.seats):
            content = b"".join(seeds[group] for group in self.classes if group >> place & 1)
            aad = digest("cams-box-v1", self.hash, hospital.encode(), seat.encode())
            boxes.append(hpke_seal(public_of(self.box_secrets[seat]), b"cams", aad, content, drawn[place]))
        parts = {
            "manifest": self.hash.hex(), "hospital": hospital,
            "vector": digest("cams-vector-v1", packed(vector)).hex(),
            "boxes": [digest("cams-sealed-box-v1", sealed).hex() for sealed in boxes],
            "seeds": [digest("cams-seed-v1", self.hash, hospital.encode(), bytes([group]), seeds[group]).hex()
                      for group in self.classes],
        }
        sealed = self.keys[hospital].seal("cams-upload-v1", parts)
        return {
            "hospital": hospital, "noised": noised, "vector": vector, "masks": masks,
            "seeds": [seed.hex() for seed in seeds.values()], "drawn": [one.hex() for one in drawn],
            "parts": parts, "digest": digest("cams-upload-v1", canonical(parts)).hex(),
            "boxes": [sealed.hex() for sealed in boxes],
            "bytes": hashlib.sha256(joined([canonical(sealed), packed(vector), *boxes])).hexdigest(),
        }


def whole_round():
    this = Round()
    uploads = [this.upload(number, hospital) for number, hospital in enumerate(this.hospitals)]
    manifest = this.hash.hex()
    survivors = {"manifest": manifest, "uploads": [
        {"hospital": upload["hospital"], "upload": upload["digest"]} for upload in uploads]}
    h_u = digest("cams-survivors-v1", canonical(survivors)).hex()

    def by(seat, tag, **said):
        return this.keys[seat].seal(tag, {"manifest": manifest, "member": seat, **said})

    sums = []
    for group in this.classes:
        vector = added([upload["masks"][group] for upload in uploads])
        named = digest("cams-vector-v1", packed(vector)).hex()
        members = [seat for place, seat in enumerate(this.seats) if group >> place & 1]
        words = [by(seat, "cams-sum-v1", survivors=h_u, **{"class": group}, vector=named) for seat in members]
        sums.append({"class": group, "vector": vector[:4], "digest": named, "words": words})
    total = [sum(column) for column in zip(*(upload["noised"] for upload in uploads))]
    voters = this.seats[:this.quorum]
    receipt = {"alliance": "north-river", "subject": "h05", "nonce": random("nonce").hex(), "sequence": 41,
               "head": random("head").hex(), "witness": "c3", "at": MARCH + 3 * DAY}
    for upload in uploads:
        # Long vectors are checked by their digests.
        upload["masks"] = [first[:4] for first in upload["masks"].values()]
        upload["vector"] = upload["vector"][:4]
        upload["noised"] = upload["noised"][:4]
    write("round", {
        "keys": {name: {"seed": key.seed.hex(), "public": key.public.hex()} for name, key in this.keys.items()},
        "box_secrets": {seat: secret.hex() for seat, secret in this.box_secrets.items()},
        "now": MARCH + 3 * DAY, "signed_list": this.signed_list(), "list_hash": this.list_hash,
        "member_fingerprints": [digest("cams-member-v1", canonical(member)).hex() for member in this.list["members"]],
        "manifest": this.keys["coordinator"].seal("cams-manifest-v1", this.manifest), "manifest_hash": manifest,
        "uploads": uploads, "survivors": survivors, "survivors_hash": h_u,
        "certificate": {"survivors": survivors, "votes": [by(seat, "cams-certify-v1", survivors=h_u) for seat in voters]},
        "void": {"votes": [by(seat, "cams-void-v1") for seat in voters]},
        "complaint": by("c4", "cams-complaint-v1", hospital="h02"),
        "receipt": this.keys["c3"].seal("cams-receipt-v1", receipt),
        "sums": sums, "total": [total[:3], total[3:7], total[-1:]],
    })


if __name__ == "__main__":
    draft_vector()
    whole_round()
