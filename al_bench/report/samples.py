"""Samples of generating models on the page: a row a class, the cycles beside each other."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from al_bench.analysis.checking import UnreadableError
from al_bench.analysis.grouping import Group
from al_bench.analysis.reading import Problem, Run
from al_bench.analysis.samples import samples_of
from al_bench.errors import amount
from al_bench.report.figures.svg import Picture
from al_bench.report.images import sample_grid


@dataclass(frozen=True)
class Samples:
    """Of one run. cycles: index and annotations of each that kept any; rows: of each class a picture for each cycle."""

    group: Group
    run: Run
    cycles: Sequence[tuple[int, int]]
    rows: Sequence[tuple[str, Sequence[Picture]]]


def show_samples(group: Group, classes: Sequence[str], problems: list[Problem]) -> Samples | None:
    """Of the group's first run that kept any; None where none did. What cannot be read is added to `problems`."""
    for run in group.runs:
        try:
            found = samples_of(run)
        except UnreadableError as error:
            problems.append(Problem(run.place, str(error)))
            continue
        if found:
            cycles = [(index, run.cycles[index].annotations) for index in found]
            num_rows = min(map(len, found.values()))  # of a run of fewer classes than others have
            rows = [(name, _row(name, place, found)) for place, name in enumerate(classes) if place < num_rows]
            return Samples(group, run, cycles, rows)
    return None


def _row(name: str, place: int, found: dict[int, np.ndarray]) -> list[Picture]:
    strips = [(index, samples[place]) for index, samples in found.items()]
    return [
        sample_grid(strip, len(strip), f"{amount(len(strip), 'sample')} of {name}, cycle {index}")
        for index, strip in strips
    ]
