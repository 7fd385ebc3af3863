"""How long a sweep goes on, as its launcher follows it."""

# No `from __future__ import annotations` here, see processes.py.
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from hydra_plugins.sweep_cells import Cell


class SweepTime:
    """Of the cells that are not finished when it is made."""

    def __init__(self, cells: Sequence[Cell]) -> None:
        from al_bench.analysis.time_left import time_left
        from al_bench.config.experiment import cell_of
        from al_bench.storage.cell import SUFFIX
        from al_bench.storage.folder import cycle_records

        described = {cell.number: cell_of(_own(cell.overrides), cell.config) for cell in cells}
        paths = cells[0].config.paths
        self.left = time_left(list(described.values()), Path(paths.outputs), Path(paths.cells))
        self._ids = {number: own.id for number, own in described.items()}
        exported = {path.name.removesuffix(SUFFIX)[-12:] for path in Path(paths.cells).glob(f"*{SUFFIX}")}
        self._resumed = {
            cell.number for cell in cells if cycle_records(cell.folder) or self._ids[cell.number] in exported
        }

    def line_of(self, cell: Cell) -> str:
        """Which cells of other seeds it stands with."""
        return self.left.line_of[self._ids[cell.number]]

    def count(self, cell: Cell) -> None:
        """Learns from a cell that is finished, unless it did so in several goes."""
        from al_bench.storage.known import known_cycles
        from al_bench.storage.record import cycles_of

        if cell.tries != 1 or cell.number in self._resumed:
            return
        records = cycles_of(known_cycles(cell.config, cell.folder))
        of_cycles = sum(cost.seconds for record in records for cost in record.costs.values())
        self.left.lines[self.line_of(cell)].end(_elapsed(cell), of_cycles or None)

    def of_cell(self, cell: Cell) -> float | None:
        """Seconds that a cell which runs goes on, None where they are not known."""
        return self.left.of_cell(self._ids[cell.number], _elapsed(cell))

    def words(self, running: Sequence[Cell], waiting: Sequence[Cell], workers: int, ended: int = 0) -> str:
        """For a person. ended: how many cells have."""
        from al_bench.report.time_left import write_time_left

        begun = {self._ids[cell.number]: _elapsed(cell) for cell in running}
        to_begin = [self._ids[cell.number] for cell in waiting]
        goes_on = len(begun) + len(to_begin)
        left = write_time_left(self.left, begun, to_begin, max(1, min(workers, goes_on)))
        return f"{ended} of {ended + goes_on} cells ended, {left}" if ended else left


def _elapsed(cell: Cell) -> float:
    """0 where another sweep began it, nobody here knows when; of a pack its share."""
    return (time.monotonic() - cell.began) / (cell.pack.size if cell.pack else 1) if cell.process else 0.0


def _own(overrides: Iterable[str]) -> list[str]:
    return [item for item in overrides if not item.startswith("experiment=")]
