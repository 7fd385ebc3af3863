"""How long a sweep goes on: by its cells that have ended, else by what is stored of the same line, else not known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean

from al_bench.analysis.experiment import arrange_lines
from al_bench.analysis.selection import stored_of
from al_bench.analysis.sweep_plan import NeededArtifact, artifacts_of, plan_line
from al_bench.config.experiment import Cell


@dataclass
class LineTime:
    """cell: seconds of one, by what is stored, None: not known; missing: artifacts that its first cell trains, for
    which its others wait; ended: seconds of each that has ended, without what it trained first."""

    cell: float | None
    missing: Sequence[NeededArtifact] = ()
    ended: list[float] = field(default_factory=list)

    @property
    def seconds(self) -> float | None:
        """Of one cell whose artifacts are there."""
        return fmean(self.ended) if self.ended else self.cell

    @property
    def first(self) -> float | None:
        """Of one that trains what is missing."""
        trained = [one.seconds for one in self.missing]
        known = [seconds for seconds in trained if seconds is not None]
        return None if self.seconds is None or len(known) < len(trained) else self.seconds + sum(known)

    def end(self, seconds: float, of_cycles: float | None) -> None:
        """Counts a cell that began anew and is finished. of_cycles: without all that is not a cycle's."""
        if not self.missing:
            self.ended.append(seconds)
        elif of_cycles is not None:
            self.ended.append(of_cycles)
        self.missing = ()


@dataclass(frozen=True)
class TimeLeft:
    """lines: by name; line_of: the name for the id of each cell."""

    lines: Mapping[str, LineTime]
    line_of: Mapping[str, str]

    def of_cell(self, run_id: str, elapsed: float) -> float | None:
        """Seconds that a cell which runs goes on, None where nobody knows."""
        line = self.lines[self.line_of[run_id]]
        whole = line.first if line.missing else line.seconds
        return None if whole is None else max(0.0, whole - elapsed)

    def of_sweep(self, running: Mapping[str, float], waiting: Sequence[str], at_once: int) -> float | None:
        """Seconds until the last cell ends, None where they are not known of one. running: seconds so far, by id."""
        going_on = [self.of_cell(run_id, elapsed) for run_id, elapsed in running.items()]
        begun = {self.line_of[run_id] for run_id in running}
        for run_id in waiting:
            name = self.line_of[run_id]
            line = self.lines[name]
            going_on.append(line.seconds if name in begun or not line.missing else line.first)
            begun.add(name)
        known = [seconds for seconds in going_on if seconds is not None]
        return None if len(known) < len(going_on) else max([sum(known) / at_once, *known])


def time_left(cells: Sequence[Cell], outputs: Path, kept: Path) -> TimeLeft:
    """Of a sweep with these cells to do, by stored runs and artifacts. kept: where exported cells are."""
    experiment = arrange_lines("none", (), cells)
    found = stored_of({cell.id: cell.label for cell in cells}, outputs, kept)
    progress = {one.line: one for one in experiment.progress(found.runs)}
    lines = {}
    for name, own in experiment.lines.items():
        plan = plan_line(own, progress[name], found.runs)
        rest = len(own) - len(progress[name].finished)
        missing = [one for one in artifacts_of(own, found.artifacts) if not one.stored]
        lines[name] = LineTime(plan.seconds / rest if plan.seconds is not None and rest else None, missing)
    return TimeLeft(lines, {cell.id: name for name, own in experiment.lines.items() for cell in own})
