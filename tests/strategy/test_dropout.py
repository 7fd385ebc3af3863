"""A model of two pixels: the first is the logit between the classes, the second is what dropout hides."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from al_bench.active import scores
from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.network import Network
from al_bench.seeding import generator
from al_bench.strategy.dropout import Dropout

SURE, TORN, DISAGREEING, LABELED = range(4)


class Model(Network):
    """Logits (a + d, 0) where d is the second input or, half of the time, its opposite."""

    def __init__(self) -> None:
        super().__init__(nn.Identity(), nn.Identity(), nn.Linear(2, 2))
        self.dropout = nn.Dropout(0.5)

    def forward(self, inputs: Tensor) -> Tensor:
        steady, shaken = inputs.unbind(1)
        signs = self.dropout(torch.ones_like(shaken)) - 1  # dropped 0, kept 2
        return torch.stack([steady + shaken * signs, torch.zeros_like(steady)], dim=1)


def made_pool() -> tuple[Network, Pool]:
    """One image that all passes are sure of, one that all are torn on, one that they are sure of in opposite ways."""
    inputs = torch.tensor([[9.0, 0.0], [0.3, 0.0], [0.0, 9.0], [0.0, 0.0]])
    pool = Pool.unlabeled_from(inputs, 2).with_labels(PoolQuery(torch.tensor([LABELED])), torch.tensor([0]))
    return Model().eval(), pool


@pytest.mark.parametrize(
    ("score", "order"),
    [(scores.mean_entropy, {TORN, DISAGREEING}), (scores.mutual_information, {DISAGREEING})],
)
def test_mean_entropy_wants_both_kinds_and_bald_only_disagreement(
    score: Callable[[Tensor], Tensor], order: set[int]
) -> None:
    query = Dropout(score, passes=50).query(*made_pool(), len(order), generator(0))
    assert set(query.indices.tolist()) == order


def test_scores_are_the_closed_forms() -> None:
    model, pool = made_pool()
    query = Dropout(scores.mutual_information, passes=400).query(model, pool, 3, generator(0))
    assert query.scores is not None
    found = dict(zip(query.indices.tolist(), query.scores.tolist(), strict=True))
    assert found[DISAGREEING] == pytest.approx(torch.log(torch.tensor(2.0)).item(), abs=0.02)
    assert [found[TORN], found[SURE]] == pytest.approx([0, 0], abs=1e-5)
    assert query.indices[0] == DISAGREEING


def test_more_passes_and_another_seed_draw_other_masks() -> None:
    model, pool = made_pool()

    def score(seed: int) -> Tensor:
        found = Dropout(scores.mean_entropy, passes=5).query(model, pool, 3, generator(seed)).scores
        assert found is not None
        return found

    assert torch.equal(score(0), score(0))
    assert any(not torch.equal(score(0), score(seed)) for seed in range(1, 6))
