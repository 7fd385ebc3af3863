from collections import Counter
from itertools import permutations

import numpy as np
import pytest
import torch
from skactiveml.pool._bald import batch_bald
from torch import Tensor, nn

from al_bench.active import scores
from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.network import Network
from al_bench.seeding import generator
from al_bench.strategy.dropout import Dropout
from al_bench.strategy.power_bald import PowerBald, perturbed


def chance(shares: np.ndarray, order: tuple[int, ...]) -> float:
    """Of drawing these in this order, one after another without replacement, each by its share of what is left."""
    left, found = float(shares.sum()), 1.0
    for one in order:
        found *= shares[one] / left
        left -= shares[one]
    return found


@pytest.mark.parametrize("beta", [0.5, 1.0, 3.0])
def test_the_highest_are_a_draw_without_replacement_by_powers_of_scores(beta: float) -> None:
    """Every ordered pair of four, by the definition, within five standard errors of 20,000 draws."""
    given, rng, num = torch.tensor([0.1, 0.2, 0.3, 0.9]), generator(0), 20_000
    pairs = Counter(tuple(perturbed(given, beta, rng).topk(2).indices.tolist()) for _ in range(num))
    for pair in permutations(range(4), 2):
        expected = chance(given.double().numpy() ** beta, pair)
        assert pairs[pair] / num == pytest.approx(expected, abs=5 * (expected * (1 - expected) / num) ** 0.5)


def test_scores_of_nothing_come_last_and_stay_apart() -> None:
    given = torch.tensor([0.0, 1e-6, -1e-9, 0.5])
    orders = {
        tuple(perturbed(given, 1.0, generator(seed)).sort(descending=True).indices.tolist()) for seed in range(40)
    }
    assert {frozenset(order[:2]) for order in orders} == {frozenset({1, 3})}
    assert {order[2:] for order in orders} == {(0, 2), (2, 0)}


class Model(Network):
    """Logits (a + d, 0) where d is the second input or, half of the time, its opposite."""

    def __init__(self) -> None:
        super().__init__(nn.Identity(), nn.Identity(), nn.Linear(2, 2))
        self.dropout = nn.Dropout(0.5)

    def forward(self, inputs: Tensor) -> Tensor:
        steady, shaken = inputs.unbind(1)
        signs = self.dropout(torch.ones_like(shaken)) - 1
        return torch.stack([steady + shaken * signs, torch.zeros_like(steady)], 1)


def made_pool() -> Pool:
    inputs = torch.rand(41, 2, generator=generator(0)) * 4
    return Pool.unlabeled_from(inputs, 2).with_labels(PoolQuery(torch.tensor([40])), torch.tensor([0]))


def test_scores_are_those_of_bald_and_of_scikit_activeml(monkeypatch: pytest.MonkeyPatch) -> None:
    """On the same masks: our logits of all passes are given to the function behind its GreedyBALD."""
    logits: list[Tensor] = []

    def noted(passes: Tensor) -> Tensor:
        logits.append(passes.clone())
        return scores.mutual_information(passes)

    query = PowerBald(noted, 10, 1.0).query(Model().eval(), made_pool(), 40, generator(3))
    bald = Dropout(scores.mutual_information, 10).query(Model().eval(), made_pool(), 40, generator(3))
    (utilities,) = batch_bald(torch.cat(logits, 1).double().softmax(2).numpy(), 1)
    assert query.scores is not None and bald.scores is not None
    assert query.scores.tolist() == pytest.approx(utilities[query.indices.numpy()].tolist(), abs=1e-5)
    assert query.scores[query.indices.sort().indices].tolist() == bald.scores[bald.indices.sort().indices].tolist()
    assert query.indices.tolist() != bald.indices.tolist()


def test_with_a_large_power_it_is_bald() -> None:
    query = PowerBald(scores.mutual_information, 10, 1e6).query(Model().eval(), made_pool(), 12, generator(3))
    bald = Dropout(scores.mutual_information, 10).query(Model().eval(), made_pool(), 12, generator(3))
    assert query.indices.tolist() == bald.indices.tolist()
