"""Sweeps: a process per cell, and what happens to one stays with it."""

import json
import os
import re
import signal
import subprocess
import time
from collections import deque
from pathlib import Path
from types import SimpleNamespace

import forked
import pytest
from composing import compose, run_id
from made_runs import cycle, write_cycle

from al_bench.config.identity import identify
from al_bench.errors import UserError
from al_bench.files import write_json
from al_bench.storage.store import RunStore
from hydra_plugins import gpus, processes
from hydra_plugins.sweep_tables import tabulate_cells, tabulate_sweep
from hydra_plugins.sweep_time import SweepTime

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
    write_json(cell.folder / "config.json", {"identity": identify(config)})
    write_cycle(cell.folder, {**cycle(0, 0.5), "metrics": {"gan_test": 0.25}})
    names, _, row = tabulate_cells([cell]).splitlines()
    assert (names.split(), row.split()) == (["cell", "annotations", "GAN-test"], ["seed=0", "10", "0.2500"])


def test_a_table_of_cells_of_which_nothing_is_stored_is_a_sentence(tmp_path):
    config = compose("strategy=random", f"paths.outputs={tmp_path}", f"paths.cells={tmp_path / 'none'}")
    cells = [processes.Cell(0, [f"seed={seed}"], config) for seed in (0, 1)]
    for number, cell in enumerate(cells):
        cell.folder = tmp_path / f"cell{number}"
    for failed in (cells, []):
        assert tabulate_sweep(failed, []).startswith(
            "none of them has stored anything: what each was refused or failed"
        )


@pytest.mark.slow
def test_a_seed_of_every_line_comes_before_the_next(swept):
    """Of finished cells, whose table has them in the order in which they would run."""
    folder, _ = swept
    again = sweep(folder, "strategy=random,entropy", "seed=0,1", "order=seeds")
    assert again.returncode == 0, again.stdout + again.stderr
    rows = [line.split()[:2] for line in again.stdout.splitlines() if re.match("strategy=.* seed=", line)]
    assert rows == [[f"strategy={name}", f"seed={seed}"] for seed in (0, 1) for name in ("random", "entropy")]


def test_cells_know_the_choices_of_a_folder_of_ones_own(tmp_path):
    (tmp_path / "own" / "strategy").mkdir(parents=True)
    (tmp_path / "own" / "strategy" / "mine.yaml").write_text("_target_: al_bench.strategy.random.Random\n")
    done = sweep(tmp_path / "out", "--config-dir", f"{tmp_path / 'own'}", "strategy=mine", "seed=0,1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 of 2 cells are finished" in done.stdout
    assert len([*(tmp_path / "out" / "digits" / "mine").glob("seed=*/*/cycles/002.json")]) == 2


@pytest.mark.slow
def test_a_plan_runs_nothing(swept):
    folder, _ = swept
    before = sorted(folder.rglob("*"))
    planned = sweep(folder, "strategy=random,margin", "seed=0,1", "plan=true")
    assert planned.returncode == 0, planned.stdout + planned.stderr
    assert "4 cells, 2 finished" in planned.stdout
    assert sorted(folder.rglob("*")) == before


@pytest.mark.slow
def test_a_sweep_runs_each_cell_once_and_the_same_line_again_nothing(swept):
    folder, said = swept
    assert "4 of 4 cells are finished" in said
    assert "time left not known: nothing of random and entropy has ended or is stored" in said
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
    assert done.returncode == 2
    assert (
        "strategy=bald: failed with code 2: error: strategy=bald or mc_entropy needs a model with dropout"
        in done.stdout
    )
    assert "; log" not in done.stdout, "which went with its folder"
    above, closing = done.stdout.split("not finished:\n")
    assert "1 of 2 cells are finished" in above
    assert closing.splitlines()[0] in above, "which may stand far above"
    assert len(closing.splitlines()) == 1 and "strategy=bald: failed with code 2: error: " in closing
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_of_cells_whose_data_are_missing_one_says_so_and_those_of_other_data_go_on(tmp_path):
    cells = ("strategy=random", "dataset=imagenet,digits", "seed=0,1,2", "hydra.launcher.workers=1")
    done = sweep(tmp_path / "outputs", *cells, f"paths.data={tmp_path}")
    assert done.returncode == 2, done.stdout
    above, closing = done.stdout.split("not finished:\n")
    assert above.count("imagenet lacks the folder train") == closing.count("imagenet lacks the folder train") == 1
    assert f"not started: 2 more of dataset=imagenet, for which {tmp_path / 'imagenet'} is missing, too" in done.stdout
    assert "3 of 6 cells are finished" in done.stdout


def test_a_cell_that_is_refused_leaves_no_folder_and_the_others_go_on(tmp_path):
    cells = ("loop.budget=nan,30,30.5", "loop.max_cycles=0", "loop.every_class=true,${nothing}")
    done = sweep(tmp_path, "strategy=random", *cells)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    above, closing = done.stdout.split("not finished:\n")
    refused = [line for line in above.splitlines() if "refused: " in line]
    assert (
        refused == closing.splitlines()
        and len(refused) == 5
        and sum("Interpolation key 'nothing' not found" in line for line in refused) == 3
    )
    assert "loop.budget=30.5 must be a whole number" in done.stdout
    assert "6 cells, 5 refused, 0 finished before" in done.stdout and "1 of 6 cells are finished" in done.stdout
    assert len(list(tmp_path.rglob("cycles"))) == len(list(tmp_path.rglob("sweep.log"))) == 1


def test_a_cell_whose_start_is_refused_does_not_stop_the_others(tmp_path, monkeypatch, caplog):
    """As by a queue that takes no more of them."""

    def spawn(self, command, cell):
        if cell.number == 1:
            raise UserError("the queue takes no more")
        return SimpleNamespace(returncode=0, poll=lambda: 0)

    config = compose("strategy=random", f"paths.outputs={tmp_path}", f"paths.cells={tmp_path / 'none'}")
    monkeypatch.setattr(processes.Processes, "spawn", spawn)  # of the class that composing has loaded anew
    cells = [processes.Cell(number, [f"seed={number}"], config) for number in range(3)]
    for cell in cells:
        cell.folder = tmp_path / f"cell{cell.number}"
        cell.folder.mkdir()
        cell.log = cell.folder / "sweep.log"
    launcher = processes.Processes(1, 0.01)
    launcher.time = SweepTime(cells)
    codes = launcher._run(deque(cells))
    assert {path.name: code for path, code in codes.items()} == {"cell0": 0, "cell1": 2, "cell2": 0}
    assert "[1] seed=1: failed: the queue takes no more" in caplog.text


@pytest.mark.parametrize("setting", ["workers=-1", "workers=0", "workers=1.5", "workers=many", "poll=1000000.0"])
def test_a_number_of_the_launcher_that_is_none_is_refused(tmp_path, setting):
    done = sweep(tmp_path, "strategy=random", "seed=0,1", f"hydra.launcher.{setting}")
    assert done.returncode == 2
    assert (done.stdout + done.stderr).startswith(f"error: hydra.launcher.{setting} must be ")


@pytest.mark.slow
def test_a_killed_cell_is_started_once_more(tmp_path, monkeypatch):
    """After it has written what the run is and two cycles; the one that goes on writes the third alone."""
    monkeypatch.setenv("TRAP", json.dumps(forked.Trap("al_bench.storage.store.write_json", 2, "after")))
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
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait() == 143
        output = process.stdout
    assert "stopped by SIGTERM; everything finished is kept, the same command goes on from there" in output
    for cell in cells:
        with pytest.raises(ProcessLookupError):
            os.kill(cell, 0)


@pytest.mark.slow
def test_cells_of_a_sweep_that_is_killed_go_on_and_the_same_line_waits_for_them(tmp_path):
    line = ("-m", *SMOKE, "strategy=random", "learner.epochs=20000", f"paths.outputs={tmp_path}")
    with forked.started(*line) as driver:
        while not (owners := list(tmp_path.rglob("owner"))) or not owners[0].read_text():
            time.sleep(0.05)
    cell = int(owners[0].read_text())
    os.kill(cell, 0)
    assert driver.code == -signal.SIGKILL
    with forked.started(*line) as again:
        again.await_words(f"waiting for process {cell}, which is on cycle 0")
        os.kill(cell, signal.SIGTERM)
        again.await_words(": started, log ")
        assert "failed" not in again.stdout
        os.kill(again.pid, signal.SIGINT)
        assert again.wait() == 130


def test_a_cell_that_another_process_runs_is_waited_for(tmp_path, caplog):
    caplog.set_level("INFO")
    launcher, cell, codes = processes.Processes(1, 0.1), made_cell(tmp_path / "quick"), {}
    with RunStore(cell.folder, identify(cell.config), {}):
        launcher._begin(cell, codes)
        assert cell.goes_on()
    assert not cell.goes_on()
    assert caplog.messages == [f"[0] seed=0: waiting for process {os.getpid()}, which is on cycle 0"]
    for index in range(3):
        write_cycle(cell.folder, cycle(index, 0.5))
    launcher._begin(cell, codes)
    assert caplog.messages[1:] == [f"[0] seed=0: finished by process {os.getpid()}"]
    assert codes == {cell.folder: 0}


def test_a_cell_that_another_sweep_began_in_between_is_waited_for_and_not_failed(tmp_path):
    """Both started it; this one's process was refused, for the other holds the folder."""
    launcher, cell, codes, waiting = processes.Processes(1, 0.1), made_cell(tmp_path), {}, deque()
    cell.process = SimpleNamespace(returncode=2)
    with RunStore(cell.folder, identify(cell.config), {}):
        launcher._ended(cell, waiting, codes)
    assert (list(waiting), codes) == ([cell], {})


@pytest.mark.parametrize("code", [2, 1])
def test_cells_of_missing_data_are_left_out_for_a_refusal_and_not_for_a_crash(tmp_path, code):
    absent = ("dataset=imagenet", f"paths.data={tmp_path}")
    cells = [made_cell(tmp_path / name, *absent) for name in ("first", "second")]
    other = made_cell(tmp_path / "third")
    launcher, codes, waiting = processes.Processes(1, 0.1), {}, deque([cells[1], other])
    cells[0].folder.mkdir(parents=True)
    cells[0].process = SimpleNamespace(returncode=code)
    launcher._ended(cells[0], waiting, codes)
    assert codes == {cell.folder: code for cell in (cells if code == 2 else cells[:1])}
    assert list(waiting) == ([other] if code == 2 else [cells[1], other])


def made_cell(folder, *more):
    config = compose(*SMOKE, *more, f"paths.outputs={folder}", f"paths.cells={folder / 'none'}")
    cell = processes.Cell(0, ["seed=0"], config)
    cell.folder = folder / "cell"
    cell.log = cell.folder / "sweep.log"
    return cell


def test_a_cell_whose_folder_cannot_be_made_is_named_and_the_others_go_on(tmp_path, caplog):
    cell, codes = made_cell(tmp_path / "outputs"), {}
    (tmp_path / "outputs").write_text("a file")
    processes.Processes(1, 0.1)._begin(cell, codes)
    assert codes == {cell.folder: 2}
    assert f"seed=0: failed: {cell.log}: {tmp_path}/outputs is a file where a folder should be" in caplog.text


@pytest.mark.parametrize(
    ("codes", "code"), [((0, 0), 0), ((0, 2, 2), 2), ((2, 1), 1), ((0, -9), 1), ((2, 143), 1), ((), 0)]
)
def test_exit_codes_of_a_sweep(codes, code):
    assert processes.exit_code(codes) == code


def test_why_a_cell_failed_is_in_its_own_words(tmp_path):
    cell = made_cell(tmp_path)
    cell.folder.mkdir()
    before = "error: of the time before\n"
    cell.log.write_text(before + "error: seed=a must be a number\nclassifier: 3 of 10 steps\n")
    assert cell.reason() == "error: seed=a must be a number"
    cell.silent_until = len(before)
    cell.log.write_text(before + "classifier: 3 of 10 steps\nKeyError: 'a'\n")
    assert cell.reason() == "KeyError: 'a'"
    cell.log.write_text(before)
    assert cell.reason() == "it wrote nothing"
    cell.log.unlink()
    assert cell.reason() == "its folder was removed meanwhile"


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
    begun = (*SMOKE, "strategy=random", f"paths.outputs={there}/begun")
    forked.run(*begun, f"paths.cells={there}/none", "loop.max_cycles=1")
    assert "finished before" in forked.run(*begun, f"paths.cells={there}/cells").stdout, "though a cycle of it is here"
    more = forked.run(*single, "loop.max_cycles=3")
    assert "going on from an exported cell: the model of its cycle 2 is trained again" in more.stdout
    assert "cycle   3" in more.stdout


LISTED = """GPU 0: NVIDIA H100 80GB HBM3 (UUID: GPU-5d5ba0d6-d33d-2b2c-524d-9e3d8d2b8a77)
  MIG 3g.40gb     Device  0: (UUID: MIG-c7c1fa3f-1be5-5d4d-8f0a-5a1b2c3d4e5f)
  MIG 1g.10gb     Device  1: (UUID: MIG-06d8b1a5-6a4e-58a0-b7d4-0f1e2d3c4b5a)
GPU 1: NVIDIA A100-SXM4-40GB (UUID: GPU-11111111-2222-3333-4444-555555555555)
"""


def test_gpus_are_those_that_the_driver_lists_and_of_one_that_is_cut_its_instances():
    assert [name[:5] for name in gpus.listed_gpus(LISTED)] == ["MIG-c", "MIG-0", "GPU-1"]
    assert gpus.listed_gpus("No devices were found\n") == []


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("", []),
        ("-1", []),
        ("3", ["3"]),
        ("2, 0", ["2", "0"]),
        ("1,-1,0", ["1"]),
        ("1,1", ["1"]),
        ("GPU-5d5ba0d6,MIG-c7c1fa3f", ["GPU-5d5ba0d6", "MIG-c7c1fa3f"]),
    ],
)
def test_a_variable_that_is_set_says_which_gpus_there_are(monkeypatch, said, found):
    monkeypatch.setattr(gpus, "_driver_says", lambda: LISTED)
    assert gpus.visible_gpus({gpus.VISIBLE: said}) == found
    assert len(gpus.visible_gpus({})) == 3


def test_without_a_driver_there_is_no_gpu(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert gpus.visible_gpus({}) == []


def test_cells_go_to_the_gpu_that_the_fewest_are_on():
    taken = []
    for _ in range(5):
        taken.append(gpus.freest(["b", "a"], taken))
    assert taken == ["b", "a", "b", "a", "b"]
    assert gpus.freest(["b", "a"], ["b", "b", "a", "elsewhere"]) == "a"


@pytest.mark.parametrize(
    ("said", "device", "cores", "asked", "at_once"),
    [
        ("0,1", "auto", 8, None, 2),
        ("0,1", "cuda", 8, None, 2),
        ("0,1", "auto", 1, None, 1),
        ("0,1", "auto", 8, 5, 5),
        ("0,1", "cpu", 8, None, 8),
        ("0,1", "cuda:1", 8, None, 8),
        ("", "auto", 8, None, 8),
    ],
)
def test_how_many_cells_run_at_once(tmp_path, monkeypatch, said, device, cores, asked, at_once):
    monkeypatch.setenv(gpus.VISIBLE, said)
    monkeypatch.setattr("os.sched_getaffinity", lambda process: set(range(cores)))
    monkeypatch.setattr("os.cpu_count", lambda: 64)
    launcher, cell = processes.Processes(asked, 0.1), made_cell(tmp_path)
    cell.config.device = device
    launcher._settle([cell])
    assert launcher.workers == at_once
    assert launcher._environment()["OMP_NUM_THREADS"] == str(max(1, cores // at_once))
    assert bool(launcher._gpu_for(cell)) == (device in ("auto", "cuda") and said != "")


def test_a_sweep_over_nothing_is_refused_and_a_seed_named_twice_is_one_cell(tmp_path):
    nothing = sweep(tmp_path, "strategy=random", "seed=range(0,0)")
    assert nothing.returncode == 2
    assert "the sweep has no cell, for a key is swept over no value: give it some" in nothing.stdout + nothing.stderr
    twice = sweep(tmp_path, "strategy=random", "seed=1,1", "loop.max_cycles=0")
    assert "1 of 1 cells are finished" in twice.stdout
    assert "all seeds" not in twice.stdout, "a deviation of one"


@pytest.mark.parametrize("asked", ["loop.budget=40,30", "threads=1,2"])
def test_a_sweep_over_what_is_in_no_id_is_refused(tmp_path, asked):
    """One of both would be left out, and of a budget the larger where it is not the last."""
    refused = sweep(tmp_path / "out", "strategy=random", asked)
    assert refused.returncode == 2
    key, _, values = asked.partition("=")
    one, other = values.split(",")
    assert f"{key}={one} and {key}={other} are one run" in refused.stdout + refused.stderr
    assert not [*(tmp_path / "out").rglob("cycles")]


def test_a_gpu_is_free_again_once_its_cell_has_ended(tmp_path):
    launcher = processes.Processes(4, 0.1)
    launcher.visible = ["0", "1"]
    cells = [made_cell(tmp_path / str(number)) for number in range(4)]
    for cell in cells:
        cell.config.device = "auto"
        cell.process = SimpleNamespace(poll=lambda: None)
    given = [launcher._gpu_for(cell)[gpus.VISIBLE] for cell in cells[:3]]
    cells[1].process = SimpleNamespace(poll=lambda: 0)
    assert [*given, launcher._gpu_for(cells[3])[gpus.VISIBLE]] == ["0", "1", "0", "1"]


@pytest.mark.slow
def test_each_cell_is_given_a_gpu_of_its_own_and_its_id_does_not_depend_on_it(tmp_path, monkeypatch):
    """What a cell finds in its environment is written beside its configuration; there is no GPU, so the CPU is used."""
    monkeypatch.setenv(gpus.VISIBLE, "GPU-aa,MIG-bb")
    seen = "tracking.project=${oc.env:CUDA_VISIBLE_DEVICES}"
    line = (
        "-m",
        "scale=smoke",
        "gan=none",
        "strategy=random",
        "seed=0,1",
        "device=auto",
        "hydra.launcher.workers=2",
        seen,
    )
    done = forked.run(*line, f"paths.outputs={tmp_path}", f"paths.cells={tmp_path}/cells")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 at once, on 2 GPUs" in done.stdout
    assert "seed=0: started on GPU GPU-aa, log" in done.stdout
    found = {path.parent.name: json.loads(path.read_text())["config"] for path in tmp_path.rglob("config.json")}
    given = {config["seed"]: config["tracking"]["project"] for config in found.values()}
    assert given == {0: "GPU-aa", 1: "MIG-bb"}
    assert found.keys() == {run_id(*SMOKE, "strategy=random", f"seed={seed}") for seed in (0, 1)}
