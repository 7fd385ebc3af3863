"""The plots that a procedure's tables ask for (`storage.record.Measurement`): columns of numbers over another one."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from al_bench.report.figures.palette import Look, line_looks, solid_looks
from al_bench.report.figures.plots import Line, line_chart
from al_bench.report.figures.svg import Picture
from al_bench.report.measures import listed


@dataclass(frozen=True)
class TablePlot:
    """title: of which run and what; lines: of its legend."""

    title: str
    lines: Sequence[Line]
    picture: Picture


def plot_table(run: str, table: Mapping[str, Any]) -> Iterator[TablePlot]:
    """Each plot of a stored table (`storage.record.Measurement`). run: its name, or empty."""
    for plot in table.get("plots", ()):
        log = plot.get("scale") == "log"
        series = [one for one in _series(table, plot) if any(_drawable(row, log) for row in one.rows)]
        styles = solid_looks(len(series)) if "dashed" in plot else line_looks(len(series))
        shown = [one.line(look, log) for one, look in zip(series, styles, strict=True)]
        if shown:
            title = f"{run}: {plot['about']}" if run else str(plot["about"])
            ends = [f"{line.name} from {line.y[0]:.3g} to {line.y[-1]:.3g}" for line in shown]
            alt = f"{title}, over {plot['x']}: {listed(ends)}"
            if any(line.dashed_from is not None for line in shown):
                title += f" (dashed: {listed(plot['dashed'].values())})"
            yield TablePlot(title, shown, line_chart(shown, plot["x"], plot["about"], alt, log=log))


@dataclass(frozen=True)
class _Series:
    """rows: (x, y, whether it is drawn dashed)."""

    name: str
    rows: Sequence[tuple[float | None, float | None, bool]]

    def line(self, look: Look, log: bool) -> Line:
        """Dashed from its last row that is not."""
        rows = [(float(x), float(y), dashed) for x, y, dashed in self.rows if _drawable((x, y, dashed), log)]  # type: ignore[arg-type]
        solid = [x for x, _, dashed in rows if not dashed]
        start = (solid[-1] if solid else rows[0][0]) if any(dashed for *_, dashed in rows) else None
        return Line(self.name, look, [x for x, *_ in rows], [y for _, y, _ in rows], dashed_from=start)


def _series(table: Mapping[str, Any], plot: Mapping[str, Any]) -> list[_Series]:
    columns, rows = list(table["columns"]), table["rows"]
    x, dashes = columns.index(plot["x"]), {columns.index(name): value for name, value in plot.get("dashed", {}).items()}
    found: dict[str, list[tuple[float | None, float | None, bool]]] = {}
    for name in plot["y"]:
        for row in rows:
            line = str(row[columns.index(plot["by"])]) if "by" in plot else name
            dashed = any(row[place] == value for place, value in dashes.items())
            found.setdefault(line, []).append((row[x], row[columns.index(name)], dashed))
    return [_Series(name, points) for name, points in found.items()]


def _drawable(row: tuple[float | None, float | None, bool], log: bool) -> bool:
    x, y, _ = row
    return x is not None and y is not None and not (log and min(x, y) <= 0)
