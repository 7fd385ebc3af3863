"""On a terminal a row for each cell in work, below the lines that are said of cells; nothing elsewhere."""

# No `from __future__ import annotations` here, see processes.py.
import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, cast

from hydra_plugins.sweep_cells import Cell
from hydra_plugins.sweep_time import SweepTime

_ABOVE = {"markup": False, "highlight": False, "emoji": False, "soft_wrap": True, "end": ""}


class LiveRows:
    """live: rich's, None where nobody watches."""

    def __init__(self, live: Any, time: SweepTime) -> None:
        self.live, self.time = live, time
        self._last: dict[int, tuple[int, str]] = {}  # of each cell, the cycle that was read last, and what it measured

    def show(self, running: Sequence[Cell], words: str) -> None:
        """Draws the rows anew. words: below them."""
        if self.live is None:
            return
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, pad_edge=False)
        for name in ("in work", "seed", "cycle", "measured", "left"):
            table.add_column(name, justify="left" if name in ("in work", "measured") else "right", no_wrap=True)
        for cell in running:
            table.add_row(*self._row(cell))
        self.live.update(Group(table, Text(words)), refresh=True)

    def _row(self, cell: Cell) -> tuple[str, ...]:
        from rich.markup import escape

        from al_bench.progress import duration

        cycle, measured = self._measured(cell)
        left = self.time.of_cell(cell)
        when = "elsewhere" if cell.process is None else "not known" if left is None else duration(left)
        return escape(cell.line), str(cell.config.seed), "-" if cycle < 0 else str(cycle), measured, when

    def _measured(self, cell: Cell) -> tuple[int, str]:
        """The last cycle that it has stored and its headline; -1 before the first."""
        from al_bench.active.metric import words_of
        from al_bench.config.identity import metrics_of
        from al_bench.files import read_json
        from al_bench.storage.folder import cycle_records

        known = self._last.get(cell.number, (-1, "-"))
        with suppress(OSError, ValueError, KeyError, StopIteration):  # a record that is no more, or none
            index, path = max(cycle_records(cell.folder).items(), default=(-1, cell.folder))
            if index != known[0]:
                name, value = next(iter(read_json(path)["metrics"].items()))
                measured = "-" if value is None else f"{words_of(name, metrics_of(cell.config))} {value:.4f}"
                self._last[cell.number] = known = (index, measured)
        return known


@contextmanager
def live_rows(time: SweepTime) -> Iterator[LiveRows]:
    """Inside the block rows stand at the end of the terminal, and the lines of the log above them."""
    if not sys.stdout.isatty():
        yield LiveRows(None, time)
        return
    from rich.console import Console
    from rich.live import Live

    console = Console()
    options = {"auto_refresh": False, "transient": True, "redirect_stdout": False, "redirect_stderr": False}
    with ExitStack() as inside:
        live = inside.enter_context(Live(console=console, **cast(Any, options)))
        for handler in logging.getLogger().handlers:
            if isinstance(handler, logging.StreamHandler) and handler.stream is sys.stdout:
                inside.callback(handler.setStream, handler.setStream(cast(Any, _Above(console))))
        yield LiveRows(live, time)


class _Above:
    """A stream whose lines come above the rows."""

    def __init__(self, console: Any) -> None:
        self.console = console

    def write(self, text: str) -> None:
        self.console.print(text, **_ABOVE)

    def flush(self) -> None:
        self.console.file.flush()

    def fileno(self) -> int:
        return int(self.console.file.fileno())
