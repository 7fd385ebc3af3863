"""What a sweep would do: its cells and how many of them are finished, what has to be trained first, how long it takes.

Times and sizes are those of stored runs: of the same line with another seed, else of what bears the same label.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from al_bench.analysis.artifact_users import is_same, parts_of
from al_bench.analysis.at_scale import say_not_given
from al_bench.analysis.experiment import LineProgress, arrange_lines
from al_bench.analysis.reading import Artifact, Run
from al_bench.analysis.selection import stored_of
from al_bench.config.experiment import Absent, Cell
from al_bench.storage.stored import Plain

_ORACLE, _OF_ORACLES = "oracle", "oracle/classifier"  # the kind of an artifact, and the part that trains it
_TRAINED = ("gan/", "feature/autoencoder", "representation/", _OF_ORACLES)  # parts that become artifacts
_WHOLE = ("learner",)  # what is trained in cycles, whatever is inside


@dataclass(frozen=True)
class LinePlan:
    """progress: finished and begun seeds; cycles: that are left, None where the budget is not a number; seconds, size:
    of these, in seconds and bytes, None where nothing alike is stored; from_other: whether they are of a run of another
    configuration."""

    progress: LineProgress
    cycles: int | None
    seconds: float | None
    size: float | None
    from_other: bool


@dataclass(frozen=True)
class NeededArtifact:
    """What is trained once for the cells that are not finished. part: its name; stored: whether it is there, of these
    pictures or of others, which only the run itself knows; seconds: what it took, or one like it; None: not known."""

    part: str
    stored: bool
    seconds: float | None


@dataclass(frozen=True)
class SweepPlan:
    """lines: in the sweep's order; artifacts: of the cells that are left, as are the data sets that are absent;
    not_given: what its experiment's runs at this scale are given, in a sentence, or empty."""

    lines: Sequence[LinePlan]
    artifacts: Sequence[NeededArtifact]
    absent: Sequence[Absent] = ()
    not_given: str = ""

    @property
    def cells(self) -> int:
        return sum(line.progress.cells for line in self.lines)

    @property
    def finished(self) -> int:
        return sum(len(line.progress.finished) for line in self.lines)

    @property
    def seconds(self) -> float:
        """Of all that is known: one cell after the other, and artifacts that are missing."""
        trained = [one.seconds for one in self.artifacts if not one.stored and one.seconds is not None]
        return sum([line.seconds for line in self.lines if line.seconds is not None], sum(trained))

    @property
    def size(self) -> float:
        """Bytes of all that is known."""
        return sum(line.size for line in self.lines if line.size is not None)


def plan_sweep(name: str, overrides: Sequence[str], cells: Sequence[Cell], outputs: Path, kept: Path) -> SweepPlan:
    """Of the cells of a command line. name: of its experiment; kept: where exported cells are."""
    experiment = arrange_lines(name, overrides, cells)
    found = stored_of({cell.id: cell.label for cell in cells}, outputs, kept)
    progress = {one.line: one for one in experiment.progress(found.runs)}
    lines = [plan_line(own, progress[line], found.runs) for line, own in experiment.lines.items()]
    left = [cell for line, own in experiment.lines.items() if progress[line].command for cell in own]
    absent = dict.fromkeys(cell.absent for cell in left if cell.absent is not None)
    not_given = say_not_given(name, overrides) if left else ""
    return SweepPlan(lines, list(artifacts_of(left, found.artifacts)), list(absent), not_given)


def plan_line(cells: Sequence[Cell], progress: LineProgress, stored: Sequence[Run]) -> LinePlan:
    """Of one line, by what is stored of it or bears its label."""
    left = _cycles_left(cells, progress)
    alike, from_other = _alike(cells, stored)
    if not alike or left is None:
        return LinePlan(progress, left, None if left != 0 else 0.0, None if left != 0 else 0.0, False)
    sizes = [size / len(run.records) for run in alike if (size := _size_of(run.place))]
    seconds = fmean(_seconds_of(run) / len(run.records) for run in alike)
    return LinePlan(progress, left, left * seconds, left * fmean(sizes) if sizes else None, from_other and left > 0)


def _cycles_left(cells: Sequence[Cell], progress: LineProgress) -> int | None:
    rest = len(cells) - len(progress.finished)
    if rest == 0:
        return 0
    loop = cells[0].loop
    if "loop" not in str(cells[0].choices.get("procedure", "loop")):
        return rest
    first, step, budget = (_as_count(loop.get(key)) for key in ("initial_size", "query_size", "budget"))
    most = _as_count(loop.get("max_cycles"))
    if first is None or not step or budget is None or (most is None and loop.get("max_cycles") is not None):
        return None  # of a budget of all there is, or of what the run refuses in words
    queries = math.ceil(max(0, budget - first) / step)
    whole = 1 + (queries if most is None else min(queries, most))
    begun = [1 + max(0, annotations - first) // step for annotations in progress.begun.values()]
    return max(0, rest * whole - sum(begun))


def _as_count(value: Any) -> int | None:
    """None for what is no number of things."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _alike(cells: Sequence[Cell], stored: Sequence[Run]) -> tuple[list[Run], bool]:
    """Runs of the same line, else of its label, and whether they are these."""
    ids = {cell.id for cell in cells}
    own = [run for run in stored if run.id in ids]
    labels = {cell.label.rsplit("/", 1)[0] for cell in cells}
    return (own, False) if own else ([run for run in stored if "/".join(run.label) in labels], True)


def _seconds_of(run: Run) -> float:
    return sum(cost.seconds for record in run.records for cost in record.costs.values())


def _size_of(place: Path) -> int:
    return sum(path.stat().st_size for path in place.rglob("*") if path.is_file()) if place.is_dir() else 0


def artifacts_of(cells: Sequence[Cell], artifacts: Sequence[Artifact]) -> Iterator[NeededArtifact]:
    """What cells train once and store, each once, in their order. artifacts: those that are stored."""
    seen: list[Plain] = []
    for cell in cells:
        for part in _trained(cell.identity):
            if part not in seen:
                seen.append(part)
                yield _artifact(part, artifacts)


def _artifact(part: Plain, artifacts: Sequence[Artifact]) -> NeededArtifact:
    same = [one for one in artifacts if any(is_same(part, own) for own in _made_as(part, one))]
    like = same or [one for one in artifacts if any(own["part"] == part["part"] for own in _made_as(part, one))]
    seconds = fmean(float(one.record["effort"]["seconds"]) for one in like) if like else None
    return NeededArtifact(str(part["part"]), bool(same), seconds)


def _made_as(part: Plain, artifact: Artifact) -> list[Plain]:
    """What an artifact was made by, as a part of that kind is described: of an oracle it names the learner and the seed
    alone, for what it is told to be sure of plays no part in its training."""
    if artifact.kind != _ORACLE or not str(part["part"]).startswith(_OF_ORACLES):
        return parts_of(artifact)
    return [{**part, **{key: artifact.record["spec"].get(key) for key in ("learner", "seed")}}]


def _trained(node: Any) -> Iterator[Plain]:
    """The parts inside a description that are trained once and stored."""
    if not isinstance(node, Mapping):
        return
    if str(node.get("part", "")).startswith(_TRAINED) and len(node) > 1:
        yield dict(node)
    for key, child in node.items():
        if key not in _WHOLE:
            yield from _trained(child)
