"""Matching on a GPU at the size of ten million images and more: torch's exact matcher against a plain scan."""

from collections.abc import Callable

import torch
from torch import Tensor

from al_bench import seeding
from al_bench.matcher import FIRST_FETCH
from al_bench.matcher.exact import Exact
from benchmarks import Goal, Measured, interleaved
from benchmarks.matcher import QUERIES, falling

NUM_POINTS = 16_000_000


def measure(num_points: int = NUM_POINTS, pairs: int = 9) -> list[Measured]:
    """Ten queries on points of full dimension, which are 3 GiB. Measures nothing without a GPU."""
    if not torch.cuda.is_available():
        return []
    return compared(falling(num_points + QUERIES).cuda(), pairs, torch.cuda.get_device_name())


def compared(rows: Tensor, pairs: int, card: str) -> list[Measured]:
    """Matches against `torch.cdist` and `topk`; and the search in them against one pass over all points, which no card
    does without: their sum. Two of those are 2 ms on a card of 3.3 TB/s."""
    points, queries = rows[:-QUERIES], rows[-QUERIES:]
    matcher, taken = Exact("torch"), torch.empty(0, dtype=torch.int64)
    matcher.fit(points)
    matches = interleaved(
        lambda _: matcher.match(queries, taken, seeding.generator(0)).indices,
        lambda _: by_hand(points, queries).cpu(),
        pairs,
    )
    searches = interleaved(waited(lambda: matcher.search(queries, FIRST_FETCH)), waited(points.sum), pairs)
    ours, plain, search, read = (1e3 * seconds for seconds in (*matches.medians, *searches.medians))
    size = f"{len(points):,} x {points.shape[1]}, {QUERIES} queries on {card}"
    return [
        Measured(
            "torch matcher on a GPU / cdist and topk",
            matches.ratio,
            Goal(1.0),
            f"{size}: {ours:,.2f} ms, by hand {plain:,.2f}",
            torch.equal(*matches.results[-1]),
        ),
        Measured(
            "torch matcher's search on a GPU / one pass over the points",
            searches.ratio,
            Goal(2.0),
            f"{size}: {search:,.2f} ms, the pass {read:,.2f}",
        ),
    ]


def by_hand(points: Tensor, queries: Tensor) -> Tensor:
    """The (Q,) positions nearest to the queries, all distances at once."""
    return torch.cdist(queries, points).topk(1, largest=False).indices[:, 0]


def waited(task: Callable[[], Tensor]) -> Callable[[int], Tensor]:
    """A side that is over when the GPU is."""

    def side(number: int) -> Tensor:
        result = task()
        if result.is_cuda:
            torch.cuda.synchronize()
        return result

    return side
