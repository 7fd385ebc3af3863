"""The other end of a ranking, which a query names beside what it asks for."""

from collections.abc import Callable

import pytest
import torch
from composing import part
from torch import Tensor, nn

from al_bench import seeding
from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.network import Network
from al_bench.strategy.ranking import query_highest

SIZE, IMAGES, LABELED = 7, 60, 20


class Shown(Network):
    """Its inputs are its logits, and a critic's number the sum of them."""

    def __init__(self) -> None:
        super().__init__(nn.Identity(), nn.Identity(), nn.Linear(1, 1))

    def features(self, inputs: Tensor) -> Tensor:
        return inputs

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs

    classify = forward

    def critique(self, features: Tensor) -> Tensor:
        return features.sum(1)

    def logits_and_labeledness(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        return inputs, self.labeledness(inputs)

    def labeledness(self, inputs: Tensor) -> Tensor:
        return inputs.sum(1).sigmoid()


def asked(*line: str, size: int = SIZE) -> tuple[Pool, PoolQuery]:
    logits = torch.randn(IMAGES, 10, generator=seeding.generator(0))
    first = torch.arange(LABELED)
    pool = Pool.unlabeled_from(logits, 10).with_labels(PoolQuery(first), first % 10)
    query = part("strategy", *line, "dataset=digits").query(Shown(), pool, size, seeding.generator(1))
    return pool, query


@pytest.mark.parametrize("name", ["entropy", "certainty_mc", "waal", "mal", "cs_mc balanced"])
def test_they_are_the_lowest_of_what_is_not_asked_for(name: str) -> None:
    line = ["method=alcg/cs_mc_balanced"] if " " in name else [f"strategy={name}"]
    pool, query = asked(*line)
    _, everything = asked(*line, size=IMAGES - LABELED)
    assert everything.lowest is None and everything.scores is not None and query.lowest is not None
    score_of = dict(zip(everything.indices.tolist(), everything.scores.tolist(), strict=True))
    left = set(pool.unlabeled.tolist()) - set(query.indices.tolist())
    found = query.lowest.indices.tolist()
    assert (len(found), len(set(found) - left)) == (10, 0)
    assert query.lowest.scores.tolist() == [score_of[place] for place in found]
    assert query.lowest.scores.tolist() == sorted(score_of[place] for place in left)[:10], "lowest first"


def test_the_end_of_one_criterion_is_the_beginning_of_its_reverse() -> None:
    (_, certain), (_, uncertain) = asked("strategy=certainty_mc"), asked("strategy=least_confidence")
    assert certain.lowest is not None
    assert certain.lowest.indices[:SIZE].tolist() == uncertain.indices.tolist()


@pytest.mark.parametrize(("size", "named"), [(4, []), (3, [1]), (1, [1, 3, 0])])
def test_a_pool_that_has_fewer_names_them_all(size: int, named: list[int]) -> None:
    scores, positions = torch.tensor([0.2, -1.0, 5.0, 0.0]), torch.tensor([0, 1, 2, 3])
    query = query_highest(scores, positions, size, seeding.generator(0))
    assert (query.lowest.indices.tolist() if query.lowest else []) == named
    assert named == [] or query.indices.tolist()[0] == 2


def test_ties_are_drawn_and_not_by_place() -> None:
    drawn: Callable[[int], PoolQuery] = lambda seed: query_highest(  # noqa: E731
        torch.zeros(50), torch.arange(50), 5, seeding.generator(seed)
    )
    ends = [query.lowest.indices.tolist() for query in map(drawn, range(2)) if query.lowest]
    assert ends[0] != ends[1] and ends[0] != sorted(ends[0])
