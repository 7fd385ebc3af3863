"""The bench: a miss shows and fails, and each claim has its goal and says what it was measured on."""

import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from benchmarks import (
    Goal,
    Measured,
    Pairs,
    command,
    interleaved,
    labeling,
    matcher_scale,
    sweep_start,
)
from scripts.bench import ON_GPU, main

FAST = Measured("a fast part", 0.25, Goal(0.4), "0.1 s and 0.4 s")
SLOW = Measured("a slow part", 0.5, Goal(0.4), "0.2 s and 0.4 s")
BESIDE = Measured("told beside it", 0.0712, None, "nothing is claimed", unit="%")


def bench(path, *rows, arguments=()):
    """The exit code of a bench of one claim with these rows."""
    return main(arguments, {"claim": lambda: list(rows)}, path / "bench.md")


def test_all_claims_met_exits_0(tmp_path, capsys):
    assert bench(tmp_path, FAST, BESIDE) == 0
    assert "missed" not in capsys.readouterr().out


def test_a_miss_exits_1_and_is_printed_as_missed(tmp_path, capsys):
    assert bench(tmp_path, FAST, SLOW) == 1
    fast, slow, _ = capsys.readouterr().out.splitlines()
    assert fast.split()[:3] == ["a", "fast", "part"]
    assert "0.250 x" in fast and "at most 0.400 x" in fast and " met " in fast
    assert "0.500 x" in slow and "at most 0.400 x" in slow and " missed " in slow


def test_the_page_holds_goal_and_verdict_and_what_it_was_measured_on(tmp_path):
    bench(tmp_path, FAST, SLOW, BESIDE)
    page = (tmp_path / "bench.md").read_text()
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in page.splitlines() if line.startswith("| ")]
    assert ["a fast part", "0.250 x", "at most 0.400 x", "met", "0.1 s and 0.4 s"] in rows
    assert ["a slow part", "0.500 x", "at most 0.400 x", "missed", "0.2 s and 0.4 s"] in rows
    assert "Goals met: 1, missed: 1; rows without one: 1." in page
    assert ["told beside it", "7.12 %", "-", "-", "nothing is claimed"] in rows
    about = {row[0]: row[1] for row in rows if len(row) == 2}
    assert about["command"] == "`python scripts/bench.py`"
    assert "torch 2." in about["versions"]
    assert "cores" in about["hardware"]
    assert {"commit", "date"} <= set(about)


def test_a_part_of_the_bench_leaves_the_page_alone(tmp_path, capsys):
    (tmp_path / "bench.md").write_text("of all claims")
    assert bench(tmp_path, SLOW, arguments=["claim"]) == 1
    assert (tmp_path / "bench.md").read_text() == "of all claims"


def test_an_unknown_claim_is_refused(tmp_path, capsys):
    with pytest.raises(SystemExit, match="2"):
        bench(tmp_path, FAST, arguments=["speed"])
    assert "speed is not known: use claim" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("value", "goal", "met"),
    [
        (0.4, Goal(0.4), True),
        (0.401, Goal(0.4), False),
        (0.9, Goal(0.9, at_least=True), True),
        (0.899, Goal(0.9, at_least=True), False),
        (math.nan, Goal(0.4), False),
        (math.nan, Goal(0.4, at_least=True), False),
    ],
)
def test_a_goal(value, goal, met):
    assert Measured("claim", value, goal, "").missed is not met


def test_a_fast_part_that_computes_something_else_is_missed(tmp_path, capsys):
    assert bench(tmp_path, Measured("claim", 0.1, Goal(0.4), "0.1 s", agrees=False)) == 1
    assert "missed  THE TWO SIDES DIFFER" in capsys.readouterr().out


def test_sides_take_turns():
    calls = []

    def side(name):
        return lambda number: calls.append((name, number)) or f"{name} {number}"

    runs = interleaved(side("ours"), side("theirs"), 3)
    assert [name for name, _ in calls] == ["ours", "theirs"] * 4, "the first of each is to warm up"
    assert [number for _, number in calls] == [0, 0, 0, 0, 1, 1, 2, 2]
    assert runs.results == [("ours 0", "theirs 0"), ("ours 1", "theirs 1"), ("ours 2", "theirs 2")]
    assert min(*runs.first, *runs.second) > 0


def test_the_ratio_is_taken_pair_by_pair():
    """Load that makes both halves of a pair ten times as long leaves it as it is; medians of each side would not."""
    runs = Pairs([2.0, 30.0, 40.0, 5.0, 6.0], [1.0, 10.0, 20.0, 2.0, 60.0], [])
    assert runs.ratio == 2.0
    assert runs.medians == (6.0, 10.0)


def test_the_command_starts_without_a_path_of_ones_own(tmp_path):
    """`benchmarks` is not installed."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, str(Path(__file__).parents[1] / "scripts" / "bench.py"), "nonsense"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "nonsense is not known" in done.stderr


@pytest.mark.skipif(torch.cuda.is_available(), reason="says what is said without a GPU")
def test_claims_about_a_gpu_say_that_there_is_none(capsys, tmp_path):
    assert main([*ON_GPU, "--page", str(tmp_path / "page.md")]) == 0
    needs = "needs a GPU and none is here, so nothing was measured"
    assert capsys.readouterr().out.splitlines() == [f"{name}: {needs}" for name in ON_GPU]
    assert not list(tmp_path.iterdir())


def test_claims_by_name_are_written_where_asked(tmp_path):
    page = tmp_path / "page.md"
    assert bench(tmp_path, FAST, arguments=["claim", "--page", str(page)]) == 0
    assert "| a fast part | 0.250 x" in page.read_text()
    assert not (tmp_path / "bench.md").exists()


def test_mnists_images_are_skipped_visibly_where_they_are_not(tmp_path, capsys):
    bench(tmp_path, *matcher_scale.mnist(tmp_path))
    assert "skipped: no train-images-idx3-ubyte in" in capsys.readouterr().out


def test_help_is_what_is_started():
    assert b"strategy" in command._help(0)


def test_the_first_line_of_a_cell_says_which_run_it_is(tmp_path):
    """Waited for, and the process is gone then."""
    begun = []

    def start(words, log):
        says = "import time; print('first', flush=True); time.sleep(60)"
        with log.open("ab") as file:
            begun.append(subprocess.Popen([sys.executable, "-c", says, *words], stdout=file))
        return begun[-1]

    assert sweep_start.said_by(start, str(tmp_path), 3) == "first"
    assert begun[0].returncode == -9 and "seed=3" in begun[0].args


def test_a_key_that_is_lost_or_late_is_missed(monkeypatch):
    def rows(pressed):
        monkeypatch.setattr(labeling, "press", lambda keys, seconds: pressed)
        monkeypatch.setattr(labeling, "chromium", lambda: "chromium")
        return [row.missed for row in labeling.measure(20)]

    assert rows(labeling.Pressed([0.05] * 19 + [0.5], 20)) == [False, False]
    assert rows(labeling.Pressed([0.05] * 18 + [0.5] * 2, 20)) == [True, False]
    assert rows(labeling.Pressed([0.05] * 20, 19)) == [False, True]
    monkeypatch.setattr(labeling, "chromium", lambda: None)
    assert [row.missed for row in labeling.measure(20)] == [True, True], "nothing was measured"
