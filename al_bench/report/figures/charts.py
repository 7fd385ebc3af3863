"""The plots of one section: which lines, in which words."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from al_bench.analysis.chance import chance_level
from al_bench.analysis.comparison import compare_numbers
from al_bench.analysis.cost import costs
from al_bench.analysis.curves import (
    Point,
    Value,
    balance,
    chosen_entropy,
    class_shares,
    curve,
    headline,
    last_records,
    metric,
    point,
    scalar_metrics,
)
from al_bench.analysis.grouping import Group, Section
from al_bench.analysis.published import Published
from al_bench.analysis.table_lines import groups_run_for
from al_bench.progress import duration
from al_bench.report.figures.palette import Look, class_looks
from al_bench.report.figures.plots import Bar, Line, Span, bar_chart, dot_chart, line_chart
from al_bench.report.figures.svg import INK, Picture
from al_bench.report.measures import Measure, factor_of, listed, measure

Looks = dict[tuple[str, int], Look]

ANNOTATIONS = "annotations"
_MOST_CLASSES = 12  # of one plot
_CHANCE = Look(INK, "", "1 2")


@dataclass(frozen=True)
class Plots:
    """The pictures of a section. others: of every other metric; entropy: None where no cycle chose anything; by_class:
    a method's class shares over annotations each."""

    learning: Picture
    others: Sequence[Picture]
    entropy: Picture | None
    classes: Picture
    balance: Picture
    by_class: Sequence[tuple[Group, Picture]]
    time: Picture


@dataclass(frozen=True)
class EarlyPlots:
    """Those of `Plots` for which nobody has to know the classes, and so read the data set."""

    learning: Picture
    others: Sequence[Picture]
    entropy: Picture | None
    balance: Picture
    time: Picture


@dataclass(frozen=True)
class Charts:
    """Draws the plots of a section. band: "range" or "deviation"; published: numbers that lie on its curves."""

    section: Section
    looks: Looks
    band: str
    published: Sequence[Published] = ()

    def ask_early(self) -> EarlyPlots:
        """Asked of all sections first, so that inside `drawing_ahead` they are drawn while data sets are read."""
        return EarlyPlots(self.learning(), self.others(), self.entropy(), self.balance(), self.time())

    def ask_for_all(self, early: EarlyPlots, names: Sequence[str], shares: Sequence[float] | None) -> Plots:
        """The rest of them at once, to be drawn while tables are made. names, shares: of the classes, see `classes`."""
        return Plots(
            early.learning, early.others, early.entropy, self.classes(names, shares), early.balance,
            self.class_curves(names, shares), early.time,
        )  # fmt: skip

    def learning(self) -> Picture:
        """The headline metric over annotations, the paper's numbers as rings on the curves, and chance where it is not
        farther below them than they are high."""
        name = headline(self.section.groups[0].first)
        shown = measure(name, self.section.groups[0].first.metrics)
        rings = self.rings()
        lines = [replace(line, rings=rings.get(line.name, ())) for line in self._lines(metric(name), shown)]
        lines += [self._chance(shown)] if self.draws_chance else []
        return line_chart(lines, ANNOTATIONS, shown.axis, alt_text(shown.axis, lines), large=True)

    @property
    def chance(self) -> float | None:
        """The accuracy of guessing, None where accuracy is not the headline."""
        return chance_level(self.section.groups[0])

    @property
    def draws_chance(self) -> bool:
        """Whether its line leaves the curves at least half of the plot's height."""
        first = self.section.groups[0].first
        if self.chance is None or (span := self.span(headline(first))) is None:
            return False
        low, high = span
        return low - factor_of(headline(first), first.metrics) * self.chance <= high - low

    def _chance(self, shown: Measure) -> Line:
        assert self.chance is not None
        return Line("chance", _CHANCE, [0.0], [self.chance * shown.factor], level=True)

    def rings(self) -> dict[str, list[tuple[float, float]]]:
        """Annotations and value, as written, of each published number of the headline that nobody doubts, by line."""
        found: dict[str, list[tuple[float, float]]] = {}
        for table in self.published:
            for pair in compare_numbers(table, groups_run_for(table, self.section.groups), factor_of):
                column = pair.number.column.replace(",", "")
                if pair.found is not None and column.isdigit() and not pair.number.doubt:
                    scale = measure(pair.metric, pair.declared).factor / pair.factor
                    found.setdefault(pair.line, []).append((pair.found.at, pair.number.mean * scale))
        return found

    def others(self) -> list[Picture]:
        """Every other metric that is one number and says something of the model."""
        first = self.section.groups[0].first
        told = {metric.name for metric in first.metrics if metric.unit == "images"}
        return [self.metric(name) for name in scalar_metrics(first)[1:] if name not in told]

    def metric(self, name: str, large: bool = False, span: Span | None = None) -> Picture:
        """One metric over annotations; what has all labels from the start is a level. span: of the y axis."""
        shown = measure(name, self.section.groups[0].first.metrics)
        lines = self._lines(metric(name), shown)
        return line_chart(lines, ANNOTATIONS, shown.axis, alt_text(shown.axis, lines), large, span)

    def span(self, name: str) -> Span | None:
        """The lowest and the highest that the lines and bands of a metric come to, as written; None where none has a
        value."""
        lines = self._lines(metric(name), measure(name, self.section.groups[0].first.metrics))
        return (min(min(line.low) for line in lines), max(max(line.high) for line in lines)) if lines else None

    def entropy(self) -> Picture | None:
        """The entropy of what each cycle added; None where no cycle chose anything."""
        lines = self._lines(chosen_entropy, measure("entropy"))
        about = "mean entropy of newly added samples, nats"
        return line_chart(lines, ANNOTATIONS, about, alt_text(about, lines), large=True) if lines else None

    def balance(self) -> Picture:
        """How evenly the classes are labeled, over annotations."""
        about = "balance of the training set, %"
        lines = [line for line in self._lines(balance, measure("share")) if not line.level]
        return line_chart(lines, ANNOTATIONS, about, alt_text(about, lines), large=True)

    def classes(self, names: Sequence[str], shares: Sequence[float] | None) -> Picture:
        """Each class's fraction of the training set at the end. shares: those of the data, None where unknown."""
        groups = [group for group in self.section.groups if not has_all(group)]
        lines = [self._shares(group, len(names)) for group in groups or self.section.groups]
        about = "share of the labels, %"
        ends = [f"{line.name} from {min(line.y):.1f} to {max(line.y):.1f}" for line in lines]
        alt = f"Each class's {about}, at the end of the runs: {listed(ends)}"
        levels = [100 * share for share in shares or [1 / len(names)] * len(names)]
        return dot_chart(lines, names, levels, about, alt)

    def class_curves(self, names: Sequence[str], shares: Sequence[float] | None) -> list[tuple[Group, Picture]]:
        """Each class's fraction of the training set over annotations, a plot per method; none for many classes."""
        if len(names) > _MOST_CLASSES:
            return []
        groups = [group for group in self.section.groups if not has_all(group)]
        return [(group, self._classes_of(group, names, shares)) for group in groups]

    def _classes_of(self, group: Group, names: Sequence[str], shares: Sequence[float] | None) -> Picture:
        about, lines = "share of the labels, %", []
        for place, (name, look) in enumerate(zip(names, class_looks(len(names)), strict=True)):
            points = curve(group.runs, lambda record, place=place: class_shares(record, len(names))[place])  # type: ignore[misc]
            one = over_annotations(name, look, points, measure("share"), self.band)
            lines.append(replace(one, tick=100 * shares[place] if shares else None))
        return line_chart(lines, ANNOTATIONS, about, alt_text(f"{group.name}: {about}", lines))

    def time(self) -> Picture:
        """Seconds of each part."""
        bars = [
            Bar(group.name, self._look(group), [part.seconds for part in costs(group)]) for group in self.section.groups
        ]
        ends = [f"{bar.name} {duration(sum(bar.parts))}" for bar in bars]
        return bar_chart(bars, "seconds per run", f"Seconds of training, query and evaluation per run: {listed(ends)}")

    def _look(self, group: Group) -> Look:
        return self.looks[group.method, group.variant]

    def _lines(self, value: Value, shown: Measure) -> list[Line]:
        curves = [(group, curve(group.runs, value)) for group in self.section.groups]
        return [
            over_annotations(group.name, self._look(group), points, shown, self.band, has_all(group))
            for group, points in curves
            if points
        ]

    def _shares(self, group: Group, num_classes: int) -> Line:
        ends = [class_shares(record, num_classes) for record in last_records(group.runs)]
        points = [point(0, [100 * share for share in column]) for column in zip(*ends, strict=True)]
        return over_annotations(group.name, self._look(group), points, measure(""), self.band)


def over_annotations(
    name: str, look: Look, points: Sequence[Point], shown: Measure, band: str, level: bool = False
) -> Line:
    """A curve over seeds as a line with its band. shown: how its values are written; level: see `Line`."""
    bands = [known.band(band) for known in points]
    scaled: Callable[[float], float] = lambda value: value * shown.factor  # noqa: E731
    low, high = ([scaled(ends[side]) for ends in bands] for side in (0, 1))
    x, y = [known.at for known in points], [scaled(known.mean) for known in points]
    return Line(name, look, x, y, low, high, level)


def has_all(group: Group) -> bool:
    """Whether every image is labeled in the first and only cycle: a level to reach, not a curve."""
    return all(len(run.cycles) == 1 and run.cycles[0].unlabeled == 0 for run in group.runs)


def alt_text(about: str, lines: Sequence[Line], over: str = ANNOTATIONS) -> str:
    """What a plot of lines says to whom it cannot be shown. over: its x axis."""
    ends = [f"{line.name} {line.y[-1]:.3g}" + ("" if line.level else f" at {line.x[-1]:,.0f}") for line in lines]
    return f"{about[0].upper()}{about[1:]}, over {over}; at the end {listed(ends)}"
