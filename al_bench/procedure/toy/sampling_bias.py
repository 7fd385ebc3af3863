"""Sampling bias on the line: a query rule that only refines its boundary never sees the better one (WAAL Fig. 1).

The classifier is a threshold t: class 0 left of it, class 1 from it on.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from al_bench import seeding
from al_bench.active.part import declare
from al_bench.config.ranges import Samples, TwoOrMore
from al_bench.errors import UserError
from al_bench.procedure.toy.intervals import Array, Intervals

# Of unlabeled and of labeled points, both ascending, the threshold and a generator: the place of the point to ask for
Rule = Callable[[Array, Array, float, torch.Generator], int]


@declare("procedure/toy/nearest_to_boundary")
def nearest_to_boundary(unlabeled: Array, labeled: Array, threshold: float, rng: torch.Generator) -> int:
    """Uncertainty: the point that the classifier is least sure of."""
    return int(np.abs(unlabeled - threshold).argmin())


@declare("procedure/toy/uniform")
def uniform(unlabeled: Array, labeled: Array, threshold: float, rng: torch.Generator) -> int:
    """Any point."""
    return int(torch.randint(len(unlabeled), (), generator=rng))


@declare("procedure/toy/furthest_first")
def furthest_first(unlabeled: Array, labeled: Array, threshold: float, rng: torch.Generator) -> int:
    """Diversity: the point farthest from everything labeled, as core-set's greedy rule has it."""
    walls = np.concatenate([[-np.inf], labeled, [np.inf]])
    place = np.searchsorted(labeled, unlabeled)
    return int(np.minimum(unlabeled - walls[place], walls[place + 1] - unlabeled).argmax())


def fit_threshold(points: Array, labels: NDArray[np.int64]) -> float:
    """The threshold of least training error; of several the middle of the widest gap.

    points: (L,) ascending, the first of class 0 and the last of class 1, so that it lies between two of them.
    """
    wrong_left = np.cumsum(labels)[:-1]
    wrong_right = np.cumsum((1 - labels)[::-1])[-2::-1]
    errors, gaps = wrong_left + wrong_right, np.diff(points)
    place = int(np.where(errors == errors.min(), gaps, -1.0).argmax())
    return float(points[place] + points[place + 1]) / 2


@declare("procedure/toy/sampling_bias")
@dataclass(frozen=True)
class SamplingBias:
    """A problem and a simulation on it.

    line: the distribution of the data; labels: 0 or 1, of each interval, those of the first and the last 0 and 1.
    rules: by name. pool_size: points to ask for; initial_size: labeled before, half of them in the first interval and
    half in the last; queries: labels asked for, one by one; draws: of a pool and its initial labels, the same for all
    rules. Raises UserError where these do not fit.
    """

    line: Intervals
    labels: Sequence[Literal[0, 1]]
    rules: Mapping[str, Rule]
    pool_size: Samples
    initial_size: TwoOrMore
    queries: Samples
    draws: Samples

    def __post_init__(self) -> None:
        if len(self.labels) != len(self.line.masses):
            raise UserError(f"labels={list(self.labels)} has to have a 0 or 1 for each interval")
        if (self.labels[0], self.labels[-1]) != (0, 1):
            raise UserError(f"labels={list(self.labels)} has to begin with 0 and to end with 1")
        if self.initial_size + self.queries >= self.pool_size:
            raise UserError(
                f"initial_size={self.initial_size} and queries={self.queries} have to be less than "
                f"pool_size={self.pool_size} together"
            )

    def risk(self, threshold: float) -> float:
        """The share of the data that a threshold gets wrong, exactly."""
        ends = np.clip(threshold, self.line.lows, self.line.highs)
        widths = np.subtract(self.line.highs, self.line.lows)
        left = np.array(self.line.masses) * (ends - self.line.lows) / widths  # of each interval's mass
        wrong = np.where(np.array(self.labels) == 1, left, self.line.masses - left)
        return float(wrong.sum())

    @property
    def minima(self) -> list[float]:
        """The risks that no small move of the threshold lowers, from left to right: between class 0 and class 1."""
        sides = zip(self.labels[:-1], self.labels[1:], self.line.highs[:-1], strict=True)
        return [self.risk(high) for left, right, high in sides if (left, right) == (0, 1)]

    def risks(self, seed: int) -> dict[str, Array]:
        """(draws, queries + 1) risks of each rule, the first without any query."""
        found: dict[str, list[list[float]]] = {name: [] for name in self.rules}
        for draw in range(self.draws):
            rng = seeding.generator(seeding.seed_for(seed, draw, "pool"))
            pool = self.line.draw(self.pool_size, rng)
            initial = self.extremes(pool, rng)
            for name, rule in self.rules.items():
                own = seeding.generator(seeding.seed_for(seed, draw, "query"))
                found[name].append(self.run(rule, pool, initial, own))
        return {name: np.array(rows) for name, rows in found.items()}

    def extremes(self, pool: Array, rng: torch.Generator) -> NDArray[np.int64]:
        """(initial_size,) positions in the pool of the first labels, half of either extreme interval. Raises UserError
        where the pool has too few points there."""
        interval = self.line.interval_of(pool)
        chosen = []
        for number, count in ((0, self.initial_size // 2), (len(self.labels) - 1, -(-self.initial_size // 2))):
            there = np.flatnonzero(interval == number)
            if len(there) < count:
                raise UserError(f"a pool of {len(pool)} has {len(there)} points in an extreme interval, not {count}")
            chosen.append(there[torch.randperm(len(there), generator=rng)[:count].numpy()])
        return np.concatenate(chosen)

    def run(self, rule: Rule, pool: Array, initial: NDArray[np.int64], rng: torch.Generator) -> list[float]:
        """The risk before each query and after the last."""
        labels = np.array(self.labels, dtype=np.int64)[self.line.interval_of(pool)]
        known = np.zeros(len(pool), dtype=bool)
        known[initial] = True
        threshold = fit_threshold(pool[known], labels[known])
        found = [self.risk(threshold)]
        for _ in range(self.queries):
            unlabeled = np.flatnonzero(~known)
            known[unlabeled[rule(pool[unlabeled], pool[known], threshold, rng)]] = True
            threshold = fit_threshold(pool[known], labels[known])
            found.append(self.risk(threshold))
        return found
