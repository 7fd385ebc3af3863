"""A paper's own numbers beside ours: `conf/experiment/<paper>/<table>.csv`.

Columns: row (the method, as the report names it, or its choice of strategy or method), column (the number of
annotations; the name of a metric, which is then compared at the end; or chosen entropy, over all cycles), mean, std
(both in the unit of the report: percent for shares), n (seeds), source. A row whose mean is a sentence, or empty and
its source one, is a claim in words: it is listed, and nothing judges it.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from al_bench.compose import CONF
from al_bench.report.curves import Point, curve, entropies, headline, last_common, metric, point, scalar_metrics
from al_bench.report.grouping import Group, Section
from al_bench.report.measures import Measure, listed, measure
from al_bench.report.reading import Problem
from al_bench.report.tables import Table

_RUN_FOR = ("experiment", "recipe")  # the choices of a run that may bear the name of a table
_CHOSEN = ("method", "strategy")
_COLUMNS = ("row", "column", "mean", "std", "n", "source")


@dataclass(frozen=True)
class Number:
    """One published number; std and n are None where the paper gives none."""

    row: str
    column: str
    mean: float
    std: float | None
    n: int | None
    source: str


@dataclass(frozen=True)
class Claim:
    """What a paper says in words. rows, column: what of, as in its table; source: where it says so, or empty."""

    rows: Sequence[str]
    column: str
    sentence: str
    source: str

    @property
    def about(self) -> str:
        """What of, in words."""
        return ", ".join(word for word in (listed(self.rows) if self.rows else "", self.column) if word)


@dataclass(frozen=True)
class Published:
    """All numbers and claims of one table or figure; name: of the experiment."""

    name: str
    numbers: Sequence[Number]
    claims: Sequence[Claim] = ()


def published(problems: list[Problem], conf: Path = CONF) -> list[Published]:
    """Every published table; one that does not keep to the schema is added to `problems` and left out."""
    found = []
    folder = conf / "experiment"
    for path in sorted(folder.glob("**/*.csv")):
        try:
            name = path.relative_to(folder).with_suffix("").as_posix()
            rows = _rows(path)
            numbers = [_number(row) for row in rows if not _is_claim(row)]
            found.append(Published(name, numbers, _claims([row for row in rows if _is_claim(row)])))
        except (ValueError, KeyError, TypeError) as error:
            problems.append(Problem(path, f"is no table of published numbers: {error}"))
    return found


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != _COLUMNS:
            raise ValueError(f"its columns have to be {', '.join(_COLUMNS)}")
        rows = list(reader)
    if broken := [row for row in rows if None in row or None in row.values()]:
        raise ValueError(f"a row has not as many cells as columns: {list(broken[0].values())}")
    return rows


def _is_claim(row: dict[str, str]) -> bool:
    """A single word in place of a number is a mistake, not a sentence."""
    return " " in row["mean"].strip() or not row["mean"]


def _claims(rows: Sequence[dict[str, str]]) -> list[Claim]:
    """Each sentence once, with every row that it is said of."""
    said: dict[tuple[str, str, str], list[str]] = {}
    for row in rows:
        sentence, source = (row["mean"], row["source"]) if row["mean"] else (row["source"], "")
        said.setdefault((row["column"], sentence, source), []).append(row["row"])
    return [Claim([row for row in rows_of if row], *key) for key, rows_of in said.items()]


def _number(row: dict[str, str]) -> Number:
    count = int(row["n"]) if row["n"] else None
    return Number(row["row"], row["column"], float(row["mean"]), _float(row["std"]), count, row["source"])


def _float(text: str) -> float | None:
    return float(text) if text else None


def run_for(table: Published, section: Section) -> list[Group]:
    """The groups of a section that were run for an experiment or the recipe of its name."""
    return [group for group in section.groups if table.name in (group.first.choices.get(key) for key in _RUN_FOR)]


def compared(table: Published, groups: Sequence[Group]) -> Table | None:
    """Published beside measured; None where there is no number to compare."""
    rows = [_row(number, group) for number in table.numbers for group in _of_method(number, groups)]
    columns = (
        "method", "at", "published", "its std", "its n", "measured", "our std", "seeds",
        "difference", "in its stds", "source",
    )  # fmt: skip
    name = "published-" + table.name.replace("/", "-")
    return Table(name, f"Published numbers of {table.name}", columns, rows) if rows else None


def _of_method(number: Number, groups: Sequence[Group]) -> list[Group | None]:
    """By the name of the line, else by what was chosen for it."""
    named = [group for group in groups if group.method == number.row]
    chosen = [group for group in groups if number.row in (group.first.choices.get(key) for key in _CHOSEN)]
    return [*(named or chosen)] or [None]


def _row(number: Number, group: Group | None) -> list[str | int | float | None]:
    shown, found = _measured(number, group) if group else (measure(""), None)
    mean = shown.number(found.mean) if found else None
    difference = mean - number.mean if mean is not None else None
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
        number.source,
    ]


def _measured(number: Number, group: Group) -> tuple[Measure, Point | None]:
    """The headline metric at a number of annotations, a metric by its name at the end, the entropy over all cycles."""
    if number.column.replace(" ", "_") == "chosen_entropy":
        values = [fmean(known) for run in group.runs if (known := entropies(run.cycles))]
        return measure("entropy"), point(0, values) if values else None
    name = number.column if number.column in scalar_metrics(group.first) else headline(group.first)
    points = curve(group.runs, metric(name))
    if name == number.column:
        return measure(name), last_common(points)
    wanted = number.column.replace(",", "")
    return measure(name), next((known for known in points if str(known.annotations) == wanted), None)
