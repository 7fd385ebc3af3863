"""Published numbers beside measured ones."""

from dataclasses import replace

import pytest
from made_runs import ABOUT, made_run

from al_bench.analysis.comparison import is_column
from al_bench.analysis.grouping import sections
from al_bench.analysis.published import Number, Published
from al_bench.analysis.reading import stored
from al_bench.analysis.table_lines import groups_run_for
from al_bench.report.comparison import compare
from al_bench.report.figures.charts import Charts
from al_bench.report.figures.palette import looks


def known(*numbers):
    """A table of (row, column, mean, std, n)."""
    return Published("paper/made", [Number(*number, "Tab. 1") for number in numbers])


def groups(tmp_path, accuracies=((0.5, 0.80), (0.5, 0.90)), strategy="entropy", **more):
    for seed, line in enumerate(accuracies):
        made_run(tmp_path / "outputs", strategy, seed, line, **more)
    (found,) = sections(stored(tmp_path / "outputs", tmp_path / "cells").runs)
    return found.groups


def rows_of(table):
    return [dict(zip(table.columns, row, strict=True)) for row in table.rows]


def test_the_difference_is_in_deviations_of_both_pooled_by_their_seeds(tmp_path):
    table = known(("entropy", "20", 83.0, 2.0, 5), ("entropy", "99", 90.0, 1.0, 5))
    first, second = rows_of(compare(table, groups(tmp_path)).table)
    assert (first["method"], first["published"], first["its n"], first["seeds"]) == ("entropy", 83, 5, 2)
    assert first["measured"] == pytest.approx(85)
    assert first["our std"] == pytest.approx(5 * 2**0.5)
    assert first["difference"] == pytest.approx(2)
    assert first["in deviations"] == pytest.approx(2 / ((4 * 2**2 + 1 * 50) / 5) ** 0.5)
    assert (second["method"], second["measured"], second["in deviations"]) == ("entropy (not measured)", None, None)


@pytest.mark.parametrize(
    ("std", "count", "accuracies", "deviations"),
    [
        (2.0, 5, ((0.5, 0.80),), -1.5),  # one seed has no deviation
        (2.0, None, ((0.5, 0.80), (0.5, 0.90)), 1.0),  # the paper does not say of how many
        (None, 5, ((0.5, 0.80), (0.5, 0.90)), None),
        (0.0, 5, ((0.5, 0.80),), None),
    ],
)
def test_the_papers_deviation_alone_where_ours_is_unknown(tmp_path, std, count, accuracies, deviations):
    found = compare(known(("entropy", "20", 83.0, std, count)), groups(tmp_path, accuracies))
    assert rows_of(found.table)[0]["in deviations"] == (deviations and pytest.approx(deviations))


def test_a_metric_by_its_name_is_that_of_the_end(tmp_path):
    (row,) = rows_of(compare(known(("entropy", "accuracy", 84.0, None, None)), groups(tmp_path)).table)
    assert (row["measured"], row["difference"]) == (pytest.approx(85), pytest.approx(1))


def test_a_metric_is_compared_in_the_unit_that_it_declares(tmp_path, monkeypatch):
    """A fraction whose name does not say so, and a distance, which papers print as it is."""
    units = {"gan_test": "fraction", "fid": "distance", "num_samples": "images"}
    declared = [{"name": name, "unit": unit, "higher_is_better": True} for name, unit in units.items()]
    monkeypatch.setitem(ABOUT, "metrics", declared)
    found = groups(tmp_path, more={"metrics": {"gan_test": 0.5, "fid": 30.5, "num_samples": 50.0}})
    published = known(("entropy", "gan_test", 40.0, None, None), ("entropy", "fid", 30.0, None, None))
    differences = [row["difference"] for row in rows_of(compare(published, found).table)]
    assert differences == [pytest.approx(10), pytest.approx(0.5)]
    (section,) = sections(stored(tmp_path / "outputs", tmp_path / "cells").runs)
    charts = Charts(section, looks(section.groups), "range")
    assert len(charts.others()) == 1, "how many images were measured says nothing of the model"


@pytest.mark.parametrize(
    ("column", "annotations", "met"), [(5834, 5832, True), (4375, 4376, True), (1000, 1002, False)]
)
def test_a_column_that_is_a_share_of_the_pool_may_be_rounded(column, annotations, met):
    """Tab. 4 of MAL prints 2,916 and 4,375 labels, where queries of 1,459 come to 2,917 and 4,376."""
    assert is_column(annotations, column) is met


def test_a_rounded_column_is_compared_with_what_was_measured_next_to_it(tmp_path):
    made_run(tmp_path / "outputs", "random", 0, (0.30,), more={"annotations": 5832})
    (found,) = sections(stored(tmp_path / "outputs", tmp_path / "cells").runs)
    table = known(("random", "5834", 31.0, 1.0, 3), ("random", "5900", 31.0, 1.0, 3))
    assert [row["measured"] for row in rows_of(compare(table, found.groups).table)] == [pytest.approx(30), None]


def test_a_doubted_number_is_shown_and_compared_with_nothing(tmp_path):
    numbers = [Number("entropy", str(at), 80.0, 1.0, 3, "Tab. 8", "a copy" if at == 20 else "") for at in (10, 20)]
    found = compare(Published("paper/made", numbers), groups(tmp_path))
    first, second = rows_of(found.table)
    assert (first["difference"], first["source"]) == (pytest.approx(-30), "Tab. 8")
    assert (second["published"], second["measured"], second["source"]) == (
        80.0, pytest.approx(85), "Tab. 8; compared with nothing: a copy",
    )  # fmt: skip
    assert (second["difference"], second["in deviations"]) == (None, None)
    assert found.said.startswith("1 of 1 number measured")


def test_what_was_not_run_is_said(tmp_path):
    (row,) = rows_of(compare(known(("waal", "20", 83.0, None, None)), groups(tmp_path)).table)
    assert (row["method"], row["measured"]) == ("waal (not measured)", None)


def test_the_entropy_of_what_was_chosen_is_over_all_cycles(tmp_path):
    (row,) = rows_of(compare(known(("entropy", "chosen entropy", 0.4, None, None)), groups(tmp_path)).table)
    assert (row["measured"], row["difference"]) == (pytest.approx(0.5), pytest.approx(0.1))


def test_a_row_may_name_what_was_chosen_for_a_line(tmp_path):
    made_of = {"method": "min_distance", "learner": "hinge"}
    number = known(("min_distance", "20", 83.0, 2.0, 5))
    assert rows_of(compare(number, groups(tmp_path / "own", choices=made_of)).table)[0]["method"] == "entropy+hinge"
    changed = groups(tmp_path / "changed", choices={**made_of, "learner": "supervised"})
    assert rows_of(compare(number, changed).table)[0]["method"] == "min_distance (not measured)"


@pytest.mark.parametrize(("longer", "measured"), [(False, pytest.approx(85)), (True, None)])
def test_a_row_is_not_what_was_trained_longer_with_its_strategy(tmp_path, longer, measured):
    """A paper's random sampling is not random sampling for as many steps as its method's."""
    found = groups(tmp_path, strategy="random", choices={"method": "m"}, learner={"match_steps": longer, "epochs": 6})
    (row,) = rows_of(compare(known(("random", "20", 83.0, 2.0, 5)), [replace(one, method="m") for one in found]).table)
    assert row["measured"] == measured


def test_a_table_without_numbers_compares_nothing(tmp_path):
    assert compare(known(), groups(tmp_path)) is None


def test_only_runs_for_it_are_compared(tmp_path):
    made_run(tmp_path / "outputs", "entropy", 0)
    made_run(tmp_path / "outputs", "random", 0, choices={"experiment": "paper/made"})
    (section,) = sections(stored(tmp_path / "outputs", tmp_path / "cells").runs)
    assert [group.method for group in groups_run_for(known(), section.groups)] == ["random"]


def test_many_numbers_stand_as_the_paper_prints_them(tmp_path):
    lines = ("entropy", "margin", "waal")
    table = known(*((line, str(at), 80.0 + at / 10, 2.5, 5) for at in (10, 20, 1500, 2000, 2500) for line in lines))
    made_run(tmp_path / "outputs", "margin", 0, (0.81, 0.77))
    found = compare(table, groups(tmp_path))
    assert list(found.grid.columns) == ["annotations", "", *lines]
    assert found.grid.rows[:8] == [
        ["10", "paper", "81.00 ± 2.50", "81.00 ± 2.50", "81.00 ± 2.50"],
        ["10", "ours", "50.00 ± 0.00", "81.00", None],
        ["10", "our seeds", 2, 1, None],
        ["10", "apart", "-13.9", "+0.0", None],
        ["20", "paper", "82.00 ± 2.50", "82.00 ± 2.50", "82.00 ± 2.50"],
        ["20", "ours", "85.00 ± 7.07", "77.00", None],
        ["20", "our seeds", 2, 1, None],
        ["20", "apart", "+0.8", "-2.0", None],
    ]
    assert found.grid.rows[8][0] == "1,500"
    assert found.said == (
        "4 of 15 numbers measured, 2 within one deviation of the paper's mean and 3 within two; farthest from it is "
        "entropy at 10, by 13.9 below. Of one seed alone: 2 (margin)."
    )
    assert len(found.tables) == 2


def test_a_doubted_number_says_so_in_the_papers_own_layout(tmp_path):
    at = (10, 20, *range(1500, 2600, 100))
    numbers = [Number("entropy", str(one), 80.0, 1.0, 3, "Tab. 8", "a copy" if one == 20 else "") for one in at]
    found = compare(Published("paper/made", numbers), groups(tmp_path))
    assert [row[2] for row in found.grid.rows[4:8]] == ["80.00 ± 1.00 (doubted)", "85.00 ± 7.07", 2, None]


def test_few_numbers_are_a_list_and_nothing_measured_is_no_sentence(tmp_path):
    found = compare(known(("waal", "20", 83.0, 1.0, 5)), groups(tmp_path))
    assert (found.grid, found.spread, found.said, len(found.tables)) == (None, True, "", 1)
    assert not compare(known(("waal", "20", 83.0, None, 5)), groups(tmp_path)).spread
