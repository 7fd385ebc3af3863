"""The best of a column: a clear winner, a tie, the metric's direction, what one seed and many columns can say."""

import pytest

from al_bench.analysis.statistics.best import Best, find_best, say_best

AHEAD = {0: 0.90, 1: 0.92, 2: 0.91}
BEHIND = {0: 0.80, 1: 0.83, 2: 0.81}
NEAR = {0: 0.91, 1: 0.90, 2: 0.90}


@pytest.mark.parametrize(
    ("column", "higher", "best"),
    [
        ([BEHIND, AHEAD], True, 1),
        ([BEHIND, AHEAD], False, 0),  # a distance, such as FID
        ([NEAR, AHEAD], True, None),
        ([BEHIND, AHEAD, NEAR], True, None),
        ([BEHIND, AHEAD, {}], True, 1),  # a line that has nothing there is no rival
        ([BEHIND, AHEAD, {7: 0.1}], True, None),  # one that shares no seed is
        ([{0: 0.1}, {0: 0.9}], True, None),
        ([AHEAD], True, None),
        ([{}, {}], True, None),
    ],
)
def test_only_what_is_told_from_all_others_is_best(
    column: list[dict[int, float]], higher: bool, best: int | None
) -> None:
    (found,) = find_best([column], higher)
    assert (found and found.place) == best


def test_every_column_of_a_table_counts() -> None:
    """p of this column alone is 0.0012, among fifty 0.059."""
    assert find_best([[BEHIND, AHEAD]], True) == [Best(1, [3])]
    assert find_best([[BEHIND, AHEAD], *[[NEAR, AHEAD]] * 49], True)[0] is None


def test_a_mark_says_of_how_many_seeds_it_is() -> None:
    """Of those that the tests behind the marks had; what is not marked says nothing."""
    few = {seed: value for seed, value in BEHIND.items() if seed}
    found = find_best([[BEHIND, AHEAD], [NEAR, AHEAD, few]], True)
    assert found == [Best(1, [3]), None]
    assert "(n = 3)" in say_best(found)
    assert "(n = 3 to 10)" in say_best([Best(1, [5, 10]), None, Best(0, [3])])
    assert say_best([None]) == ""
