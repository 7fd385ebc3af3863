"""The plots that a procedure's tables ask for (`recording.result`): columns of numbers over another one."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from al_bench.report.measures import listed
from al_bench.report.palette import line_looks
from al_bench.report.plots import Line, Picture, line_chart


@dataclass(frozen=True)
class Drawn:
    """title: of which run and what; lines: of its legend."""

    title: str
    lines: Sequence[Line]
    picture: Picture


def drawn(run: str, table: Mapping[str, Any]) -> Iterator[Drawn]:
    """Each plot of a stored table. run: its name, or empty."""
    columns = list(table["columns"])
    for plot in table.get("plots", ()):
        x, named = columns.index(plot["x"]), zip(plot["y"], line_looks(len(plot["y"])), strict=True)
        lines = []
        for name, look in named:
            y = columns.index(name)
            points = [(row[x], row[y]) for row in table["rows"] if row[x] is not None and row[y] is not None]
            lines.append(Line(name, look, [at for at, _ in points], [value for _, value in points]))
        shown = [line for line in lines if line.y]
        if shown:
            title = f"{run}: {plot['about']}" if run else str(plot["about"])
            ends = [f"{line.name} from {line.y[0]:.3g} to {line.y[-1]:.3g}" for line in shown]
            alt = f"{title}, over {plot['x']}: {listed(ends)}"
            yield Drawn(title, shown, line_chart(shown, plot["x"], plot["about"], alt))
