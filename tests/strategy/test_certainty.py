"""ALCG's three criteria as they are composed: the most certain first, with no ties among the surest."""

import pytest
import torch
from composing import part
from torch import Tensor, nn

from al_bench import seeding
from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.network import Network


class Shown(Network):
    """Its inputs are its logits."""

    def __init__(self) -> None:
        super().__init__(nn.Identity(), nn.Identity(), nn.Linear(1, 1))

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs


@pytest.mark.parametrize("strategy", ["certainty_mc", "certainty_lm", "certainty_le"])
def test_the_most_certain_come_first(strategy: str) -> None:
    gaps = torch.tensor([1.0, 60, 0, 40, 3, 20])  # from 17 on the largest probability is 1 in float32
    logits = torch.stack([gaps, torch.zeros(6), torch.zeros(6)], dim=1)
    pool = Pool.unlabeled_from(logits, 3).with_labels(PoolQuery(torch.tensor([1])), torch.tensor([0]))
    made = part("strategy", f"strategy={strategy}", "dataset=digits")
    query = made.query(Shown(), pool, 4, seeding.generator(0))
    assert query.indices.tolist() == [3, 5, 4, 0]
    assert query.lowest is not None and query.scores is not None
    assert query.lowest.indices.tolist() == [2], "the least certain, of what is not asked for"
    assert query.lowest.scores.tolist() < query.scores.tolist()[-1:]


@pytest.mark.parametrize(
    ("strategy", "order"), [("certainty_mc", "acdb"), ("certainty_lm", "bcad"), ("certainty_le", "adcb")]
)
def test_each_has_a_criterion_of_its_own(strategy: str, order: str) -> None:
    """Eqs. 6 to 8 by hand: of a, b, c, d the largest probability is .50, .45, .48, .47, the gap .01, .40, .22, 0 and
    the entropy .74, 2.01, 1.05, .88."""
    probabilities = torch.zeros(4, 12)
    for row, largest in enumerate([(0.5, 0.49, 0.01), (0.45, *[0.05] * 11), (0.48, 0.26, 0.26), (0.47, 0.47, 0.06)]):
        probabilities[row, : len(largest)] = torch.tensor(largest)
    pool = Pool.unlabeled_from(probabilities.clamp(min=1e-12).log(), 12)
    made = part("strategy", f"strategy={strategy}", "dataset=digits")
    query = made.query(Shown(), pool, 4, seeding.generator(0))
    assert "".join("abcd"[index] for index in query.indices.tolist()) == order
