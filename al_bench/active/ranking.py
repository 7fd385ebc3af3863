"""Ranks of scores, and what is kept of the scores of a whole pool in as many numbers as a query has rows."""

import torch
from torch import Tensor


def ranks(values: Tensor) -> Tensor:
    """(U,) int64: how many of the (U,) values are smaller, so that equal values share a rank."""
    return torch.searchsorted(values.sort().values, values.contiguous())


def quantiles(values: Tensor, count: int) -> Tensor:
    """(count,) of the (M,) values, at evenly spaced places of their order: a histogram in as many rows.

    They come in an order of which every beginning is spread out too, so that rows cut off take no part of the
    distribution away. Zeros where there is no value.
    """
    if not len(values):
        return values.new_zeros(count)
    places = (torch.arange(count) + 0.5) / count * len(values)
    evenly = values.sort().values[places.long().clamp(max=len(values) - 1).to(values.device)]
    spread = sorted(range(count), key=_reversed_bits)
    return evenly[torch.tensor(spread, dtype=torch.int64, device=values.device)]


def _reversed_bits(number: int) -> int:
    return int(f"{number:032b}"[::-1], 2)
