"""What a reader asks first: answered by made cells of real experiments."""

import itertools
from functools import cache
from pathlib import Path

import pytest
from kept_cells import Curves, accuracies_of, compare_areas, kept_runs, page_of
from made_runs import ABOUT, made_run

from al_bench.analysis.experiment import Experiment, plan_experiment
from al_bench.analysis.questions import Question, answer_questions, read_questions
from al_bench.analysis.reading import StoredRuns, stored
from al_bench.analysis.statistics.correction import correct
from al_bench.analysis.statistics.paired import PairedTest
from al_bench.analysis.statistics.power import seeds_needed
from al_bench.config.groups import CONF
from al_bench.errors import UserError
from al_bench.report.coverage import tabulate_answers
from al_bench.report.measures import factor_of

NAME = "asal/mnist_two_hinge"
AHEAD = Question("Is it ahead?", NAME, "min_distance", "random", "accuracy")
BEHIND = Question("Is random ahead?", NAME, "random", "min_distance", "accuracy")
OF_DATA = {"dataset": "mnist_two"}
ENDED = {"unlabeled": 0}  # with which a run has come to its end, whatever its budget
DATA = {
    **dict.fromkeys(("waal/parts_fashion_mnist", "waal/steps_fashion_mnist", "alcg/fashion_mnist"), "Fashion-MNIST"),
    "alcg/fashion_mnist_sngan": "Fashion-MNIST, AC-SNGAN",
    "alcg/balance_fashion_mnist": "Fashion-MNIST",
    **dict.fromkeys(("alcg/cifar10_small", "alcg/balance_cifar10"), "CIFAR-10 (JPEG)"),
    "mal/tiny_imagenet": "Tiny-ImageNet",
}
IN_PAPER = {
    "alcg/fashion_mnist": "{} after Holm over the twenty-two questions)",
    "alcg/cifar10_small": "{} over the twenty-two questions)",
    "alcg/balance_fashion_mnist": "{} over the questions)",
}  # what docs/papers/alcg.md says of GAN-test
PAIRS = (
    ("mal/mal", "mal/sl_random"),
    ("mal/ssl_random", "mal/sl_random"),
    ("mal/mal", "mal/ssl_random"),
    ("mal/mal", "mal/random_longer"),
)  # lines of Tiny-ImageNet
MISSING = Question("Is full ahead?", NAME, "full", "random", "accuracy")


@cache
def planned(seeds: str) -> Experiment:
    return plan_experiment(NAME, [seeds])


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> StoredRuns:
    outputs = tmp_path_factory.mktemp("outputs")
    for line, accuracies in {"random": (0.5, 0.6), "min_distance": (0.7, 0.8)}.items():
        for cell in planned("seed=0,1,2").lines[line]:
            better = tuple(value + cell.seed / (100 if line == "random" else 110) for value in accuracies)
            made_run(outputs, line, cell.seed, better, identity=cell.identity, choices=OF_DATA, more=ENDED)
    return stored(outputs, Path("none"))


def test_answers_carry_their_test(made: StoredRuns, tmp_path: Path) -> None:
    asked = [AHEAD, BEHIND, MISSING]
    ahead, behind, missing = answer_questions(asked, made.runs, lambda name, declared: 100.0, [tmp_path])
    assert (ahead.word, behind.word, missing.word) == ("yes", "no", "nothing stored")
    assert ahead.tested is not None and ahead.tested.test.n == 3
    assert ahead.tested.test.p is not None
    assert ahead.tested.p == pytest.approx(2 * ahead.tested.test.p), "of two tests"
    rows = tabulate_answers([ahead, behind, missing]).rows
    assert [row[1] for row in rows] == ["yes", "no", "nothing stored"]
    assert rows[0][2] == "min_distance minus random (untuned)"
    assert rows[0][4] == pytest.approx(20.0, abs=0.2), "percent"


@pytest.mark.parametrize(
    ("cycles", "annotations", "word"),
    [
        (6, "10 to 60", "yes"),
        (4, "10 to 40 of 10 to 60", "yes"),
        (3, "10 to 30 of 10 to 60", "not decided: one line less than half as far as the other"),
    ],
)
def test_an_answer_says_over_which_annotations(tmp_path: Path, cycles: int, annotations: str, word: str) -> None:
    for line, count in (("random", 6), ("min_distance", cycles)):
        for cell in planned("seed=0,1,2").lines[line]:
            start = 0.2 + cell.seed / 100 if line == "random" else 0.4 + cell.seed / 110
            values = tuple(start + size / 20 for size in range(count))
            made_run(tmp_path, line, cell.seed, values, identity=cell.identity, choices=OF_DATA, more=ENDED)
    answers = answer_questions([AHEAD], stored(tmp_path, Path("none")).runs, lambda name, declared: 1.0, [tmp_path])
    table = tabulate_answers(answers)
    (row,) = table.rows
    assert (row[1], row[list(table.columns).index("annotations")]) == (word, annotations)


@pytest.mark.parametrize(("seeds", "words"), [([0, 1, 2], "seeds 0 to 2 have"), ([1], "seed 1 has")])
def test_no_question_is_answered_while_a_run_goes_on(tmp_path: Path, seeds: list[int], words: str) -> None:
    """Both lines are equally far, at 60 of 500 labels, whatever budget each run itself was given."""
    for line, start in (("random", 0.2), ("min_distance", 0.4)):
        for cell in planned("seed=0,1,2").lines[line]:
            values = tuple(start + size / 20 + cell.seed * (start + 1) / 100 for size in range(6))
            more = {} if cell.seed in seeds else ENDED
            made_run(tmp_path, line, cell.seed, values, identity=cell.identity, choices=OF_DATA, more=more)
    (answer,) = answer_questions([AHEAD], stored(tmp_path, Path("none")).runs, lambda name, declared: 1.0, [tmp_path])
    assert answer.tested is not None and answer.tested.better
    assert answer.word.startswith(f"not decided: {words}")


@pytest.mark.slow
def test_every_question_asks_of_lines_that_there_are() -> None:
    lines = {name: plan_experiment(name, []).all_lines for name in {one.experiment for one in read_questions()}}
    for one in read_questions():
        assert {one.first, one.second} <= {*lines[one.experiment]}, one


@pytest.mark.parametrize(
    ("seeds", "accuracies", "why"),
    [((0, 1), (0.5, 0.6), "no seed of both is stored"), ((0, 0), (0.5,), "no seed of both has two numbers of annot")],
)
def test_what_cannot_be_paired_is_not_said_to_be_missing(
    tmp_path: Path, seeds: tuple[int, int], accuracies: tuple[float, ...], why: str
) -> None:
    for line, seed in zip(("random", "min_distance"), seeds, strict=True):
        (cell,) = (one for one in planned("seed=0,1").lines[line] if one.seed == seed)
        made_run(tmp_path, line, seed, accuracies, identity=cell.identity, choices={"dataset": "mnist_two"})
    (answer,) = answer_questions([AHEAD], stored(tmp_path, Path("none")).runs, lambda name, declared: 1.0, [tmp_path])
    assert answer.word.startswith(f"not decided: {why}")


def test_what_both_lines_ran_on_stands_beside_the_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once where it is the same: on another processor equal code rounds otherwise."""
    said = []
    for name, processors in (("one", ("A", "A")), ("two", ("A", "B"))):
        for line, processor in zip(("random", "min_distance"), processors, strict=True):
            monkeypatch.setitem(ABOUT, "hardware", {"gpus": [], "processor": processor, "cores": 2})
            for cell in planned("seed=0,1").lines[line]:
                made_run(tmp_path / name, line, cell.seed, identity=cell.identity, choices={"dataset": "mnist_two"})
        runs = stored(tmp_path / name, Path("none")).runs
        answers = answer_questions([AHEAD], runs, lambda name, declared: 1.0, [tmp_path])
        said += [row[-1] for row in tabulate_answers(answers).rows]
    first, second = ("B", "A") if AHEAD.first == "min_distance" else ("A", "B")
    assert said == ["A, 2 cores", f"the first on {first}, 2 cores; the second on {second}, 2 cores"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("question\n", "its columns have to be"),
        ("question,experiment,first,second,metric\na,b,c,d,\n", "row 2 has no metric"),
    ],
)
def test_another_table_is_refused(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "questions.csv").write_text(text)
    with pytest.raises(UserError, match=words):
        read_questions(tmp_path)


@pytest.mark.slow
def test_the_answers_in_results_are_those_of_the_kept_cells() -> None:
    """Difference, interval, both p and seeds it would take. Cells of Tiny-ImageNet, which are found by their files
    alone, are put beside those of data sets that are found without any data."""
    root = CONF.parent
    text = (root / "results" / "README.md").read_text()
    kept = stored(root / "none", root / "results" / "cells")
    answers = [one for one in answer_questions(read_questions(), kept.runs, factor_of, []) if one.tested is not None]
    tested = [one for one in answers if one.word != "not decided: one seed"]
    tests = [*(one.tested.test for one in tested if one.tested is not None), *map(of_tiny_imagenet, PAIRS)]
    found = correct(tests)
    assert len(found) == 22, "another number than results/README.md has corrected for"
    for one, question in itertools.zip_longest(found, tested):
        test, factor = one.test, question.factor if question else 100
        pair = (question.question.first, question.question.second) if question else ()
        of_digits = question is not None and question.question.experiment.endswith("/digits")
        refuted = of_digits and {"tuned/digits_waal", "alcg/cs_mc"} & {*pair}
        assert one.better is (False if refuted else None)
        digits = 2 if abs(test.mean * factor) < 10 else 1 if factor == 100 else 0
        low, high = (f"{value * factor:.{digits}f}" for value in (test.low or 0.0, test.high or 0.0))
        needed = seeds_needed(test.effect, alpha=one.level) or "over 1,000"
        experiment = question.question.experiment if question else "mal/tiny_imagenet"
        data = DATA.get(experiment, "digits")
        row = f"{data}, {test.n} | {test.mean * factor:+.{digits}f} [{low}, {high}] | "
        assert f"{row}{as_printed(test.p)}, {as_printed(one.p)} | {needed} |" in text, question or test
        if question and question.metric == "gan_test" and experiment in IN_PAPER:
            assert IN_PAPER[experiment].format(as_printed(one.p)) in page_of("alcg")


def of_tiny_imagenet(pair: tuple[str, str]) -> PairedTest:
    """Of the areas of two lines, in fractions."""
    kept = [run for run in kept_runs("tiny_imagenet-mal-*") if run.config["precision"] == "bf16-mixed"]
    both: list[Curves] = []
    for line in pair:
        asked = [run for run in kept if run.choices["method"] == line]
        both.append({run.seed: {at: one / 100 for at, one in accuracies_of(run).items()} for run in asked})
    return compare_areas(*both)


def as_printed(p: float | None) -> str:
    assert p is not None
    return f"{p:.2f}" if p >= 0.1 else f"{p:.3f}" if p >= 0.001 else f"{p:.4f}"
