"""An experiment's versions: the same lines under other settings, what each comes to, the training steps it took."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from al_bench.analysis.cost import training_steps
from al_bench.analysis.curves import Point, Value, curve, metric
from al_bench.analysis.experiment import Experiment
from al_bench.analysis.grouping import Section, sections
from al_bench.analysis.reading import Run

Curves = Mapping[str, Mapping[int, Point]]  # by line and number of annotations


@dataclass(frozen=True)
class Side:
    """A version and its stored loops. section: a group per line."""

    version: Experiment
    section: Section

    @property
    def words(self) -> str:
        return self.version.version


@dataclass(frozen=True)
class Outcome:
    """Of one version: what its lines come to in one metric, and the training steps that this took."""

    words: str
    values: Curves
    steps: Curves

    def point(self, line: str | None, at: int) -> Point | None:
        """What a line came to at a number of annotations."""
        return self.values.get(line or "", {}).get(at)

    def mean(self, line: str | None, at: int) -> float | None:
        """Over seeds, in the metric's stored unit."""
        found = self.point(line, at)
        return found.mean if found else None

    def minus(self, reference: str | None, line: str, at: int) -> float | None:
        """How far the reference is above a line."""
        own, other = self.mean(reference, at), self.mean(line, at)
        return None if own is None or other is None or line == reference else own - other

    def training_steps(self, line: str, at: int) -> int | None:
        """Of the optimizer, in the training of that one cycle, mean over seeds."""
        found = self.steps.get(line, {}).get(at)
        return round(found.mean) if found else None


def sides(experiment: Experiment, stored: Sequence[Run]) -> list[Side]:
    """The experiment and its versions; none where it has no other one. Takes them to be of one data set."""
    every = [experiment, *experiment.versions] if experiment.versions else []
    return [Side(one, _section(one, one.runs(stored))) for one in every]


def name_apart(side: Side, unchanged: Sequence[str]) -> Section:
    """What a version has that the first has not, under names that tell."""
    groups = [group for group in side.section.groups if group.method not in unchanged]
    return replace(side.section, groups=[replace(group, method=f"{group.method}, {side.words}") for group in groups])


def outcome(side: Side, name: str) -> Outcome:
    """name: of the metric."""
    return Outcome(side.words, _curves(side, metric(name)), _curves(side, training_steps))


def _section(version: Experiment, runs: Sequence[Run]) -> Section:
    found = sections([run for run in runs if run.is_loop], version.names)
    title = found[0].title if found else version.name
    return Section(title, [group for section in found for group in section.groups])


def _curves(side: Side, value: Value) -> Curves:
    points = {group.name: curve(group.runs, value) for group in side.section.groups}
    return {name: {known.at: known for known in line} for name, line in points.items()}
