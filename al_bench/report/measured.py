"""What procedures without a loop measured: their tables, the pictures in their folders."""

import base64
import struct
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from al_bench.analysis.grouping import Group, group_by
from al_bench.analysis.reading import Run
from al_bench.report.figures.svg import Picture
from al_bench.report.figures.table_plots import TablePlot, plot_table
from al_bench.report.measures import measure
from al_bench.report.settings import find_differing
from al_bench.report.tables import Cell, Table
from al_bench.storage.record import Measurement

_MOST_LISTED = 12
_MOST_SETTINGS = 5  # by which runs are told apart
_LARGEST = 4_000_000  # bytes of a picture that is put into the page
_PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class ProcedureRuns:
    """All runs of one procedure on one data set. groups: the same by lines of an experiment, where there is one; said:
    what each found, in a sentence; plots: that their tables ask for; pictures: with their names."""

    title: str
    runs: Sequence[Run]
    groups: Sequence[Group]
    said: Sequence[tuple[str, str]]
    tables: Sequence[Table]
    plots: Sequence[TablePlot]
    pictures: Sequence[tuple[str, Picture]]


def measurements(runs: Iterable[Run], lines: Mapping[str, str] | None = None) -> list[ProcedureRuns]:
    """Of the runs that turned no loop. lines: names of an experiment's lines by run ids."""
    measured = [run for run in runs if not run.is_loop]
    alike = group_by(measured, lambda run: f"{run.choices.get('procedure')}: {run.label[0]}")
    return [_measurement(title, alike[title], lines or {}) for title in sorted(alike)]


def _measurement(title: str, runs: Sequence[Run], lines: Mapping[str, str]) -> ProcedureRuns:
    ordered = sorted(runs, key=lambda run: (run.seed, run.id))
    names = dict(zip((run.id for run in ordered), _names(ordered, lines), strict=True))
    tables = _tables(title, [(names[run.id], run.measurement) for run in ordered if run.measurement])
    pictures = [(f"{names[run.id]}, {path}", shown) for run in ordered for path, shown in _pictures(run)]
    by_line = group_by(ordered, lambda run: lines.get(run.id, run.label[1]))
    groups = [Group(title, line, of_line) for line, of_line in by_line.items()]
    said = [(names[run.id], run.finished or "") for run in ordered]
    plots = [plot for run in ordered for plot in _plots(run, names[run.id] if len(ordered) > 1 else "")]
    return ProcedureRuns(title, ordered, groups, said, tables, plots, pictures)


def _names(runs: Sequence[Run], lines: Mapping[str, str]) -> list[str]:
    """The line of an experiment, or what was chosen differently from run to run, and where that is the same of several,
    settings that are not; the seed."""
    keys = [key for key in runs[0].choices if not key.startswith("hydra/") and "@" not in key]
    own = [key for key in keys if len({run.choices.get(key) for run in runs}) > 1]
    chosen = [lines.get(run.id, ", ".join(f"{key} {run.choices.get(key)}" for key in own)) for run in runs]
    alike = group_by(range(len(runs)), chosen.__getitem__)
    settings = {place: words for places in alike.values() for place, words in _settings_apart(runs, places)}
    words = [(chosen[place], settings[place], f"seed {run.seed}") for place, run in enumerate(runs)]
    return [", ".join(word for word in all_of_them if word) for all_of_them in words]


def _settings_apart(runs: Sequence[Run], places: Sequence[int]) -> Iterator[tuple[int, str]]:
    """Of the runs at these places, the first settings that tell them apart: "lr 0.003, weight decay 0"."""
    differing = find_differing([runs[place] for place in places])
    named = [(key.rsplit(".", 1)[-1].replace("_", " "), values) for key, values in differing]
    shown = [(key, values) for key, values in named if key != "seed"][:_MOST_SETTINGS]
    for number, place in enumerate(places):
        said = [(key, values[number]) for key, values in shown]
        yield place, ", ".join(f"{key} {value or 'none'}" for key, value in said)


def _tables(title: str, found: Sequence[tuple[str, Measurement]]) -> list[Table]:
    """The numbers of all runs as one table, then each table that some of them made."""
    anchor = title.replace(": ", "-").replace("/", "-")
    metrics = [one.metrics for _, one in found]
    keys = list(
        dict.fromkeys(key for values in metrics for key, value in values.items() if not isinstance(value, dict))
    )
    rows = [[name, *(_cell(one.metrics.get(key), key) for key in keys)] for name, one in found]
    columns = ["run", *(measure(key).axis for key in keys)]
    numbers = [Table(f"measured-{anchor}", f"{title}: what was measured", columns, rows)] if keys else []
    parts: dict[str, list[tuple[str, Table]]] = defaultdict(list)
    for name, one in found:
        for key, table in _inside(one):
            parts[key].append((name, table))
    return [*numbers, *(_together(f"measured-{anchor}-{key}", title, parts[key]) for key in parts)]


def _together(name: str, title: str, parts: Sequence[tuple[str, Table]]) -> Table:
    """One table of the same of several runs, the run first where there are several."""
    columns = list(dict.fromkeys(column for _, table in parts for column in table.columns))
    rows = []
    for run, table in parts:
        for row in table.rows:
            cells = dict(zip(table.columns, row, strict=True))
            rows.append([run, *(cells.get(column) for column in columns)])
    about = f"{title}: {parts[0][1].about}"
    return Table(name, about, ["run", *columns], rows)


def _inside(found: Measurement) -> Iterator[tuple[str, Table]]:
    """What a measurement holds as tables and as nested metrics: {name: {row: value}}, or {column:
    value} in place of that value."""
    for key, table in found.tables.items():
        rows = [[_cell(cell) for cell in row] for row in table["rows"]]
        yield key, Table(key, str(table["about"]), [str(column) for column in table["columns"]], rows)
    for key, value in found.metrics.items():
        if isinstance(value, dict):
            yield key, _of_nested(key, value)


def _of_nested(key: str, value: Mapping[str, Any]) -> Table:
    words = key.replace("_", " ")
    if not any(isinstance(row, dict) for row in value.values()):
        return Table(key, words, ["", words], [[name, _cell(row)] for name, row in value.items()])
    rows = {name: row if isinstance(row, dict) else {words: row} for name, row in value.items()}
    columns = list(dict.fromkeys(column for row in rows.values() for column in row))
    cells = [[name, *(_cell(row.get(column)) for column in columns)] for name, row in rows.items()]
    return Table(key, words, ["", *columns], cells)


def _plots(run: Run, name: str) -> Iterator[TablePlot]:
    for table in (run.measurement.tables if run.measurement else {}).values():
        yield from plot_table(name, table)


def _cell(value: Any, key: str = "") -> Cell:
    """A value for a table; key: its metric, whose unit it is written in."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(_item(item, key) for item in value) if len(value) <= _MOST_LISTED else f"{len(value)} values"
    if isinstance(value, dict):
        return ", ".join(f"{name} {_cell(item)}" for name, item in value.items())
    if isinstance(value, int | float) and key:
        return measure(key).number(value)
    return value if isinstance(value, int | float | str) or value is None else str(value)


def _item(value: Any, key: str) -> str:
    """One of a metric that is a list, such as a number per class."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return measure(key).text(value) if key and is_number else str(_cell(value))


def _pictures(run: Run) -> Iterator[tuple[str, Picture]]:
    """The PNG files in the run's folder, as they are."""
    if not run.has_tensors:
        return
    for path in sorted(run.place.glob("*.png")):
        data = path.read_bytes()
        if data.startswith(_PNG) and 24 <= len(data) <= _LARGEST:
            width, height = struct.unpack(">II", data[16:24])
            times = max(1, round(380 / width))
            uri = "data:image/png;base64," + base64.b64encode(data).decode()
            yield path.name, Picture(uri, f"{path.name} of run {run.id}", width * times, height * times)
