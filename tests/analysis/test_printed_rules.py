"""Rules that compare lines which the same table prints hold on the printed means, or are known not to and say why."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from made_runs import ACCURACY, made_record

from al_bench.active.stopping import Stopping
from al_bench.analysis.claims import HOLDS, judge
from al_bench.analysis.grouping import Group
from al_bench.analysis.published import Published, read_published
from al_bench.analysis.reading import Run
from al_bench.analysis.rules import Clause, Rule

TABLES = {table.name: table for table in read_published([]) if any(one.column.isdigit() for one in table.numbers)}

KNOWN = {  # sentences that their own table contradicts: what the row says of it, and of which lines
    "mal/ablation_bdd100k": {"by a large margin early": ("Tab. 8: not so", ["mal/ssl_unc"])},
    "mal/inaturalist2018": {
        "the majority of the algorithms in the literature fail": (
            "at 40% they are 0.4 to 4.8 points above Random",
            ["mal/coreset", "mal/vaal", "mal/entropy", "mal/bald"],
        )
    },
}


def printed(table: Published, measure: str) -> dict[str, Group]:
    """A line for each row of a table, whose one run has measured what the columns print."""
    curves: dict[str, dict[int, float]] = {}
    for number in table.numbers:
        if number.column.isdigit() and not number.doubt:
            curves.setdefault(number.row, {})[int(number.column)] = number.mean / 100
    about = {"identity": {"seed": 0}, "choices": {}, "metrics": [{**ACCURACY, "name": measure}]}
    found = {}
    for line, curve in curves.items():
        records = [made_record(annotations=at, metrics={measure: curve[at]}) for at in sorted(curve)]
        found[line] = Group("printed", line, [Run(Path(line), about, records, Stopping(max(curve)))])
    return found


def compared(table: Published) -> Iterator[tuple[str, str, Clause, Mapping[str, Group]]]:
    """Sentence, line and comparison of each rule all of whose lines the table prints at a size in common, and these."""
    groups = {measure: printed(table, measure) for measure in ("accuracy", "mean_iou")}
    for claim in table.claims:
        for row, rule in zip(claim.rows, claim.rules, strict=False):
            for clause in rule.clauses if rule else ():
                lines = groups.get(clause.measure, {})
                named = {row, *(operand.line for operand in clause.operands if operand.line)}
                if named <= lines.keys() and set.intersection(*(sizes(lines[line]) for line in named)):
                    yield claim.sentence, row, clause, lines


def sizes(line: Group) -> set[int]:
    return {record.annotations for record in line.first.cycles}


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES.keys())
def test_a_comparison_of_printed_lines_holds_as_they_are_printed(table: Published) -> None:
    """A width that the paper's own means do not keep to would refute its sentence by the numbers that it is made of."""
    failed = {
        (row, words) for sentence, row, clause, lines in compared(table)
        if judge(Rule([replace(clause, exact=True)]), row, lines).word != HOLDS
        for words in [next((known for known in KNOWN.get(table.name, {}) if known in sentence), sentence)]
    }  # fmt: skip
    known = {(row, words) for words, (_, rows) in KNOWN.get(table.name, {}).items() for row in rows}
    assert failed == known


@pytest.mark.parametrize("name", KNOWN)
def test_what_a_paper_says_against_its_own_table_is_said_in_the_row(name: str) -> None:
    for words, (evidence, _) in KNOWN[name].items():
        assert any(words in claim.sentence and evidence in claim.sentence for claim in TABLES[name].claims)


def test_most_tables_have_such_comparisons() -> None:
    assert sum(any(True for _ in compared(table)) for table in TABLES.values()) >= 12
