"""Ranks of scores and quantiles of them, by hand."""

import torch

from al_bench.active.ranking import quantiles, ranks


def test_equal_values_share_a_rank() -> None:
    assert ranks(torch.tensor([3.0, 1.0, 3.0, 2.0])).tolist() == [2, 0, 2, 1]


def test_quantiles_keep_the_shape_of_the_values() -> None:
    assert sorted(quantiles(torch.tensor([4.0, 1.0, 3.0, 2.0]), 2).tolist()) == [2.0, 4.0]
    assert sorted(quantiles(torch.arange(3.0), 6).tolist()) == [0.0, 0.0, 1.0, 1.0, 2.0, 2.0]
    assert quantiles(torch.zeros(0), 3).tolist() == [0.0, 0.0, 0.0]


def test_every_beginning_of_quantiles_is_spread_out() -> None:
    found = quantiles(torch.arange(64.0), 64)
    for count in (4, 8, 16, 32):
        steps = found[:count].sort().values.diff()
        assert steps.min() == steps.max() == 64 / count
