"""What is stored: runs, exported cells, artifacts; what cannot be read is named and left alone."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load

from al_bench.active.metric import Metric, Recorded
from al_bench.active.part import hash_of
from al_bench.active.stopping import Stopping
from al_bench.analysis.checking import UnreadableError, checked_cycle, content
from al_bench.files import digest
from al_bench.storage.about import checked_about, checked_artifact
from al_bench.storage.cell import SUFFIX, CellError, id_of, read_cell
from al_bench.storage.folder import cycle_records, run_folders, strays
from al_bench.storage.known import reach
from al_bench.storage.record import CycleRecord, Measurement, Record, RecordError, cycles_of, find_end
from al_bench.storage.stored import Plain
from al_bench.storage.whole import is_anothers

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Problem:
    """Something that was left out. place: a file or folder; sentence: why."""

    place: Path
    sentence: str


@dataclass(frozen=True)
class Run:
    """One stored run. place: its folder or the exported file; about: all of it but the records; records: in
    order, at least one; asked: the stop rules of the experiment that asks for it, None where its own count."""

    place: Path
    about: Plain
    records: Sequence[Record]
    asked: Stopping | None = None

    @cached_property
    def cycles(self) -> Sequence[CycleRecord]:
        """The records of a loop, none of another procedure's; a class that came later has no label before."""
        found = cycles_of(self.records)
        most = max((len(record.class_counts) for record in found), default=0)
        return [
            record if (missing := most - len(record.class_counts)) == 0
            else record.model_copy(update={"class_counts": [*record.class_counts, *[0] * missing]})
            for record in found
        ]  # fmt: skip

    @property
    def measurement(self) -> Measurement | None:
        """What a procedure without cycles found, None for a loop."""
        last = self.records[-1]
        return last if isinstance(last, Measurement) else None

    @property
    def identity(self) -> Plain:
        return dict(self.about["identity"])

    @property
    def config(self) -> Plain:
        return dict(self.about["config"])

    @property
    def choices(self) -> Plain:
        return dict(self.about["choices"])

    @cached_property
    def metrics(self) -> tuple[Metric, ...]:
        """The evaluator's, as the run declares them."""
        return tuple(Metric.stored(metric) for metric in self.about["metrics"])

    @cached_property
    def recorded(self) -> dict[str, Recorded]:
        """What the strategy records inside its queries, and the evaluator of each class, by name, as it declares."""
        return {value["name"]: Recorded.stored(value) for value in self.about["records"]}

    @property
    def seed(self) -> int:
        return int(self.identity["seed"])

    @cached_property
    def id(self) -> str:
        """Twelve hexadecimal digits."""
        return hash_of(self.identity)

    @cached_property
    def label(self) -> tuple[str, str]:
        """Task and method, as in the path of a run: ("mnist_two-asal", "asal_auto")."""
        task, method, _ = str(self.about["label"]).rsplit("/", 2)
        return task, method

    @property
    def is_loop(self) -> bool:
        """Whether its cycles bought labels: other procedures store what they measured."""
        return self.measurement is None

    @property
    def finished(self) -> str | None:
        """Why no cycle follows, None where one does."""
        return find_end(self.records[-1], self.asked or Stopping.stored(self.config["loop"], self.metrics))

    @property
    def has_tensors(self) -> bool:
        """An exported run has none."""
        return self.place.is_dir()

    def tensors(self, index: int) -> Arrays:
        """The tensors of a cycle. Raises UnreadableError where they are missing or corrupted."""
        path = self.place / "cycles" / f"{index:03d}.safetensors"
        try:
            data = path.read_bytes()
            if digest(data) != self.records[index].sha256:
                raise UnreadableError(f"the tensors of cycle {index} are corrupted: no pictures of this cycle")
            return dict(load(data))
        except (OSError, KeyError, SafetensorError) as error:
            raise UnreadableError(f"the tensors of cycle {index} cannot be read: no pictures of this cycle") from error


@dataclass(frozen=True)
class Artifact:
    """What was trained once for many runs. place: its JSON record, the weights beside it."""

    place: Path
    record: Plain

    @property
    def kind(self) -> str:
        return str(self.record["kind"])


@dataclass
class StoredRuns:
    """All that was found. named: whether a person chose the runs, so that artifacts which none of them uses do not
    matter."""

    runs: list[Run] = field(default_factory=list)
    artifacts: list[Artifact] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    named: bool = False


def stored(outputs: Path, cells: Path) -> StoredRuns:
    """Every run under `outputs`, every exported one under `cells`, every artifact. Of a run that is in both, the one
    that comes farther counts."""
    found = StoredRuns()
    add_runs([outputs, *sorted(cells.glob(f"*{SUFFIX}"))], found)
    add_artifacts([outputs / "artifacts"], found)
    return found


def add_runs(places: Sequence[Path], found: StoredRuns) -> None:
    """Every run that a place is or holds, once; what cannot be read is added to the problems."""
    best: dict[str, Run] = {}
    for source in dict.fromkeys(source for place in places for source in _sources(place)):
        try:
            read = _exported_run if source.name.endswith(SUFFIX) or source.is_file() else _folder_run
            run = read(source, found.problems)
        except UnreadableError as error:
            found.problems.append(Problem(source, str(error)))
            continue
        keep_longest(run, best, found.problems)
    found.runs.extend(best.values())


def keep_longest(run: Run, best: dict[str, Run], problems: list[Problem]) -> None:
    """Puts a run into those by id where it comes farther than the one that is there. Two of one id whose numbers are
    not the same are named, but for a last query that a smaller budget had cut: neither is averaged with the other."""
    other = best.setdefault(run.id, run)
    kept, left = (run, other) if reach(run.records) > reach(other.records) else (other, run)
    best[run.id] = kept
    for index, (here, there) in enumerate(zip(left.records, kept.records, strict=False)):
        is_cut = index == len(left.records) - 1 and reach([here]) < reach([there])
        if here.metrics != there.metrics and not is_cut:
            sentence = f"holds other numbers of run {run.id} than {kept.place}, from cycle {index} on"
            problems.append(Problem(left.place, f"{sentence}: those count, for they have as many cycles or more"))
            return


def _sources(place: Path) -> Iterator[Path]:
    """The exported file itself, or every folder in or under `place` that looks like a run's."""
    if place.name.endswith(SUFFIX) or (place.exists() and not place.is_dir()):
        yield place
    else:
        yield from run_folders(place)


def _folder_run(folder: Path, problems: list[Problem]) -> Run:
    if not (folder / "config.json").exists():
        raise UnreadableError("has cycles and no config.json, so it is not known of which run")
    about = _about(content(folder / "config.json"))
    if is_anothers(folder, own := hash_of(about["identity"])):
        raise UnreadableError(f"holds the configuration of run {own}, which is not its name")
    run = Run(folder, about, _whole_cycles(cycle_records(folder), folder, own, problems))
    if passed := strays(folder):
        problems.append(Problem(folder, f"passed over among its cycles: {', '.join(path.name for path in passed)}"))
    return run


def _exported_run(path: Path, problems: list[Problem]) -> Run:
    try:
        cell = _about(read_cell(path))
    except CellError as error:
        raise UnreadableError(str(error)) from error
    cycles = _whole_cycles(dict(enumerate(cell.pop("cycles"))), path, id_of(path), problems)
    return Run(path, cell, cycles)


def _about(values: Any) -> Plain:
    try:
        return checked_about(values)
    except RecordError as error:
        raise UnreadableError(str(error)) from error


def _whole_cycles(cycles: Mapping[int, Any], place: Path, run: str, problems: list[Problem]) -> list[Record]:
    """Those before the first that is missing or cannot be used."""
    whole: list[Record] = []
    for index in range(max(cycles, default=-1) + 1):
        try:
            whole.append(checked_cycle(cycles.get(index), index, run))
        except UnreadableError as error:
            kept = f"only cycles 0 to {index - 1} are reported" if index else "nothing of this run is reported"
            problems.append(Problem(place, f"cycle {index} {error}: {kept}"))
            break
    if not whole:
        raise UnreadableError("holds no whole cycle yet")
    return whole


def add_artifacts(roots: Sequence[Path], found: StoredRuns) -> None:
    """Of one that several roots hold, the first counts: the name says what it was made from."""
    paths = {(path.parent.name, path.name): path for root in reversed(roots) for path in sorted(root.glob("*/*.json"))}
    for path in sorted(paths.values()):
        try:
            found.artifacts.append(Artifact(path, checked_artifact(content(path), path.stem)))
        except (UnreadableError, RecordError) as error:
            found.problems.append(Problem(path, str(error)))
