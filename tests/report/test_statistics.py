"""What the page says of a section's differences, on made runs of known numbers."""

from pathlib import Path

import pytest
from made_runs import made_run

from al_bench.analysis.grouping import Section, sections
from al_bench.analysis.reading import stored
from al_bench.report.statistics import Statistics, statistics

CURVES = {
    "entropy": [(0.50, 0.70, 0.80), (0.52, 0.72, 0.81), (0.51, 0.70, 0.83)],
    "random": [(0.50, 0.60, 0.70), (0.52, 0.61, 0.71), (0.51, 0.61, 0.72)],
    "worse": [(0.50, 0.51, 0.52), (0.52, 0.53, 0.54), (0.51, 0.52, 0.52)],
}


def section_of(outputs: Path) -> Section:
    (section,) = sections(stored(outputs, Path("none")).runs)
    return section


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Statistics:
    outputs = tmp_path_factory.mktemp("outputs")
    for strategy, seeds in CURVES.items():
        for seed, accuracies in enumerate(seeds):
            made_run(outputs, strategy, seed, accuracies)
    made_run(outputs, "entropy", 7, (0.1, 0.2, 0.3))
    found = statistics(section_of(outputs))
    assert found is not None
    return found


def test_lines_are_compared_with_random(made: Statistics) -> None:
    assert made.reference == "random"
    areas, tests, penalties = made.tables
    assert [table.name for table in made.tables] == ["areas", "tests", "penalties"]
    assert areas.rows[1][:4] == ["random", 3, "10 to 30", pytest.approx((51 / 2 + 60.667 + 71 / 2) / 2, abs=0.01)]
    entropy = tests.rows[0]
    assert (entropy[0], entropy[1], entropy[9], entropy[10]) == ("entropy", "annotations (area)", 3, "better")
    assert entropy[2] == pytest.approx((0.0 + 10.0 + 10.0 + 10.333) / 4, abs=0.01)
    worse = next(row for row in tests.rows if row[0] == "worse")
    assert worse[10] == "worse"
    assert penalties.rows[0] == ["entropy", 0.0, pytest.approx(2 / 3), pytest.approx(2 / 3)]


def test_a_goal_that_is_not_reached_says_so(made: Statistics) -> None:
    rows = {row[0]: row[5:] for row in made.tables[0].rows}
    assert rows["worse"] == ["not reached", "0 of 3"]
    assert rows["entropy"][1] == "3 of 4"


def test_what_has_to_be_known_is_said(made: Statistics) -> None:
    assert "assumes that the differences are normal" in made.said
    assert "with fewer than 6 pairs a signed-rank test cannot come below 5 %" in made.said
    assert "entropy (seeds 7)" in made.said


def test_one_seed_tests_nothing(tmp_path: Path) -> None:
    for strategy in ("random", "entropy"):
        made_run(tmp_path, strategy, 0, (0.5, 0.6))
    found = statistics(section_of(tmp_path))
    assert found is not None
    assert [table.name for table in found.tables] == ["areas", "tests"]
    assert {row[10] for row in found.tables[1].rows} == {"one seed tests nothing"}


def test_one_line_has_nothing_to_be_compared_with(tmp_path: Path) -> None:
    made_run(tmp_path, "random", 0)
    assert statistics(section_of(tmp_path)) is None
