from collections import Counter

import pytest
import torch
from torch import nn

from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.active.scores import entropy
from al_bench.network import Network
from al_bench.seeding import generator
from al_bench.strategy.subset import Subset


def made_pool() -> tuple[Network, Pool]:
    """Points 0 to 29 with their position as logit, so that the lower is the more uncertain; the first five are
    labeled."""
    last = nn.Linear(1, 2)
    last.weight.data, last.bias.data = torch.tensor([[0.1], [0.0]]), torch.zeros(2)
    pool = Pool.unlabeled_from(torch.arange(30.0)[:, None], 2)
    pool = pool.with_labels(PoolQuery(torch.arange(5)), torch.zeros(5, dtype=torch.int64))
    return Network(nn.Identity(), nn.Identity(), last).eval(), pool


@pytest.mark.parametrize(("candidates", "drawn"), [(9, 9), (1, 4), (100, 25)])
def test_takes_the_most_uncertain_of_what_it_draws(candidates: int, drawn: int) -> None:
    """No fewer than are asked for: then it is random sampling; no more than there are: then it is `entropy`."""
    model, pool = made_pool()
    found = Subset(entropy, candidates).query(model, pool, 4, generator(7)).indices
    subset = (5 + torch.randperm(25, generator=generator(7))[:drawn]).tolist()
    assert found is not None
    assert found.tolist() == sorted(subset)[:4]


def test_draws_anew_and_uniformly() -> None:
    """Of five of 25 the lowest is asked for: the k-th lowest of all with probability C(25 - k, 4) / C(25, 5)."""
    model, pool = made_pool()
    rng, counts = generator(0), Counter[int]()
    for _ in range(500):
        found = Subset(entropy, 5).query(model, pool, 1, rng).indices
        assert found is not None
        counts[int(found)] += 1
    assert counts[5] / 500 == pytest.approx(0.2, abs=0.06)
    assert counts[6] / 500 == pytest.approx(20 / 24 * 0.2, abs=0.06)
