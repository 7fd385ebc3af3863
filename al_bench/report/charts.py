"""The plots of one section: which lines, in which words."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from al_bench.report.checking import UnreadableError
from al_bench.report.cost import costs
from al_bench.report.curves import (
    Point,
    Value,
    balance,
    chosen_entropy,
    class_shares,
    curve,
    headline,
    metric,
    point,
    scalar_metrics,
)
from al_bench.report.grouping import Group, Section
from al_bench.report.measures import Measure, duration, listed, measure
from al_bench.report.palette import Look
from al_bench.report.plots import Bar, Line, Picture, bar_chart, dot_chart, line_chart
from al_bench.report.reading import Problem, Run

Looks = dict[tuple[str, int], Look]

_ANNOTATIONS = "annotations"
SEARCH = {  # traces of a latent search, in words, with their dashes
    "entropy_before": ("start", "1.5 1.5"),
    "entropy_after": ("synthetic", ""),
    "entropy_of_match": ("match", "4 2"),
}


@dataclass(frozen=True)
class Charts:
    """Draws the plots of a section. band: "range" or "deviation"."""

    section: Section
    looks: Looks
    band: str

    def learning(self) -> Picture:
        """The headline metric over annotations."""
        return self.metric(headline(self.section.groups[0].first), large=True)

    def others(self) -> list[Picture]:
        """Every other metric that is one number."""
        return [self.metric(name) for name in scalar_metrics(self.section.groups[0].first)[1:]]

    def metric(self, name: str, large: bool = False) -> Picture:
        """One metric over annotations; what has all labels from the start is a level."""
        shown = measure(name)
        lines = self._lines(metric(name), shown)
        return line_chart(lines, _ANNOTATIONS, shown.axis, _alt(shown.axis, lines), large)

    def entropy(self) -> Picture | None:
        """The entropy of what each cycle added; None where no cycle chose anything."""
        lines = self._lines(chosen_entropy, measure("entropy"))
        about = "mean entropy of newly added samples, nats"
        return line_chart(lines, _ANNOTATIONS, about, _alt(about, lines), large=True) if lines else None

    def balance(self) -> Picture:
        """How evenly the classes are labeled, over annotations."""
        about = "balance of the training set, %"
        lines = [line for line in self._lines(balance, measure("share")) if not line.level]
        return line_chart(lines, _ANNOTATIONS, about, _alt(about, lines), large=True)

    def classes(self, names: Sequence[str]) -> Picture:
        """Each class's share of the training set at the end."""
        groups = [group for group in self.section.groups if not _has_all(group)]
        lines = [self._shares(group) for group in groups or self.section.groups]
        about = "share of the labels, %"
        ends = [f"{line.name} from {min(line.y):.1f} to {max(line.y):.1f}" for line in lines]
        alt = f"Each class's {about}, at the end of the runs: {listed(ends)}"
        return dot_chart(lines, names, 100 / len(names), about, alt)

    def time(self) -> Picture:
        """Seconds of each part."""
        bars = [
            Bar(group.name, self._look(group), [part.seconds for part in costs(group)]) for group in self.section.groups
        ]
        ends = [f"{bar.name} {duration(sum(bar.parts))}" for bar in bars]
        return bar_chart(bars, "seconds per run", f"Seconds of training, query and evaluation per run: {listed(ends)}")

    def search(self, group: Group, problems: list[Problem]) -> tuple[Picture, list[Line]] | None:
        """Entropies of latents before and after the search and of their matches, with the lines for a legend; None
        where nothing was searched."""
        found = _searched(group.runs, problems)
        lines = [
            _line(name, Look(self._look(group).color, "", dash), found[key], measure("entropy"), self.band)
            for key, (name, dash) in SEARCH.items()
            if found[key]
        ]
        about = "mean entropy, nats"
        alt = f"{group.name}: {_alt(about, lines)}"
        return (line_chart(lines, _ANNOTATIONS, about, alt), lines) if lines else None

    def _look(self, group: Group) -> Look:
        return self.looks[group.method, group.variant]

    def _lines(self, value: Value, shown: Measure) -> list[Line]:
        curves = [(group, curve(group.runs, value)) for group in self.section.groups]
        return [
            _line(group.name, self._look(group), points, shown, self.band, _has_all(group))
            for group, points in curves
            if points
        ]

    def _shares(self, group: Group) -> Line:
        ends = [class_shares(run.cycles[-1]) for run in group.runs]
        points = [point(0, [100 * share for share in column]) for column in zip(*ends, strict=True)]
        return _line(group.name, self._look(group), points, measure(""), self.band)


def _line(name: str, look: Look, points: Sequence[Point], shown: Measure, band: str, level: bool = False) -> Line:
    bands = [known.band(band) for known in points]
    scaled: Callable[[float], float] = lambda value: value * shown.factor  # noqa: E731
    low, high = ([scaled(ends[side]) for ends in bands] for side in (0, 1))
    x, y = [known.annotations for known in points], [scaled(known.mean) for known in points]
    return Line(name, look, x, y, low, high, level)


def _has_all(group: Group) -> bool:
    """Whether every image is labeled in the first and only cycle: a level to reach, not a curve."""
    return all(len(run.cycles) == 1 and run.cycles[0]["unlabeled"] == 0 for run in group.runs)


def _alt(about: str, lines: Sequence[Line]) -> str:
    ends = [f"{line.name} {line.y[-1]:.3g}" + ("" if line.level else f" at {line.x[-1]:,.0f}") for line in lines]
    return f"{about[0].upper()}{about[1:]}, over annotations; at the end {listed(ends)}"


def _searched(runs: Sequence[Run], problems: list[Problem]) -> dict[str, list[Point]]:
    """The mean of each trace over a cycle's rows, then over seeds."""
    values: dict[str, dict[int, list[float]]] = {key: {} for key in SEARCH}
    for run in (run for run in runs if run.has_tensors):
        for record in run.cycles[1:]:
            try:
                tensors = run.tensors(record["index"])
            except UnreadableError as error:
                problems.append(Problem(run.place, str(error)))
                continue
            if f"trace.{next(iter(SEARCH))}" not in tensors:
                break
            for key in SEARCH.keys() & {name.removeprefix("trace.") for name in tensors}:
                mean = float(np.mean(tensors[f"trace.{key}"]))
                values[key].setdefault(record["annotations"], []).append(mean)
    return {key: [point(at, found) for at, found in sorted(points.items())] for key, points in values.items()}
