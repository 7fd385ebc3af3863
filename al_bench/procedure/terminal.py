"""What a person reads of a run in the terminal."""

from collections.abc import Sequence

from tabulate import tabulate

from al_bench.storage.store import Record

_MOST_ROWS = 25


def headline(record: Record) -> tuple[str, float]:
    """The evaluator's first metric and its value."""
    metrics: dict[str, float] = record["metrics"]
    return next(iter(metrics.items()))


def cycle_line(record: Record) -> str:
    """One cycle in one line: annotations, how good the model is, how uncertain what was chosen was, seconds."""
    name, value = headline(record)
    entropy = record["chosen_entropy"]
    chosen = "initial labels      " if entropy is None else f"chosen entropy {entropy:.3f}"
    seconds = {part: record["effort"][part]["seconds"] for part in ("fit", "query")}
    return (
        f"cycle {record['index']:3d}  {record['annotations']:7,} annotations  {name} {value:.4f}  {chosen}  "
        f"fit {seconds['fit']:.2f} s  query {seconds['query']:.2f} s"
    )


def cycle_table(records: Sequence[Record]) -> str:
    """The cycles of a run as a table; of a long run the first, the last and evenly spaced ones between."""
    step = max(1, -(-(len(records) - 1) // (_MOST_ROWS - 1)))
    shown = [*records[:-1:step], records[-1]]
    rows = [_row(record) for record in shown]
    formats = [".2f" if name.endswith(" s") else ".4f" for name in rows[0]]
    return tabulate(rows, headers="keys", floatfmt=formats, intfmt=",", missingval="-")


def outcome(records: Sequence[Record]) -> str:
    """A finished run: its cycles, or the tables of a procedure that has none (`record.result`)."""
    tables = records[-1].get("tables")
    if tables is None:
        return cycle_table(records)
    return "\n\n".join(
        f"{table['about']}\n{tabulate(table['rows'], table['columns'], floatfmt='.4g', intfmt=',', missingval='-')}"
        for table in tables.values()
    )


def _row(record: Record) -> dict[str, object]:
    scalars = {name: value for name, value in record["metrics"].items() if not isinstance(value, list)}
    return {
        "cycle": record["index"],
        "annotations": record["annotations"],
        **{name.replace("_", " "): value for name, value in scalars.items()},
        "chosen entropy": record["chosen_entropy"],
        "fit s": record["effort"]["fit"]["seconds"],
        "query s": record["effort"]["query"]["seconds"],
    }
