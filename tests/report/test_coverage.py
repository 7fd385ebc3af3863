"""How much of the papers is measured, as tables: of made cells of a real experiment."""

from dataclasses import replace
from pathlib import Path

import pytest
from kept_cells import kept_runs
from made_runs import made_run

from al_bench.analysis.contents import Item
from al_bench.analysis.coverage import Covered, cover, place_of, plan_scales, say_uncounted
from al_bench.analysis.experiment import plan_experiment
from al_bench.analysis.published import Claim, Number, Published
from al_bench.analysis.reading import Run, stored
from al_bench.analysis.rules import read_rule
from al_bench.report.coverage import summarize_coverage, tabulate_claims, tabulate_items, tabulate_numbers

NAME = "asal/mnist_two_hinge"
TABLE = Published(
    NAME,
    [
        Number("random", "10", 40.0, 2.0, 5, "Tab. 1"),
        Number("random", "20", 99.0, None, None, "Tab. 1", "printed twice"),
        Number("full", "10", 99.0, None, None, "Tab. 1"),
    ],
    [
        Claim(["min_distance"], "accuracy", "ahead", "", [read_rule("accuracy better than random")]),
        Claim(["full"], "accuracy", "level", "", [None]),
    ],
)


@pytest.fixture(scope="module")
def covered(tmp_path_factory) -> Covered:
    """Two seeds of two lines, each computed under a commit of its own; one run of another configuration."""
    outputs = tmp_path_factory.mktemp("outputs")
    planned = plan_experiment(NAME, ["seed=0,1"])
    for line, accuracies in {"random": (0.5, 0.6), "min_distance": (0.7, 0.8)}.items():
        for cell in planned.lines[line]:
            better = tuple(value + cell.seed / (100 if line == "random" else 110) for value in accuracies)
            choices = {"dataset": "mnist_two", "experiment": NAME}
            more = {"commit": f"made{cell.seed}", "unlabeled": 0}  # which ends a run
            made_run(outputs, line, cell.seed, better, identity=cell.identity, choices=choices, more=more)
    return cover(TABLE, stored(outputs, Path("none")).runs, lambda name, declared: 100.0, [outputs])


def test_what_is_measured_says_of_what(covered: Covered) -> None:
    measured, doubted, missing = covered.numbers
    assert (measured.state, doubted.state, missing.state) == ("measured", "doubted", "missing")
    assert measured.compared.mean == pytest.approx(50.5)
    assert measured.compared.difference == pytest.approx(10.5)
    assert doubted.compared.difference is None
    assert (measured.scale, measured.commits, missing.commits) == ("paper", ["made0", "made1"], ())


def test_what_is_of_an_end_or_a_whole_is_measured_in_runs_that_have_come_to_theirs(tmp_path: Path) -> None:
    """Of two seeds of 500 labels one stands at 30; the number at 10 labels is of both."""
    for cell in plan_experiment(NAME, ["seed=0,1"]).lines["random"]:
        more = {"unlabeled": 0} if cell.seed else {}
        values = (0.5, 0.6, 0.7 + cell.seed / 10)
        choices = {"dataset": "mnist_two"}
        made_run(tmp_path, "random", cell.seed, values, identity=cell.identity, choices=choices, more=more)
    columns = ("10", "accuracy", "chosen entropy")
    table = Published(NAME, [Number("random", column, 1.0, None, None, "made") for column in columns])
    runs = stored(tmp_path, Path("none")).runs
    for kept, seeds in ((runs, [2, 1, 1]), ([run for run in runs if run.seed == 0], [1, None, None])):
        found = cover(table, kept, lambda name, declared: 1.0, [tmp_path]).numbers
        assert [one.compared.found and one.compared.found.seeds for one in found] == seeds
        assert [one.state == "measured" for one in found] == [number is not None for number in seeds]
    whole = cover(table, runs, lambda name, declared: 1.0, [tmp_path]).numbers
    assert whole[1].compared.mean == pytest.approx(0.8)


def test_what_has_no_data_says_so(tmp_path: Path) -> None:
    table = Published("asal/svhn", [Number("random", "1000", 40.0, 2.0, 5, "Tab. 1")])
    (number,) = cover(table, [], lambda name, declared: 1.0, [tmp_path]).numbers
    assert number.state == "no data here"


def test_claims_are_judged_by_their_rules(covered: Covered) -> None:
    assert [claim.verdict.word for claim in covered.claims] == ["holds", "not decided"]


def test_the_tables_say_the_same(covered: Covered) -> None:
    numbers = tabulate_numbers([covered])
    assert numbers.rows[0][:11] == [
        NAME, "random", "10", 40.0, 2.0, 5, pytest.approx(50.5), pytest.approx(0.7071, abs=1e-3), 2,
        pytest.approx(10.5), "measured",
    ]  # fmt: skip
    assert numbers.rows[1][10] == "doubted: printed twice"
    claims = tabulate_claims([covered])
    assert claims.columns[4:6] == ["rule", "verdict"]
    judged = [["accuracy better than random", "holds"], ["", "not decided"]]
    assert [row[4:6] for row in claims.rows] == judged, "what a verdict says is read beside its margin"
    items = [Item("ASAL", "Tab. 1", "table", [NAME], ""), Item("ASAL", "Fig. 1", "picture", [], "a drawing")]
    rows = tabulate_items(items, {NAME: covered}).rows
    assert [row[4] for row in rows] == ["1 of 3", "no experiment"]
    assert summarize_coverage([covered]) == (
        "3 published numbers: 1 measured, 1 doubted and 1 missing. "
        "2 claims, one for each line: 1 hold, 0 do not hold and 1 are not decided."
    )


def test_what_is_of_a_smaller_scale_is_counted_apart(covered: Covered) -> None:
    numbers = [replace(one, scale="small" if one.state == "measured" else "") for one in covered.numbers]
    claims = [replace(one, scale=scale) for one, scale in zip(covered.claims, ("small", "small"), strict=True)]
    assert summarize_coverage([replace(covered, numbers=numbers, claims=claims)]) == (
        "3 published numbers: 1 measured, 1 doubted and 1 missing; of the measured 1 at scale=small. "
        "2 claims, one for each line: 1 hold, 0 do not hold and 1 are not decided; of the decided 1 at scale=small."
    )


def test_a_table_is_written_for_latex(covered: Covered) -> None:
    text = tabulate_claims([covered]).as_latex()
    assert r"min\_distance" in text
    assert r"\toprule" in text
    assert r"\caption{What the papers say in words, judged by the rules in conf/experiment}" in text


def test_what_is_no_result_counts_for_nothing_and_is_said(tmp_path: Path) -> None:
    """Runs that tried something, and those of a scale of somebody's own, or of none."""
    planned = plan_experiment(NAME, ["seed=0,1"])
    for number, scale in enumerate(("smoke", "huge", None)):
        for cell in planned.lines["random"]:
            choices = {"dataset": "mnist_two", "scale": scale}
            made_run(tmp_path / str(number), "random", cell.seed, (0.5, 0.6), identity=cell.identity, choices=choices)
        runs = stored(tmp_path / str(number), Path("none")).runs
        found = cover(TABLE, runs, lambda name, declared: 100.0, [tmp_path])
        assert (found.runs, {one.state for one in found.numbers}) == (0, {"missing", "doubted"})
        (said,) = say_uncounted(runs)
        assert said.startswith("2 runs of scale=smoke" if scale == "smoke" else "2 runs of a scale that is not in conf")
        assert said.endswith(f": {scale or 'none'}") or scale == "smoke"


def test_a_folder_of_data_may_be_called_anything(tmp_path: Path) -> None:
    """Hydra's grammar does not read such a one without quotes."""
    (tmp_path / "Bjö(r)n" / "MNIST").mkdir(parents=True)
    (place,) = place_of(NAME, [tmp_path / "Bjö(r)n"])
    assert place == f"paths.data='{tmp_path / 'Bjö(r)n'}'"


def test_what_is_judged_on_other_data_is_no_part_of_a_figure(covered: Covered) -> None:
    """Nor of its runs: the figure itself is still to be made."""
    claims = [replace(one, sentence=f"{one.sentence}; there of other data") for one in covered.claims]
    elsewhere = replace(covered, numbers=[], claims=claims)
    assert elsewhere.of_other_data and not covered.of_other_data
    items = [Item("ALCG", "Fig. 5", "figure", ["alcg/digits"], ""), Item("ALCG", "Fig. 9", "figure", ["a", "b"], "")]
    alone, beside = tabulate_items(items, {"alcg/digits": elsewhere, "a": elsewhere, "b": covered}).rows
    assert alone[4] == "figure only; runs of other data"
    assert (alone[7:12], alone[12]) == ([0, 0, 0, 0, 0], "1 hold, 0 do not hold and 1 are not decided")
    assert (beside[7:12], beside[12]) == ([4, 2, 1, 0, 1], "1 hold, 0 do not hold and 1 are not decided")
    assert summarize_coverage([elsewhere]).endswith(
        "0 claims, one for each line: 0 hold, 0 do not hold and 0 are not decided. "
        "2 more on other data than the papers': 1 hold, 0 do not hold and 1 are not decided."
    )


def test_runs_of_a_scale_are_found_with_what_they_were_given_beside_it() -> None:
    """Figure 9's are longer and narrower at scale=small than others there."""
    name, kept = "alcg/adversarial_fashion_mnist", kept_runs("fashion_mnist-alcg-random+acgan+ac_dcgan-seed=0")
    (run,) = (one for one in kept if one.choices["experiment"] == name and one.config["scale"]["gan_width"] == 0.25)
    planned = plan_scales(name, kept, [])
    assert [one.id for one in planned["small"].runs(kept)] == [run.id]


def test_runs_that_read_other_files_of_a_data_set_are_found_with_what_asks_for_these() -> None:
    """CIFAR-10 as JPEG, and the published batches, of which an experiment says nothing."""
    name, kept = "asal/cifar10_two", kept_runs("cifar10_two-asal-random-seed=*")
    (found,) = plan_scales(name, kept, []).items()
    assert (found[0], len(found[1].runs(kept))) == ("small dataset.format=folder", len(kept))
    assert len(kept) == 5
    assert [*plan_scales(name, [*kept[1:], reading(kept[0], "torchvision")], [])] == ["small", found[0]]


def reading(run: Run, form: object) -> Run:
    """The same with another form of its data set's files."""
    return replace(run, about={**run.about, "config": {**run.config, "dataset": {"format": form}}})


@pytest.mark.parametrize("strange", ["${oc.env:HOME}", "a b", "x=y", 5, None, ["folder"]])
def test_a_form_that_a_stored_run_cannot_have_is_no_override(strange: object) -> None:
    (run,) = kept_runs("cifar10_two-asal-random-seed=0")
    assert [*plan_scales("asal/cifar10_two", [reading(run, strange)], [])] == ["small"]
