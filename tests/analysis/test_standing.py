"""Ranks, labels to a target and costs of lines, by hand."""

from pathlib import Path

import pytest
from made_runs import EFFORT, made_run

from al_bench.analysis.contrast import groups_by_line
from al_bench.analysis.grouping import Group, sections
from al_bench.analysis.reading import stored
from al_bench.analysis.standing import Ranked, find_standings, last_mean, rank_areas

EFFORTS = {
    "effort": {
        "fit": {**EFFORT, "optimizer_steps": 20, "seconds": 4.0},
        "query": {**EFFORT, "optimizer_steps": 3, "seconds": 1.5},
        "evaluate": {**EFFORT, "optimizer_steps": 100, "seconds": 100.0},
    }
}


@pytest.fixture
def lines(tmp_path: Path) -> dict[str, Group]:
    """At 10, 20 and 30 annotations, two seeds; one line has one cycle."""
    for seed, end in ((0, 0.7), (1, 0.9)):
        made_run(tmp_path, "random", seed, (0.5, 0.6, end), more=EFFORTS)
        made_run(tmp_path, "entropy", seed, (0.5, 0.8, 0.8 - seed / 5), more=EFFORTS)
        made_run(tmp_path, "full", seed, (0.95,), more=EFFORTS)
    (section,) = sections(stored(tmp_path, Path("none")).runs)
    return dict(groups_by_line(section.groups))


def test_a_line_stands_by_its_seeds(lines: dict[str, Group]) -> None:
    """Entropy's area is the larger one with seed 0 (1.45 against 1.2 tens), and with seed 1 (1.35 against 1.3)."""
    found, _ = find_standings(lines, "accuracy", 0.75)
    assert set(found) == {"random", "entropy"}, "one number of annotations is no curve"
    assert [found[name].rank for name in ("entropy", "random")] == [1, 2]
    assert found["entropy"].reached.reached == pytest.approx([10 + 10 * 25 / 30] * 2)
    assert found["random"].reached.reached == pytest.approx([25]) and found["random"].reached.censored == 1
    assert (found["random"].steps, found["random"].seconds) == (3 * 23, 3 * 5.5), "evaluation is no cost of the line"


def test_the_last_mean_is_where_all_seeds_are(lines: dict[str, Group], tmp_path: Path) -> None:
    assert last_mean(lines["random"], "accuracy") == pytest.approx(0.8)
    assert last_mean(lines["full"], "accuracy") is None
    made_run(tmp_path, "random", 2, (0.5, 0.9), more=EFFORTS)
    (section,) = sections(stored(tmp_path, Path("none")).runs)
    longer = groups_by_line(section.groups)["random"]
    assert last_mean(longer, "accuracy") == pytest.approx((0.6 + 0.6 + 0.9) / 3), "30 annotations two seeds have"


def test_a_seed_that_has_but_begun_takes_no_line_out(lines: dict[str, Group], tmp_path: Path) -> None:
    """Nor its costs down."""
    made_run(tmp_path, "random", 3, (0.5,), more=EFFORTS, finished=False)
    (section,) = sections(stored(tmp_path, Path("none")).runs)
    begun = dict(groups_by_line(section.groups))
    assert last_mean(begun["random"], "accuracy") == last_mean(lines["random"], "accuracy")
    assert find_standings(begun, "accuracy", 0.75) == find_standings(lines, "accuracy", 0.75)


def test_equals_share_a_rank_and_less_may_be_better() -> None:
    """Over the annotations that all have, where the first line's last cycle would decide."""
    curves = {
        "one": {0: {10: 0.5, 20: 0.7, 30: 0.0}, 1: {10: 0.5, 20: 0.6}},
        "other": {0: {10: 0.5, 20: 0.7}, 1: {10: 0.5, 20: 0.9}, 2: {10: 0.0, 20: 0.0}},
        "third": {0: {10: 0.4, 20: 0.4}, 1: {10: 0.7, 20: 0.9}},
    }
    ranked = Ranked({"one": 2.25, "other": 1.75, "third": 2.0}, [0, 1], 10, 20)
    assert rank_areas(curves, higher_is_better=True) == ranked
    less = rank_areas(curves, higher_is_better=False)
    assert less is not None and less.ranks == {"one": 1.75, "other": 2.25, "third": 2.0}
    apart = {seed: {10: 0.4, 20: 0.4} for seed in (5, 6)}
    assert rank_areas({**curves, "fourth": apart}, higher_is_better=True) is None
    beyond = {seed: {40: 0.4, 50: 0.4} for seed in (0, 1)}
    assert rank_areas({**curves, "fourth": beyond}, higher_is_better=True) is None
    assert rank_areas({}, higher_is_better=True) is None


@pytest.mark.parametrize(
    "short",
    [{0: {10: 0.9, 20: 0.9, 30: 0.9}}, {seed: {10: 0.9, 12: 0.9} for seed in range(3)}],
    ids=["seeds", "annotations"],
)
def test_a_line_of_less_than_half_is_not_ranked_and_cuts_nobody(short: dict[int, dict[int, float]]) -> None:
    one = {seed: {10: 0.5, 20: 0.6, 30: 0.7} for seed in range(3)}
    other = {seed: {**curve, 30: 0.8} for seed, curve in one.items()}
    curves = {"one": one, "other": other, "new": short}
    found = rank_areas(curves, higher_is_better=True)
    assert found == Ranked({"one": 2.0, "other": 1.0}, [0, 1, 2], 10, 30)
