"""Kept runs of ALCG's lines, and what is written of their metrics."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

from kept_cells import Curves, area, correct_areas, kept_runs, words_of
from scipy.stats import ttest_1samp

from al_bench.analysis.reading import Run
from al_bench.analysis.statistics.areas import area_under_curve
from al_bench.analysis.statistics.correction import CorrectedTest
from al_bench.analysis.statistics.paired import Interval, interval
from al_bench.storage.record import CycleRecord

BENCH = (Path(__file__).parents[1] / "results" / "bench.md").read_text()
METRICS = {  # the factor with which they are written, and their digits
    "gan_test": (100, 1), "gan_train": (100, 1), "inception_score_own": (1, 2), "fid_own": (1, 1),
    "precision": (100, 1), "recall": (100, 1),
}  # fmt: skip


def written(found: Interval, metric: str) -> str:
    """With the metric's digits."""
    return words_of(found, METRICS[metric][1])


@dataclass(frozen=True)
class Lines:
    """The lines of a table. dataset: as the files' names begin; asked: strategy, gamma and iterations of a cycle, and
    what more is in the files' names, by the words of a row; differences: the first row minus the second; sizes: at
    which all were measured; base: the GAN."""

    dataset: str
    asked: Mapping[str, tuple[str, int, int, *tuple[str, ...]]]
    differences: Mapping[str, tuple[str, str]]
    seeds: Sequence[int]
    sizes: Sequence[int]
    base: str = "ac_dcgan"

    @cached_property
    def _runs(self) -> dict[tuple[str, int], Run]:
        found: dict[tuple[str, int], Run] = {}
        for line, (strategy, gamma, iterations, *more) in self.asked.items():
            words = "+".join([strategy, "acgan", self.base, *more, *["gamma=4"] * (gamma == 4)])
            for seed in self.seeds:
                name = f"{self.dataset}-{words}-seed={seed}"
                (found[line, seed],) = (
                    run
                    for run in kept_runs(name)
                    if (run.config["learner"]["iterations"] or run.config["gan"]["iterations"]) == iterations
                    and len(run.cycles) == len(self.sizes)
                )
        return found

    def run_of(self, line: str, seed: int) -> Run:
        """The only one."""
        return self._runs[line, seed]

    def curves(self, line: str, metric: str) -> Curves:
        """As written."""
        factor, _ = METRICS[metric]
        found = {
            seed: {one.annotations: factor * float(one.metrics[metric]) for one in self.run_of(line, seed).cycles}
            for seed in self.seeds
        }
        assert all(list(curve) == list(self.sizes) for curve in found.values())
        return found

    def pair(self, words: str, metric: str) -> tuple[Curves, Curves]:
        """The curves whose difference it is."""
        first, second = self.differences[words]
        return self.curves(first, metric), self.curves(second, metric)

    @cached_property
    def _corrected(self) -> dict[str, Mapping[str, CorrectedTest]]:
        return {
            metric: correct_areas({words: self.pair(words, metric) for words in self.differences}) for metric in METRICS
        }

    def is_decided(self, words: str, metric: str) -> bool:
        """Whether `test_of` is."""
        return self.test_of(words, metric).better is not None

    def test_of(self, words: str, metric: str) -> CorrectedTest:
        """Over all sizes, among the differences of a metric."""
        return self._corrected[metric][words]

    def over_all(self, words: str, metric: str) -> Interval:
        """The difference of the areas."""
        return area(*self.pair(words, metric))

    def at_the_end(self, words: str, metric: str) -> Interval:
        """The difference with the most labels."""
        first, second = self.pair(words, metric)
        last = self.sizes[-1]
        found = interval([first[seed][last] - second[seed][last] for seed in self.seeds])
        assert found is not None
        return found

    def means_row(self, line: str) -> str:
        """What a row of the means begins with: each metric with the most labels, over seeds."""
        last = self.sizes[-1]
        means = [fmean(curve[last] for curve in self.curves(line, metric).values()) for metric in METRICS]
        cells = [f"{mean:.{digits}f}" for mean, (_, digits) in zip(means, METRICS.values(), strict=True)]
        return f"| {line} | {' | '.join(cells)} | "

    def end_row(self, words: str) -> str:
        """The differences with the most labels."""
        return f"| {words} | {' | '.join(written(self.at_the_end(words, metric), metric) for metric in METRICS)} |"

    def area_row(self, words: str) -> str:
        """Those over all sizes, in bold where Holm's correction over those of a metric leaves it below 5 %."""
        cells = []
        for metric in METRICS:
            cell = written(self.over_all(words, metric), metric)
            cells.append(f"**{cell}**" if self.is_decided(words, metric) else cell)
        return f"| {words} | {' | '.join(cells)} |"

    def told(self, words: str) -> str:
        """The metrics in which a difference is decided over all sizes: + where its first line is the better one."""
        signs = ["+" if (self.over_all(words, one).mean > 0) == (one != "fid_own") else "-" for one in METRICS]
        decided = [f"{sign}{one}" for sign, one in zip(signs, METRICS, strict=True) if self.is_decided(words, one)]
        return " ".join(decided).replace("_own", "")


CRITERIA = ("CS_MC", "CS_LM", "CS_LE")
AS, WHOLE = "AS (gamma 4)", "ALCG (CS_MC, gamma 4)"


class Fashion(NamedTuple):
    """The six lines of a base on Fashion-MNIST, by the differences that are corrected together."""

    certainty: Lines
    among: Lines
    gamma: Lines


def fashion(base: str) -> Fashion:
    """Of three seeds, 1,000 to 4,000 labels."""
    shared = {"RAND": ("random", 1, 3000), "CS_MC": ("certainty_mc", 1, 3000)}
    criteria = {**shared, "CS_LM": ("certainty_lm", 1, 3000), "CS_LE": ("certainty_le", 1, 3000)}
    gamma = {**shared, AS: ("random", 4, 3000), WHOLE: ("certainty_mc", 4, 3000)}
    of_gamma = {
        "AS minus RAND": (AS, "RAND"),
        "ALCG minus AS": (WHOLE, AS),
        "ALCG minus CS_MC": (WHOLE, "CS_MC"),
        "ALCG minus RAND": (WHOLE, "RAND"),
    }
    of_certainty = {f"{line} minus RAND": (line, "RAND") for line in CRITERIA}
    of_two = {f"{one} minus {other}": (one, other) for one, other in combinations(CRITERIA, 2)}
    sizes = range(1000, 4001, 1000)
    return Fashion(
        *(
            Lines("fashion_mnist-alcg", asked, differences, range(3), sizes, base)
            for asked, differences in ((criteria, of_certainty), (criteria, of_two), (gamma, of_gamma))
        )
    )


def in_common(lines: Lines) -> list[int]:
    """How many images of their first query two criteria have in common, of each two and each seed."""
    first = {
        line: [set(lines.run_of(line, seed).cycles[1].query.indices or ()) for seed in lines.seeds] for line in CRITERIA
    }
    pairs = combinations(CRITERIA, 2)
    return [len(a & b) for one, other in pairs for a, b in zip(first[one], first[other], strict=True)]


def of_figure_9(pattern: str) -> dict[int, CycleRecord]:
    """The only cycle of each seed, at half of the channels."""
    found = [run for run in kept_runs(pattern) if len(run.cycles) == 1 and run.config["scale"]["gan_width"] == 0.25]
    assert sorted(run.seed for run in found) == [0, 1, 2]
    return {run.seed: run.cycles[0] for run in sorted(found, key=lambda run: run.seed)}


def looks_of(cycle: CycleRecord) -> list[float]:
    """GAN-test in percent."""
    return [100 * float(value or 0) for value in cycle.observed["gan_test"]]


def way(cycle: CycleRecord, metric: str) -> list[float]:
    """At each look, as written."""
    return [METRICS[metric][0] * float(value) for value in cycle.observed[metric]]  # type: ignore[arg-type]


def on_the_way(first: dict[int, CycleRecord], second: dict[int, CycleRecord], metric: str) -> tuple[Interval, float]:
    """The difference by seed, as an area over the iterations that were looked at, and its p before correction."""

    def mean(cycle: CycleRecord) -> float:
        return area_under_curve([float(at or 0) for at in cycle.observed["iteration"]], way(cycle, metric))

    differences = [mean(first[seed]) - mean(second[seed]) for seed in first]
    found = interval(differences)
    assert found is not None
    return found, float(ttest_1samp(differences, 0).pvalue)


def in_words(values: Sequence[float], how: str = ".1f") -> str:
    *first, last = (format(value, how) for value in values)
    return f"{', '.join(first)} and {last}"


def difference(first: dict[int, CycleRecord], second: dict[int, CycleRecord], metric: str) -> Interval:
    """As written."""
    factor, _ = METRICS[metric]
    pairs = [(one.metrics[metric], second[seed].metrics[metric]) for seed, one in first.items()]
    found = interval([factor * (float(one) - float(other)) for one, other in pairs])  # type: ignore[arg-type]
    assert found is not None
    return found
