import math

import pytest
import torch

from al_bench.matcher.exact import Exact
from al_bench.matcher.ivf import Ivf
from al_bench.matcher.tuning import nearest_squared, needed, recall, tune
from benchmarks.matcher import falling


class Curve:
    """Finds query i's neighbor from effort needs[i] on; remembers which efforts were tried."""

    def __init__(self, needs, most_effort=1000):
        self.features, self.needs = torch.arange(float(len(needs)))[:, None], torch.tensor(needs)
        self.effort, self.most_effort, self.tried = 1, most_effort, []

    def search(self, queries, count):
        self.tried.append(self.effort)
        found = torch.arange(len(self.needs)).where(self.needs <= self.effort, -1)
        return torch.cat([found[:, None], torch.full((len(found), count - 1), -1)], 1)


@pytest.mark.parametrize("least_effort", [1, 2, 3, 37, 64, 65, 1000])
def test_finds_the_least_effort_in_few_steps(least_effort):
    candidate = Curve([1, 1, 1, least_effort])
    assert tune(candidate, candidate.features, torch.zeros(4), 1.0) == 1.0
    assert least_effort <= candidate.effort <= least_effort + least_effort // 32
    assert len(candidate.tried) <= 2 * math.log2(1000) + 2


def test_part_of_the_queries_may_be_missed():
    candidate = Curve([1, 5, 9, 700])
    assert tune(candidate, candidate.features, torch.zeros(4), 0.75) == 0.75
    assert candidate.effort == 9


def test_a_recall_out_of_reach_is_told():
    candidate = Curve([1, 5, 9, 700], most_effort=30)
    assert tune(candidate, candidate.features, torch.zeros(4), 0.99) == 0.75


def test_recall_counts_a_neighbor_as_near_and_nothing_found():
    candidate = Curve([1, 1, 9])
    assert recall(candidate, candidate.features, torch.zeros(3)) == pytest.approx(2 / 3)
    assert nearest_squared(candidate, candidate.features + 0.5).tolist() == [0.25, 0.25, math.inf]
    duplicates = Ivf(lists=1, probes=1, sample_per_list=64, seed=0)
    duplicates.fit(torch.ones(50, 3))
    assert recall(duplicates, torch.zeros(4, 3), torch.full((4,), 3.0)) == 1.0


def test_two_standard_errors_above():
    assert needed(0.99, 4000) == pytest.approx(0.99 + 2 * (0.99 * 0.01 / 4000) ** 0.5)
    assert needed(0.99, 50) == 1.0, "fifty queries cannot speak for 0.99 unless all are found"
    assert needed(1.0, 4000) == 1.0


def test_probes_that_keep_the_recall_on_some_keep_it_on_others():
    points, some, others = falling(11_000).split([8_000, 2_000, 1_000])
    exact, ivf = Exact("auto"), Ivf(lists=None, probes=1, sample_per_list=64, seed=0)
    exact.fit(points)
    ivf.fit(points)
    kept = tune(ivf, some, nearest_squared(exact, some), needed(0.99, 2_000))
    assert kept >= needed(0.99, 2_000)
    assert 1 < ivf.effort < ivf.most_effort / 2
    assert recall(ivf, others, nearest_squared(exact, others)) >= 0.99
    ivf.effort -= 1
    assert recall(ivf, some, nearest_squared(exact, some)) < needed(0.99, 2_000)
