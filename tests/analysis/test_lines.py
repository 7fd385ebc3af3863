"""Two lines as a whole, by hand: at equal annotations, steps and seconds."""

from dataclasses import replace
from pathlib import Path

import pytest
from made_runs import EFFORT, made_run

from al_bench.analysis.contrast import groups_by_line
from al_bench.analysis.grouping import Group, sections
from al_bench.analysis.lines import Budget, Width, areas, common_width, compare_lines, compare_two, value_at
from al_bench.analysis.reading import stored

CHEAP, DEAR = (0.5, 0.6, 0.7), (0.5, 0.8, 0.9)


def costs(steps: int, fit: float, query: float) -> dict[str, object]:
    own = {"fit": {**EFFORT, "optimizer_steps": steps, "seconds": fit}}
    return {"effort": {**own, "query": {**EFFORT, "optimizer_steps": 0, "seconds": query}}}


@pytest.fixture(scope="module")
def lines(tmp_path_factory) -> dict[str, Group]:
    """One of 10 steps and 2 s a cycle, one of 20 steps and of 7 s, 3 of which are its query's."""
    outputs = tmp_path_factory.mktemp("outputs")
    for seed in (0, 1):
        made_run(outputs, "random", seed, CHEAP, more=costs(10, 2.0, 0.0))
        made_run(outputs, "entropy", seed, DEAR, more=costs(20, 4.0, 3.0))
    (section,) = sections(stored(outputs, Path("none")).runs)
    return dict(groups_by_line(section.groups))


@pytest.mark.parametrize(
    ("budget", "difference"),
    [
        ("annotations", (0.5 / 2 + 0.8 + 0.9 / 2) / 2 - (0.5 / 2 + 0.6 + 0.7 / 2) / 2),
        ("steps", (0.5 + 0.8) / 2 - 0.7),  # both at 30 steps: the dear one is between its cycles at 20 and 40
    ],
)
def test_a_difference_at_an_equal_budget(lines, budget: str, difference: float) -> None:
    found = compare_two(lines["entropy"], lines["random"], "accuracy", budget)
    assert found is not None and found.n == 2
    assert found.mean == pytest.approx(difference)


def test_queries_count_among_the_seconds(lines) -> None:
    """The other line has spent all of its 6 s before the first cycle of the dear one is over."""
    assert compare_two(lines["entropy"], lines["random"], "accuracy", "seconds") is None


def test_seconds_are_not_steps(tmp_path: Path) -> None:
    for line, accuracies, cost in (("random", CHEAP, costs(10, 5.0, 0.0)), ("entropy", DEAR, costs(20, 4.0, 2.0))):
        made_run(tmp_path, line, 0, accuracies, more=cost)
    (section,) = sections(stored(tmp_path, Path("none")).runs)
    own = dict(groups_by_line(section.groups))
    found = compare_two(own["entropy"], own["random"], "accuracy", "seconds")
    assert found is not None
    assert found.mean == pytest.approx((0.8 + 0.9) / 2 - 0.7), "in 15 s: two and a half cycles of 6 s, three of 5 s"


@pytest.mark.parametrize("budget", ["annotations", "steps", "seconds"])
def test_a_seed_less_than_half_as_far_as_others_is_no_pair(tmp_path: Path, budget: Budget) -> None:
    """At equal steps and seconds neither: its last value is that of a few labels, theirs of many."""
    for seed, cycles in ((0, 6), (1, 6), (2, 2)):
        for line, step in (("random", 0.01), ("entropy", 0.05)):
            values = tuple(0.3 + step * cycle for cycle in range(cycles if line == "entropy" else 6))
            made_run(tmp_path, line, seed, values, more=costs(10, 2.0, 0.0), finished=cycles == 6)
    (section,) = sections(stored(tmp_path, Path("none")).runs)
    own = groups_by_line(section.groups)
    found = compare_two(own["entropy"], own["random"], "accuracy", budget)
    assert found is not None
    assert (list(found.seeds), list(found.unpaired)) == ([0, 1], [2])


def test_areas_are_of_each_seed(lines) -> None:
    width = common_width([lines["random"]], lines["random"], "accuracy")
    assert width is not None
    assert areas(lines["random"], "accuracy", width) == pytest.approx({0: 0.6, 1: 0.6})
    assert compare_lines([lines["random"]], lines["random"], "accuracy", "annotations") == []


def many_of(outputs: Path, **curves: tuple[int, int]) -> dict[str, Group]:
    """Lines of three seeds whose cycles go from one number of annotations to another, ten apart."""
    for line, (first, last) in curves.items():
        for seed in range(3):
            made_run(outputs, line, seed, tuple(0.5 for _ in range(first, last + 1, 10)))
    (section,) = sections(stored(outputs, Path("none")).runs)
    return dict(groups_by_line(section.groups))


def shifted(group: Group, by: int) -> Group:
    """The same cycles at so many more annotations."""
    moved = [
        replace(run, records=[one.model_copy(update={"annotations": one.annotations + by}) for one in run.cycles])
        for run in group.runs
    ]
    return replace(group, runs=moved)


def test_a_line_that_begins_late_does_not_cut_the_others(tmp_path: Path) -> None:
    found = many_of(tmp_path, random=(10, 100), margin=(10, 100), late=(10, 20), half=(10, 60), ends=(10, 60))
    late, ends = shifted(found["late"], 40), shifted(found["ends"], 40)
    width = common_width([found["random"], found["margin"], late], found["random"], "accuracy")
    assert width == Width(10, 100, ["random", "margin"]), "50 to 60 holds the middle and little else"
    width = common_width([found["random"], found["half"], ends], found["random"], "accuracy")
    assert width == Width(10, 60, ["random", "half"]), "two of half each have a tenth in common"


def test_a_seed_that_was_just_begun_cuts_no_line(tmp_path: Path) -> None:
    found = many_of(tmp_path, random=(10, 100))["random"]
    made_run(tmp_path, "random", 3, (0.9, 0.9), finished=False)
    made_run(tmp_path, "random", 4, (0.9,), finished=False)
    (section,) = sections(stored(tmp_path, Path("none")).runs)
    (found,) = section.groups
    width = common_width([found], found, "accuracy")
    assert width == Width(10, 100, [found.name])
    assert areas(found, "accuracy", width) == pytest.approx({0: 0.5, 1: 0.5, 2: 0.5})
    assert value_at(found, "accuracy", 20) == pytest.approx((3 * 0.5 + 0.9) / 4)
    assert value_at(found, "accuracy", 95) == pytest.approx(0.5)
