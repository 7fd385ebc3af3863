"""A paper's own numbers beside ours: `conf/experiment/<paper>/<table>.csv`.

Columns: row (the method, as the report names it, or its choice of strategy or method; empty: all of the table), column
(the number of annotations; the name of a metric, which is then compared at the end; or chosen entropy, over all
cycles), mean, std (both in the unit of the report: percent for shares), n (seeds), source (section, table or figure). A
table with cells that cannot be what the paper measured has one column more, doubt: of each of these why, in words; they
are shown and compared with nothing. A row whose mean is a sentence, or empty and its source one ("Sec. 5.1: ..."), is a
claim in words, whose column may be any subject. The column rule says by what it is judged (`analysis.rules`).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path

from al_bench.analysis.conf_table import read_rows
from al_bench.analysis.reading import Problem
from al_bench.analysis.rules import Rule, read_rule
from al_bench.config.groups import CONF

_COLUMNS = ("row", "column", "mean", "std", "n", "source")
_MORE = ("doubt", "rule")  # columns that a table may have beside these
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?", re.IGNORECASE)
_COUNT = re.compile(r"[0-9]+|[0-9]{1,3}(,[0-9]{3})+")
_PLACE_WORDS = 2  # of a source that says where, as "Tab. 4", and nothing
_LIKE_COUNT = re.compile(r"[\d_.,\s]+")


@dataclass(frozen=True)
class Number:
    """One published number; std and n are None where the paper gives none. doubt: why it is compared with nothing, ""
    where it is not doubted."""

    row: str
    column: str
    mean: float
    std: float | None
    n: int | None
    source: str
    doubt: str = ""


@dataclass(frozen=True)
class Claim:
    """What a paper says in words. rows, column: what of, as in its table; source: where it says so, or empty; rules: by
    what each row is judged, None for a row without one, empty where no row has one."""

    rows: Sequence[str]
    column: str
    sentence: str
    source: str
    rules: Sequence[Rule | None] = field(default_factory=list)


@dataclass(frozen=True)
class Published:
    """All numbers and claims of one table or figure; name: of the experiment."""

    name: str
    numbers: Sequence[Number]
    claims: Sequence[Claim] = ()


def read_published(problems: list[Problem], conf: Path = CONF) -> list[Published]:
    """Every published table; one that does not keep to the schema is added to `problems` and left out."""
    found = []
    folder = conf / "experiment"
    for path in sorted(folder.glob("*/**/*.csv")):  # those beside the folders are no tables of numbers
        try:
            name = path.relative_to(folder).with_suffix("").as_posix()
            rows = read_rows(path, _COLUMNS, _MORE)
            numbers = [_number(row, place) for place, row in enumerate(rows, 2) if not _is_claim(row)]
            found.append(Published(name, numbers, _claims([row for row in rows if _is_claim(row)])))
        except (ValueError, KeyError, TypeError) as error:
            problems.append(Problem(path, f"is no table of published numbers: {error}"))
    return found


def _is_claim(row: dict[str, str]) -> bool:
    """A single word in place of a number, "98.5 %", a deviation of no mean, and no mean beside a source without a
    sentence are mistakes and no claims."""
    mean = row["mean"].strip()
    is_sentence = " " in mean and any(letter.isalpha() for letter in mean)
    return (is_sentence or (not mean and len(row["source"].split()) > _PLACE_WORDS)) and not row["std"] and not row["n"]


def _claims(rows: Sequence[dict[str, str]]) -> list[Claim]:
    """Each sentence once, with every row that it is said of."""
    said: dict[tuple[str, str, str], list[tuple[str, Rule | None]]] = {}
    for row in rows:
        sentence, source = (row["mean"], row["source"]) if row["mean"] else (row["source"], "")
        rule = read_rule(row["rule"]) if row.get("rule") else None
        said.setdefault((row["column"], sentence, source), []).append((row["row"], rule))
    return [Claim([row for row, _ in ruled if row], *key, _rules(ruled)) for key, ruled in said.items()]


def _rules(ruled: Sequence[tuple[str, Rule | None]]) -> list[Rule | None]:
    rules = [rule for _, rule in ruled]
    return rules if any(rules) else []


def _number(row: dict[str, str], place: int) -> Number:
    """place: of the row, the head is the first. Raises ValueError for what is no number, or none that can be."""
    mean, std, count = (_float(row[key], f"row {place}, {key}") for key in ("mean", "std", "n"))
    if mean is None:
        raise ValueError(f'row {place} has no mean, nor a sentence, such as "Sec. 5.1: ..." is in source')
    if _LIKE_COUNT.fullmatch(row["column"]) and not _COUNT.fullmatch(row["column"]):
        raise ValueError(f"row {place}, column: {row['column']!r} is no number of annotations, write one such as 2000")
    if std is not None and std < 0:
        raise ValueError(f"row {place}, std: {row['std']} is a deviation below 0")
    if count is not None and (count < 1 or not count.is_integer()):
        raise ValueError(f"row {place}, n: {row['n']} is no number of seeds")
    seeds = None if count is None else int(count)
    return Number(row["row"], row["column"], mean, std, seeds, row["source"], row.get("doubt", ""))


def _float(text: str, place: str) -> float | None:
    """None of an empty cell. place: said of what is no number."""
    if not text:
        return None
    if not _NUMBER.fullmatch(text) or not isfinite(found := float(text)):
        raise ValueError(f"{place}: {text!r} is no number, write one such as 98.5")
    return found
