"""MAL's query on made pools: both directions, the three readings, ties."""

import pytest
import torch
from torch import Tensor, nn

from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.network import Network
from al_bench.seeding import generator
from al_bench.strategy.labeledness import Labeledness
from al_bench.strategy.mal import Mal


class Given(Network):
    """An input's two numbers are the decision value of two classes and D's logit."""

    def __init__(self) -> None:
        super().__init__(nn.Linear(1, 1), nn.Identity(), nn.Identity())

    def labeledness(self, inputs: Tensor) -> Tensor:
        return inputs[:, 1]

    def logits_and_labeledness(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        return torch.stack([inputs[:, 0], -inputs[:, 0]], dim=1), inputs[:, 1]


def pool_of(*rows: tuple[float, float]) -> Pool:
    """Unlabeled inputs, and one more that is labeled, behind them."""
    inputs = torch.tensor([*rows, (9.0, 9.0)])
    return Pool.unlabeled_from(inputs, 2).with_labels(PoolQuery(torch.tensor([len(rows)])), torch.tensor([1]))


def asked(rule: str, size: int, *rows: tuple[float, float], seed: int = 0) -> list[int]:
    query = Mal(rule).query(Given(), pool_of(*rows), size, generator(seed))  # type: ignore[arg-type]
    return query.indices.tolist()


# decision values far from 0 are sure; D's logits far below 0 are unlabeled
SURE_UNLABELED, UNSURE_LABELED, UNSURE_UNLABELED, SURE_LABELED = (5.0, -3.0), (0.1, 3.0), (0.0, -2.0), (6.0, 4.0)
FOUR = (SURE_UNLABELED, UNSURE_LABELED, UNSURE_UNLABELED, SURE_LABELED)


@pytest.mark.parametrize("rule", ["intersect", "filter", "rank_sum"])
def test_what_is_unsure_and_unlabeled_comes_first_and_its_opposite_last(rule: str) -> None:
    order = asked(rule, 4, *FOUR)
    assert order[0] == 2
    assert order[-1] == 3


def test_labeledness_alone_asks_for_what_is_least_like_the_labeled() -> None:
    query = Labeledness().query(Given(), pool_of(*FOUR), 4, generator(0))
    assert query.indices.tolist() == [0, 2, 1, 3]


def test_the_intersection_grows_until_there_are_enough() -> None:
    """By hand: ranks by D 0 1 2 3 4, by entropy 4 2 1 3 0; the first k of both share nothing for k = 1, 2, then one
    at k = 3, which are two."""
    rows = [(4.0, -5.0), (2.0, -4.0), (1.0, -3.0), (3.0, -2.0), (0.0, -1.0)]
    assert asked("intersect", 2, *rows) == [2, 1], "both of place 3, the more uncertain first"
    assert asked("intersect", 3, *rows) == [2, 1, 3]
    by_sets = [set(range(k)) & set(sorted(range(5), key=lambda row: rows[row][0])[:k]) for k in range(1, 6)]
    assert [len(common) for common in by_sets] == [0, 0, 2, 3, 5]
    assert set(asked("intersect", 3, *rows)) == by_sets[3]


def test_the_filter_takes_the_most_uncertain_of_what_looks_unlabeled() -> None:
    rows = [(3.0, -0.1), (1.0, -9.0), (0.5, 0.1), (2.0, -0.2), (0.0, 5.0)]
    assert asked("filter", 3, *rows) == [1, 3, 0], "the most uncertain of the three below one half"
    assert asked("filter", 5, *rows) == [1, 3, 0, 2, 4], "then by D, not by entropy"


def test_the_sum_of_ranks_by_hand() -> None:
    rows = [(0.0, 9.0), (1.0, -1.0), (2.0, -3.0), (3.0, -2.0)]  # D: 3 2 0 1, entropy: 0 1 2 3
    assert asked("rank_sum", 4, *rows) == [2, 0, 1, 3]


def test_equal_places_go_by_entropy_in_a_large_pool() -> None:
    """Place times pool plus rank is 3.6e7 here, where float32 counts by fours; all look labeled alike."""
    count = 6000
    order = torch.randperm(count, generator=generator(1)).tolist()
    rows = [(0.0, 1.0)] * count
    for place, row in enumerate(order):
        rows[row] = (0.5 + place / 1000, 1.0)
    assert asked("filter", count, *rows) == order


def test_logits_are_ranked_where_probabilities_round_to_one() -> None:
    """Float32's sigmoid is exactly 1 from 16.64 on."""
    rows = [(0.0, 30.0), (0.0, 20.0), (0.0, 25.0)]
    assert torch.tensor([30.0, 20.0, 25.0]).sigmoid().unique().tolist() == [1.0]
    assert asked("intersect", 3, *rows) == [1, 2, 0]


def test_equal_inputs_are_drawn() -> None:
    rows = [(0.0, 1.0)] * 6
    drawn = {tuple(asked("intersect", 6, *rows, seed=seed)) for seed in range(5)}
    assert len(drawn) == 5
    assert tuple(asked("intersect", 6, *rows, seed=1)) in drawn


def test_the_trace_says_what_either_criterion_alone_would_have_chosen() -> None:
    query = Mal("intersect").query(Given(), pool_of(*FOUR), 2, generator(0))
    assert query.indices.tolist() == [2, 1]
    assert query.trace["by_entropy"].tolist() == [1, 1]
    assert query.trace["by_labeledness"].tolist() == [1, 0]
    assert query.trace["labeledness"].tolist() == [-2.0, 3.0]
    assert query.trace["labeledness_of_labeled"].tolist() == [9.0, 9.0]
    assert query.trace["labeledness_of_pool"].tolist() == [-2.0, 4.0], "every second of D's logits"
    rows = [(4.0, -5.0), (2.0, -4.0), (1.0, -3.0), (3.0, -2.0), (0.0, -1.0)]
    third = Mal("intersect").query(Given(), pool_of(*rows), 2, generator(0))
    assert third.indices.tolist() == [2, 1], "third by D and by entropy each"
    assert third.trace["by_entropy"].tolist() == [1, 0]
    assert third.trace["by_labeledness"].tolist() == [0, 1]


def test_a_value_that_is_not_a_number_is_refused() -> None:
    with pytest.raises(FloatingPointError, match="NaN"):  # of which the loop makes a sentence
        asked("intersect", 1, (float("nan"), 0.0))
