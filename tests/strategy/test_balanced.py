"""Equally many of each predicted class, by made-up logits."""

from collections import Counter

import pytest
import torch
from torch import nn

from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.active.scores import most_confidence
from al_bench.network import Network
from al_bench.seeding import generator
from al_bench.strategy.balanced import Balanced, rounds_of

PREDICTED = [0, 0, 0, 0, 0, 0, 1, 1, 1, 2]
SURE = [9.0, 8.0, 7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0, 6.5]


def made(labeled: tuple[int, ...] = ()) -> tuple[Network, Pool]:
    """Ten inputs that are their own logits: six of class 0, three of class 1, one of class 2, as sure as `SURE`."""
    logits = torch.zeros(10, 3)
    logits[torch.arange(10), torch.tensor(PREDICTED)] = torch.tensor(SURE)
    pool = Pool.unlabeled_from(logits, 3)
    pool = pool.with_labels(PoolQuery(torch.tensor(labeled, dtype=torch.int64)), torch.zeros(len(labeled)))
    backbone = nn.Linear(3, 3, bias=False)
    backbone.weight.data = torch.eye(3)
    return Network(backbone, nn.Identity(), nn.Identity()).eval(), pool


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (1, [0]),
        (2, [0, 9]),
        (3, [0, 9, 6]),
        (6, [0, 9, 6, 1, 7, 2]),  # class 2 has no more
        (10, [0, 9, 6, 1, 7, 2, 8, 3, 4, 5]),
    ],
)
def test_the_surest_of_each_class_in_turn(size: int, expected: list[int]) -> None:
    model, pool = made()
    query = Balanced(most_confidence).query(model, pool, size, generator(0))
    assert query.indices.tolist() == expected
    assert query.scores is not None
    torch.testing.assert_close(query.scores, most_confidence(pool.inputs[query.indices]))


def test_what_is_labeled_is_not_asked_for() -> None:
    model, pool = made(labeled=(0, 6, 9))
    assert Balanced(most_confidence).query(model, pool, 4, generator(0)).indices.tolist() == [1, 7, 2, 8]


def test_counts_of_predicted_classes_differ_by_one_at_most_while_each_has_some() -> None:
    logits = torch.randn(300, 4, generator=generator(0))
    logits[:, 0] += 1.5  # which certainty alone would ask for
    model, _ = made()
    model.backbone = nn.Identity()
    model.head = nn.Linear(4, 4, bias=False)
    model.head.weight.data = torch.eye(4)
    pool = Pool.unlabeled_from(logits, 4)
    found = Balanced(most_confidence).query(model, pool, 38, generator(0)).indices
    counts = Counter(logits[found].argmax(1).tolist())
    assert sorted(counts.values()) == [9, 9, 10, 10]
    alone = most_confidence(logits).argsort(descending=True)[:38]
    assert Counter(logits[alone].argmax(1).tolist())[0] > 20


def test_rounds_count_within_a_class() -> None:
    assert rounds_of(torch.tensor([2, 0, 2, 2, 1, 0])).tolist() == [0, 0, 1, 2, 0, 1]


def test_a_map_is_of_the_class_of_its_mean_logits() -> None:
    model, _ = made()
    model.backbone, model.head = nn.Identity(), nn.Conv2d(2, 2, 1, bias=False)
    model.head.weight.data = torch.eye(2)[..., None, None]
    maps = torch.zeros(4, 2, 1, 3)
    maps[:3, 0], maps[3, 1], maps[0, 1] = 5.0, 4.0, torch.tensor([9.0, 0.0, 0.0])
    maps[1, 0] = 6.0
    found = Balanced(most_confidence).query(model, Pool.unlabeled_from(maps, 2), 2, generator(0)).indices
    assert found.tolist() == [1, 3]
