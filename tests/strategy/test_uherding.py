from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from al_bench.active import scores
from al_bench.active.pool import UNKNOWN, Pool
from al_bench.active.query import PoolQuery
from al_bench.learner import Learner
from al_bench.network import Network
from al_bench.seeding import generator
from al_bench.strategy.maxherding import MaxHerding
from al_bench.strategy.uherding import UHerding, best_temperature, least_distance
from al_bench.training.observation import Observer

NUM = 120


class Model(Network):
    """Logits (a, 0) of the first number, embeddings of the others."""

    def __init__(self) -> None:
        super().__init__(nn.Identity(), nn.Identity(), nn.Linear(1, 1))

    def embed(self, inputs: Tensor) -> Tensor:
        return inputs[:, 1:]

    def forward(self, inputs: Tensor) -> Tensor:
        return torch.stack([inputs[:, 0], torch.zeros_like(inputs[:, 0])], 1)


@dataclass
class Given(Learner):
    """Gives one model whatever it is trained on, and notes that."""

    pools: list[Pool] = field(default_factory=list)
    watches: bool = False

    @property
    def validates(self) -> bool:
        return self.watches

    def empty(self, pool: Pool, seed: int) -> Network:
        return Model().eval()

    def fit(
        self,
        pool: Pool,
        previous: Network | None,
        seed: int,
        scratch: Path | None = None,
        observe: Observer | None = None,
    ) -> Network:
        self.pools.append(pool)
        return self.empty(pool, seed)


def made_pool(num_labeled: int, logit: float = 1.0, seed: int = 0) -> Pool:
    inputs = torch.randn(NUM, 7, generator=generator(seed))
    inputs[:, 0] *= logit
    labeled = torch.randperm(NUM, generator=generator(seed + 1))[:num_labeled]
    labels = torch.randint(2, (num_labeled,), generator=generator(seed + 2))
    return Pool.unlabeled_from(inputs, 2).with_labels(PoolQuery(labeled), labels)


def herding(temperature: float | None, bandwidth: float | None) -> UHerding:
    return UHerding(scores.margin, Given(), 0.3, 20, 15, temperature, bandwidth)


def slow(pool: Pool, temperature: float, bandwidth: float | None, size: int) -> list[int]:
    """Alg. 1 of the paper with lists: margins of softened probabilities, and the kernel as wide as the least distance
    between labeled images."""
    inputs = pool.inputs[torch.arange(NUM)].double().numpy()
    units = inputs[:, 1:] / np.linalg.norm(inputs[:, 1:], axis=1, keepdims=True)
    labeled, unlabeled = pool.labeled.tolist(), pool.unlabeled.tolist()
    apart = [np.linalg.norm(units[one] - units[other]) for one in labeled for other in labeled if one != other]
    width = bandwidth or min(apart)
    similar = [[np.exp(-(np.linalg.norm(one - other) ** 2) / width**2) for other in units] for one in units]
    first = [1 / (1 + np.exp(-inputs[row, 0] / temperature)) for row in range(NUM)]
    uncertain = [1 - abs(2 * share - 1) for share in first]
    chosen: list[int] = []

    def coverage(taken: list[int]) -> float:
        nearest = [max([similar[row][other] for other in taken], default=0) for row in unlabeled]
        return sum(uncertain[row] * near for row, near in zip(unlabeled, nearest, strict=True))

    for _ in range(size):
        left = [row for row in unlabeled if row not in chosen]
        chosen.append(max(left, key=lambda row: coverage([*labeled, *chosen, row])))
    return chosen


@pytest.mark.parametrize("num_labeled", [2, 15])
@pytest.mark.parametrize(("temperature", "bandwidth"), [(1.0, None), (3.0, None), (3.0, 1.0)])
def test_picks_are_those_of_the_paper_s_algorithm(
    num_labeled: int, temperature: float, bandwidth: float | None
) -> None:
    pool = made_pool(num_labeled, logit=4)
    query = herding(temperature, bandwidth).query(Model().eval(), pool, 8, generator(0))
    assert query.indices.tolist() == slow(pool, temperature, bandwidth, 8)


def test_with_a_narrow_kernel_it_asks_for_the_most_uncertain() -> None:
    pool = made_pool(10)
    query = herding(1.0, 1e-3).query(Model().eval(), pool, 20, generator(0))
    logits = pool.inputs[pool.unlabeled][:, 0].abs()
    assert query.indices.tolist() == pool.unlabeled[logits.sort().indices[:20]].tolist()


def test_with_a_high_temperature_it_covers_as_maxherding() -> None:
    pool = made_pool(10)
    query = herding(1e4, 1.0).query(Model().eval(), pool, 20, generator(0))
    assert torch.equal(query.indices, MaxHerding(1.0).query(Model().eval(), pool, 20, generator(0)).indices)


def expected_error(logits: np.ndarray, labels: np.ndarray, temperature: float) -> float:
    """Of fifteen bins, by the definition."""
    shares = np.exp(logits / temperature)
    shares /= shares.sum(1, keepdims=True)
    confident, right = shares.max(1), shares.argmax(1) == labels
    total = 0.0
    for place in range(15):
        inside = (confident > place / 15) & (confident <= (place + 1) / 15)
        if inside.any():
            total += inside.mean() * abs(right[inside].mean() - confident[inside].mean())
    return total


def test_the_temperature_is_that_of_least_calibration_error() -> None:
    """Labels are drawn by the softmax of logits that are given five times too large."""
    logits = 2 * torch.randn(3000, 4, generator=generator(0))
    labels = torch.multinomial(logits.softmax(1), 1, generator=generator(1)).squeeze(1)
    temperatures = torch.arange(1, 20, 0.1)
    found = best_temperature((5 * logits).split(700), labels, temperatures, 15)
    errors = [expected_error(5 * logits.double().numpy(), labels.numpy(), each) for each in temperatures.tolist()]
    assert found == pytest.approx(float(temperatures[int(np.argmin(errors))]))
    assert found == pytest.approx(5, abs=0.6)


def test_pixels_that_are_ignored_do_not_count_and_class_255_does() -> None:
    logits = torch.randn(4, 3, 5, 5, generator=generator(0)) * 9
    maps = logits.argmax(1).to(torch.uint8)
    wrong = (maps + 1) % 3
    wrong[:, :4] = 255
    counted = best_temperature(logits[:, :, 4:].split(2), wrong[:, 4:], torch.arange(1, 20, 0.5), 15)
    assert best_temperature(logits.split(2), wrong, torch.arange(1, 20, 0.5), 15) == counted > 10
    many = torch.zeros(1, 256).index_fill(1, torch.tensor(255), 9.0)
    assert best_temperature([many], torch.tensor([255]), torch.arange(1, 5, 0.5), 15) == 1
    assert best_temperature([many], torch.tensor([3]), torch.arange(1, 5, 0.5), 15) > 1


def test_it_is_calibrated_on_labels_that_the_model_was_not_trained_on() -> None:
    """Of twenty known labels six, whose logits are far too sure, so that the weights are those of their temperature."""
    strategy, pool = herding(None, 1.0), made_pool(22, logit=9)
    pool.labels[:2] = UNKNOWN
    query = strategy.query(Model().eval(), pool, 8, generator(3))
    assert isinstance(strategy.learner, Given)
    (part,) = strategy.learner.pools
    assert len(part.labeled) == 14 and set(part.labeled.tolist()) < set(pool.labeled[2:].tolist())
    held = torch.tensor([row not in part.labeled.tolist() for row in pool.labeled.tolist()]) & (pool.labels != UNKNOWN)
    logits = Model()(pool.inputs[pool.labeled[held]])
    temperature = best_temperature([logits], pool.labels[held], torch.arange(1, 20, 0.1), 15)
    assert temperature > 1.5
    assert query.indices.tolist() == slow(pool, temperature, 1.0, 8)


def test_a_learner_that_validates_watches_half_of_what_is_held_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Labels that chose the best weights find them better calibrated than they are: others choose the temperature."""
    strategy, pool = herding(None, 1.0), made_pool(20)
    assert isinstance(strategy.learner, Given)
    strategy.learner.watches, calibrated = True, list[Tensor]()

    def best(batches: Iterable[Tensor], labels: Tensor, *others: Any) -> float:
        calibrated.extend(batches)
        return 1.0

    monkeypatch.setattr("al_bench.strategy.uherding.best_temperature", best)
    strategy.query(Model().eval(), pool, 3, generator(0))
    (part,) = strategy.learner.pools
    assert part.validation is not None
    inputs, labels = part.validation
    watched = inputs[torch.arange(3)][:, 0].tolist()
    held = [row for row in pool.labeled.tolist() if row not in part.labeled.tolist()]
    others = torch.cat(calibrated)[:, 0].tolist()
    assert len(inputs) == len(labels) == len(others) == 3
    assert sorted(watched + others) == pytest.approx(sorted(pool.inputs[torch.tensor(held)][:, 0].tolist()))


def test_one_label_that_is_held_out_cannot_do_both() -> None:
    strategy = herding(None, 1.0)
    assert isinstance(strategy.learner, Given)
    strategy.query(Model().eval(), made_pool(4), 2, generator(0))
    assert len(strategy.learner.pools) == 1
    strategy.learner.watches = True
    strategy.query(Model().eval(), made_pool(4), 2, generator(0))
    assert len(strategy.learner.pools) == 1


def test_with_too_few_labels_to_hold_any_out_nothing_is_trained() -> None:
    strategy = herding(None, 1.0)
    strategy.query(Model().eval(), made_pool(3), 2, generator(0))
    assert isinstance(strategy.learner, Given) and strategy.learner.pools == []


def test_the_least_distance_is_between_two_that_differ() -> None:
    points = torch.tensor([[0.0, 0.0], [0.0, 0.0], [3.0, 4.0], [3.0, 4.5]]).repeat(200, 1)
    assert least_distance(points) == pytest.approx(0.5)
    assert least_distance(points[:2]) == least_distance(points[:0]) == 1.0
