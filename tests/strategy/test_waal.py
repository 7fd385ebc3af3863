"""Directions: uncertain before sure, unlike what is labeled before like it."""

from functools import partial

import pytest
import torch
from torch import Tensor, nn

from al_bench.active import scores
from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.network import Network
from al_bench.seeding import generator
from al_bench.strategy.uncertainty import Uncertainty
from al_bench.strategy.waal import Waal, label_bounds

NOTHING_SAID = 0.5


class Told(Network):
    """Inputs (p, g) are their own answers: probabilities p and 1 - p, critic g."""

    def __init__(self) -> None:
        nn.Module.__init__(self)
        self.unused = nn.Parameter(torch.zeros(1))

    def features(self, inputs: Tensor) -> Tensor:
        return inputs

    def classify(self, features: Tensor) -> Tensor:
        return torch.stack([features[:, 0], 1 - features[:, 0]], dim=1).log()

    def critique(self, features: Tensor) -> Tensor:
        return features[:, 1]


def made_pool(rows: list[tuple[float, float]]) -> Pool:
    """The first is labeled, and would be the best."""
    pool = Pool.unlabeled_from(torch.tensor([(0.5, 1.0), *rows]), 2)
    return pool.with_labels(PoolQuery(torch.tensor([0])), torch.tensor([0]))


def asked(rows: list[tuple[float, float]], coefficient: float = 5.0, mixture: float = 0.5) -> list[int]:
    strategy = Waal(coefficient, mixture, (scores.single_worst, scores.uniformity))
    query = strategy.query(Told().eval(), made_pool(rows), len(rows), generator(0))
    return query.indices.tolist()


@pytest.mark.parametrize("mixture", [0.0, 0.5, 1.0])
def test_the_papers_two_samples(mixture: float) -> None:
    """[.4, .6] before [.3, .7] (Sec. 3.4), by either bound."""
    assert asked([(0.3, NOTHING_SAID), (0.4, NOTHING_SAID), (0.1, NOTHING_SAID)], mixture=mixture) == [2, 1, 3]


def test_the_higher_critic_first() -> None:
    assert asked([(0.4, 0.2), (0.4, 0.9), (0.4, 0.5)]) == [2, 3, 1]


def test_the_coefficient_weighs_both() -> None:
    rows = [(0.45, 0.1), (0.2, 0.9)]
    assert asked(rows, coefficient=0.0) == [1, 2]
    assert asked(rows, coefficient=5.0) == [2, 1]


def test_scores_and_trace_by_hand() -> None:
    pool, strategy = made_pool([(0.25, 0.3), (0.5, 0.6)]), Waal(5.0, 0.25, (scores.single_worst, scores.uniformity))
    query = strategy.query(Told().eval(), pool, 2, generator(0))
    p = torch.tensor([0.5, 0.25])  # in the order of the query
    expected = -0.25 * p.log() - 0.75 * (p.log() + (1 - p).log())
    assert query.indices.tolist() == [2, 1]
    assert torch.allclose(query.trace["uncertainty"], expected)
    assert query.trace["critic"].tolist() == pytest.approx([0.6, 0.3])
    assert query.scores is not None
    assert torch.allclose(query.scores, 5 * query.trace["critic"] - expected)


def test_each_row_of_a_cycle_has_the_mean_critic_of_the_pool_and_of_what_is_labeled() -> None:
    pool = made_pool([(0.25, 0.3), (0.5, 0.6), (0.4, 0.9)]).with_labels(PoolQuery(torch.tensor([3])), torch.tensor([1]))
    strategy = Waal(5.0, 0.5, (scores.single_worst, scores.uniformity))
    for size in (1, 2):
        query = strategy.query(Told().eval(), pool, size, generator(0))
        assert query.trace["critic_of_pool"].tolist() == pytest.approx([0.45] * size), "of 0.3 and 0.6, chosen or not"
        assert query.trace["critic_of_labeled"].tolist() == pytest.approx([0.95] * size), "of 1.0 and 0.9"


def test_it_says_which_of_its_picks_the_uncertainty_alone_would_have_made() -> None:
    rows = [(0.3, 0.9), (0.45, 0.1), (0.1, 1.0), (0.45, 0.5)]  # U alone: 2 and 4, then 1
    query = Waal(5.0, 0.5, (scores.single_worst, scores.uniformity)).query(
        Told().eval(), made_pool(rows), 3, generator(0)
    )
    assert sorted(zip(query.indices.tolist(), query.trace["by_uncertainty"].tolist(), strict=True)) == [
        (1, 1.0), (3, 0.0), (4, 1.0),
    ]  # fmt: skip
    (single,) = (
        Waal(5.0, 0.5, (scores.single_worst, scores.uniformity))
        .query(Told().eval(), made_pool([(0.45, 0.1), (0.45, 0.5)]), 1, generator(0))
        .trace["by_uncertainty"]
    )
    assert single == 1, "of equal uncertainties each may be the one"


def test_its_uncertainty_alone_asks_as_it_does_with_a_critic_of_no_weight() -> None:
    rows = [(0.3, 0.9), (0.45, 0.1), (0.1, 1.0), (0.2, 0.5)]
    alone = Uncertainty(partial(label_bounds, bounds=(scores.single_worst, scores.uniformity), mixture=0.5))
    query = alone.query(Told().eval(), made_pool(rows), len(rows), generator(0))
    assert query.indices.tolist() == asked(rows, coefficient=0.0) == [2, 1, 4, 3]
    assert alone.needs == frozenset(), "no critic, so that a supervised model will do"


def test_a_sure_model_gives_finite_scores() -> None:
    """Logits that far apart have a probability of 0 in float32."""
    logits = torch.tensor([[0.0, 400.0, 0.0]])
    for score in (scores.single_worst, scores.uniformity, scores.log_norm):
        assert score(logits).isfinite().all()
    assert float(scores.single_worst(logits)) == -400
    assert float(scores.uniformity(logits)) == -800
