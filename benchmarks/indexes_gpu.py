"""Searches on a GPU beside torch's exact matcher: our scan in one pass, FAISS's inverted lists, cuVS's, and its CAGRA.

What is approximate is tuned to a recall on some queries that are no points of the pool, and its recall is measured on
others against the exact matcher's. Not run on a GPU yet.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from al_bench import seeding
from al_bench.matcher import FIRST_FETCH, Matcher
from al_bench.matcher.exact import Exact, lacks_fused
from al_bench.matcher.ivf import Ivf
from al_bench.matcher.tuning import nearest_squared, needed, recall, tune
from benchmarks import Measured, interleaved, timed
from benchmarks.cuvs import Cagra, CuvsLists, lacks_cuvs, lacks_gpu
from benchmarks.matcher import QUERIES
from benchmarks.matcher_gpu import NUM_POINTS, waited
from benchmarks.matcher_scale import HELD_OUT, KINDS, MIN_RECALL, TUNED_ON


@dataclass(frozen=True)
class Rival:
    """A search that is set beside torch's. lacks: why it cannot search points on their device, empty where it can;
    least: the recall at 1 that it has to keep."""

    words: str
    make: Callable[[], Exact | Ivf | CuvsLists | Cagra]
    lacks: Callable[[Tensor], str]
    least: float = MIN_RECALL

    @property
    def name(self) -> str:
        """What its rows begin with."""
        return f"{self.words} / torch matcher on a GPU"


RIVALS: Mapping[str, Rival] = {
    "fused_gpu": Rival("scan in one pass", lambda: Exact("fused"), lacks_fused, least=1.0),
    "ivf_gpu": Rival("FAISS's inverted lists", lambda: Ivf(None, 1, 40, 0), lacks_gpu),  # which a CPU places
    "cuvs_ivf_gpu": Rival("cuVS's inverted lists", lambda: CuvsLists(40, 0), lacks_cuvs),
    "cagra_gpu": Rival("CAGRA", Cagra, lacks_cuvs),
}


def measure(rival: Rival, num_points: int = NUM_POINTS, pairs: int = 9) -> Iterator[Measured]:
    """Both kinds of points, 3 GiB each; one row where the rival is not there. Measures nothing without a GPU."""
    if not torch.cuda.is_available():
        return
    if lacking := rival.lacks(torch.empty(0, device="cuda")):
        yield skipped(rival, lacking)
        return
    others = TUNED_ON + HELD_OUT + QUERIES
    for kind, (made, *_) in KINDS.items():
        points, queries = made(num_points + others).cuda().split([num_points, others])
        yield from beside(rival, kind, points, queries, pairs, torch.cuda.get_device_name())


def beside(rival: Rival, kind: str, points: Tensor, others: Tensor, pairs: int, card: str) -> list[Measured]:
    """Ten queries matched, and many searched at once, against torch's exact matcher.

    others: points to query with, to measure the recall on, and to tune on.
    """
    queries, held_out, tuned_on = others.split([QUERIES, HELD_OUT, len(others) - QUERIES - HELD_OUT])
    exact, matcher = Exact("torch"), rival.make()
    costs = f"built in {built(matcher, points)}, torch's in {built(exact, points)}"
    effort = ""
    if not isinstance(matcher, Exact):
        tune(matcher, tuned_on, nearest_squared(exact, tuned_on), needed(rival.least, len(tuned_on)))
        effort = f" at effort {matcher.effort:,} of {matcher.most_effort:,}"
    kept = recall(matcher, held_out, nearest_squared(exact, held_out))
    how = f"{len(points):,} x {points.shape[1]} on {card}; recall@1 {kept:.4f} of {HELD_OUT:,} others{effort}; {costs}"
    rows = []
    for words, side in ((f"{QUERIES} matched", match(queries)), (f"{HELD_OUT:,} searched at once", search(held_out))):
        runs = interleaved(waited(side(matcher)), waited(side(exact)), pairs)
        ours, torchs = (1000 * seconds for seconds in runs.medians)
        told = f"{ours:,.2f} ms, torch {torchs:,.2f} ms; {how}"
        rows.append(Measured(f"{rival.name}, {kind}, {words}", runs.ratio, None, told, kept >= rival.least))
    return rows


def skipped(rival: Rival, lacking: str) -> Measured:
    """The row of one that is not there."""
    return Measured(rival.name, float("nan"), None, f"skipped: {lacking}")


def match(queries: Tensor) -> Callable[[Matcher], Callable[[], Tensor]]:
    """Matching as a strategy does."""
    none = torch.empty(0, dtype=torch.int64)
    return lambda matcher: lambda: matcher.match(queries, none, seeding.generator(0)).indices


def search(queries: Tensor) -> Callable[[Matcher], Callable[[], Tensor]]:
    """The search in it, for many."""
    return lambda matcher: lambda: matcher.search(queries, FIRST_FETCH)


def built(matcher: Matcher, points: Tensor) -> str:
    """Builds an index; seconds, and the memory of the GPU that it holds afterwards beside the points."""
    before = held(points.device)
    seconds, _ = timed(lambda _: matcher.fit(points), 0)
    return f"{seconds:,.1f} s, {held(points.device) - before:.1f} GiB"


def held(device: torch.device) -> float:
    """GiB of a GPU's memory that are taken, by torch or FAISS, whose scratch counts; 0 of a CPU."""
    if device.type != "cuda":
        return 0.0
    torch.cuda.synchronize(device)
    torch.cuda.empty_cache()
    free, total = torch.cuda.mem_get_info(device)
    return (total - free) / 2**30
