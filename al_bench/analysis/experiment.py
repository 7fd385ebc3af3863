"""An experiment: its lines, which of their cells are stored, finished or missing, what makes the others."""

import shlex
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from al_bench.analysis.grouping import group_by
from al_bench.analysis.reading import Run
from al_bench.config.experiment import Cell, cells_of
from al_bench.config.groups import CONF
from al_bench.config.values import differences
from al_bench.storage.record import find_end

_BARE = ("strategy", "method")  # swept groups whose choice alone is a name


@dataclass(frozen=True)
class Other:
    """Runs stored under a line's label with another configuration: shown, never averaged in. differs: where, the stored
    value first."""

    line: str
    runs: Sequence[Run]
    differs: Sequence[str]

    @property
    def seeds(self) -> list[int]:
        return sorted({run.seed for run in self.runs})


@dataclass(frozen=True)
class Progress:
    """Of one line. finished: its seeds; begun: annotations so far by seed; command: what makes the rest, None where
    all are finished."""

    line: str
    cells: int
    finished: Sequence[int]
    begun: Mapping[int, int]
    command: str | None


@dataclass(frozen=True)
class Experiment:
    """name: of its file; source: its second line; overrides: given beside it; lines: its cells by the name of the line
    that they are seeds of, in the sweep's order; version: what its file calls these settings, where it names other
    ones too; versions: the same sweep under those."""

    name: str
    source: str
    overrides: Sequence[str]
    lines: Mapping[str, Sequence[Cell]]
    version: str = ""
    versions: Sequence["Experiment"] = ()

    @property
    def names(self) -> dict[str, str]:
        """The line of each id."""
        return {cell.id: name for name, cells in self.lines.items() for cell in cells}

    @property
    def labels(self) -> dict[str, str]:
        """The label of each id, those of its versions too."""
        own = {cell.id: cell.label for cells in self.lines.values() for cell in cells}
        return own | {key: label for version in self.versions for key, label in version.labels.items()}

    @property
    def unchanged(self) -> list[str]:
        """The lines whose cells are the same in every version."""
        others = [set(version.names) for version in self.versions]
        return [name for name, cells in self.lines.items() if all({cell.id for cell in cells} <= ids for ids in others)]

    def without(self, lines: Collection[str]) -> "Experiment":
        """The same but for these lines."""
        return replace(self, lines={name: cells for name, cells in self.lines.items() if name not in lines})

    @property
    def command(self) -> str:
        """Runs every cell that is not finished."""
        return shlex.join(["python", "run.py", "-m", f"experiment={self.name}", *self.overrides])

    def runs(self, stored: Iterable[Run]) -> list[Run]:
        """Those of the stored runs that are its cells."""
        return [run for run in stored if run.id in self.names]

    def others(self, stored: Iterable[Run]) -> list[Other]:
        """Runs that bear the label of a cell, seed included, and are another's."""
        found: dict[tuple[str, tuple[str, ...]], list[Run]] = defaultdict(list)
        for run in stored:
            label = f"{'/'.join(run.label)}/seed={run.seed}"
            alike = [(name, cell) for name, cells in self.lines.items() for cell in cells if cell.label == label]
            alike = [known for known in alike if known[1].identity["part"] == run.identity.get("part")]
            if run.id in self.names or not alike:
                continue
            far = [(differences(run.identity, cell.identity), name) for name, cell in alike]
            nearest, name = min(far, key=lambda one: len(one[0]))
            found[name, tuple(nearest)].append(run)
        return [Other(name, runs, lines) for (name, lines), runs in found.items()]

    def progress(self, stored: Iterable[Run]) -> list[Progress]:
        """Of each line, by the stored runs."""
        runs = {run.id: run for run in self.runs(stored)}
        return [self._progress(name, cells, runs) for name, cells in self.lines.items()]

    def complete(self, stored: Iterable[Run]) -> bool:
        """Whether every cell is finished."""
        return all(line.command is None for line in self.progress(stored))

    def _progress(self, name: str, cells: Sequence[Cell], runs: Mapping[str, Run]) -> Progress:
        own = {cell.seed: (cell, runs.get(cell.id)) for cell in cells}
        finished = [seed for seed, (cell, run) in own.items() if run is not None and _is_finished(cell, run)]
        rest = [seed for seed in own if seed not in finished]
        begun = {seed: run.cycles[-1].annotations for seed in rest if (run := own[seed][1]) is not None}
        return Progress(name, len(cells), finished, begun, self._command(name, rest))

    def _command(self, name: str, seeds: Sequence[int]) -> str | None:
        if not seeds:
            return None
        own = [item for item in self.lines[name][0].overrides if not item.startswith("seed=")]
        command = shlex.join(["python", "run.py", "-m", f"experiment={self.name}", *own])
        return f"{command} seed={','.join(map(str, seeds))}"


def plan_experiment(name: str, overrides: Sequence[str], conf: Path = CONF) -> Experiment:
    """An experiment with the versions that its file names. Raises UserError where it cannot be composed.

    `versions: {epoch-matched: null, step-matched: match_steps=true}` are the sweep as it is and one with an override.
    One whose cells are all the same as those of the sweep as it is, is none.
    """
    first, *others = [
        replace(arrange_lines(name, own, cells_of(name, own), conf), version=words)
        for words, own in _versions(name, overrides, conf)
    ]
    others = [other for other in others if set(other.names) != set(first.names)]
    return replace(first, version=first.version if others else "", versions=others)


def _versions(name: str, overrides: Sequence[str], conf: Path) -> list[tuple[str, list[str]]]:
    """The words for each version, and its overrides."""
    path = conf / "experiment" / f"{name}.yaml"
    named = (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).get("versions") if path.exists() else None
    return [
        (words, [*overrides, *([override] if override else [])]) for words, override in (named or {"": None}).items()
    ]


def arrange_lines(name: str, overrides: Sequence[str], cells: Sequence[Cell], conf: Path = CONF) -> Experiment:
    """Its cells as lines: those that the sweep sets alike but for the seed."""
    alike = group_by(cells, lambda cell: tuple(item for item in cell.overrides if not item.startswith("seed=")))
    common = set.intersection(*map(set, alike))
    lines = {_line_name(own, common) or found[0].label.split("/")[1]: found for own, found in alike.items()}
    if len(lines) < len(alike):  # two lines of one name
        lines = {" ".join(own): found for own, found in alike.items()}
    return Experiment(name, _source(conf / "experiment" / f"{name}.yaml"), overrides, lines)


def _line_name(overrides: Sequence[str], common: set[str]) -> str:
    """ "asal_auto, gan dcgan": what the sweep sets differently from line to line."""
    words = []
    for key, _, value in (item.partition("=") for item in overrides if item not in common):
        if value != "none":
            words.append(value if key in _BARE else f"{key.rsplit('.', 1)[-1].replace('_', ' ')} {value}")
    return ", ".join(words)


def _source(path: Path) -> str:
    """The second line of its file, which names the table or figure."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return lines[1].lstrip("# ") if len(lines) > 1 and lines[1].startswith("#") else ""


def _is_finished(cell: Cell, run: Run) -> bool:
    """Whether the cell's own stop rules hold."""
    return find_end(run.records[-1], cell.stopping) is not None
