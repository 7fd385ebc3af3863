"""The table of a comparison: what the document says is what the script makes of the kept cells."""

import json
import re
import runpy
import sys
from pathlib import Path
from statistics import fmean

import pytest
from kept_cells import accuracies_of, kept_runs, words_of
from made_runs import cycle, made_run, write_cycle

from al_bench.analysis.lines import compare_lines
from al_bench.analysis.reading import Run
from al_bench.analysis.statistics.paired import interval
from al_bench.errors import UserError
from al_bench.files import read_json, write_json

ROOT = Path(__file__).parents[1]
SCRIPT = str(ROOT / "scripts" / "compare_lines.py")
NAMES = {
    "random": "random, tuned", "untuned_features": "random, untuned", "untuned_fashion_mnist": "random, untuned",
    "coreset": "core-set", "waal": "WAAL, its own learner",
}  # fmt: skip
TEXT = (ROOT / "docs" / "comparison.md").read_text()
SECTIONS = {"cifar10-compared-features": "### Features", "fashion_mnist-compared": "### Fashion-MNIST"}


def printed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: str) -> str:
    where = ["--outputs", str(ROOT / "none"), "--cells", str(ROOT / "results" / "cells")]
    monkeypatch.setattr(sys, "argv", ["compare_lines.py", *words, *where])
    runpy.run_path(SCRIPT)["main"]()
    return capsys.readouterr().out


@pytest.mark.parametrize("label", SECTIONS)
def test_rows_are_those_of_the_document(
    label: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Differences, ranks, labels and steps of each line; seconds are another machine's."""
    _, differences, standings, ranked, *_ = printed(capsys, monkeypatch, label).split("\n\n")
    assert ranked.startswith("ranks over seeds 0, 1")
    _, from_random, *_ = printed(capsys, monkeypatch, label, "--minus", "random").split("\n\n")
    section = TEXT.split(SECTIONS[label])[1].split("\n##")[0]
    by_margin, by_random = (cells_of(text) for text in (differences, from_random))
    for name, (rank, labels, steps, _) in cells_of(standings).items():
        (row,) = re.findall(rf"^\| {NAMES.get(name, name)} \|(.*) \|$", section, re.MULTILINE)
        *_, minus_margin, minus_random, own_rank, own_labels, own_steps, _ = row.split(" | ")
        assert (own_rank, own_steps) == (rank, steps)
        assert re.sub(r" \((.*)\)", r", \1", own_labels) == labels
        for told, measured in ((minus_margin, by_margin.get(name)), (minus_random, by_random.get(name))):
            difference, interval, p, *_ = measured or ("", "", "1")
            bold = "**" if float(p.removeprefix("<")) < 0.05 else ""
            assert told.strip().startswith(f"{bold}{difference}{bold} {interval}".strip())


def cells_of(table: str) -> dict[str, list[str]]:
    """The cells of each line of a printed table."""
    rows = [re.split(r"  +", row.strip()) for row in table.splitlines()[3:]]
    return {name: cells for name, *cells in rows}


def made_lines(folder: Path) -> None:
    """Two seeds of a line, one of another configuration of it, and one of it that is measured otherwise."""
    for seed in (0, 1):
        made_run(folder, "random", seed, (0.5, 0.6, 0.7), choices={"method": "random"})
    made_run(folder, "random", 0, (0.5, 0.7, 0.8), choices={"method": "random"}, learner={"epochs": 7})
    other = json.loads(next(folder.rglob("config.json")).read_text())["identity"]
    other["evaluator"] = {"part": "evaluator/other@1"}
    made_run(folder, "random", 0, (0.1, 0.2, 0.3), choices={"method": "random"}, identity=other)


def test_another_configuration_is_a_line_of_its_own_and_what_is_left_out_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made_lines(tmp_path)
    (tmp_path / "digits-random-seed=5-abc.cell.xz").write_bytes(b"half")
    lines = runpy.run_path(SCRIPT)["read_lines"](tmp_path, tmp_path, "digits")
    assert {name: group.seeds for name, group in lines.items()} == {"random": [0, 1], "random (2)": [0]}
    damaged, elsewhere = sorted(capsys.readouterr().err.splitlines())
    assert re.match("left out: .*seed=5-abc.cell.xz: is ", damaged)
    assert elsewhere == "left out: 1 run of digits, other, not measured on the same"


def test_runs_of_the_task_are_found_where_they_were_moved_and_others_are_not_opened(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made_run(tmp_path / "old", "random", 0, (0.5, 0.6), choices={"method": "random"})
    for name in ("digits-random-seed=5-abc.cell.xz", "mnist-random-seed=5-abc.cell.xz"):
        (tmp_path / name).write_bytes(b"half")
    read_lines = runpy.run_path(SCRIPT)["read_lines"]
    assert set(read_lines(tmp_path, tmp_path, "digits")) == set(read_lines(tmp_path / "old", tmp_path, "digits"))
    assert set(read_lines(tmp_path, tmp_path, "digits")) == {"random"}
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 3 and all("digits-random-seed=5" in line for line in said)


def compare(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: str
) -> list[str]:
    """The tables that are printed of what lies in a folder of runs."""
    where = ["--outputs", str(folder), "--cells", str(folder / "none")]
    monkeypatch.setattr(sys, "argv", ["compare_lines.py", "digits", *words, *where])
    runpy.run_path(SCRIPT)["main"]()
    return capsys.readouterr().out.split("\n\n")


def test_lines_of_no_method_are_named_by_their_strategies_and_say_how_they_differ(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One seed each: no deviation is made up, and one of another seed is no pair."""
    made_run(tmp_path, "margin", 0, (0.5, 0.6), choices={"method": "none"})
    made_run(tmp_path, "random", 0, (0.5, 0.7), choices={"method": "none"})
    made_run(tmp_path, "random", 0, (0.5, 0.8), choices={"method": "none"}, learner={"epochs": 7})
    made_run(tmp_path, "entropy", 1, (0.5, 0.6), choices={"method": "none"})
    curves, differences, *_ = compare(tmp_path, capsys, monkeypatch)
    assert re.search(r"^margin +1 +50\.00 +60\.00 ", curves, re.MULTILINE)
    (said,) = [line for line in curves.splitlines() if line.startswith("random (2): ")]
    assert re.fullmatch(r"random \(2\): learner.epochs is [57] there and [57] here", said)
    assert {name: cells[-2] for name, cells in cells_of(differences).items()} == {
        "entropy": "0", "random": "1", "random (2)": "1",
    }  # fmt: skip


def test_a_line_of_which_runs_go_on_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for line, finished in {"margin": True, "random": False}.items():
        made_run(tmp_path, line, 0, (0.5, 0.6), choices={"method": "none"}, finished=finished)
    curves, *_ = compare(tmp_path, capsys, monkeypatch)
    assert curves.splitlines()[-1] == "runs go on of random (seed 0): what they are compared by is so far"


def test_a_method_that_was_changed_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made_run(tmp_path, "margin", 0, (0.5, 0.6), choices={"method": "none"})
    made_run(tmp_path, "waal", 0, (0.5, 0.7), choices={"method": "waal"})
    made_run(tmp_path, "random", 0, (0.5, 0.8), choices={"method": "waal"})
    curves, differences, *_ = compare(tmp_path, capsys, monkeypatch)
    assert cells_of(differences).keys() == {"waal", "waal with strategy=random"}
    assert re.search(r"^waal with strategy=random +1 +50\.00 +80\.00 ", curves, re.MULTILINE)


def test_what_is_compared_is_the_metric_that_was_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mean IoU of label maps, and a loss, which is in nats."""
    for name, unit, expected in (("mean_iou", "fraction", "+10.00"), ("loss", "nats", "+0.10")):
        for line, last in (("margin", 0.5), ("random", 0.7)):
            folder = made_run(tmp_path / name, line, 0, (0.4, 0.4), choices={"method": line})
            declared = [{"name": name, "unit": unit, "higher_is_better": unit == "fraction"}]
            write_json(folder / "config.json", read_json(folder / "config.json") | {"metrics": declared})
            for index, value in enumerate((0.4, last)):
                write_cycle(folder, {**cycle(index, 0.0), "metrics": {name: value}})
        _, differences, *_ = compare(tmp_path / name, capsys, monkeypatch)
        assert cells_of(differences)["random"][0] == expected


def test_annotations_at_which_nothing_is_measured_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made_lines(tmp_path)
    with pytest.raises(UserError, match="--at 35: random is measured at 10, 20, 30"):
        compare(tmp_path, capsys, monkeypatch, "--minus", "random", "--at", "35")


@pytest.mark.parametrize("at", [None, 20])
def test_seeds_that_begin_with_other_labels_are_no_pair(tmp_path: Path, at: int | None) -> None:
    """By areas and at a number of annotations: of two seeds one."""
    query = {"labels": [0, 1], "scores": None, "ranks": None, "entropies": None}
    for line, firsts in {"margin": ([0, 1], [2, 3]), "random": ([1, 0], [2, 4])}.items():
        for seed, indices in enumerate(firsts):
            more = {"query": {**query, "indices": indices}}
            made_run(tmp_path, line, seed, (0.5, 0.6 + 0.1 * (line == "random")), choices={"method": line}, more=more)
    script = runpy.run_path(SCRIPT)
    (row,) = script["difference_rows"](script["read_lines"](tmp_path, tmp_path, "digits"), "margin", at)
    assert (row["line"], row["pairs"], row["difference"]) == ("random", "1", "+10.00" if at else "+5.00")


def test_what_the_document_says_of_equal_steps() -> None:
    lines = runpy.run_path(SCRIPT)["read_lines"](ROOT / "none", ROOT / "results" / "cells", "cifar10-compared-features")
    found = compare_lines([lines[name] for name in lines if name != "full"], lines["random"], "accuracy", "steps")
    (one,) = (each.of_line for each in found if each.line == lines["uherding"].name)
    low, high = one.test.low or 0, one.test.high or 0
    told = f"{100 * fmean(one.test.differences):.2f} [{100 * low:.2f}, {100 * high:.2f}] points, p {one.p:.3f}"
    assert f"it is behind random sampling**, {told} after Holm" in " ".join(TEXT.split())


def test_at_equal_steps_are_two_numbers_of_labels() -> None:
    random = kept("cifar10-compared-features-random+backbone", "compared/random")
    other = kept("cifar10-compared-features-uherding+backbone", "compared/uherding")
    steps = [
        sum(one.optimizer_steps for cycle in run.cycles if cycle.annotations <= at for one in cycle.costs.values())
        for at, run in ((200, other[0]), (240, other[0]), (400, random[0]))
    ]
    assert steps == [4500, 5500, 5000]
    own, its = ([accuracies_of(lines[seed]) for seed in range(10)] for lines in (other, random))
    found = [
        interval([(one[200] + one[240]) / 2 - two[400] for one, two in zip(own, its, strict=True)]),
        interval([one[200] - two[200] for one, two in zip(own, its, strict=True)]),
    ]
    told = [words_of(one) for one in found if one is not None]
    assert f"{told[0]} points" in TEXT and f"With 200 labels each it is ahead by {told[1]}" in " ".join(TEXT.split())


def test_what_the_document_says_of_waals_steps() -> None:
    waal = kept("fashion_mnist-compared-waal+waal", "compared/waal")
    random = kept("fashion_mnist-compared-random", "compared/random")
    steps = [sum(one.costs["fit"].optimizer_steps for one in runs[0].cycles) for runs in (waal, random)]
    said = f"its classifier takes {steps[0] // 2:,} a run where the others take {steps[1]:,}"
    assert said in " ".join(TEXT.split())
    behind = [accuracies_of(random[seed])[1000] - accuracies_of(waal[seed])[1000] for seed in range(5)]
    assert f"is {fmean(behind):.1f} points behind before it has asked for anything" in " ".join(TEXT.split())


def kept(pattern: str, method: str, precision: str = "32-true") -> dict[int, Run]:
    """By seed."""
    found = [run for run in kept_runs(f"{pattern}-seed=*") if run.choices["method"] == method]
    return {run.seed: run for run in found if run.config["precision"] == precision}


def test_bfloat16_is_told_at_every_size() -> None:
    half, whole = (kept("fashion_mnist-compared-random", "compared/random", one) for one in ("bf16-mixed", "32-true"))
    found = [
        interval([accuracies_of(half[seed])[at] - accuracies_of(whole[seed])[at] for seed in range(5)])
        for at in range(1000, 3001, 500)
    ]
    told = [words_of(one) for one in found if one is not None]
    assert f"1,000 to 3,000 labels, it is {', '.join(told[:-1])} and {told[-1]}," in " ".join(TEXT.split())


def test_bfloat16_costs_what_the_document_says(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = printed(capsys, monkeypatch, "fashion_mnist-compared").split("in another precision")[1]
    (row,) = re.findall(r"^random, bf16-mixed +(\S+) +(\[.*\]) +\S+ +5 +1,000 to 3,000$", found, re.MULTILINE)
    assert f"{row[0]} points {row[1]}" in " ".join(TEXT.split())


def test_another_precision_is_compared_with_what_differs_in_nothing_else(tmp_path: Path) -> None:
    for epochs in (5, 50):
        for more in ({}, {"precision": "bf16-mixed"}):
            made_run(tmp_path, "random", 0, choices={"method": "random"}, learner={"epochs": epochs, **more})
    made_run(tmp_path, "random", 0, choices={"method": "random"}, learner={"epochs": 9, "precision": "bf16-mixed"})
    script = runpy.run_path(SCRIPT)
    lines = script["read_lines"](tmp_path, tmp_path, "digits")
    paired = script["in_another_precision"](lines)
    assert len(lines) == 5 and len(paired) == 2, "one has no other of as many epochs"
    (alone,) = [name for name in lines if name not in paired and lines[name].first.config["learner"]["epochs"] == 9]
    said = script["say_differences"](lines, [alone])
    assert len(said) == 1 and re.search(r"epochs is \d+ there and 9 here", said[0])
    for name, own in paired.items():
        assert [lines[one].first.config["learner"]["epochs"] for one in (name, own)] in ([5, 5], [50, 50])


def test_over_what_areas_are_and_whether_a_goal_was_there_from_the_start_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in (0, 1):
        made_run(tmp_path, "margin", seed, (0.5, 0.6, 0.7, 0.8, 0.6 + seed / 10), choices={"method": "none"})
        made_run(tmp_path, "random", seed, (0.7, 0.75), choices={"method": "none"})
    _, differences, standings, *_ = compare(tmp_path, capsys, monkeypatch)
    assert cells_of(differences)["random"][-1] == "10 to 20, less than half"
    assert cells_of(standings)["random"][1] == "10 or fewer"
