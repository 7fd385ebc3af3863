"""Scores forecasts of labels on stored curves; trains nothing. `results/forecast.md` is what it prints."""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np

from al_bench.analysis.forecast import CONFIDENCES, Fit, Forecast, MeasuredCycle, forecast
from al_bench.analysis.reading import Run, stored
from al_bench.report.tables import Table
from al_bench.training.interruption import as_command

_ABOUT = """# Forecasts of labels, scored

Made by `python scripts/score_forecast.py > results/forecast.md` from `results/cells`: every run of at least eight
cycles that measured an accuracy on test images. From the first half of its curve `al_bench/analysis/forecast.py` says
at how many labels a goal will be measured for the first time, the second half says when it was.

Goals are of two kinds: accuracies that the rest of the curve reached, at a third, two thirds and the end of it; and
such as were set ahead, the lowest error so far times 0.95, 0.9, 0.8, 0.7 and 0.5, reached or not. One that was not
reached by the end of the curve counts as within an interval that goes on behind that end. "200" images: as many of
the test images as a person may label, drawn by the run's seed, where the cell kept a bit for each. Relative errors
are those of the median of the forecast, of goals that were reached.

How a fit weighs cycles (`recency`) and how far it is believed (`temper`) was chosen on runs of even seeds, the first
table; runs of odd seeds, the second, had no part in it. They are of the same data sets and strategies, and runs of a
seed share first labels, so that rows are fewer independent cases than they look. Runs that were labeled on the page,
the last table, came later and had no part in it either; their labels are those that a model learns from.
"""
_SHORTEST = 8  # cycles of a curve, half of which have to be enough for a forecast
_PUBLISHED = {"mnist-asal-mnist_ten": 10_000, "fashion_mnist-waal": 10_000}  # test images, where a cell says none
_PEOPLE = ("human", "files")  # oracles whose runs have an audit set, whose labels no model learns from
_AUDIT = 200  # images that a person may label, in place of a whole test split
_HARDER = (0.95, 0.9, 0.8, 0.7, 0.5)  # of the lowest error so far: goals that are set before the rest is seen
_FITS = [Fit(recency, temper) for recency in (0.0, 1.0, 2.0) for temper in (1.0, 0.5, 0.3)]


@dataclass(frozen=True)
class Score:
    """A forecast beside what came. task: data set and recipe; ahead: whether the goal was set before the rest was seen;
    came: annotations at which it was reached, None where it was not by `end`, the last of the curve."""

    task: str
    ahead: bool
    found: Forecast
    came: int | None
    end: int

    def covered(self, confidence: float) -> bool:
        """Whether the interval holds what came; where nothing came, whether it goes on behind the end of the curve."""
        first, last = self.found.intervals[confidence]
        if self.came is None:
            return last is None or last > self.end
        return first is not None and first <= self.came and (last is None or self.came <= last)

    @property
    def error(self) -> float | None:
        """Of the median, over what came; infinite where it was said not to come."""
        if self.came is None:
            return None
        guess = self.found.annotations
        return float("inf") if guess is None else abs(guess - self.came) / self.came


def main() -> None:
    """Prints what is scored and both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=Path, default=Path("results/cells"), help="exported runs (results/cells)")
    cells = parser.parse_args().cells
    if not cells.is_dir():
        parser.error(f"--cells={cells} is no folder: name one of exported runs")
    runs = [run for run in stored(Path("none"), cells).runs if run.is_loop]
    people = [run for run in runs if run.choices.get("oracle") in _PEOPLE]
    others = [run for run in runs if run not in people]
    even, odd = ([run for run in others if run.seed % 2 == half] for half in (0, 1))
    print(_ABOUT)
    print(choices(even).as_markdown())
    print(verdict(odd, "Odd seeds: the fit that is used", (None, _AUDIT)).as_markdown())
    if people:
        print(
            verdict(
                people, "Runs labeled on the page: the fit that is used, on their audit sets", (None,)
            ).as_markdown()
        )


def choices(runs: Sequence[Run]) -> Table:
    """Each way of fitting on the runs that it was chosen by."""
    rows = []
    for fit in _FITS:
        for audit in (None, _AUDIT):
            for ahead, scores in _by_goal([one for run in runs for one in scored(run, audit, fit)]):
                rows.append([f"{fit.recency:g}", f"{fit.temper:g}", _images(audit), ahead, *_row(scores)])
    about = "Even seeds: every way of fitting, all data sets together"
    return Table("choices", about, ["recency", "temper", "images", "goals", *_COLUMNS], rows)


def verdict(runs: Sequence[Run], about: str, audits: Sequence[int | None]) -> Table:
    """The fit that is used, on runs that it was not chosen by. audits: see `scored`."""
    rows = []
    for audit in audits:
        every = [one for run in runs for one in scored(run, audit, Fit())]
        for task in ("all", *sorted({one.task for one in every})):
            for ahead, scores in _by_goal([one for one in every if task in ("all", one.task)]):
                rows.append([task, _images(audit), ahead, *_row(scores)])
    return Table("verdict", about, ["data set", "images", "goals", *_COLUMNS], rows)


def scored(run: Run, audit: int | None, fit: Fit) -> Iterator[Score]:
    """Forecasts from the first half of a run's curve. audit: how many of its test images are looked at, drawn by the
    run's seed; None: all."""
    curve = _curve(run, audit)
    if len(curve) < _SHORTEST:
        return
    half, pool = len(curve) // 2, run.cycles[-1].annotations + run.cycles[-1].unlabeled
    best = np.maximum.accumulate([one.correct / one.count for one in curve])
    rest = len(curve) - half
    seen = {float(best[half + rest * part // 3 - 1]) for part in (1, 2, 3)}
    harder = {1 - (1 - float(best[half - 1])) * share for share in _HARDER}
    for ahead, goals in ((False, seen), (True, harder)):
        for goal in sorted(goals):
            reached = np.flatnonzero(best >= goal - 1e-9)
            if goal > best[half - 1] + 1e-9:
                came = curve[reached[0]].annotations if len(reached) else None
                found = forecast(curve[:half], goal, pool, fit=fit)
                yield Score(run.label[0], ahead, found, came, curve[-1].annotations)


def _curve(run: Run, audit: int | None) -> list[MeasuredCycle]:
    curve = []
    for record in run.cycles:
        count = record.test_images or _PUBLISHED.get(run.label[0], 0)
        accuracy = record.metrics.get("accuracy")
        if audit is not None and record.correct is not None and count >= audit:
            bits = np.unpackbits(np.array(record.correct, dtype=np.uint8))[:count]
            looked = np.random.default_rng(run.seed).choice(count, audit, replace=False)
            curve.append(MeasuredCycle(record.annotations, int(bits[looked].sum()), audit))
        elif audit is None and count and isinstance(accuracy, float):
            labels = sum(record.class_counts) if run.choices.get("oracle") in _PEOPLE else record.annotations
            curve.append(MeasuredCycle(labels, round(accuracy * count), count))
    return curve


def _by_goal(scores: Sequence[Score]) -> Iterator[tuple[str, list[Score]]]:
    for words, ahead in (("that the rest reached", False), ("set ahead", True)):
        if found := [one for one in scores if one.ahead == ahead]:
            yield words, found


_COLUMNS = [
    "forecasts", "reached, %", "within the 80 % interval, %", "within the 95 % interval, %",
    "80 % intervals without an end, %", "median relative error, %",
]  # fmt: skip


def _row(scores: Sequence[Score]) -> list[str | int]:
    errors = [one.error for one in scores if one.error is not None]
    shares = [
        [one.came is not None for one in scores],
        *([one.covered(confidence) for one in scores] for confidence in CONFIDENCES),
        [one.found.intervals[CONFIDENCES[0]][1] is None for one in scores],
    ]
    error = f"{100 * median(errors):.0f}" if errors else "-"
    return [len(scores), *(f"{100 * np.mean(share):.0f}" for share in shares), error]


def _images(audit: int | None) -> str:
    return "all" if audit is None else f"{audit}"


if __name__ == "__main__":
    with as_command():
        main()
