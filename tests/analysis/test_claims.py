"""Claims judged by rules, on made runs of known numbers: each verdict both ways."""

from pathlib import Path

import numpy as np
import pytest
from made_runs import made_run

from al_bench.analysis.claims import _Found, _of_all, _signed, judge
from al_bench.analysis.contrast import groups_by_line
from al_bench.analysis.grouping import sections
from al_bench.analysis.reading import stored
from al_bench.analysis.rules import Clause, Operand, RuleError, read_rule
from al_bench.analysis.statistics.paired import compare_pairs

MADE = {  # accuracies at 10, 20 and 30 annotations, of three seeds; entropy rises above random, margin is level
    "random": [(0.50, 0.60, 0.70), (0.52, 0.61, 0.71), (0.49, 0.62, 0.69)],
    "entropy": [(0.50, 0.71, 0.80), (0.53, 0.71, 0.82), (0.50, 0.72, 0.79)],
    "margin": [(0.50, 0.61, 0.70), (0.51, 0.61, 0.71), (0.50, 0.61, 0.70)],
}

SHORT = [(0.30, 0.40), (0.31, 0.41), (0.32, 0.40)]  # stopped after 20


@pytest.fixture(scope="module")
def lines(tmp_path_factory):
    outputs = tmp_path_factory.mktemp("outputs")
    for strategy, seeds in MADE.items():
        for seed, accuracies in enumerate(seeds):
            made_run(outputs, strategy, seed, accuracies)
    made_run(outputs, "lonely", 0, (0.1, 0.2, 0.3))
    for seed, accuracies in enumerate(SHORT):
        made_run(outputs, "short", seed, accuracies, finished=False)
    (section,) = sections(stored(outputs, Path("none")).runs)
    return dict(groups_by_line(section.groups))


@pytest.mark.parametrize(
    ("line", "rule", "word"),
    [
        ("entropy", "accuracy better than random", "holds"),
        ("random", "accuracy better than entropy", "does not hold"),
        ("random", "accuracy worse than entropy", "holds"),
        ("margin", "accuracy better than random", "not decided"),
        ("entropy", "accuracy better than random | margin", "holds"),
        ("entropy", "accuracy better than random at the end", "holds"),
        ("entropy", "accuracy better than random at the start", "not decided"),
        ("entropy", "accuracy better than random at every size", "not decided"),
        ("entropy", "accuracy better than random by 5.0 at 30", "holds"),
        ("entropy", "accuracy better than random by 20.0 at 30", "does not hold"),
        ("entropy", "accuracy more than 75 at 30", "holds"),
        ("entropy", "accuracy less than 75 at 30", "does not hold"),
        ("entropy", "accuracy more than 1.1 x random at 30", "holds"),
        ("margin", "accuracy within 3.0 of random", "holds"),
        ("entropy", "accuracy within 1.0 of random at the end", "does not hold"),
        ("margin", "accuracy within 0.1 of random at the end", "not decided"),
        ("entropy", "accuracy within 10.4 of random at the end", "not decided"),  # +10.3 [8.9, 11.8]
        ("entropy", "labels(65) less than random", "holds"),
        ("random", "labels(65) less than entropy", "does not hold"),
        ("entropy", "labels(75) less than random by 1", "holds"),  # which does not get there
        ("random", "labels(75) less than 25", "not decided"),  # all end at 30: no spread, which tests nothing
        ("random", "labels(99) less than entropy", "not decided"),  # neither does
        ("entropy", "labels(end) less than random", "holds"),
        ("random", "labels(end) less than entropy", "not decided"),  # all three end below, with as many: no spread
        ("entropy", "accuracy better than random up to 10", "not decided"),
        ("entropy", "accuracy better than random from 20", "holds"),
        ("entropy", "accuracy better than random; accuracy worse than margin", "does not hold"),
        ("entropy", "labels(40) less than 0.3 x short", "not decided"),  # it begins there, and may have needed less
        ("entropy", "labels(40) less than 0.7 x short", "holds"),
        ("margin", "labels(at 30) within 5 of random", "not decided"),  # which does not get there with one seed
        ("entropy", "accuracy better than itself at 20 at the end", "holds"),
        ("entropy", "accuracy worse than itself at 20 at the end", "does not hold"),
        ("random", "exactly accuracy less than 51 at 10", "holds"),
        ("random", "exactly accuracy less than 50 at 10", "does not hold"),  # it is as much
    ],
)
def test_verdicts(lines, line: str, rule: str, word: str) -> None:
    assert judge(read_rule(rule), line, lines).word == word


@pytest.mark.parametrize(
    ("line", "rule", "reason"),
    [
        ("entropy", "accuracy better than random", "accuracy minus random (untuned) on average: +7.92, 95% interval"),
        (
            "entropy",
            "accuracy better than random by 5 at 30",
            "accuracy minus random (untuned) at 30, claimed to be above +5: +10.3, 95% interval +8.9 to +11.8, 3 seeds",
        ),
        (
            "margin",
            "accuracy within 0.1 of random at the end",
            "accuracy minus random (untuned) at the end, claimed to be within ±0.1: +0.333, 95% interval",
        ),
        ("lonely", "accuracy better than random", "one tests nothing, 1 seed"),
        ("entropy", "accuracy better than coreset", "no run of coreset is stored"),
        ("entropy", "fid better than random", "nothing stored has both"),
        ("entropy", "accuracy better than random at 500", "nothing stored has both"),
        ("entropy", "none: people look at it", "no rule judges it: people look at it"),
        ("coreset", "accuracy better than random", "no run of this line is stored"),
    ],
)
def test_a_verdict_says_what_it_hangs_on(lines, line: str, rule: str, reason: str) -> None:
    assert reason in judge(read_rule(rule), line, lines).reason


def test_labels_and_steps_are_told_without_exponents() -> None:
    assert [_signed(value) for value in (0.05312, -12.34, 998.6, 1750.0, -9004.2)] == [
        "+0.0531", "-12.3", "+999", "+1,750", "-9,004"
    ]  # fmt: skip


@pytest.mark.parametrize(("line", "other"), [("coreset", "random"), ("random", "coreset")])
def test_a_line_that_is_named_by_its_path_is_told_of(lines, line: str, other: str) -> None:
    """A page of all runs does not know what an experiment has alike in all of its lines."""
    stored = {**lines, "coreset+backbone": lines["entropy"]}
    reason = judge(read_rule(f"accuracy better than {other}"), line, stored).reason
    assert "is stored under this name (there is coreset+backbone: a page of the experiment alone" in reason


@pytest.mark.parametrize(
    ("line", "rule", "bound"),
    [
        ("short", "labels(65) less than random", "less"),  # 20 and not there, where random needs 25
        ("short", "labels(75) less than 2 x entropy", "less"),
        ("entropy", "labels(75) less than random by 9", "more"),  # 25 of 30 that random ends with
        ("entropy", "labels(75) less than 0.5 x random", "more"),
        ("random", "labels(75) more than 0.9 x random", ""),
        ("short", "labels(65) within 9 of random", "within"),
    ],
)
def test_labels_that_are_lacking_decide_nothing_that_they_could_undo(lines, line: str, rule: str, bound: str) -> None:
    """A run that ends below the goal needs more than it has: that is no evidence of needing little, or as little."""
    verdict = judge(read_rule(rule), line, lines)
    assert verdict.word == "not decided"
    assert ("3 with a line that ends before" in verdict.reason) == bool(bound)


def test_seeds_of_which_neither_line_reaches_the_goal_may_undo_either(tmp_path: Path) -> None:
    """Of five seeds two reach 70, sooner with the query; the other three would need more labels, nobody knows which."""
    for seed in range(5):
        last, early = (0.60, 0.0) if seed > 1 else (0.75, 0.1 + seed / 100)
        made_run(tmp_path, "random", seed, (0.40, 0.50, last))
        made_run(tmp_path, "entropy", seed, (0.40, 0.60 + early, last))
    known = dict(groups_by_line(sections(stored(tmp_path, Path("none")).runs)[0].groups))
    for relation in ("less than", "more than", "within 1 of"):
        verdict = judge(read_rule(f"labels(70) {relation} random"), "entropy", known)
        assert verdict.word == "not decided"
        assert verdict.reason.endswith("2 seeds, beside 3 of which neither line is seen to reach 70")


def test_a_line_less_than_half_as_far_decides_nothing_of_an_end_or_a_whole(tmp_path: Path) -> None:
    for seed in range(3):
        better = [0.5 + seed / 100 + size / 90 for size in range(6)]
        made_run(tmp_path, "random", seed, tuple(0.3 + seed / 70 + size / 100 for size in range(6)))
        made_run(tmp_path, "new", seed, tuple(better[:2]), finished=False)
        made_run(tmp_path, "half", seed, tuple(better[:4]))  # all that it was to have
    known = dict(groups_by_line(sections(stored(tmp_path, Path("none")).runs)[0].groups))
    for where in ("at every size", "from 20", "up to 60"):
        assert judge(read_rule(f"accuracy better than random {where}"), "new", known).word == "not decided"
    for where in ("on average", "at the end"):
        verdict = judge(read_rule(f"accuracy better than random {where}"), "new", known)
        assert verdict.word == "not decided"
        assert f"{where}, over 10 to 20 of 10 to 60 annotations: +" in verdict.reason
        assert verdict.reason.endswith("3 seeds, one line less than half as far as the other")
        assert judge(read_rule(f"accuracy better than random {where}"), "half", known).word == "holds"
        assert judge(read_rule(f"accuracy worse than random {where}"), "new", known).word == "not decided"


@pytest.mark.parametrize(
    ("rule", "word"),
    [
        ("accuracy better than random", "not decided"),
        ("accuracy better than random at the end", "not decided"),
        ("accuracy better than random at every size", "not decided"),
        ("accuracy better than random up to 100", "not decided"),
        ("accuracy better than random from 20", "not decided"),
        ("labels(end) less than random", "not decided"),
        ("accuracy more than 20 at the end", "not decided"),
        ("accuracy worse than random", "not decided"),
        ("accuracy better than short", "not decided"),
        ("accuracy better than random up to 30", "holds"),
        ("accuracy better than random at 30", "holds"),
        ("accuracy better than random at the start", "holds"),
        ("labels(60) less than random", "holds"),
        ("accuracy better than short at 30", "holds"),
    ],
)
def test_while_a_run_goes_on_nothing_is_decided_of_its_end_or_its_whole(tmp_path: Path, rule: str, word: str) -> None:
    """Both lines are equally far, at 30 labels of 1,000; `short` was to have no more than these."""
    for seed in range(3):
        for line, ahead in (("entropy", 0.2), ("random", 0.0), ("short", 0.0)):
            values = tuple(0.4 + cycle / 10 + ahead + seed * (ahead + 1) / 100 for cycle in range(3))
            made_run(tmp_path, line, seed, values, finished=line == "short")
    known = dict(groups_by_line(sections(stored(tmp_path, Path("none")).runs)[0].groups))
    verdict = judge(read_rule(rule), "entropy", known)
    assert verdict.word == word
    assert ("3 seeds; seeds 0 to 2 have not come to their end" in verdict.reason) == (word == "not decided")


def test_one_seed_that_goes_on_is_named(tmp_path: Path) -> None:
    for seed in range(3):
        for line, ahead in (("entropy", 0.2), ("random", 0.0)):
            values = tuple(0.4 + cycle / 10 + ahead + seed * (ahead + 1) / 100 for cycle in range(3))
            made_run(tmp_path, line, seed, values, finished=(line, seed) != ("random", 1))
    known = dict(groups_by_line(sections(stored(tmp_path, Path("none")).runs)[0].groups))
    verdict = judge(read_rule("accuracy better than random"), "entropy", known)
    assert verdict.word == "not decided"
    assert verdict.reason.endswith("3 seeds; seed 1 has not come to its end")


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("accuracy better than random", "2 seeds; seeds 2, 4 are of one line alone"),
        ("accuracy more than random at 30", "; seeds 2, 4 are of one line alone; of seed 1 one has nothing there"),
        ("labels(end) less than random", "2 seeds; seeds 2, 4 are of one line alone"),
        ("accuracy more than 20", "3 seeds"),
    ],
)
def test_seeds_that_are_no_pair_are_said(tmp_path: Path, rule: str, said: str) -> None:
    for line, seeds in (("random", (0, 1, 4)), ("entropy", (0, 1, 2))):
        for seed in seeds:
            accuracies = (0.3, 0.4 + seed / 100 + (line == "entropy") / (9 + seed), 0.6)
            made_run(tmp_path, line, seed, accuracies[: 2 if (line, seed) == ("random", 1) else 3])
    known = dict(groups_by_line(sections(stored(tmp_path, Path("none")).runs)[0].groups))
    assert judge(read_rule(rule), "entropy", known).reason.endswith(said)


def test_a_failure_among_many_has_to_stand_after_correction(lines) -> None:
    """Alone it fails; beside as many comparisons as make it chance, nothing is decided."""
    rule = "accuracy worse than random at 20"
    alone = judge(read_rule(rule), "entropy", lines)
    assert alone.word == "does not hold"
    many = "; ".join([rule, *["accuracy within 50.0 of random at the start"] * 200])
    assert judge(read_rule(many), "entropy", lines).word == "not decided"


def test_what_is_apart_has_to_be_so_among_many_too(lines) -> None:
    """By its p against the nearer bound, whichever side it is of: of +10.3 against 1, p = 0.001, not of 0."""
    rule = "accuracy within 1.0 of {} at the end"
    for line, other in (("entropy", "random"), ("random", "entropy")):
        apart, level = rule.format(other), f"accuracy within 1.0 of {other} at the start"
        for others, word in ((0, "does not hold"), (20, "does not hold"), (200, "not decided")):
            assert judge(read_rule("; ".join([apart, *[level] * others])), line, lines).word == word
    near = ["accuracy within 8.5 of random at the end"]  # p = 0.03, of 0 it were 0.001
    beside = ["accuracy within 1.0 of random at the start"]
    assert judge(read_rule(near[0]), "entropy", lines).word == "does not hold"
    assert judge(read_rule("; ".join(near + beside)), "entropy", lines).word == "not decided"


def test_of_eight_at_their_bounds_one_seldom_fails() -> None:
    """Each is 1 above on average, as far as may be: without correction one of eight is outside in 18 of 100 cases."""
    rng = np.random.default_rng(0)
    (clause,) = read_rule("accuracy within 1.0 of random").clauses
    failed = 0
    for _ in range(400):
        drawn = rng.normal(1.0, 1.0, (8, 5))
        tests = [compare_pairs(dict(enumerate(one)), dict.fromkeys(range(5), 0.0)) for one in drawn.tolist()]
        failed += _of_all([_Found(clause, "", test, 0) for test in tests if test]).word == "does not hold"
    assert failed / 400 < 0.05


@pytest.mark.parametrize(
    "text", ["accuracy better than random | margin by 2; labels(end) less than random", "none: people look at it"]
)
def test_a_rule_is_shown_as_it_is_written(text: str) -> None:
    assert read_rule(text).text == text


def test_a_rule_is_read() -> None:
    (clause,) = read_rule("chosen_entropy more than 1.63 x asal_auto, gan dcgan | 0.5 by 2 at 200").clauses
    assert clause == Clause(
        "chosen_entropy more than 1.63 x asal_auto, gan dcgan | 0.5 by 2 at 200", False, "chosen_entropy", None, "more",
        [Operand("asal_auto, gan dcgan", factor=1.63), Operand(factor=0.5)], 2.0, "at 200",
    )  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "better",
            "none:",
            "accuracy is better than random",
            "share better than random",
            "accuracy(3) more than 1",
        ),
        *("share(end) more than random", "labels(end) less than 500", "labels(end) less than random | 500"),
        *("seconds less than random", "seconds(end) less than 5", "accuracy(end) more than random"),
        *("labels(50) less than metric:accuracy", "labels(end) less than random at 20", "labels(at 50) less than 50"),
        *("labels(50) less than itself at 20", "share(at 50) more than random", "iterations(at 5) less than random"),
        *("accuracy better than itself", "accuracy(at 20) better than random"),
        *("share(0) more than 50 while trained", "chosen_entropy more than random while trained"),
        *("accuracy more than metric:chosen_entropy while trained",),
    ],
)
def test_what_is_no_rule_is_refused(text: str) -> None:
    with pytest.raises(RuleError, match="rule"):
        read_rule(text)
