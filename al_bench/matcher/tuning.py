"""How much an approximate index has to look at to keep its recall."""

import math
from typing import Protocol

import torch
from torch import Tensor

from al_bench.matcher import FIRST_FETCH


class Searching(Protocol):
    """What a recall is measured of: any matcher that was fitted."""

    features: Tensor

    def search(self, queries: Tensor, count: int) -> Tensor:
        """See `Matcher`."""


class Tunable(Searching, Protocol):
    """A matcher that finds more with more effort: probes of inverted lists, the breadth of a graph search.

    effort: 1 or more, read at every search; most_effort: more than this finds no more.
    """

    effort: int
    most_effort: int


class Candidate(Tunable, Protocol):
    """One whose work can be told, so that `Auto` can choose it."""

    def fit(self, features: Tensor) -> None:
        """See `Matcher`."""

    def work(self, queries: Tensor) -> tuple[float, float]:
        """What building took, and what searching for one query takes, in distances of a plain scan.

        The first does not depend on the effort.
        """

    def at_home(self, features: Tensor) -> bool:
        """Whether it searches on the device that the features are on."""


def nearest_squared(matcher: Searching, queries: Tensor) -> Tensor:
    """(Q,) float64 squared distances to the nearest of what `Matcher.match` fetches at first; infinity where nothing is
    found."""
    found = matcher.search(queries, min(FIRST_FETCH, len(matcher.features))).to(queries.device)
    near = matcher.features[found.clamp(min=0)].double()  # (Q, M, D)
    squared = (near - queries.double()[:, None]).square().sum(2)
    return squared.masked_fill(found < 0, torch.inf).amin(1)


def recall(matcher: Searching, queries: Tensor, exact: Tensor) -> float:
    """Recall at 1: the fraction of queries whose nearest neighbor, or one as near, is found.

    exact: (Q,) what `nearest_squared` gives for an exact matcher of the same features.
    """
    return float((nearest_squared(matcher, queries) <= exact).double().mean())


def needed(min_recall: float, num_queries: int) -> float:
    """The recall on some queries that speaks for `min_recall` on all: two standard errors more, and at most 1.

    Of the efforts that reach 0.99 on a thousand queries, the least is the luckiest: on others it reaches 0.985.
    """
    return min(1.0, min_recall + 2 * math.sqrt(min_recall * (1 - min_recall) / num_queries))


def tune(candidate: Tunable, queries: Tensor, exact: Tensor, least: float) -> float:
    """Sets the least effort whose recall on `queries` is `least`, or else the most there is, and returns the recall.

    The effort is doubled until it is enough; then the least between the last two is sought by halves, to a
    thirty-second, as if recall never fell with effort, which holds for inverted lists and nearly so for graphs.
    """

    def reached(effort: int) -> float:
        candidate.effort = effort
        return recall(candidate, queries, exact)

    too_little, enough = 0, 1
    while (kept := reached(enough)) < least and enough < candidate.most_effort:
        too_little, enough = enough, min(2 * enough, candidate.most_effort)
    while enough - too_little > max(1, enough // 32) and kept >= least:
        middle = (too_little + enough) // 2
        between = reached(middle)
        if between >= least:
            enough, kept = middle, between
        else:
            too_little = middle
    candidate.effort = enough
    return kept
