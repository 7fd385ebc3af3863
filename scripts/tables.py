"""`make tables`: every table and figure of the four papers beside what is measured, and each claim judged."""

import argparse
import logging
import re
from dataclasses import replace
from pathlib import Path

from tabulate import tabulate

from al_bench.analysis.contents import choose_items, read_contents
from al_bench.analysis.coverage import Covered, cover, say_uncounted
from al_bench.analysis.provenance import say_mixed
from al_bench.analysis.published import read_published
from al_bench.analysis.questions import answer_questions, read_questions
from al_bench.analysis.reading import Problem, stored
from al_bench.config.composing import keeping_files
from al_bench.errors import UserError, printable
from al_bench.files import Console
from al_bench.report.coverage import (
    summarize_coverage,
    tabulate_answers,
    tabulate_claims,
    tabulate_items,
    tabulate_numbers,
)
from al_bench.report.judges import say_judges_of
from al_bench.report.measures import factor_of
from al_bench.report.tables import Table, format_cell
from al_bench.training.interruption import as_command

_SHOWN = ("experiment", "line", "at", "published", "measured", "our std", "seeds", "difference", "state", "scale")
_ANSWERED = (
    *("question", "experiment", "scale", "answer", "by", "metric", "difference", "95% low", "high", "p after Holm"),
    *("d", "seeds", "unpaired", "annotations"),
)
_JUDGED = ("line", "claim", "rule", "verdict", "by")
_ITEMS = ("paper", "item", "state", "numbers", "measured", "claims", "hold", "do not hold", "on other data")
_LONGEST = 60  # characters of a cell on a terminal


def main() -> None:
    """Writes the tables as CSV, Markdown and LaTeX, and shows the items, or all of one that is named."""
    arguments = parse()
    logging.basicConfig(level=logging.WARNING, format="%(message)s", handlers=[Console()])
    items = choose_items(read_contents(), arguments.paper, arguments.item)
    problems: list[Problem] = []
    published = {table.name: table for table in read_published(problems)}
    found = stored(arguments.outputs, arguments.cells)
    names = dict.fromkeys(name for item in items for name in item.experiments)
    if lost := [name for name in names if name not in published]:
        raise UserError("; ".join(f"{one.place} {one.sentence}" for one in problems) or f"{lost[0]} has no CSV")
    data = arguments.data or [Path("data")]
    covered = {name: cover(published[name], found.runs, factor_of, data) for name in names}
    answers = answer_questions(read_questions(), found.runs, factor_of, data) if arguments.paper is None else []
    tables = [
        tabulate_answers(answers),
        tabulate_items(items, covered),
        tabulate_numbers(list(covered.values())),
        tabulate_claims(list(covered.values())),
    ]
    to = arguments.to or place_for(arguments.paper, arguments.item)
    for table in tables:
        replace(table, most_read=len(table.rows)).write(to)
    show(tables, arguments.item is not None)
    print(summarize_coverage(list(covered.values())))
    for place, what in ((arguments.outputs, "runs of one's own"), (arguments.cells, "exported runs")):
        if not place.is_dir():
            print(f"{place} is no folder: there are no {what}")
    left = left_out([*problems, *found.problems], list(covered.values()))
    for sentence in [*left, *say_uncounted(found.runs), *say_mixed(found.runs), *say_judges_of(found.runs)]:
        print(sentence)
    print(to)


def place_for(paper: str | None, item: str | None) -> Path:
    """Where files go: those of a paper or an item not over those of all."""
    return Path("outputs", "tables", *(re.sub(r"\W+", "_", name).strip("_") for name in (paper, item) if name))


def show(tables: list[Table], whole: bool) -> None:
    """The items; of one that is named, its numbers and claims too."""
    answers, items, numbers, claims = tables
    if answers.rows:
        print(f"{answers.about}\n\n{_for_terminal(answers, _ANSWERED)}\n")
    print(_for_terminal(items, _ITEMS))
    if whole:
        print(f"\n{_for_terminal(numbers, _SHOWN)}\n\n{_for_terminal(claims, _JUDGED)}")
    print()


def left_out(problems: list[Problem], covered: list[Covered]) -> list[str]:
    """What counts for nothing, and why."""
    others = [
        f"{one.name}: {one.others} runs of another configuration count for nothing" for one in covered if one.others
    ]
    return [*(f"left out: {printable(one.place)}: {one.sentence}" for one in problems), *others]


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--paper", help="ASAL, WAAL, MAL or ALCG alone")
    parser.add_argument("--item", help='one of its tables or figures, such as "Tab. 4": its numbers and claims too')
    parser.add_argument("--outputs", type=Path, default=Path("outputs"), help="where runs are (outputs)")
    parser.add_argument("--cells", type=Path, default=Path("results/cells"), help="exported runs (results/cells)")
    data = "data sets, as paths.data was: what is not there is said (data); again for another folder"
    parser.add_argument("--data", type=Path, action="append", metavar="DIR", help=data)
    where = "where the files go (outputs/tables, and PAPER/ITEM below it for those)"
    parser.add_argument("--to", type=Path, help=where)
    return parser.parse_args()


def _for_terminal(table: Table, columns: tuple[str, ...]) -> str:
    places = [list(table.columns).index(column) for column in columns]
    rows = [[_short(format_cell(row[place])) for place in places] for row in table.rows]
    text: str = tabulate(rows, headers=columns, disable_numparse=True)
    return text


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


if __name__ == "__main__":
    with as_command(), keeping_files():
        main()
