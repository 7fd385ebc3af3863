"""The numbers that rules compare, by hand."""

from pathlib import Path
from typing import Any

import pytest
from made_runs import made_run

from al_bench.analysis.contrast import groups_by_line
from al_bench.analysis.curves import class_shares
from al_bench.analysis.grouping import Group, sections
from al_bench.analysis.reading import stored
from al_bench.analysis.rule_values import paired_values
from al_bench.analysis.rules import read_rule


@pytest.fixture(scope="module")
def lines(tmp_path_factory) -> dict[str, Group]:
    outputs = tmp_path_factory.mktemp("outputs")
    made_run(outputs, "entropy", 0, (0.50, 0.71, 0.80))
    made_run(outputs, "random", 0, (0.40, 0.60, 0.70))
    (section,) = sections(stored(outputs, Path("none")).runs)
    return dict(groups_by_line(section.groups))


def values(lines: dict[str, Group], rule: str) -> list[tuple[float, float]]:
    (clause,) = read_rule(rule).clauses
    found = []
    for operand in clause.operands:
        other = lines[operand.line] if operand.line else None
        pairs = paired_values(clause, operand, lines["entropy"], other)
        found += [(pair.first[0], pair.second[0]) for pair in pairs]
    return found


@pytest.mark.parametrize(
    ("rule", "pairs"),
    [
        ("accuracy better than random at the start", [(50.0, 40.0)]),
        ("accuracy better than random at the end", [(80.0, 70.0)]),
        ("accuracy better than random at 20", [(71.0, 60.0)]),
        ("accuracy better than random", [((25 + 71 + 40) / 2, (20 + 60 + 35) / 2)]),
        ("accuracy better than random up to 20", [(60.5, 50.0)]),
        ("accuracy better than random from 20", [(75.5, 65.0)]),
        ("accuracy better than random at every size", [(50.0, 40.0), (71.0, 60.0), (80.0, 70.0)]),
        ("accuracy more than 1.5 x random | 42 at 20", [(71.0, 90.0), (71.0, 42.0)]),
        ("accuracy more than 2 x metric:accuracy at 20", [(71.0, 142.0)]),
        ("labels(65) less than 2 x random", [(10 + 10 * 15 / 21, 2 * 25.0)]),
        ("labels(65) less than 30", [(10 + 10 * 15 / 21, 30.0)]),
        ("labels(end) less than 2 x random", [(10 + 10 * 20 / 21, 2 * 30.0)]),  # which ends with 70
        ("labels(75) less than random", [(20 + 10 * 4 / 9, 30.0)]),  # random ends at 30 and has not got there
    ],
)
def test_values(lines, rule: str, pairs: list[tuple[float, float]]) -> None:
    assert values(lines, rule) == [pytest.approx(pair) for pair in pairs]


def test_shares_are_percent_of_the_labels(lines) -> None:
    share = class_shares(lines["entropy"].first.cycles[-1])[0]
    assert 0 < share < 1
    assert values(lines, "share(0) more than 50 at the end") == [pytest.approx((100 * share, 50.0))]
    assert values(lines, "share(99) more than 50") == []


def looked_into(gan_test: list[float | None], seconds: float) -> dict[str, Any]:
    observed = {"iteration": [10.0, 20.0, 30.0], "seconds": [seconds, 2 * seconds, 3 * seconds], "accuracy": gan_test}
    return {"observed": observed}


@pytest.mark.parametrize(
    ("rule", "pairs"),
    [
        ("iterations(end) less than random", [(15.0, 30.0)]),  # random ends with 70
        ("seconds(end) less than random", [(30.0, 30.0)]),
        ("iterations(75) less than 2 x random", [(17.5, 60.0)]),  # which does not get there
        ("seconds(75) less than 40", [(35.0, 40.0)]),
        ("iterations(90) less than random", []),  # neither does
    ],
)
def test_a_training_that_was_looked_into_is_judged_by_its_way(tmp_path: Path, rule: str, pairs: list[Any]) -> None:
    made_run(tmp_path, "entropy", 0, (0.5, 0.8), more=looked_into([0.6, 0.8, None], 20.0))
    made_run(tmp_path, "random", 0, (0.5, 0.7), more=looked_into([0.5, 0.6, 0.7], 10.0))
    made_run(tmp_path, "random", 1, (0.5, 0.7), more=looked_into([0.5, 0.6, 0.7], 10.0))
    made_run(tmp_path, "plain", 0, (0.5, 0.7))
    (section,) = sections(stored(tmp_path, Path("none")).runs)
    known = dict(groups_by_line(section.groups))
    assert values(known, rule) == [pytest.approx(pair) for pair in pairs]
    (clause,) = read_rule("iterations(end) less than plain").clauses
    assert not list(paired_values(clause, clause.operands[0], known["entropy"], known["plain"])), "nobody looked there"
