"""Randomness as an argument: named streams of seeds, and generators made from them.

A seed is a pure function of the run's seed, the cycle and the purpose of the draw. A resumed cycle therefore draws
what it would have drawn, and a new draw somewhere moves no other.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import torch


def seed_for(run_seed: int, cycle: int, purpose: str) -> int:
    """The seed of one named stream, in [0, 2**63).

    run_seed: the run's `seed`; cycle: the cycle that draws (0 is the initial one); purpose: a word for the draw, such
    as "fit" or "query".
    """
    digest = hashlib.blake2b(f"{run_seed}/{cycle}/{purpose}".encode("utf-8", "surrogateescape"), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def generator(seed: int) -> torch.Generator:
    """A CPU generator of its own, so that the same numbers are drawn whatever device trains."""
    return torch.Generator().manual_seed(seed)


@contextmanager
def fork(seed: int) -> Iterator[None]:
    """Seeds torch's global generators inside the block and puts their states back after it.

    For code that knows no other generator: weight initialisation, dropout, augmentation on the device.
    """
    devices = list(range(torch.cuda.device_count())) if torch.cuda.is_initialized() else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield
