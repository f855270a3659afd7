#!/usr/bin/env python3
"""The sum of `bench pooled` by Flower's SecAgg+, its own primitives called as its clients and its
server call them: key pairs, shares of both secrets, masked vectors, and the unmasking after dropouts.

    python3 -m venv venv && venv/bin/pip install flwr==1.41.0
    venv/bin/python tests/benches/secagg.py [HOSPITALS]...

All parties run one after another in this process, without the network: times are of their work
alone, peak memory is that of all together. Vectors are whole numbers below 2^32, so quantisation is
left out. Neighbours are about half of all (at least 3), half of them open a secret; one hospital of
ten drops out after it has given its shares, as late as it can.
"""

import hashlib
import io
import os
import resource
import struct
import sys
import time
from importlib.metadata import version

import numpy as np
from flwr.common import ndarray_to_bytes
from flwr.common.secure_aggregation.crypto.shamir import combine_shares, create_shares
from flwr.common.secure_aggregation.crypto.symmetric_encryption import decrypt, encrypt, generate_shared_key
from flwr.common.secure_aggregation.ndarrays_arithmetic import (
    parameters_addition,
    parameters_mod,
    parameters_subtraction,
)
from flwr.common.secure_aggregation.secaggplus_utils import (
    pseudo_rand_gen,
    share_keys_plaintext_concat,
    share_keys_plaintext_separate,
)
from flwr.supercore.primitives.asymmetric import (
    bytes_to_private_key,
    bytes_to_public_key,
    generate_key_pairs,
    private_key_to_bytes,
    public_key_to_bytes,
)

CELLS, RANGE = 10_000, 2**32
SHAPE = [(CELLS,)]


def pairwise(secret, public):
    return generate_shared_key(bytes_to_private_key(secret), bytes_to_public_key(public))


def with_mask(vector, mine, theirs, mask):
    """The higher number adds what the lower one takes away."""
    return parameters_addition(vector, mask) if mine > theirs else parameters_subtraction(vector, mask)


class Client:
    def __init__(self, number, threshold, vector):
        self.number, self.threshold, self.vector = number, threshold, vector
        self.seconds, self.sent = 0.0, 0
        self.seeds, self.secrets, self.agreed = {}, {}, {}

    def does(self, step, *given):
        """One step, timed; what it gives is counted as sent."""
        start = time.perf_counter()
        said = step(*given)
        self.seconds += time.perf_counter() - start
        self.sent += sum(len(part) for part in said)
        return said

    def setup(self):
        (secret, public), (sealing, opening) = generate_key_pairs(), generate_key_pairs()
        self.secret, self.sealing = private_key_to_bytes(secret), private_key_to_bytes(sealing)
        return public_key_to_bytes(public), public_key_to_bytes(opening)

    def share_keys(self, keys):
        self.keys, self.seed = keys, os.urandom(32)
        seeds = create_shares(self.seed, self.threshold, len(keys))
        secrets = create_shares(self.secret, self.threshold, len(keys))
        sealed = []
        for (other, (_, opening)), seed, secret in zip(keys.items(), seeds, secrets, strict=True):
            if other == self.number:
                self.seeds[other], self.secrets[other] = seed, secret
                continue
            self.agreed[other] = pairwise(self.sealing, opening)
            text = share_keys_plaintext_concat(self.number, other, seed, secret)
            sealed.append(encrypt(self.agreed[other], text))
        return sealed

    def mask(self, received):
        for other, sealed in received.items():
            source, to, seed, secret = share_keys_plaintext_separate(decrypt(self.agreed[other], sealed))
            assert (source, to) == (other, self.number)
            self.seeds[other], self.secrets[other] = seed, secret
        vector = parameters_addition([self.vector], pseudo_rand_gen(self.seed, RANGE, SHAPE))
        for other in received:
            shared = pairwise(self.secret, self.keys[other][0])
            vector = with_mask(vector, self.number, other, pseudo_rand_gen(shared, RANGE, SHAPE))
        return [ndarray_to_bytes(cells) for cells in parameters_mod(vector, RANGE)]

    def unmask(self, alive, dead):
        return [self.seeds[other] for other in alive] + [self.secrets[other] for other in dead]


def run(n):
    shares = max(3, n // 2 + (n // 2 + 1) % 2)
    threshold = shares // 2 + 1
    half = shares // 2
    near = {number: sorted({(number + step) % n for step in range(-half, half + 1)}) for number in range(n)}
    vector = np.arange(CELLS, dtype=np.int64) % 1_000
    clients = [Client(number, threshold, vector) for number in range(n)]
    keys = {client.number: client.does(client.setup) for client in clients}
    sealed = {}
    for client in clients:
        known = {other: keys[other] for other in near[client.number]}
        given = client.does(client.share_keys, known)
        sealed[client.number] = dict(zip((other for other in known if other != client.number), given, strict=True))
    dead = set(range(0, n, 10))
    alive = set(range(n)) - dead
    masked = []
    for number in sorted(alive):
        received = {other: sealed[other][number] for other in near[number] if other != number}
        masked.append(clients[number].does(clients[number].mask, received))

    server = time.perf_counter()
    total = [np.zeros(CELLS, dtype=np.int64)]
    for said in masked:
        total = parameters_addition(total, [np.load(io.BytesIO(said[0]))])
    server = time.perf_counter() - server
    told = {number: [] for number in range(n)}
    for number in sorted(alive):
        here, gone = ([other for other in near[number] if (other in alive) == is_alive] for is_alive in (True, False))
        for other, share in zip(here + gone, clients[number].does(clients[number].unmask, here, gone), strict=True):
            told[other].append(share)
    start = time.perf_counter()
    for number, given in told.items():
        secret = combine_shares(given[:threshold])
        if number in alive:
            total = parameters_subtraction(total, pseudo_rand_gen(secret, RANGE, SHAPE))
            continue
        for other in near[number]:
            if other in alive:
                shared = pairwise(secret, keys[other][0])
                total = with_mask(total, number, other, pseudo_rand_gen(shared, RANGE, SHAPE))
    [total] = parameters_mod(total, RANGE)
    server += time.perf_counter() - start

    assert (total == vector * len(alive)).all()
    # What the others print: the sum over all hospitals, here as if nobody had dropped out.
    digest = hashlib.sha256(struct.pack(f"<{CELLS}Q", *(int(cell) // len(alive) * n for cell in total))).hexdigest()
    busiest = [clients[number] for number in alive]
    print(
        f"flwr {version('flwr')} SecAgg+: hospitals {n}, {len(dead)} dropped, {shares} shares, {threshold} open; "
        f"client {1e3 * max(client.seconds for client in busiest):.1f} ms in 4 rounds, server {1e3 * server:.1f} ms, "
        f"{max(client.sent for client in busiest)} bytes a client, "
        f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB, sum {digest[:8]}",
        flush=True,
    )


if __name__ == "__main__":
    for n in [int(number) for number in sys.argv[1:]] or [20]:
        run(n)
