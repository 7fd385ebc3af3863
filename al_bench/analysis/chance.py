"""What guessing gives, and which lines end near it."""

from collections.abc import Sequence

from al_bench.analysis.common_range import shared_sizes
from al_bench.analysis.curves import curve, headline, last_common, metric, values_by_annotations
from al_bench.analysis.grouping import Group
from al_bench.analysis.reading import Run

_NEAR = 0.1  # of the way from guessing to certainty


def chance_level(group: Group) -> float | None:
    """The accuracy of guessing one of K classes, each as often: 1/K. None where accuracy is not what is measured."""
    first = group.first
    if not first.cycles or headline(first) != "accuracy":
        return None
    return 1 / max(1, len(first.cycles[0].class_counts))


def ends_near_chance(group: Group) -> bool:
    """Whether a line's last mean over seeds is less than a tenth of the way from guessing to all right (Cohen's kappa
    of balanced classes below 0.1): below 19 % of ten classes, 55 % of two. Of seeds that have come to their end, where
    there are such, and not of those that have come less than half as far as others."""
    level = chance_level(group)
    end = last_common(curve(_that_ended(group), metric("accuracy"))) if level is not None else None
    return level is not None and level < 1 and end is not None and (end.mean - level) / (1 - level) < _NEAR


def _that_ended(group: Group) -> list[Run]:
    runs = [run for run in group.runs if run.finished is not None] or group.runs
    return [runs[place] for place in shared_sizes([values_by_annotations(run, "accuracy") for run in runs])]


def all_near_chance(groups: Sequence[Group]) -> bool:
    """Whether nothing of these lines was learned that could tell them apart."""
    return bool(groups) and all(ends_near_chance(group) for group in groups)
