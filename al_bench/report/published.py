"""A paper's own numbers beside ours: `conf/experiment/<paper>/<table>.csv`.

Columns: row (the method, as the report names it), column (the number of annotations, or the name of a metric, which is
then compared at the end), mean, std (both in the unit of the report: percent for shares), n (seeds), source. A row
without a mean is a claim in words: its `source` is shown, nothing is compared.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from al_bench.compose import CONF
from al_bench.report.curves import Point, curve, headline, last_common, metric, scalar_metrics
from al_bench.report.grouping import Group, Section
from al_bench.report.measures import Measure, measure
from al_bench.report.reading import Problem
from al_bench.report.tables import Table

_RUN_FOR = ("experiment", "recipe")  # the choices of a run that may bear the name of a table
_COLUMNS = ("row", "column", "mean", "std", "n", "source")


@dataclass(frozen=True)
class Number:
    """One published number; mean and std are None where the paper gives none."""

    row: str
    column: str
    mean: float | None
    std: float | None
    n: int | None
    source: str


@dataclass(frozen=True)
class Published:
    """All numbers of one table or figure; name: of the experiment."""

    name: str
    numbers: Sequence[Number]


def published(problems: list[Problem], conf: Path = CONF) -> list[Published]:
    """Every published table; one that does not keep to the schema is added to `problems` and left out."""
    found = []
    folder = conf / "experiment"
    for path in sorted(folder.glob("**/*.csv")):
        try:
            found.append(Published(path.relative_to(folder).with_suffix("").as_posix(), _numbers(path)))
        except (ValueError, KeyError, TypeError) as error:
            problems.append(Problem(path, f"is no table of published numbers: {error}"))
    return found


def _numbers(path: Path) -> list[Number]:
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != _COLUMNS:
            raise ValueError(f"its columns have to be {', '.join(_COLUMNS)}")
        return [
            Number(
                row["row"], row["column"], _float(row["mean"]), _float(row["std"]), int(row["n"]) if row["n"] else None,
                row["source"],
            )
            for row in reader
        ]  # fmt: skip


def _float(text: str) -> float | None:
    return float(text) if text else None


def compared(table: Published, section: Section) -> Table | None:
    """Published beside measured; None where no group of the section was run for this experiment or its recipe."""
    groups = [group for group in section.groups if table.name in (group.first.choices.get(k) for k in _RUN_FOR)]
    if not groups:
        return None
    rows = [_row(number, group) for number in table.numbers for group in _of_method(number, groups)]
    columns = (
        "method", "at", "published", "its std", "its n", "measured", "our std", "seeds",
        "difference", "in its stds", "source",
    )  # fmt: skip
    return Table("published-" + table.name.replace("/", "-"), f"Published numbers of {table.name}", columns, rows)


def _of_method(number: Number, groups: Sequence[Group]) -> list[Group | None]:
    return [group for group in groups if group.method == number.row] or [None]


def _row(number: Number, group: Group | None) -> list[str | int | float | None]:
    shown, found = _measured(number, group) if group else (measure(""), None)
    mean = shown.number(found.mean) if found else None
    difference = mean - number.mean if mean is not None and number.mean is not None else None
    return [
        group.name if group else f"{number.row} (not measured)",
        number.column,
        number.mean,
        number.std,
        number.n,
        mean,
        shown.number(found.deviation) if found else None,
        found.seeds if found else None,
        difference,
        difference / number.std if difference is not None and number.std else None,
        number.source if number.mean is not None else f"figure only: {number.source}",
    ]


def _measured(number: Number, group: Group) -> tuple[Measure, Point | None]:
    """The headline metric at a number of annotations, or a metric by its name at the end."""
    name = number.column if number.column in scalar_metrics(group.first) else headline(group.first)
    points = curve(group.runs, metric(name))
    if name == number.column:
        return measure(name), last_common(points)
    wanted = number.column.replace(",", "")
    return measure(name), next((point for point in points if str(point.annotations) == wanted), None)
