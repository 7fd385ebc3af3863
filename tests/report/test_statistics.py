"""What the page says of a section's differences, on made runs of known numbers."""

from pathlib import Path
from typing import Any

import pytest
from made_runs import ABOUT, EMPTY, made_run

from al_bench.analysis.grouping import Section, sections
from al_bench.analysis.reading import stored
from al_bench.report.statistics import Statistics, statistics
from al_bench.report.tables import Table

CURVES = {
    "entropy": [(0.50, 0.70, 0.80), (0.52, 0.72, 0.81), (0.51, 0.70, 0.83)],
    "random": [(0.50, 0.60, 0.70), (0.52, 0.61, 0.71), (0.51, 0.61, 0.72)],
    "worse": [(0.50, 0.51, 0.52), (0.52, 0.53, 0.54), (0.51, 0.52, 0.52)],
}


def section_of(outputs: Path) -> Section:
    (section,) = sections(stored(outputs, Path("none")).runs)
    return section


def rows_of(table: Table) -> list[dict[str, Any]]:
    return [dict(zip(table.columns, row, strict=True)) for row in table.rows]


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
    entropy, *_ = rows_of(tests)
    asked = ("line", "at equal", "seeds", "verdict")
    assert [entropy[column] for column in asked] == ["entropy", "annotations (area)", 3, "better"]
    assert float(entropy["bootstrap low"]) < float(entropy["difference, points"]) < float(entropy["high of it"])
    assert entropy["difference, points"] == pytest.approx((0.0 + 10.0 + 10.0 + 10.333) / 4, abs=0.01)
    worse = next(row for row in rows_of(tests) if row["line"] == "worse")
    assert worse["verdict"] == "worse"
    assert penalties.rows[0] == ["entropy", 0.0, pytest.approx(2 / 3), pytest.approx(2 / 3)]
    assert "not corrected" in penalties.about
    assert "a critic's among them" in made.said, "a line of as many steps of its classifier is no line of equal steps"


def test_areas_stand_over_one_width_and_the_best_is_told(tmp_path: Path) -> None:
    """A line that ends before half of the others is left out, and one of two thirds cuts them all."""
    ends = {"random": (0.5, 0.6, 0.7, 0.7), "entropy": (0.5, 0.8, 0.9), "margin": (0.5, 0.99)}
    for strategy, accuracies in ends.items():
        for seed in range(3):
            made_run(tmp_path, strategy, seed, [value + seed / 100 for value in accuracies])
    found = statistics(section_of(tmp_path))
    assert found is not None
    areas = found.tables[0]
    assert "over 10 to 30 annotations, which all lines have but margin, less than half of it" in areas.about
    rows = {row[0]: row[3] for row in areas.rows}
    assert rows == {"entropy": pytest.approx(76.0), "margin": None, "random": pytest.approx(61.0)}
    assert areas.best == frozenset(), "the difference has no spread, so that no test tells it"


def test_each_area_says_over_what_it_is(tmp_path: Path) -> None:
    """Of lines that come differently far, in tests that stand below each other."""
    for strategy, length in {"random": 6, "entropy": 6, "margin": 3}.items():
        for seed in range(3):
            made_run(tmp_path, strategy, seed, [0.5 + place / 10 + seed / 100 for place in range(length)])
    found = statistics(section_of(tmp_path))
    assert found is not None
    rows = rows_of(found.tables[1])
    over = {row["line"]: row["over"] for row in rows if row["at equal"] == "annotations (area)"}
    assert over == {"entropy": "10 to 60", "margin": "10 to 30"}
    assert {row["over"] for row in rows if row["at equal"] != "annotations (area)"} == {None}


def test_a_goal_that_the_first_labels_reach_is_at_these_or_fewer(tmp_path: Path) -> None:
    for strategy, accuracies in {"random": (0.5, 0.6, 0.7), "entropy": (0.8, 0.85, 0.9)}.items():
        for seed in range(3):
            made_run(tmp_path, strategy, seed, [value + seed / 100 for value in accuracies])
    found = statistics(section_of(tmp_path))
    assert found is not None
    rows = rows_of(found.tables[0])
    assert [row["labels to the goal"] for row in rows] == ["10 or fewer", 30]
    assert "labels to it are the median over seeds" in found.tables[0].about


def test_another_configuration_of_a_line_is_said_to_be_left_out(tmp_path: Path) -> None:
    for strategy in ("entropy", "random"):
        made_run(tmp_path, strategy, 0)
    made_run(tmp_path, "random", 0, learner={"epochs": 9})
    made_run(tmp_path, "margin", 0)
    found = statistics(section_of(tmp_path))
    assert found is not None
    assert "other configurations of a line are not among them: random (2)" in found.said


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
    assert {row["verdict"] for row in rows_of(found.tables[1])} == {"one seed tests nothing"}


def test_seeds_that_begin_with_other_labels_are_no_pair(tmp_path: Path) -> None:
    for seed in (0, 1, 2):
        for strategy, whole in {"random": (0.5, 0.6, 0.7), "entropy": (0.5, 0.7 + seed / 100, 0.8)}.items():
            accuracies = whole[: 2 if seed == 2 else 3]  # over which no area of the others is
            begun = {"query": {**EMPTY, "indices": [seed, 5]}}
            if (seed, strategy) == (2, "entropy"):
                begun = {"query": {**EMPTY, "indices": [7, 8]}}
            made_run(tmp_path, strategy, seed, accuracies, more=begun)
    found = statistics(section_of(tmp_path))
    assert found is not None
    assert {row["seeds"] for row in rows_of(found.tables[1])} == {2}
    assert rows_of(found.tables[1])[0]["over"] == "10 to 30"
    assert "entropy (seeds 2)" in found.said


def test_lines_that_ran_elsewhere_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for strategy, processor in {"random": "A", "entropy": "A", "margin": "B", "coreset": "B"}.items():
        monkeypatch.setitem(ABOUT, "hardware", {"gpus": [], "processor": processor, "cores": 2})
        made_run(tmp_path, strategy, 0)
    found = statistics(section_of(tmp_path))
    assert found is not None
    assert "coreset and margin are not known to have run on the hardware of random" in found.said
    assert "entropy" not in found.said


def test_lines_of_which_runs_go_on_are_named(tmp_path: Path) -> None:
    """Of the seeds that are compared, the reference among them."""
    for strategy in ("random", "entropy", "margin"):
        for seed in (0, 1):
            made_run(tmp_path, strategy, seed, (0.5, 0.7 + seed / 100), finished=(strategy, seed) != ("margin", 1))
    made_run(tmp_path, "entropy", 5, finished=False)
    found = statistics(section_of(tmp_path))
    assert found is not None
    assert "runs go on of margin (seed 1): what they are compared by is so far" in found.said
    made_run(tmp_path, "random", 0, (0.5, 0.7), finished=False)
    found = statistics(section_of(tmp_path))
    assert found is not None
    assert "runs go on of margin (seed 1), random (seed 0): what" in found.said


def test_one_line_has_nothing_to_be_compared_with(tmp_path: Path) -> None:
    made_run(tmp_path, "random", 0)
    assert statistics(section_of(tmp_path)) is None


def test_a_line_counts_whichever_of_its_seeds_is_the_first_to_be_begun(tmp_path: Path) -> None:
    """Its lowest seed has one cycle so far; another line's numbers were never finite, and it is named."""
    made_run(tmp_path, "entropy", 0, (0.5,), finished=False)
    for seed in (1, 2):
        made_run(tmp_path, "entropy", seed, (0.5, 0.7, 0.8))
    for seed in (0, 1, 2):
        made_run(tmp_path, "random", seed, (0.5, 0.6, 0.7 + seed / 100))
    made_run(tmp_path, "margin", 0, (0.5, 0.6, 0.7), more={"metrics": {"accuracy": None}})
    found = statistics(section_of(tmp_path))
    assert found is not None
    tests = [row for row in rows_of(found.tables[1]) if row["at equal"] == "annotations (area)"]
    assert [(row["line"], row["seeds"]) for row in tests] == [("entropy", 2)]
    assert "(seeds 0)" in found.said and "nor is what has no two values along annotations: margin" in found.said
    assert "minus random (untuned)" in found.tables[1].about
