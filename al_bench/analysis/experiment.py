"""An experiment: its lines, which of their cells are stored, finished or missing, what makes the others."""

import shlex
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from al_bench.active.stopping import Stopping
from al_bench.analysis.ending import end_by
from al_bench.analysis.line_names import but_seed, name_lines
from al_bench.analysis.reading import Run
from al_bench.config.experiment import Cell, cells_of
from al_bench.config.groups import CONF
from al_bench.config.search_path import folder_with
from al_bench.config.values import differences, from_project

_OWN = ("strategy.", "feature.")  # settings of what a sweep's strategies are made of, which its references are not


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
class LineProgress:
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
    that they are seeds of, in the sweep's order; references: lines of other experiments that its file has beside them,
    each with what chooses them among its overrides; version: what its file calls these settings, where it names other
    ones too; versions: the same sweep under those; swept: the keys, seeds left out, that its file sweeps over."""

    name: str
    source: str
    overrides: Sequence[str]
    lines: Mapping[str, Sequence[Cell]]
    references: Sequence["Experiment"] = ()
    version: str = ""
    versions: Sequence["Experiment"] = ()
    swept: frozenset[str] = frozenset()

    @property
    def all_lines(self) -> dict[str, Sequence[Cell]]:
        """Its own lines, then its references'."""
        return {name: cells for one in (self, *self.references) for name, cells in one.lines.items()}

    @cached_property
    def names(self) -> dict[str, str]:
        """The line of each id."""
        return {cell.id: name for name, cells in self.all_lines.items() for cell in cells}

    @cached_property
    def labels(self) -> dict[str, str]:
        """The label of each id, those of its versions too."""
        own = {cell.id: cell.label for cells in self.all_lines.values() for cell in cells}
        return own | {key: label for version in self.versions for key, label in version.labels.items()}

    @cached_property
    def _rules(self) -> dict[str, Stopping]:
        """The stop rules of each id; of one that a reference has too, its own."""
        return {cell.id: cell.stopping for cells in reversed([*self.all_lines.values()]) for cell in cells}

    @property
    def is_as_written(self) -> bool:
        """Whether its lines are those of its file, and bear the names that they have there: nothing that was given
        beside chooses among them, or is swept over too."""
        cells = [cell for of_line in self.lines.values() for cell in of_line]
        given = {item.partition("=")[0] for item in self.overrides}
        varied = {item for cell in cells for item in cell.overrides if any(item not in one.overrides for one in cells)}
        return not given & self.swept and {item.partition("=")[0] for item in varied} <= {*self.swept, "seed"}

    @property
    def unchanged(self) -> list[str]:
        """The lines whose cells are the same in every version."""
        others = [set(version.names) for version in self.versions]
        lines = self.all_lines.items()
        return [name for name, cells in lines if all({cell.id for cell in cells} <= ids for ids in others)]

    def without(self, lines: Collection[str]) -> "Experiment":
        """The same but for these lines."""
        kept = {name: cells for name, cells in self.lines.items() if name not in lines}
        return replace(self, lines=kept, references=[one.without(lines) for one in self.references])

    @property
    def said_overrides(self) -> list[str]:
        """For a person."""
        return [from_project(item) for item in self.overrides]

    @property
    def commands(self) -> list[str]:
        """What runs every cell that is not finished: of its own lines, then of each of its references."""
        own = shlex.join(["python", "run.py", "-m", f"experiment={self.name}", *self.said_overrides])
        return [own, *(command for one in self.references if one.lines for command in one.commands)]

    def commands_left(self, stored: Sequence[Run]) -> list[str]:
        """Of `commands` those that have a cell to run."""
        own = [] if replace(self, references=()).complete(stored) else self.commands[:1]
        return [*own, *(command for one in self.references for command in one.commands_left(stored))]

    def runs(self, stored: Iterable[Run]) -> list[Run]:
        """Those of the stored runs that are its cells, each to where the stop rules of its cell hold: one may have gone
        on for another experiment, of a larger budget."""
        return [end_by(run, self._rules[run.id]) for run in stored if run.id in self._rules]

    def others(self, stored: Iterable[Run]) -> list[Other]:
        """Runs that bear the label of a cell, seed included, and are another's."""
        found: dict[tuple[str, tuple[str, ...]], list[Run]] = defaultdict(list)
        for run in stored:
            label = f"{'/'.join(run.label)}/seed={run.seed}"
            alike = [(name, cell) for name, cells in self.all_lines.items() for cell in cells if cell.label == label]
            alike = [known for known in alike if known[1].identity["part"] == run.identity.get("part")]
            if run.id in self.names or not alike or self._measured_for_another(run):
                continue
            far = [(differences(run.identity, cell.identity), name) for name, cell in alike]
            nearest, name = min(far, key=lambda one: len(one[0]))
            found[name, tuple(nearest)].append(run)
        return [Other(name, runs, lines) for (name, lines), runs in found.items()]

    def _measured_for_another(self, run: Run) -> bool:
        """Whether a run without cycles was made for another experiment, whose measurements bear the same label."""
        return not run.is_loop and run.choices.get("experiment") not in (None, "none", self.name)

    def progress(self, stored: Iterable[Run]) -> list[LineProgress]:
        """Of each line, by the stored runs."""
        runs = {run.id: run for run in stored}
        every = (self, *self.references)
        return [one._progress(name, cells, runs) for one in every for name, cells in one.lines.items()]

    def complete(self, stored: Iterable[Run]) -> bool:
        """Whether every cell is finished."""
        return all(line.command is None for line in self.progress(stored))

    def _progress(self, name: str, cells: Sequence[Cell], runs: Mapping[str, Run]) -> LineProgress:
        own = {cell.seed: (cell, runs.get(cell.id)) for cell in cells}
        finished = [
            seed for seed, (cell, run) in own.items() if run is not None and end_by(run, cell.stopping).finished
        ]
        rest = [seed for seed in own if seed not in finished]
        begun = {seed: run.cycles[-1].annotations for seed in rest if (run := own[seed][1]) is not None}
        return LineProgress(name, len(cells), finished, begun, self._command(name, rest))

    def _command(self, name: str, seeds: Sequence[int]) -> str | None:
        if not seeds:
            return None
        own = [from_project(item) for item in but_seed(self.lines[name][0])]
        command = shlex.join(["python", "run.py", "-m", f"experiment={self.name}", *own])
        return f"{command} seed={','.join(map(str, seeds))}"


def plan_experiment(name: str, overrides: Sequence[str], conf: Path = CONF) -> Experiment:
    """An experiment with the references and versions that its file names. Raises UserError where it cannot be composed.

    `references: ["experiment=asal/mnist_two strategy=random,full"]` are lines of another experiment, which are compared
    with all of the sweep's and so are not multiplied by what it sweeps over.
    `versions: {epoch-matched: null, step-matched: match_steps=true}` are the sweep as it is and one with an override.
    One whose cells are all the same as those of the sweep as it is, is none.
    """
    named = read_experiment(name, folder_with(name, overrides, conf))
    swept = _swept(named)
    first, *others = [
        replace(
            arrange_lines(name, own, cells_of(name, own), conf),
            references=[_reference(line, own, swept, conf) for line in named.get("references", ())],
            version=words,
        )
        for words, own in _versions(named.get("versions") or {"": None}, overrides)
    ]
    others = [other for other in others if set(other.names) != set(first.names)]
    return replace(first, version=first.version if others else "", versions=others)


def read_experiment(name: str, conf: Path) -> dict[str, Any]:
    """The file of an experiment; empty where there is none here."""
    path = conf / "experiment" / f"{name}.yaml"
    return (yaml.safe_load(path.read_text(encoding="utf-8")) or {}) if path.exists() else {}


def _swept(named: Mapping[str, Any]) -> frozenset[str]:
    """The keys that an experiment's file sweeps over, seeds left out."""
    params = ((named.get("hydra") or {}).get("sweeper") or {}).get("params") or {}
    return frozenset(params) - {"seed"}


def _versions(named: Mapping[str, str | None], overrides: Sequence[str]) -> list[tuple[str, list[str]]]:
    """The words for each version, and its overrides."""
    return [(words, [*overrides, *([override] if override else [])]) for words, override in named.items()]


def _reference(line: str, overrides: Sequence[str], swept: Collection[str], conf: Path) -> Experiment:
    """The lines of another experiment that `line` chooses, named by all that it says of them.

    overrides: those of the sweep beside which they stand. What narrows that sweep, is nested in its strategies and
    feature spaces, or is what `line` itself chooses, is not the reference's. swept: the keys of that sweep.
    """
    named, *chosen = line.split()
    keys = {item.partition("=")[0] for item in chosen}
    apart = keys.union(swept)
    shared = [item for item in overrides if not item.startswith(_OWN) and item.partition("=")[0] not in apart]
    name, own = named.removeprefix("experiment="), [*shared, *chosen]
    cells = cells_of(name, own)
    unsaid = {item for cell in cells for item in cell.overrides if item.partition("=")[0] not in keys}
    source = _source(folder_with(name, own, conf) / "experiment" / f"{name}.yaml")
    return Experiment(name, source, own, name_lines(cells, unsaid))


def arrange_lines(name: str, overrides: Sequence[str], cells: Sequence[Cell], conf: Path = CONF) -> Experiment:
    """Its cells as lines: those that the sweep sets alike but for the seed.

    They are named by what the file sweeps over, narrowed to one value or not, and by what else tells them apart.
    """
    conf = folder_with(name, overrides, conf)
    swept = _swept(read_experiment(name, conf))
    alike = set.intersection(*({*but_seed(cell)} for cell in cells))
    common = {item for item in alike if item.partition("=")[0] not in swept}
    source = _source(conf / "experiment" / f"{name}.yaml")
    return Experiment(name, source, overrides, name_lines(cells, common), swept=swept)


def _source(path: Path) -> str:
    """The second line of its file, which names the table or figure."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return lines[1].lstrip("# ") if len(lines) > 1 and lines[1].startswith("#") else ""
