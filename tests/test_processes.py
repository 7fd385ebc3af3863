"""Sweeps: a process per cell, and what happens to one stays with it."""

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import forked
import pytest
from composing import compose
from made_runs import cycle, write_cycle

from hydra_plugins import processes

ROOT = Path(__file__).parent.parent
SHADOW = f"hydra.searchpath=[file://{ROOT / 'tests' / 'conf'}]"
SMOKE = ("scale=smoke", "gan=none", "device=cpu")


def sweep(folder, *arguments):
    """The driver is forked, and so are its cells, by what it takes for the interpreter it runs in."""
    return forked.run("-m", *SMOKE, *arguments, f"paths.outputs={folder}", f"paths.cells={folder}/cells")


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    """The folder of a sweep over two rules and two seeds, and what it said."""
    folder = tmp_path_factory.mktemp("swept")
    done = sweep(folder, "strategy=random,entropy", "seed=0,1")
    assert done.returncode == 0, done.stdout + done.stderr
    return folder, done.stdout


def test_the_table_names_the_metric_by_its_words(tmp_path):
    config = compose("method=alcg/rand", f"paths.outputs={tmp_path}", f"paths.cells={tmp_path / 'none'}")
    (tmp_path / "cell" / "cycles").mkdir(parents=True)
    cell = processes.Cell(0, ["seed=0"], config)
    cell.folder = tmp_path / "cell"
    write_cycle(cell.folder, {**cycle(0, 0.5), "metrics": {"gan_test": 0.25}})
    names, _, row = processes._table([cell]).splitlines()
    assert (names.split(), row.split()) == (["cell", "annotations", "GAN-test"], ["seed=0", "10", "0.2500"])


@pytest.mark.slow
def test_a_sweep_runs_each_cell_once_and_the_same_line_again_nothing(swept):
    folder, said = swept
    assert "4 of 4 cells are finished" in said
    assert len(list(folder.rglob("config.json"))) == 4
    assert re.search(r"strategy=entropy seed=1 +40 +0\.\d{4}", said)
    again = sweep(folder, "strategy=random,entropy", "seed=0,1")
    assert again.returncode == 0
    assert "all 4 cells are finished" in again.stdout
    assert "started" not in again.stdout


@pytest.mark.slow
def test_an_experiment_is_narrowed_on_the_command_line_and_shares_cells_with_another_spelling(swept):
    folder, _ = swept
    narrowed = sweep(folder, SHADOW, "experiment=shadow_sweep", "strategy=random")
    assert narrowed.returncode == 0, narrowed.stdout + narrowed.stderr
    assert "all 2 cells are finished" in narrowed.stdout
    assert "strategy=entropy" not in narrowed.stdout
    assert len(list(folder.rglob("config.json"))) == 4


@pytest.mark.slow
def test_one_bad_cell_does_not_stop_the_others(tmp_path):
    done = sweep(tmp_path, "strategy=random,bald", "network=linear")
    assert done.returncode == 1
    assert "strategy=bald: failed with code 2: error: strategy Dropout needs a model with dropout" in done.stdout
    assert "1 of 2 cells are finished" in done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_killed_cell_is_started_once_more(tmp_path, monkeypatch):
    """After it has written what the run is and two cycles; the one that goes on writes the third alone."""
    monkeypatch.setenv("TRAP", json.dumps(forked.Trap("al_bench.storage.store.write_json", 3, "after")))
    done = sweep(tmp_path, "strategy=random")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "killed by signal 9, started once more" in done.stdout
    assert "1 of 1 cells are finished" in done.stdout
    (log,) = tmp_path.rglob("sweep.log")
    assert re.findall(r"cycle +(\d) ", log.read_text()) == ["0", "1", "2"]


@pytest.mark.slow
def test_a_stopped_sweep_stops_its_cells(tmp_path):
    arguments = ("seed=0,1", "strategy=random", "learner.epochs=20000", f"paths.outputs={tmp_path}")
    with forked.started("-m", *SMOKE, *arguments) as process:
        while len(owners := list(tmp_path.rglob("owner"))) < 2 or not all(owner.read_text() for owner in owners):
            time.sleep(0.05)
        cells = [int(owner.read_text()) for owner in owners]
        os.kill(process.pid, signal.SIGINT)
        assert process.wait() == 130
        output = process.stdout
    assert "the same command goes on from there" in output
    for cell in cells:
        with pytest.raises(ProcessLookupError):
            os.kill(cell, 0)


@pytest.mark.slow
def test_an_exported_cell_counts_as_finished_elsewhere(swept, tmp_path):
    here, there = swept[0], tmp_path / "there"
    exported = [forked.python(), "scripts/export.py", str(here), str(there / "cells")]
    done = subprocess.run(exported, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "4 finished runs written" in done.stdout
    assert all(path.stat().st_size < 50_000 for path in (there / "cells").iterdir())
    again = sweep(there, "strategy=random", "seed=0,1")
    assert again.returncode == 0
    assert "all 2 cells are finished" in again.stdout
    single = (*SMOKE, "strategy=random", f"paths.outputs={there}", f"paths.cells={there}/cells")
    assert "finished before" in forked.run(*single).stdout
    more = forked.run(*single, "loop.max_cycles=3")
    assert "ends before these stop rules do: the run is done anew" in more.stdout
    assert "cycle   3" in more.stdout
