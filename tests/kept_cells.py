"""What is kept in results/cells, for the tests of what is written of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from al_bench.analysis.contrast import read_contrasts
from al_bench.analysis.reading import Run, StoredRuns, add_runs
from al_bench.analysis.statistics.areas import area_under_curve
from al_bench.analysis.statistics.correction import CorrectedTest, correct
from al_bench.analysis.statistics.paired import Interval, PairedTest, compare_pairs, interval
from al_bench.config.groups import CONF

ROOT = CONF.parent
RESULTS = " ".join((ROOT / "results" / "README.md").read_text().split())
Curves = Mapping[int, Mapping[int, float]]  # by seed and annotations
MAL_DIFFERENCES = {  # of lines that each experiment of MAL has, by what a row of a table calls them
    "minimax training: SSL-Random minus SL-Random": "minimax training, random images",
    "MAL's query: MAL minus SSL-Random": "MAL's query, its training",
    "MAL minus SL-Random": "all of MAL but its first training's length",
    "SSL-Random minus random": "all of minimax training",
    "SSL-Random minus random, for as many steps as MAL": "minimax training against random sampling of more steps",
    "MAL minus random": "all of MAL",
    "MAL minus random, for as many steps": "all of MAL but its steps",
    "MAL minus VAAL": "MAL against VAAL",
    "random, for as many steps, minus random": "random sampling of more steps",
    "SL-Random minus random": "features trained beforehand, supervised",
    "entropy minus random": "entropy, supervised",
    "VAAL's query: VAAL minus random": "VAAL's query",
}


def kept_runs(pattern: str) -> Sequence[Run]:
    """Those whose files are named so, up to the id; all of them can be read."""
    found = StoredRuns()
    add_runs(sorted((ROOT / "results" / "cells").glob(f"{pattern}-*.cell.xz")), found)
    assert not found.problems
    return found.runs


def accuracies_of(run: Run) -> dict[int, float]:
    """In percent, by annotations."""
    return {one.annotations: 100 * float(one.metrics["accuracy"]) for one in run.cycles}


def apart(one: Curves, other: Curves) -> dict[int, Interval]:
    """Of the differences over seeds at each number of labels after the first ones."""
    found = {at: interval([one[seed][at] - other[seed][at] for seed in one]) for at in sorted(one[0])[1:]}
    return {at: value for at, value in found.items() if value is not None}


def area(one: Curves, other: Curves) -> Interval:
    """Of the difference, over all sizes."""
    sizes = sorted(one[0])
    found = interval([area_under_curve(sizes, [one[seed][at] - other[seed][at] for at in sizes]) for seed in one])
    assert found is not None
    return found


def areas_of(curves: Curves) -> dict[int, float]:
    """By seed."""
    return {seed: area_under_curve([*curve], [*curve.values()]) for seed, curve in curves.items()}


def compare_areas(one: Curves, other: Curves) -> PairedTest:
    """Paired by seed."""
    found = compare_pairs(areas_of(one), areas_of(other))
    assert found is not None and found.p is not None
    return found


def correct_areas(pairs: Mapping[str, tuple[Curves, Curves]]) -> dict[str, CorrectedTest]:
    """The differences of a table among each other."""
    return dict(zip(pairs, correct([compare_areas(*pair) for pair in pairs.values()]), strict=True))


@dataclass(frozen=True)
class Differences:
    """The table of differences between lines of an experiment. named: its rows' words to the contrasts that they are;
    curves: of a line, by its method."""

    experiment: str
    named: Mapping[str, str]
    curves: Callable[[str], Curves]

    def pair(self, words: str) -> tuple[Curves, Curves]:
        """The curves whose difference it is."""
        first, second = read_contrasts(self.experiment)[self.named[words]]
        return self.curves(first), self.curves(second)

    @cached_property
    def tested(self) -> Mapping[str, CorrectedTest]:
        """The areas, among each other."""
        return correct_areas({words: self.pair(words) for words in self.named})

    def row(self, words: str) -> str:
        """The area with p and p after Holm, then each size that has queries behind it."""
        one = self.tested[words]
        assert one.test.p is not None and one.p is not None
        cells = [words_of(area(*self.pair(words))), f"{one.test.p:.3f}", f"{one.p:.2f}"]
        return f"| {words} | {' | '.join([*cells, *map(words_of, apart(*self.pair(words)).values())])} |"


def words_of(found: Interval, digits: int = 2) -> str:
    """ "+0.16 [0.02, 0.29]" """
    return f"{found.mean:+.{digits}f} [{found.low:.{digits}f}, {found.high:.{digits}f}]"


def page_of(paper: str) -> str:
    """What `docs/papers` has of it, in one line."""
    return " ".join((ROOT / "docs" / "papers" / f"{paper}.md").read_text().split())
