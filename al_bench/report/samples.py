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
from al_bench.report.images import sample_grid, spread

MOST_CLASSES, MOST_CYCLES = 20, 12  # of a run on the page


@dataclass(frozen=True)
class Samples:
    """Of one run, the first, the last and evenly spaced cycles and classes between. cycles: index and annotations of
    each that kept any; rows: of each class a picture for each cycle; more_cycles, more_classes: how many others."""

    group: Group
    run: Run
    cycles: Sequence[tuple[int, int]]
    rows: Sequence[tuple[str, Sequence[Picture]]]
    more_cycles: int
    more_classes: int

    @property
    def left_out(self) -> str:
        """In words, "" where nothing is."""
        classes = f"{self.more_classes:,} other class{'' if self.more_classes == 1 else 'es'}"
        words = [amount(self.more_cycles, "other cycle")] * bool(self.more_cycles)
        return " and ".join([*words, *([classes] if self.more_classes else [])])


def show_samples(group: Group, classes: Sequence[str], problems: list[Problem]) -> Samples | None:
    """Of the group's first run that kept any; None where none did. What cannot be read is added to `problems`."""
    for run in group.runs:
        try:
            found = samples_of(run)
        except UnreadableError as error:
            problems.append(Problem(run.place, str(error)))
            continue
        if found:
            kept = [list(found)[place] for place in spread(len(found), MOST_CYCLES)]
            shown = {index: found[index] for index in kept}
            num_rows = min(len(classes), *map(len, found.values()))  # of a run of fewer classes than others have
            rows = [(classes[place], _row(classes[place], place, shown)) for place in spread(num_rows, MOST_CLASSES)]
            cycles = [(index, run.cycles[index].annotations) for index in shown]
            return Samples(group, run, cycles, rows, len(found) - len(cycles), num_rows - len(rows))
    return None


def _row(name: str, place: int, found: dict[int, np.ndarray]) -> list[Picture]:
    strips = [(index, samples[place]) for index, samples in found.items()]
    return [
        sample_grid(strip, len(strip), f"{amount(len(strip), 'sample')} of {name}, cycle {index}")
        for index, strip in strips
    ]
