"""How long a sweep goes on: of lines whose times are set, and of made runs of an experiment's own cells."""

from pathlib import Path

import pytest
from made_runs import EFFORT, made_run

from al_bench.analysis.sweep_plan import NeededArtifact
from al_bench.analysis.time_left import LineTime, TimeLeft, time_left
from al_bench.config.experiment import cells_of_line
from al_bench.report.time_left import write_time_left

LINE = ["strategy=random,asal_pixel", "seed=0,1", "loop.budget=40", "loop.initial_size=10", "loop.query_size=10"]
GAN = NeededArtifact("gan/wgan_gp", False, 200.0)
UNTIMED = NeededArtifact("gan/dcgan", False, None)
LINES_OF = {"r0": "random", "r1": "random", "a0": "asal", "a1": "asal", "a2": "asal"}


def left_of(random: LineTime, asal: LineTime) -> TimeLeft:
    return TimeLeft({"random": random, "asal": asal}, LINES_OF)


def test_a_slow_line_that_waits_counts_by_its_own_time() -> None:
    """Not by that of the cells that have ended: "1.2 minutes left" came before a cell of 262 s."""
    left = left_of(LineTime(None, ended=[3.0, 5.0]), LineTime(60.0, [GAN]))
    assert left.of_sweep({}, ["a0"], 1) == 60 + 200
    assert left.of_sweep({"r1": 1.0}, ["a0", "a1"], 1) == 3 + 60 + 200 + 60


def test_cells_at_once_share_the_time_and_the_longest_bounds_it() -> None:
    left = left_of(LineTime(10.0), LineTime(100.0))
    assert left.of_sweep({}, ["r0", "r1", "a0", "a1"], 2) == 110
    assert left.of_sweep({"r0": 4.0}, ["a0"], 2) == 100
    assert left.of_sweep({"r0": 400.0}, [], 2) == 0


def test_those_that_wait_for_an_artifact_wait_for_its_time_too() -> None:
    left = left_of(LineTime(10.0), LineTime(60.0, [GAN]))
    assert [left.of_cell(cell, 50.0) for cell in ("a0", "a1")] == [210, 210]
    left.lines["asal"].end(255.0, of_cycles=50.0)
    assert (left.of_cell("a1", 20.0), left.lines["asal"].seconds) == (30, 50), "it is there now, and no cell's time"
    left.lines["asal"].end(70.0, of_cycles=65.0)
    assert left.lines["asal"].seconds == 60, "all of a cell's time, once none trains it first"


def test_what_is_not_known_is_said_and_why() -> None:
    left = left_of(LineTime(None), LineTime(60.0, [GAN, UNTIMED]))
    said = write_time_left(left, {"r0": 1.0}, ["r1", "a0"], 2)
    assert said == (
        "time left not known: nothing of random has ended or is stored; asal trains gan/dcgan first, which has never "
        "been timed"
    )
    nothing = TimeLeft({name: LineTime(None) for name in "abcde"}, {name: name for name in "abcde"})
    said = write_time_left(nothing, {}, list("abcde"), 1)
    assert said == "time left not known: nothing of a, b, c and 2 more has ended or is stored"
    left.lines["random"].end(90.0, None)
    assert write_time_left(left, {"r0": 30.0}, ["r1"], 1) == "about 2.5 min left"


def test_times_are_those_of_stored_runs_of_the_line(tmp_path: Path) -> None:
    """Four cycles of three parts of two seconds; asal's GAN is nowhere."""
    cells = cells_of_line(LINE)
    made_run(tmp_path, "random", 0, (0.5,) * 4, identity=cells[0].identity, finished=True)
    left = time_left(cells, tmp_path, tmp_path / "cells")
    assert left.lines["random"].seconds == pytest.approx(4 * 3 * EFFORT["seconds"])
    assert left.lines["asal_pixel"].seconds is None
    assert [one.part for one in left.lines["asal_pixel"].missing] == ["gan/wgan_gp@2"]
    assert left.line_of == {cell.id: cell.choices["strategy"] for cell in cells}
