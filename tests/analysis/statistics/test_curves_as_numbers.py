"""Tests of areas and of the labels that a goal needs, by hand."""

import math

import pytest

from al_bench.analysis.statistics.areas import area_under_curve
from al_bench.analysis.statistics.reaching import labels_to_reach, summarize_reached


def test_an_area_is_a_mean_height() -> None:
    assert area_under_curve([10, 20, 40], [0.0, 1.0, 1.0]) == pytest.approx((5 + 20) / 30)
    assert area_under_curve([10, 20, 40], [0.0, 1.0, 1.0], "log") == pytest.approx((0.5 + 1.0) / 2)
    assert area_under_curve([1, math.e], [2.0, 4.0], "log") == pytest.approx(3.0)


@pytest.mark.parametrize(
    ("annotations", "values", "scale", "words"),
    [
        ([10], [1.0], "linear", "no curve"),
        ([10, 20], [1.0], "linear", "no curve"),
        ([20, 10], [1.0, 1.0], "linear", "have to rise"),
        ([0, 10], [1.0, 1.0], "log", "no logarithm"),
    ],
)
def test_what_is_no_curve_is_refused(annotations: list[int], values: list[float], scale: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        area_under_curve(annotations, values, scale)  # type: ignore[arg-type]


def test_labels_are_read_between_two_points() -> None:
    at, values = [10, 20, 30], [50.0, 60.0, 80.0]
    assert labels_to_reach(at, values, 70.0) == 25.0
    assert labels_to_reach([10, 20], [30.0, 100 * 0.57], 57.0) == 20.0, "but for rounding"
    assert labels_to_reach(at, values, 50.0) == 10.0
    assert labels_to_reach(at, values, 80.1) is None


def test_a_distance_is_reached_from_above() -> None:
    assert labels_to_reach([10, 20], [40.0, 20.0], 30.0, higher_is_better=False) == 15.0
    assert labels_to_reach([10, 20], [40.0, 20.0], 10.0, higher_is_better=False) is None


def test_a_curve_that_falls_again_has_reached_its_goal() -> None:
    assert labels_to_reach([10, 20, 30], [50.0, 70.0, 60.0], 65.0) == 17.5


def test_seeds_that_did_not_get_there_are_later_than_all_others() -> None:
    found = summarize_reached([30.0, None, 10.0])
    assert (found.reached, found.censored, found.middle) == ([10.0, 30.0], 1, 30.0)
    assert summarize_reached([10.0, None, None]).middle is None
    assert summarize_reached([]).middle is None
