"""Matching by the index that takes the least work on the pool at hand and keeps its recall."""

import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from al_bench import seeding
from al_bench.active.part import declare
from al_bench.config.ranges import Fraction, NoneToAll, Seed, UpToAll
from al_bench.matcher import Matcher
from al_bench.matcher.exact import Exact
from al_bench.matcher.faiss_index import library
from al_bench.matcher.tuning import Candidate, nearest_squared, needed, tune

logger = logging.getLogger(__name__)

_FEWEST = 40  # features that leave four to be held out, and nine in a quarter of the others


@dataclass(frozen=True)
class Offer:
    """What a candidate would take among the whole pool. work: distances of a plain scan for one query, with its part
    of building; effort: at which; recall: on the sample, 0 where building alone was found to be too much."""

    work: float
    effort: int
    recall: float

    def __str__(self) -> str:
        if not self.recall:
            return f"{self.work:,.0f} to build alone"
        return f"{self.work:,.0f} (effort {self.effort:,}, recall {self.recall:.3f} on a sample)"


@declare("matcher/auto", revision=2)
class Auto(Matcher):
    """Tries candidates on a sample of the pool's own features, with queries held out of it, and takes the cheapest.

    Each is tuned to the least effort that keeps the recall, on a quarter of the sample and on all of it; to the pool's
    size its effort and work go on growing as they grew from the one to the other, and never shrink. The recall of an
    exact search is 1, its work a distance for each feature: it is taken where nothing takes less.

    Work is counted in distances and never timed, because approximate indexes find different neighbors: a choice by
    the clock could differ between a run that was killed and its second half, and so could what they select. Features,
    keys and the number of threads being the same, the choice is the same, and nothing has to be stored. Queries are
    features of real images; synthetic ones may lie further from the pool and be found less often.

    min_recall: of the nearest neighbor, in [0, 1]. exact_up_to: pools that are not worth a trial. sample, held_out:
    features that the trial takes at most. queries: searches that share the work of building. seed: of the sample.
    """

    chosen: Exact | Candidate

    def __init__(
        self,
        candidates: Sequence[Callable[[], Candidate]],
        min_recall: Fraction,
        exact_up_to: NoneToAll,
        sample: UpToAll,
        held_out: UpToAll,
        queries: UpToAll,
        seed: Seed,
    ) -> None:
        self.candidates = [make() for make in candidates] if library() else []
        self.min_recall, self.exact_up_to = min_recall, exact_up_to
        self.sample, self.held_out = sample, held_out
        self.queries, self.seed = queries, seed

    def build(self, features: Tensor) -> None:
        """Chooses, says which and why, and builds it."""
        self.chosen, reason = self._choice(features)
        self.why = f"{type(self.chosen).__name__.lower()}: {reason}"
        logger.info(f"matcher=auto takes {self.why}")
        self.chosen.fit(features)

    def search(self, queries: Tensor, count: int) -> Tensor:
        """As the one that was chosen."""
        return self.chosen.search(queries, count)

    def _choice(self, features: Tensor) -> tuple[Exact | Candidate, str]:
        num_features = len(features)
        if num_features <= self.exact_up_to:
            return Exact("auto"), f"{num_features:,} features are at most exact_up_to={self.exact_up_to:,}"
        at_home = [candidate for candidate in self.candidates if candidate.at_home(features)]
        if not at_home or num_features < _FEWEST:
            return Exact("auto"), f"no other searches {num_features:,} features on {features.device}"
        rows, queries = self._sampled(features)
        best: Exact | Candidate = Exact("auto")
        least, told = float(num_features), [f"exact {num_features:,}"]
        for candidate in at_home:
            offer = self._offer(candidate, rows, queries, num_features, least)
            told.append(f"{type(candidate).__name__.lower()} {offer}")
            if offer.recall >= needed(self.min_recall, len(queries)) and offer.work < least:
                best, least, candidate.effort = candidate, offer.work, offer.effort
        return best, f"distances for a query, building shared by {self.queries:,}: {', '.join(told)}"

    def _sampled(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Rows to index and rows to query with, none of them the same."""
        held_out = min(self.held_out, len(features) // 10)
        order = torch.randperm(len(features), generator=seeding.generator(self.seed))[: held_out + self.sample]
        chosen = features[order.to(features.device)]
        return chosen[held_out:], chosen[:held_out]

    def _offer(self, candidate: Candidate, rows: Tensor, queries: Tensor, num_features: int, least: float) -> Offer:
        """Looks no further where the recall is lost, or where building, which grows at least as the pool does, takes
        more than the `least` work offered so far."""
        trials = []
        for part in (rows[: len(rows) // 4], rows):
            candidate.fit(part)
            building = candidate.work(queries)[0] / self.queries
            if building * num_features / len(part) >= least:
                return Offer(building * num_features / len(part), candidate.effort, 0.0)
            exact = Exact("auto")
            exact.fit(part)
            target = needed(self.min_recall, len(queries))
            kept = tune(candidate, queries, nearest_squared(exact, queries), target)
            trials.append((candidate.effort, building, candidate.work(queries)[1]))
            if kept < target:
                break
        effort, building, searching = (grown(trial, num_features / len(part)) for trial in zip(*trials, strict=True))
        return Offer(building + searching, math.ceil(effort), kept)


def grown(measured: Sequence[float], times: float) -> float:
    """The last of two values, of which the first was measured on a quarter, at `times` the size.

    It is multiplied for each factor of four by what it was multiplied by before, and never shrinks.
    """
    return measured[-1] * math.pow(max(1.0, measured[-1] / measured[0]), math.log(times, 4))
