"""The order of equals: drawn, whatever their places in the pool."""

import numpy as np


def drawn_ranks(positions: np.ndarray, seed: int) -> np.ndarray:
    """(M,) distinct uint64 numbers of (M,) distinct int64 positions, by which equals are ordered.

    The outputs of SplitMix64 (Steele et al. 2014) at these places, begun at `seed`, in [0, 2**63). A position's number
    depends on nothing else, so that an order of the whole pool costs no more than the positions that are looked at.
    """
    mixed = np.uint64(seed) + (positions.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
