"""What a person reads of a run in the terminal."""

import math
import textwrap
from collections.abc import Mapping, Sequence

from tabulate import tabulate

from al_bench.active.metric import Metric, words_of
from al_bench.errors import amount
from al_bench.storage.record import CycleRecord, Measurement, Record, cycles_of

_MOST_ROWS = 25
_WIDEST = 120  # characters of a line
_NARROW = 12  # characters of a heading in a table that would be wider
_LARGE = 1e9  # from which on a number's digits say nothing
_OF_EVERY_CYCLE = ("query", "fit", "evaluate")


def headline(record: Record) -> tuple[str, float]:
    """The evaluator's first metric and its value, NaN where it is not finite."""
    name, value = next(iter(record.metrics.items()))
    return name, float("nan") if value is None else value


def cycle_line(record: CycleRecord, metrics: Sequence[Metric] = ()) -> str:
    """One cycle in one line: annotations, how good the model is, how uncertain what was chosen was, seconds. metrics:
    those that are declared."""
    name, value = headline(record)
    measured = f"{words_of(name, metrics)} {value:.4f}"
    if name == "accuracy" and record.test_images is None and math.isnan(value):  # no audit set
        measured = "accuracy not measured"
    entropy = record.chosen_entropy
    chosen = "initial labels      " if entropy is None else f"chosen entropy {entropy:.3f}"
    return (
        f"cycle {record.index:3d}  {record.annotations:7,} annotations  {measured}  {chosen}  "
        f"fit {record.costs['fit'].seconds:.2f} s  query {record.costs['query'].seconds:.2f} s"
    )


def cycle_table(records: Sequence[CycleRecord], metrics: Sequence[Metric] = ()) -> str:
    """The cycles of a run as a table; of a long run the first, the last and evenly spaced ones between. Where that
    is too wide headings are broken, and what still is goes on in others below it. metrics: those that are declared."""
    step = max(1, -(-(len(records) - 1) // (_MOST_ROWS - 1)))
    shown = [*records[:-1:step], records[-1]]
    headings = {metric.name: metric.heading for metric in metrics}
    rows = [_row(record, headings) for record in shown]
    columns = dict.fromkeys(name for row in rows for name in row)
    counts = {metric.heading for metric in metrics if metric.unit in ("classes", "images")}
    formats = {name: _format(name, [row.get(name) for row in rows], name in counts) for name in columns}
    if _width(whole := _table(rows, list(columns), formats)) <= _WIDEST:
        return whole
    first, *others = columns
    tables = [[first]]
    for name in others:
        if len(tables[-1]) > 1 and _width(_table(rows, [*tables[-1], name], formats, _NARROW)) > _WIDEST:
            tables.append([first])
        tables[-1].append(name)
    return "\n\n".join(_table(rows, names, formats, _NARROW) for names in tables)


def _table(
    rows: Sequence[Mapping[str, object]], names: Sequence[str], formats: Mapping[str, str], narrow: int = _WIDEST
) -> str:
    """Of some of the columns. narrow: characters from which on a heading is broken."""
    cells = [[row.get(name) for name in names] for row in rows]
    headings = ["\n".join(textwrap.wrap(name, narrow)) for name in names]
    return tabulate(cells, headings, floatfmt=[formats[name] for name in names], intfmt=",", missingval="-")


def _width(table: str) -> int:
    return max(map(len, table.splitlines()))


def _format(name: str, column: Sequence[object], counts: bool) -> str:
    """Of a column of floats: seconds, whole numbers of something, or any other. counts: whether it is declared so."""
    numbers = [value for value in column if isinstance(value, float)]
    if any(abs(value) >= _LARGE for value in numbers):  # as the loss of a model that has come apart
        return ".4g"
    whole = counts or (all(value.is_integer() for value in numbers) and max(numbers, default=0.0) > 1)
    return ".2f" if name.endswith(" s") else ",.0f" if whole else ".4f"


def outcome(records: Sequence[Record], metrics: Sequence[Metric] = ()) -> str:
    """A finished run: its cycles, or the tables of a procedure that has none. metrics: those that are declared."""
    last = records[-1]
    if not isinstance(last, Measurement):
        return cycle_table(cycles_of(records), metrics)
    return "\n\n".join(
        f"{table['about']}\n{tabulate(table['rows'], table['columns'], floatfmt='.4g', intfmt=',', missingval='-')}"
        for table in last.tables.values()
    )


def say_more(stored: Sequence[Record], shown: Sequence[Record]) -> str:
    """That a run went on behind what is shown of it; "" where it did not."""
    more = cycles_of(stored)[len(shown) :]
    cycles = amount(len(more), "more cycle")
    return f"; not shown: {cycles}, to {more[-1].annotations:,} annotations, of other stop rules" if more else ""


def _row(record: CycleRecord, headings: Mapping[str, str]) -> dict[str, object]:
    scalars = {
        name: float("nan") if value is None else value  # stored as null: JSON has no word for what is not finite
        for name, value in record.metrics.items()
        if not isinstance(value, list)
    }
    return {
        "cycle": record.index,
        "annotations": record.annotations,
        **{headings.get(name, name.replace("_", " ")): value for name, value in scalars.items()},
        "chosen entropy": record.chosen_entropy,
        "fit s": record.costs["fit"].seconds,
        "query s": record.costs["query"].seconds,
        **{f"{part} s": cost.seconds for part, cost in record.costs.items() if part not in _OF_EVERY_CYCLE},
    }
