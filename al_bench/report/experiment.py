"""An experiment on the page: its lines, which of their cells are stored, what makes the others."""

import shlex
import textwrap
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from al_bench.analysis.reading import Run
from al_bench.config.experiment import Cell, cells_of
from al_bench.config.groups import CONF
from al_bench.config.values import differences
from al_bench.report.measures import counted, listed
from al_bench.report.tables import Cell as TableCell
from al_bench.report.tables import Table

_BARE = ("strategy", "method")  # swept groups whose choice alone is a name
_MOST_DIFFERENCES = 6


@dataclass(frozen=True)
class Other:
    """Runs stored under a line's label with another configuration: shown, never averaged in."""

    line: str
    runs: Sequence[Run]
    differs: str

    @property
    def seeds(self) -> str:
        return listed(sorted({run.seed for run in self.runs}))


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
            alike = [known for known in alike if known[1].identity["procedure"] == run.identity.get("procedure")]
            if run.id in self.names or not alike:
                continue
            far = [(differences(run.identity, cell.identity), name) for name, cell in alike]
            nearest, name = min(far, key=lambda one: len(one[0]))
            found[name, tuple(nearest)].append(run)
        return [Other(name, runs, _words(lines)) for (name, lines), runs in found.items()]

    def table(self, stored: Iterable[Run]) -> Table:
        """Each line with how many of its seeds are finished, begun, missing."""
        runs = {run.id: run for run in self.runs(stored)}
        rows: list[Sequence[TableCell]] = []
        for name, cells in self.lines.items():
            states = {cell.seed: _state(cell, runs.get(cell.id)) for cell in cells}
            done = [seed for seed, state in states.items() if state == ""]
            begun = [f"seed {seed}: {state}" for seed, state in states.items() if state and state != _MISSING]
            rows.append([name, len(cells), len(done), listed(begun) if begun else None, self._command(name, states)])
        columns = ["line", "cells", "finished", "begun", "what makes the rest"]
        name = "-".join(["cells", *self.name.split("/"), *([self.version] if self.version else [])])
        return Table(name, f"Cells of {', '.join(filter(None, (self.name, self.version)))}", columns, rows)

    def said(self, stored: Iterable[Run]) -> str:
        """How many cells there are of it."""
        done, cells = self._counts(stored)
        return f"{done} of {counted(cells, 'cell')} finished"

    def complete(self, stored: Iterable[Run]) -> bool:
        """Whether every cell is finished."""
        done, cells = self._counts(stored)
        return done == cells

    def _counts(self, stored: Iterable[Run]) -> tuple[int, int]:
        """How many cells are finished, and how many there are."""
        rows = self.table(stored).rows
        done, cells = (sum(int(str(row[place])) for row in rows) for place in (2, 1))
        return done, cells

    def _command(self, name: str, states: Mapping[int, str]) -> str | None:
        seeds = [str(seed) for seed, state in states.items() if state]
        if not seeds:
            return None
        own = [item for item in self.lines[name][0].overrides if not item.startswith("seed=")]
        return shlex.join(["python", "run.py", "-m", f"experiment={self.name}", *own]) + f" seed={','.join(seeds)}"


_MISSING = "missing"


def planned(name: str, overrides: Sequence[str], conf: Path = CONF) -> Experiment:
    """An experiment with the versions that its file names. Raises UserError where it cannot be composed.

    `versions: {epoch-matched: null, step-matched: match_steps=true}` are the sweep as it is and one with an override.
    One whose cells are all the same as those of the sweep as it is, is none.
    """
    first, *others = [
        replace(experiment(name, own, cells_of(name, own), conf), version=words)
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


def experiment(name: str, overrides: Sequence[str], cells: Sequence[Cell], conf: Path = CONF) -> Experiment:
    """Its cells as lines: those that the sweep sets alike but for the seed."""
    alike: dict[tuple[str, ...], list[Cell]] = defaultdict(list)
    for cell in cells:
        alike[tuple(item for item in cell.overrides if not item.startswith("seed="))].append(cell)
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


def _state(cell: Cell, run: Run | None) -> str:
    """ "" where the cell's own stop rules hold."""
    if run is None:
        return _MISSING
    if not run.is_loop or cell.stopping.reason(run.cycles[-1]) is not None:
        return ""
    return f"{counted(run.cycles[-1]['annotations'], 'annotation')} so far"


def _words(lines: Sequence[str]) -> str:
    """Where a stored identity is another than the cell's, the stored value first."""
    more = [f"and {counted(len(lines) - _MOST_DIFFERENCES, 'more place')}"] if len(lines) > _MOST_DIFFERENCES else []
    return "; ".join([*(textwrap.shorten(line, 240, placeholder=" …") for line in lines[:_MOST_DIFFERENCES]), *more])
