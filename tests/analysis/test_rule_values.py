"""The numbers that rules compare, by hand."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from made_runs import EMPTY, cycle, made_run, write_cycle

from al_bench.analysis.contrast import groups_by_line
from al_bench.analysis.curves import class_shares
from al_bench.analysis.grouping import Group, sections
from al_bench.analysis.lines import compare_two
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
        ("labels(at 20) within 5 of 0.5 x random", [(20.0, 15.0)]),  # random ends below 71
        ("labels(at 10) less than random", [(10.0, 15.0)]),  # 50, which random has between 10 and 20
        ("labels(at 40) less than random", []),  # it has nothing there
        ("accuracy better than itself at 20 at the end", [(80.0, 71.0)]),
        ("accuracy more than 1.1 x itself at 10 at every size", [(50.0, 55.0), (71.0, 55.0), (80.0, 55.0)]),
        ("accuracy worse than itself at 40 at the end", []),
    ],
)
def test_values(lines, rule: str, pairs: list[tuple[float, float]]) -> None:
    assert values(lines, rule) == [pytest.approx(pair) for pair in pairs]


def test_of_sizes_within_a_thousandth_the_nearest_is_the_one_that_is_said(tmp_path: Path) -> None:
    """Each size by itself, too, the last among them."""
    for line, values_of in (("entropy", (0.6, 0.6, 0.2)), ("random", (0.5, 0.5, 0.4))):
        run = made_run(tmp_path, line, 0, values_of[:1], more={"annotations": 5000})
        for place, value in enumerate(values_of[1:], 1):
            write_cycle(run, cycle(place, value) | {"annotations": 5000 + 5 * place})
    (section,) = sections(stored(tmp_path, Path("none")).runs)
    known = dict(groups_by_line(section.groups))
    for rule, pairs in (
        ("at every size", [(60.0, 50.0), (60.0, 50.0), (20.0, 40.0)]),
        ("at 5010", [(20.0, 40.0)]),
        ("at 5004", [(60.0, 50.0)]),
    ):
        assert values(known, f"accuracy better than random {rule}") == [pytest.approx(pair) for pair in pairs], rule


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


def test_a_metric_while_trained_is_its_mean_over_the_iterations_of_the_last_training(tmp_path: Path) -> None:
    made_run(tmp_path, "entropy", 0, (0.5, 0.8), more=looked_into([0.6, 0.8, 0.9], 20.0))
    made_run(tmp_path, "random", 0, (0.5, 0.7), more=looked_into([0.5, 0.6, 0.7], 10.0))
    made_run(tmp_path, "lost", 0, (0.5, 0.7), more=looked_into([0.5, None, 0.7], 10.0))
    for line, places in (("elsewhere", [10.0, 20.0, 40.0]), ("twice", [10.0, 10.0, 30.0])):
        looks = looked_into([0.5, 0.6, 0.7], 10.0)["observed"]
        made_run(tmp_path, line, 0, (0.5, 0.7), more={"observed": {**looks, "iteration": places}})
    made_run(tmp_path, "plain", 0, (0.5, 0.7))
    (section,) = sections(stored(tmp_path, Path("none")).runs)
    known = dict(groups_by_line(section.groups))
    (clause,) = read_rule("accuracy better than random while trained").clauses
    twice = known["twice"]
    assert not list(paired_values(clause, clause.operands[0], twice, twice)), "iterations have to rise"
    assert values(known, "accuracy better than random while trained") == [pytest.approx((77.5, 60.0))]
    assert values(known, "accuracy more than 70 while trained") == [pytest.approx((77.5, 70.0))]
    assert values(known, "accuracy better than random at the end") == [pytest.approx((80.0, 70.0))]
    for other in ("lost", "plain", "elsewhere", "twice"):
        assert values(known, f"accuracy better than {other} while trained") == [], "no number, no look, or other looks"


def of_three_seeds(tmp_path: Path, third: tuple[float, ...]) -> dict[str, Group]:
    """Two whole ones, and one that is stopped or going on."""
    for seed in (0, 1):
        made_run(tmp_path, "entropy", seed, (0.5, 0.7, 0.8, 0.9))
        made_run(tmp_path, "random", seed, (0.4, 0.6, 0.7, 0.8))
    made_run(tmp_path, "entropy", 2, third, finished=False)
    made_run(tmp_path, "random", 2, (0.4, 0.6, 0.7, 0.8))
    (section,) = sections(stored(tmp_path, Path("none")).runs)
    return dict(groups_by_line(section.groups))


@pytest.mark.parametrize(
    ("third", "seeds", "words", "end"),
    [
        ((0.5, 0.7, 0.8, 0.9), [0, 1, 2], " at the end", 90.0),
        ((0.5, 0.7, 0.8), [0, 1, 2], " at the end, over 10 to 30 of 10 to 40 annotations", 80.0),
        ((0.5,), [0, 1], " at the end, without seed 2", 90.0),
    ],
)
def test_no_seed_is_compared_over_less_than_another(
    tmp_path: Path, third: tuple[float, ...], seeds: list[int], words: str, end: float
) -> None:
    """What two lines end with is read where all seeds are; one that would cut that to less than half is left out."""
    known = of_three_seeds(tmp_path, third)
    (clause,) = read_rule("accuracy better than random at the end").clauses
    (pairs,) = paired_values(clause, clause.operands[0], known["entropy"], known["random"])
    assert (pairs.place, sorted(pairs.first)) == (words, seeds)
    assert list(pairs.first.values()) == [pytest.approx(end)] * len(seeds)
    found = compare_two(known["entropy"], known["random"], "accuracy")
    assert found is not None and found.n == len(seeds)
    assert len(found.differences) == len(seeds) and min(found.differences) == pytest.approx(max(found.differences))
    assert list(found.unpaired) == [seed for seed in range(3) if seed not in seeds]


@pytest.mark.parametrize("rule", ["accuracy better than random at the end", "labels(75) less than random"])
def test_a_seed_that_drew_other_first_labels_is_no_pair(tmp_path: Path, rule: str) -> None:
    """As in the tests of areas, and it is said; where the first labels are not stored nobody knows."""
    for seed, other in ((0, 0), (1, 9)):
        for line, accuracies, first in (("entropy", (0.5, 0.8), seed), ("random", (0.5, 0.7, 0.8), other)):
            made_run(tmp_path, line, seed, accuracies, more={"query": {**EMPTY, "indices": [first, 5]}})
    (section,) = sections(stored(tmp_path, Path("none")).runs)
    known = dict(groups_by_line(section.groups))
    (clause,) = read_rule(rule).clauses
    (pairs,) = paired_values(clause, clause.operands[0], known["entropy"], known["random"])
    assert [*pairs.first] == [0]
    assert pairs.place.endswith(", without seed 1, begun with other labels")


@pytest.mark.parametrize(("at", "seeds"), [(40, [0, 1]), (20, [0, 1, 2])])
def test_at_one_size_every_seed_counts_that_has_it(tmp_path: Path, at: int, seeds: list[int]) -> None:
    known = of_three_seeds(tmp_path, (0.5, 0.7, 0.8))
    (clause,) = read_rule(f"accuracy better than random at {at}").clauses
    (pairs,) = paired_values(clause, clause.operands[0], known["entropy"], known["random"])
    assert (pairs.place, sorted(pairs.first)) == (f" at {at}", seeds)


def test_what_is_reached_is_so_over_what_all_seeds_have(tmp_path: Path) -> None:
    """A sweep that goes on: the other line's second seed is half as far, and what it ends with is no end."""
    for seed, random in enumerate([(0.4, 0.6, 0.7, 0.8, 0.9), (0.4, 0.6, 0.7)]):
        made_run(tmp_path, "entropy", seed, (0.5, 0.65, 0.8, 0.9, 0.95))
        made_run(tmp_path, "random", seed, random, finished=not seed)
    known = dict(groups_by_line(sections(stored(tmp_path, Path("none")).runs)[0].groups))
    (clause,) = read_rule("labels(end) less than random").clauses
    (pairs,) = paired_values(clause, clause.operands[0], known["entropy"], known["random"])
    assert pairs.place == ", over 10 to 30 of 10 to 50 annotations"
    assert pairs.second == {0: pytest.approx(30.0), 1: pytest.approx(30.0)}
    assert pairs.first == {0: pytest.approx(20 + 10 / 3), 1: pytest.approx(20 + 10 / 3)}


def test_trainings_on_as_many_labels_are_compared(tmp_path: Path) -> None:
    """And one that is there at its first look may have been so before."""
    slow, fast = looked_into([0.2, 0.5, 0.6], 1.0), looked_into([0.7, 0.8, 0.9], 1.0)
    made_run(tmp_path, "entropy", 0, (0.5, 0.6, 0.9), more=fast)
    made_run(tmp_path, "random", 0, (0.5, 0.6), more=slow, finished=False)
    known = dict(groups_by_line(sections(stored(tmp_path, Path("none")).runs)[0].groups))
    (clause,) = read_rule("iterations(end) less than random").clauses
    (pairs,) = paired_values(clause, clause.operands[0], known["entropy"], known["random"])
    assert pairs.place == ", of the training on 20 labels"
    assert (pairs.first, pairs.second, pairs.may_fall, pairs.may_rise) == ({0: 10.0}, {0: 30.0}, True, False)


@pytest.mark.parametrize(("rule", "fall", "rise"), [("labels(35)", False, True), ("labels(45)", True, False)])
def test_one_that_begins_at_the_goal_may_have_needed_less(tmp_path: Path, rule: str, fall: bool, rise: bool) -> None:
    """Of 50 and 30 with the first 10 labels."""
    made_run(tmp_path, "entropy", 0, (0.5, 0.6) if fall else (0.3, 0.6))
    made_run(tmp_path, "random", 0, (0.3, 0.6) if fall else (0.5, 0.6))
    known = dict(groups_by_line(sections(stored(tmp_path, Path("none")).runs)[0].groups))
    (clause,) = read_rule(f"{rule} less than random").clauses
    (pairs,) = paired_values(clause, clause.operands[0], known["entropy"], known["random"])
    assert (pairs.may_fall, pairs.may_rise) == (fall, rise)


def test_an_end_that_is_no_number_is_no_goal(tmp_path: Path) -> None:
    made_run(tmp_path, "entropy", 0, (0.5, 0.8), more=looked_into([0.6, 0.8, 0.9], 20.0))
    made_run(tmp_path, "random", 0, (0.5, 0.7), more=looked_into([0.1, 0.9, None], 10.0))
    known = dict(groups_by_line(sections(stored(tmp_path, Path("none")).runs)[0].groups))
    (clause,) = read_rule("iterations(end) less than random").clauses
    assert not list(paired_values(clause, clause.operands[0], known["entropy"], known["random"]))


def test_lines_without_a_size_in_common_are_compared_at_their_own_ends(tmp_path: Path) -> None:
    """As Figure 1's of ALCG, each of which is one training on so many labels."""
    made_run(tmp_path, "few", 0, (0.5,))
    run = made_run(tmp_path, "many", 0, (0.2, 0.7))
    known = dict(groups_by_line(sections(stored(tmp_path, Path("none")).runs)[0].groups))
    (later,) = (replace(one, records=one.records[1:]) for one in known["many"].runs)
    known["many"] = replace(known["many"], runs=[later])
    assert run.exists()
    for rule, found in (("at the end", [(70.0, 50.0)]), ("on average", [])):
        (clause,) = read_rule(f"accuracy better than few {rule}").clauses
        pairs = list(paired_values(clause, clause.operands[0], known["many"], known["few"]))
        assert [(one.first[0], one.second[0]) for one in pairs] == [pytest.approx(one) for one in found]
        assert all(one.place == " at the end, of each line" for one in pairs)


@pytest.fixture(scope="module")
def unfinished(tmp_path_factory) -> dict[str, Group]:
    """`new` has two of six cycles in every seed, `half` four, `random` all."""
    outputs = tmp_path_factory.mktemp("unfinished")
    for line, cycles in (("new", 2), ("half", 4), ("random", 6)):
        for seed in range(3):
            values = tuple(0.3 + size / 10 + seed / 100 for size in range(cycles))
            made_run(outputs, line, seed, values, finished=cycles == 6)
    return dict(groups_by_line(sections(stored(outputs, Path("none")).runs)[0].groups))


@pytest.mark.parametrize(
    ("line", "rule", "place", "short"),
    [
        ("new", "accuracy better than random", " on average, over 10 to 20 of 10 to 60 annotations", True),
        ("new", "accuracy better than random at the end", " at the end, over 10 to 20 of 10 to 60 annotations", True),
        ("new", "labels(end) less than random", ", over 10 to 20 of 10 to 60 annotations", True),
        ("random", "accuracy better than new", " on average, over 10 to 20 of 10 to 60 annotations", True),
        ("half", "accuracy better than random", " on average, over 10 to 40 of 10 to 60 annotations", False),
        ("half", "labels(end) less than random", ", over 10 to 40 of 10 to 60 annotations", False),
        ("new", "accuracy better than random up to 30", " up to 30, over 10 to 20 of 10 to 30 annotations", False),
        ("half", "accuracy better than random up to 30", " up to 30", False),
        ("half", "accuracy better than random from 20", " from 20, over 20 to 40 of 20 to 60 annotations", False),
        ("new", "accuracy better than random at the start", " at the start", False),
        ("new", "accuracy better than random at 20", " at 20", False),
        ("new", "accuracy better than 20", " on average", False),
    ],
)
def test_which_part_of_the_longer_line_is_compared_is_said(
    unfinished: dict[str, Group], line: str, rule: str, place: str, short: bool
) -> None:
    """And what is claimed of an end or a whole is not of less than half of it, though all seeds are as far."""
    (clause,) = read_rule(rule).clauses
    (operand,) = clause.operands
    other = unfinished[operand.line] if operand.line else None
    (pairs,) = paired_values(clause, operand, unfinished[line], other)
    assert (pairs.place, pairs.short, len(pairs.first)) == (place, short, 3)
