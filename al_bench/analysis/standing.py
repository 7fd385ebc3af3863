"""Where each line of a comparison stands: its rank, the labels with which it is as good as another, what it costs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

import numpy as np
from scipy.stats import rankdata

from al_bench.analysis.common_range import shared_sizes
from al_bench.analysis.cost import PARTS, costs
from al_bench.analysis.curves import is_better_higher, values_by_annotations
from al_bench.analysis.grouping import Group
from al_bench.analysis.statistics.areas import area_under_curve
from al_bench.analysis.statistics.reaching import Reached, labels_to_reach, summarize_reached

Curves = Mapping[str, Mapping[int, Mapping[int, float]]]  # line -> seed -> annotations -> value


@dataclass(frozen=True)
class Ranked:
    """Mean ranks of lines, over `seeds` and annotations from `low` to `high`, which all of these lines have."""

    ranks: Mapping[str, float]
    seeds: Sequence[int]
    low: int
    high: int


@dataclass(frozen=True)
class Standing:
    """rank: the mean over seeds, 1 for the largest area under the curve, or the least of a metric of which less is
    better; None where the line is not ranked. reached: the annotations at which each seed reaches the target. steps and
    seconds: of trainings and queries, a run. Seeds that have come less than half as far as others are left out."""

    rank: float | None
    reached: Reached
    steps: float
    seconds: float


def last_mean(group: Group, name: str) -> float | None:
    """A metric's mean over seeds at the most annotations that all have, but for seeds that have come less than half as
    far as others; None where they share no two numbers."""
    found = list(_curves(group, name).values())
    shared = set[int].intersection(*map(set, found)) if found else set[int]()
    return fmean(one[max(shared)] for one in found) if len(shared) > 1 else None


def _curves(group: Group, name: str) -> dict[int, dict[int, float]]:
    """By seed."""
    curves = [values_by_annotations(run, name) for run in group.runs]
    return {group.runs[place].seed: curves[place] for place in shared_sizes(curves)}


def find_standings(lines: Mapping[str, Group], name: str, target: float) -> tuple[dict[str, Standing], Ranked | None]:
    """Of each line that has a curve, and what the ranks are over, None where there are none."""
    curves = {line: _curves(group, name) for line, group in lines.items()}
    curves = {line: runs for line, runs in curves.items() if min(map(len, runs.values()), default=0) > 1}
    higher = all(is_better_higher(group.first, name) for group in lines.values())
    ranked = rank_areas(curves, higher)
    ranks = ranked.ranks if ranked else {}
    found = {}
    for line, runs in curves.items():
        reached = [labels_to_reach(*_points(curve), target, higher) for curve in runs.values()]
        kept = replace(lines[line], runs=[run for run in lines[line].runs if run.seed in runs])
        spent = [cost for cost in costs(kept) if cost.part in (PARTS["fit"], PARTS["query"])]
        steps, seconds = sum(cost.optimizer_steps for cost in spent), sum(cost.seconds for cost in spent)
        found[line] = Standing(ranks.get(line), summarize_reached(reached), steps, seconds)
    return found, ranked


def rank_areas(curves: Curves, higher_is_better: bool) -> Ranked | None:
    """Mean ranks over the seeds that the lines share, of areas over the annotations that all have; equals share one.

    A line that has less than half of the most seeds, or in one of its seeds less than half of the widest range, is not
    ranked. None where no seed, or no two numbers of annotations, are shared.
    """
    curves = {line: runs for line, runs in curves.items() if 2 * len(runs) >= max(map(len, curves.values()))}
    widths = {line: min(max(one) - min(one) for one in runs.values()) for line, runs in curves.items()}
    curves = {line: runs for line, runs in curves.items() if 2 * widths[line] >= max(widths.values())}
    seeds = sorted(set.intersection(*(set(runs) for runs in curves.values()))) if curves else []
    shared = [set(runs[seed]) for runs in curves.values() for seed in seeds]
    sizes = sorted(set.intersection(*shared)) if shared else []
    if len(sizes) < 2:
        return None
    areas = [[area_under_curve(sizes, [runs[seed][at] for at in sizes]) for seed in seeds] for runs in curves.values()]
    ranks = rankdata(np.array(areas) * (-1 if higher_is_better else 1), axis=0).mean(1)
    return Ranked(dict(zip(curves, ranks.tolist(), strict=True)), seeds, sizes[0], sizes[-1])


def _points(curve: Mapping[int, float]) -> tuple[list[int], list[float]]:
    sizes = sorted(curve)
    return sizes, [curve[size] for size in sizes]
