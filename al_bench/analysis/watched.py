"""What was measured of models while they were trained, over seeds: looks (`loop.observe_every`) and losses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from al_bench.active.metric import ITERATION, SECONDS
from al_bench.analysis.curves import Point, points_of
from al_bench.analysis.grouping import group_by
from al_bench.analysis.reading import Run
from al_bench.storage.record import CycleRecord


@dataclass(frozen=True)
class Watched:
    """The looks at the trainings of one cycle. annotations: of that cycle; seeds: how many looked; seconds: of training
    at each iteration, mean over these; curves: of each metric its points, which here are at iterations."""

    cycle: int
    annotations: int
    seeds: int
    seconds: Mapping[int, float]
    curves: Mapping[str, Sequence[Point]]


@dataclass(frozen=True)
class LossCurves:
    """The losses of the trainings of one cycle. annotations: of that cycle; curves: by the names of training and loss,
    of each its points, which here are at iterations."""

    cycle: int
    annotations: int
    curves: Mapping[tuple[str, str], Sequence[Point]]


def watched_cycles(runs: Sequence[Run]) -> list[Watched]:
    """Every cycle that at least one of the runs of a group looked into, in order."""
    records = [record for run in runs for record in run.cycles if record.observed]
    cycles = group_by(records, lambda record: record.index)
    return [_watched(cycles[index]) for index in sorted(cycles)]


def _watched(records: Sequence[CycleRecord]) -> Watched:
    looks = [
        dict(zip(record.observed, values, strict=True))
        for record in records
        for values in zip(*record.observed.values(), strict=True)
    ]
    seconds = group_by(looks, lambda look: int(look[ITERATION] or 0))
    names = [name for name in records[0].observed if name not in (ITERATION, SECONDS)]
    return Watched(
        records[0].index,
        records[0].annotations,
        len(records),
        {at: fmean(look[SECONDS] or 0.0 for look in seconds[at]) for at in sorted(seconds)},
        {name: points_of((int(look[ITERATION] or 0), look.get(name)) for look in looks) for name in names},
    )


def last_losses(runs: Sequence[Run]) -> LossCurves | None:
    """Those of the last cycle of which as many runs of a group keep any as of any other; None where none does."""
    cycles = group_by((record for run in runs for record in run.cycles if record.losses), lambda record: record.index)
    most = max(map(len, cycles.values()), default=0)
    records = cycles[max(index for index, found in cycles.items() if len(found) == most)] if cycles else []
    values: dict[tuple[str, str], list[tuple[int, float | None]]] = {}
    for training, losses in ((name, losses) for record in records for name, losses in record.losses.items()):
        for loss, means in losses.items():
            if loss != ITERATION:
                places = map(int, losses[ITERATION])
                values.setdefault((training, loss), []).extend(zip(places, means, strict=True))
    if not values:
        return None
    curves = {names: points_of(found) for names, found in values.items()}
    return LossCurves(records[0].index, records[0].annotations, curves)
