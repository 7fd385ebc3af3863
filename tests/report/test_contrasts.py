"""The differences that an experiment's file asks for, as its page shows them."""

import csv
import re
from pathlib import Path

import numpy as np
import pytest
from made_runs import CHOICES, cycle, label, made_run, write_cycle

from al_bench.analysis.experiment import Experiment, arrange_lines
from al_bench.analysis.grouping import sections
from al_bench.analysis.reading import Run, stored
from al_bench.analysis.rebuilding import Rebuilder
from al_bench.analysis.selection import stored_of
from al_bench.config.experiment import Cell
from al_bench.errors import UserError
from al_bench.files import read_json, write_json
from al_bench.report.contrasts import tabulate_contrasts
from al_bench.report.page import write_report

LOOP = {"budget": 20, "max_cycles": None, "stop_at": None}


def identity(strategy: str, seed: int) -> dict[str, object]:
    parts = {name: {"part": f"made.{name}"} for name in ("dataset", "evaluator", "learner")}
    return {"part": "made.loop", **parts, "strategy": {"part": f"made.{strategy}"}, "seed": seed}


def experiment(*overrides: str) -> Experiment:
    cells = [
        Cell(
            (f"strategy={line}", f"seed={seed}"), {**CHOICES, "strategy": line}, identity(line, seed), LOOP,
            label({**CHOICES, "strategy": line}, seed, {}), (),
        )
        for line in ("random", "margin", "waal") for seed in (0, 1)
    ]  # fmt: skip
    return arrange_lines("made", overrides, cells)


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    """margin is not stored."""
    (tmp_path / "conf" / "experiment").mkdir(parents=True)
    text = "# @package _global_\n# made\ncontrasts:\n  the query: [waal, random]\n  none: [waal, margin]\n"
    (tmp_path / "conf" / "experiment" / "made.yaml").write_text(text)
    for line, last in (("random", (0.6, 0.7)), ("waal", (0.65, 0.71))):
        for seed in (0, 1):
            made_run(
                tmp_path, line, seed, (0.5, last[seed]), identity=identity(line, seed), more={"test_images": 4},
                tensors={"labels": np.array([0]), "correct": np.packbits([line == "waal", True, seed == 0, False])},
            )  # fmt: skip
    return tmp_path / "conf"


def found(conf: Path) -> list[Run]:
    return stored(conf.parent, conf.parent / "cells").runs


def test_a_row_for_each_number_that_both_lines_have(conf: Path) -> None:
    """At 20 labels 5 and 1 points: 3 on average, which one degree of freedom makes wide; an image of four is gained."""
    groups = [group for section in sections(found(conf)) for group in section.groups]
    (table,) = tabulate_contrasts(experiment(), groups, [], conf)
    assert [row[:3] for row in table.rows] == [
        ["the query", "waal minus random (untuned)", 10],
        ["the query", "waal minus random (untuned)", 20],
    ]
    assert table.columns[3] == "difference, points"
    assert table.rows[0][3:] == [0.0, 2, "", None, None, None, None], "a first cycle's tensors hold no bits here"
    difference, seeds, unpaired, low, high, lower, higher = table.rows[1][3:]
    assert (difference, seeds, unpaired) == (pytest.approx(3.0), 2, "")
    assert (low, high) == (pytest.approx(3 - 25.412, abs=0.01), pytest.approx(3 + 25.412, abs=0.01))
    assert (lower, higher) == (pytest.approx(25 - 79.56, abs=0.01), pytest.approx(25 + 79.56, abs=0.01))


def test_seeds_that_are_no_pair_are_said(conf: Path) -> None:
    """One line has a third seed, and another is not at 20 labels yet."""
    made_run(conf.parent, "waal", 2, identity=identity("waal", 2))
    for line, accuracies in (("waal", (0.5, 0.6)), ("random", (0.5,))):
        made_run(conf.parent, line, 3, accuracies, identity=identity(line, 3), finished=line == "waal")
    groups = [group for section in sections(found(conf)) for group in section.groups]
    (table,) = tabulate_contrasts(experiment(), groups, [], conf)
    assert [row[4:6] for row in table.rows] == [[3, "2"], [2, "2, 3"]]
    assert "unpaired are seeds that one of both has alone" in table.about


def test_an_experiment_that_asks_for_none_has_no_table(conf: Path) -> None:
    (conf / "experiment" / "made.yaml").write_text("# @package _global_\n# made\n")
    assert tabulate_contrasts(experiment(), [], [], conf) == []


def test_a_table_for_each_metric_that_is_named_and_stored(conf: Path) -> None:
    """Of a distance the sign stays and the table says that less is better; `fid` is stored as what stands in for it."""
    declared = [
        {"name": "accuracy", "unit": "fraction", "higher_is_better": True},
        {"name": "fid_own", "unit": "distance", "higher_is_better": False, "words": "FID-own"},
    ]
    for line, distances in (("random", (9.0, 11.0)), ("waal", (6.0, 7.0))):
        for seed in (0, 1):
            folder = made_run(conf.parent, line, seed, identity=identity(line, seed))
            write_json(folder / "config.json", read_json(folder / "config.json") | {"metrics": declared})
            for index, value in enumerate((12.0, distances[seed])):
                measured = {"metrics": {"accuracy": 0.5, "fid_own": value}}
                write_cycle(folder, {**cycle(index, 0.5), **measured})
    file = conf / "experiment" / "made.yaml"
    file.write_text(file.read_text() + "contrast_metrics: [fid, accuracy, kid]\n")
    groups = [group for section in sections(found(conf)) for group in section.groups]
    distance, accuracy = tabulate_contrasts(experiment(), groups, [], conf)
    assert (distance.name, accuracy.name) == ("contrasts-made-fid_own", "contrasts-made-accuracy")
    assert "FID-own, of which less is better, one line" in distance.about
    assert "less is better" not in accuracy.about
    assert distance.columns[3] == "difference"
    assert [row[3] for row in distance.rows] == [0.0, pytest.approx(-3.5)]
    (nothing,) = tabulate_contrasts(experiment(), [], [], conf)
    assert nothing.rows == []


@pytest.mark.parametrize("given", ["fid", "[1]", "[]", "{fid: 1}"])
def test_metrics_that_are_no_list_of_names_are_refused(conf: Path, given: str) -> None:
    file = conf / "experiment" / "made.yaml"
    file.write_text(file.read_text() + f"contrast_metrics: {given}\n")
    with pytest.raises(UserError, match=r"contrast_metrics is .*use a list of metrics"):
        tabulate_contrasts(experiment(), [], [], conf)


def test_what_a_file_in_a_folder_of_ones_own_asks_for_is_read_there(conf: Path) -> None:
    """Where Hydra's search path found it, its contrasts and the published numbers beside it."""
    one = experiment(f"hydra.searchpath=[pkg://elsewhere,'file://{conf}']")
    (conf / "experiment" / "paper").mkdir()
    (conf / "experiment" / "paper" / "made.csv").write_text("no table\n")
    runs = stored_of(one.labels, conf.parent, conf.parent / "cells")
    page = write_report(runs, conf.parent / "report", "range", Rebuilder(None), conf.parent / "none", [one])
    assert "<h3>One line minus another</h3>" in page.read_text()
    assert [problem.place.name for problem in runs.problems] == ["made.csv"]


def test_the_page_and_its_tables_have_them(conf: Path) -> None:
    one = experiment()
    runs = stored_of(one.labels, conf.parent, conf.parent / "cells")
    page = write_report(runs, conf.parent / "report", "range", Rebuilder(None), conf, [one])
    assert "<h3>One line minus another</h3>" in page.read_text()
    assert "Neither is corrected for how many there are." in page.read_text()
    with (page.parent / "tables" / "contrasts-made.csv").open() as file:
        _, first, second = csv.reader(file)
    assert first[:2] == second[:2]
    written = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in page.read_text().split("<tr")]
    shown = [row[:2] for row in written if first[1] in "".join(row[1:2])]
    assert shown == [first[:2], [f'<span class="unseen">{words}</span>' for words in first[:2]]], (
        "said once, and read out"
    )
