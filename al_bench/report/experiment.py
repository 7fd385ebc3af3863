"""An experiment on the page: its lines, which of their cells are stored, what makes the others."""

import shlex
import textwrap
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from al_bench.compose import CONF, differences
from al_bench.composed import Cell
from al_bench.report.measures import counted, listed
from al_bench.report.reading import Run
from al_bench.report.tables import Cell as TableCell
from al_bench.report.tables import Table
from al_bench.stopping import Stopping

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
    that they are seeds of, in the sweep's order."""

    name: str
    source: str
    overrides: Sequence[str]
    lines: Mapping[str, Sequence[Cell]]

    @property
    def names(self) -> dict[str, str]:
        """The line of each id."""
        return {cell.id: name for name, cells in self.lines.items() for cell in cells}

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
        return Table(f"cells-{self.name.replace('/', '-')}", f"Cells of {self.name}", columns, rows)

    def said(self, stored: Iterable[Run]) -> str:
        """How many cells there are of it."""
        table = self.table(stored)
        done, cells = (sum(int(str(row[place])) for row in table.rows) for place in (2, 1))
        return f"{done} of {counted(cells, 'cell')} finished"

    def _command(self, name: str, states: Mapping[int, str]) -> str | None:
        seeds = [str(seed) for seed, state in states.items() if state]
        if not seeds:
            return None
        own = [item for item in self.lines[name][0].overrides if not item.startswith("seed=")]
        return shlex.join(["python", "run.py", "-m", f"experiment={self.name}", *own]) + f" seed={','.join(seeds)}"


_MISSING = "missing"


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
    if not run.is_loop or Stopping.stored(cell.loop).reason(run.cycles[-1]) is not None:
        return ""
    return f"{counted(run.cycles[-1]['annotations'], 'annotation')} so far"


def _words(lines: Sequence[str]) -> str:
    """Where a stored identity is another than the cell's, the stored value first."""
    more = [f"and {counted(len(lines) - _MOST_DIFFERENCES, 'more place')}"] if len(lines) > _MOST_DIFFERENCES else []
    return "; ".join([*(textwrap.shorten(line, 240, placeholder=" …") for line in lines[:_MOST_DIFFERENCES]), *more])
