"""Versions of an experiment side by side: epoch-matched and step-matched, of which one line is the same in both."""

import csv
from dataclasses import replace
from pathlib import Path

import pytest
from made_runs import CHOICES, EFFORT, cycle, label, made_run, write_cycle

from al_bench.analysis.experiment import arrange_lines, plan_experiment
from al_bench.analysis.rebuilding import Rebuilder
from al_bench.analysis.selection import stored_of
from al_bench.analysis.versions import sides
from al_bench.config.experiment import Cell
from al_bench.report.figures.palette import looks
from al_bench.report.page import write_report
from al_bench.report.paper.waal import compare_versions

TESTS = Path(__file__).parents[2]
SHADOW = f"hydra.searchpath=[file://{TESTS / 'conf'}]"
LOOP = {"budget": 20, "max_cycles": None, "stop_at": None}
LINES = ("random", "entropy", "waal")


def cell(strategy, seed, matched):
    """waal's learner has no steps to match."""
    learner = {"part": f"made.{strategy}"} | ({"match_steps": True} if matched and strategy != "waal" else {})
    identity = {
        "part": "made.loop",
        "dataset": {"part": "made.dataset"},
        "evaluator": {"part": "made.Accuracy"},
        "learner": learner,
        "strategy": {"part": f"made.{strategy}"},
        "seed": seed,
    }
    own = (f"strategy={strategy}", f"seed={seed}", *(["match_steps=true"] if matched else []))
    choices = {**CHOICES, "strategy": strategy}
    return Cell(own, choices, identity, LOOP, label(choices, seed, learner), ())


def made():
    cells = {matched: [cell(line, seed, matched) for line in LINES for seed in (0, 1)] for matched in (False, True)}
    other = replace(arrange_lines("paper/made", ["match_steps=true"], cells[True]), version="step-matched")
    return replace(arrange_lines("paper/made", [], cells[False]), version="epoch-matched", versions=[other])


def run_of(outputs, strategy, seed, matched, accuracies, steps=10):
    wanted = cell(strategy, seed, matched)
    given = {"identity": wanted.identity, "choices": wanted.choices, "learner": wanted.identity["learner"]}
    folder = made_run(outputs, strategy, seed, accuracies, **given)
    for index, accuracy in enumerate(accuracies):
        cost = {**EFFORT, "optimizer_steps": steps * (index + 1)}
        write_cycle(folder, {**cycle(index, accuracy), "effort": dict.fromkeys(("query", "fit", "evaluate"), cost)})


@pytest.fixture
def outputs(tmp_path):
    """Of step-matched lines entropy is missing, and random's second seed."""
    for seed in (0, 1):
        run_of(tmp_path, "random", seed, False, (0.40, 0.50 + 0.1 * seed), steps=16)
        run_of(tmp_path, "entropy", seed, False, (0.42, 0.60))
        run_of(tmp_path, "waal", seed, False, (0.50, 0.70), steps=600)
    run_of(tmp_path, "random", 0, True, (0.45, 0.75), steps=300)
    return tmp_path


def compared(outputs):
    one = made()
    found = stored_of(one.labels, outputs, outputs / "cells").runs
    of = sides(one, found)
    styles = looks(group for side in of for group in side.section.groups)
    return compare_versions(of, found, styles, "range")


def test_both_means_what_waal_is_ahead_and_the_steps_at_each_number(outputs):
    found = compared(outputs)
    assert found.unchanged == ["waal"]
    assert [count.annotations for count in found.counts] == [10, 20]
    table = found.counts[1].table
    assert list(table.columns) == [
        "line", "epoch-matched: accuracy, % (seeds)", "step-matched: accuracy, % (seeds)",
        "waal minus epoch-matched", "waal minus step-matched", "epoch-matched: steps", "step-matched: steps",
    ]  # fmt: skip
    assert table.rows == [
        ["random", "55.0 ± 7.1 (2)", "75.0 (1)", "+15.0", "-5.0", 32, 600],
        ["entropy", "60.0 ± 0.0 (2)", None, "+10.0", None, 20, None],
        ["waal", "70.0 ± 0.0 (2)", "70.0 ± 0.0 (2)", None, None, 1200, 1200],
    ]
    assert table.numeric[1:] == [True] * 6


def test_what_it_comes_to_in_words(outputs):
    assert [count.said for count in compared(outputs).counts] == [
        "waal 50.0 %; epoch-matched 8.0 points ahead of entropy, the best of 2; step-matched 5.0 points ahead of "
        "random, the only other one",
        "waal 70.0 %; epoch-matched 10.0 points ahead of entropy, the best of 2; step-matched 5.0 points behind "
        "random, the only other one",
    ]


def test_all_numbers_are_one_table_for_programs(outputs):
    table = compared(outputs).whole
    rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    assert len(rows) == 2 * len(LINES) * 2
    (one,) = [
        row for row in rows if (row["annotations"], row["line"], row["version"]) == (20, "random", "step-matched")
    ]
    assert one["accuracy, %"] == pytest.approx(75)
    assert (one["seeds"], one["steps"], one["waal minus it"]) == (1, 600, pytest.approx(-5))


def test_the_lines_that_differ_are_cells_of_their_own(outputs):
    ((one, table, said),) = compared(outputs).cells
    assert said == "1 of 4 cells finished", "waal's are the sweep's own"
    assert [row[:3] for row in table.rows] == [["random", 2, 1], ["entropy", 2, 0]]
    assert table.rows[0][4] == "python run.py -m experiment=paper/made strategy=random match_steps=true seed=1"
    assert one.commands == ["python run.py -m experiment=paper/made match_steps=true"]


def test_a_version_of_which_nothing_is_stored_has_no_plot(tmp_path):
    run_of(tmp_path, "random", 0, False, (0.4, 0.5))
    found = compared(tmp_path)
    assert [(words, shot is None) for words, shot in found.plots] == [("epoch-matched", False), ("step-matched", True)]
    assert [count.said for count in found.counts] == ["waal is not measured"] * 2


def test_nothing_is_stored(tmp_path):
    found = compared(tmp_path)
    assert (found.counts, found.whole, found.groups) == ([], None, [])
    assert [table.name for table in found.tables] == ["cells-paper-made-step-matched"]


def test_an_experiment_with_one_version_has_nothing_beside_it(outputs):
    assert sides(replace(made(), versions=()), []) == []


def test_the_page_shows_both(outputs, tmp_path):
    one = made()
    found = stored_of(one.labels, outputs, outputs / "cells")
    page = write_report(found, tmp_path / "report", "range", Rebuilder(None), tmp_path / "conf", [one])
    text = page.read_text()
    assert "<h3>Epoch-matched beside step-matched</h3>" in text
    assert "waal is the same in both" in text
    assert "step-matched 5.0 points behind random, the only other one</summary>" in text
    tables = page.parent / "tables"
    assert {"versions-paper-made.csv", "cells-paper-made-epoch-matched.csv"} <= {path.name for path in tables.iterdir()}
    rows = list(csv.DictReader((tables / "runs.csv").read_text().splitlines()))
    names = sorted(row["method"] for row in rows)
    assert names == ["entropy", "entropy", "random", "random", "random, step-matched", "waal", "waal"]


def test_the_versions_are_those_that_the_file_names():
    """Of a folder of one's own on the search path."""
    one = plan_experiment("shadow_versions", [SHADOW])
    (other,) = one.versions
    assert (one.version, other.version, one.unchanged) == ("epoch-matched", "step-matched", ["adba"])
    assert list(one.lines) == list(other.lines) == ["random", "adba"]
    assert other.lines["random"][1].identity["learner"]["match_steps"] is True
    assert other.overrides == [SHADOW, "match_steps=true"]
    assert len(one.labels) == 4 + 2


@pytest.mark.parametrize(("name", "overrides"), [("shadow_versions", ["match_steps=true"]), ("shadow_table", [])])
def test_a_version_that_changes_nothing_is_none(name, overrides):
    one = plan_experiment(name, [SHADOW, "strategy=random", "seed=0", *overrides], TESTS / "conf")
    assert (one.version, list(one.versions)) == ("", [])
