"""The command line, as a user types it."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

import forked
import pytest

from al_bench.files import read_json, write_json
from al_bench.storage.holding import Holding

ROOT = Path(__file__).parent.parent
BAR = re.compile(rb"classifier: +\d+%\|.*\d+/6000 \[\d+:\d+<\d+:\d+, +[\d.]+steps/s\]")
SMOKE = ("scale=smoke", "gan=none", "strategy=random", "device=cpu")


TRAINER = "{_target_: pytorch_lightning.Trainer, _partial_: true"


def run(*arguments, folder):
    return forked.run(*arguments, f"paths.outputs={folder}")


def typed(*arguments):
    command = [sys.executable, str(ROOT / "run.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)


def test_a_python_without_what_is_needed_is_told_of():
    """As that of the system is, in a shell where the environment is not active."""
    bare = [sys.executable, "-S", str(ROOT / "run.py"), *SMOKE]
    done = subprocess.run(bare, capture_output=True, text=True, check=False, env={"PATH": os.environ["PATH"]})
    assert done.returncode == 2
    assert re.fullmatch(r"error: /\S+ has no omegaconf: use \.venv/bin/python, which `make install` .*\n", done.stderr)


def test_a_run_says_what_it_does_and_the_same_line_again_says_that_it_is_finished(tmp_path):
    first = run(*SMOKE, folder=tmp_path)
    assert first.returncode == 0, first.stderr
    assert "scale smoke cuts" in first.stdout and "learner.epochs 40 -> 1" in first.stdout
    lines = re.findall(
        r"cycle +(\d+) +(\d+) annotations  accuracy 0\.\d{4}.*fit [\d.]+ s  query [\d.]+ s", first.stdout
    )
    assert lines == [("0", "20"), ("1", "30"), ("2", "40")]
    assert "finished: loop.max_cycles=2 is reached" in first.stdout
    assert "calibration error" in first.stdout.splitlines()[-5]
    assert "\r" not in first.stdout + first.stderr
    again = run(*SMOKE, folder=tmp_path)
    assert again.returncode == 0
    assert "finished before: loop.max_cycles=2 is reached" in again.stdout
    assert not re.search(r"cycle +\d+ +\d+ annotations  ", again.stdout)


def test_a_changed_line_says_what_of_a_stored_run_it_shows_or_is_another_than(tmp_path):
    """A smaller budget is shown to where it ends, another learning rate is another run."""
    run(*SMOKE, folder=tmp_path)
    smaller = run(*SMOKE, "loop.budget=30", folder=tmp_path)
    said = "finished before: the budget of 30 annotations is spent; not shown: 1 more cycle, to 40 annotations"
    assert said in smaller.stdout
    rows = [line.split()[:2] for line in smaller.stdout.splitlines() if re.match(r" +\d+ +\d+ ", line)]
    assert rows == [["0", "20"], ["1", "30"]]
    other = run(*SMOKE, "recipe.optimizer.lr=0.5", "loop.max_cycles=0", folder=tmp_path)
    assert re.search(
        r"a new run, not [0-9a-f]{12} beside it: learner\.optimizer\.lr is \S+ there and 0\.5 here", other.stdout
    )


def test_a_larger_budget_that_was_given_up_is_said_to_end_no_more(tmp_path):
    """As where it was killed in its next cycle: the run is exported by the smaller one that is asked for again."""
    run(*SMOKE, "loop.budget=30", folder=tmp_path)
    (config,) = tmp_path.glob("*/*/*/*/config.json")
    stored = read_json(config)
    stored["config"]["loop"]["budget"] = stored["config"]["procedure"]["settings"]["budget"] = 300
    write_json(config, stored)
    again = run(*SMOKE, "loop.budget=30", folder=tmp_path)
    assert "finished before: the budget of 30" in again.stdout and "counts as finished from here on" in again.stdout
    assert read_json(config)["config"]["loop"]["budget"] == 30
    assert "from here on" not in run(*SMOKE, "loop.budget=20", folder=tmp_path).stdout
    assert read_json(config)["config"]["loop"]["budget"] == 30
    write_json(config, stored)
    holding = Holding(config.parent)
    holding.take()  # as who makes the larger one does
    assert "all 1 cells are finished" in run("-m", *SMOKE, "loop.budget=30", folder=tmp_path).stdout
    assert read_json(config)["config"]["loop"]["budget"] == 300
    holding.give_back()
    swept = run("-m", *SMOKE, "loop.budget=30", folder=tmp_path)
    assert "1 of 1 cells are finished" in swept.stdout and read_json(config)["config"]["loop"]["budget"] == 30
    write_json(config, {**stored, "config": {**stored["config"], "loop": {"budget": "all", "stop_at": "x"}}})
    assert "all 1 cells are finished" in run("-m", *SMOKE, "loop.budget=30", folder=tmp_path).stdout


def test_a_log_without_the_bar_stays_in_the_folder(tmp_path):
    run(*SMOKE, folder=tmp_path)
    (log,) = tmp_path.glob("*/*/*/*/run.log")
    assert "cycle   2" in log.read_text()


@pytest.mark.slow
def test_on_a_terminal_a_long_part_has_a_bar_with_rate_and_time_left(tmp_path):
    leader, follower = pty.openpty()
    termios.tcsetwinsize(follower, (40, 120))
    arguments = [
        "scale=smoke",
        "strategy=random",
        "gan=none",
        "learner.epochs=3000",
        "loop.max_cycles=0",
        f"paths.outputs={tmp_path}",
    ]
    seen = b""
    with forked.started(*arguments, terminal=os.ttyname(follower)) as process:
        while not BAR.search(seen):
            readable, _, _ = select.select([leader], [], [], 60)
            assert readable, f"no bar within a minute of silence after {seen[-2000:]!r}"
            seen += os.read(leader, 65536)
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait() == 128 + signal.SIGTERM, seen[-2000:]
    os.close(follower)  # open until here: a terminal that nobody has open is at its end
    os.close(leader)


@pytest.mark.parametrize(
    ("arguments", "beginning"),
    [
        (["strategy=entopy"], "error: strategy=entopy "),
        (["scale=0.5"], "error: scale=0.5 "),
        ([*SMOKE, "loop.budget=5"], "error: loop.budget=5 "),
        ([*SMOKE, "+learner.epoch=3"], "error: learner.epoch "),
        ([*SMOKE, "recipe.optimizer.lr=-1"], "error: recipe.optimizer: "),
        ([*SMOKE, "device=cuda:7"], "error: device=cuda:7 "),
        ([*SMOKE, "device=cpu:5"], "error: device=cpu:5 "),
        ([*SMOKE, f"trainer={TRAINER}, accelerator: tpu}}"], "error: trainer cannot be made here: "),
        ([*SMOKE, f"trainer={TRAINER}, devices: 99}}"], "error: trainer.devices=99 "),
        ([*SMOKE, f"trainer={TRAINER}, devices: 2}}", "learner=waal"], "error: learner cannot be trained on 2 devices"),
        (
            [*SMOKE, f"trainer={TRAINER}, devices: 2, strategy: ddp}}"],
            "error: trainer.devices=2 by this ",
        ),
        (["-m", "hydra.sweeper.params.seed=1"], "error: hydra.sweeper.params.seed=1 is for files of conf/experiment"),
        ([*SMOKE, "network=resnet18", "network.weights=0"], "error: network.weights=0 must be text or null"),
        (["hydra.job.chdir=true"], "error: hydra.job.chdir=true "),
        (["-m", "hydra/launcher=basic"], "error: hydra/launcher=basic "),
        ([*SMOKE, "threads=100000"], "error: threads=100000 "),
        ([*SMOKE, "loop=5"], "error: loop=5 "),
        ([*SMOKE, "~oracle"], "error: oracle is missing: "),
        ([*SMOKE, "loop.budget=${nothing}"], "error: loop.budget: "),
        ([*SMOKE, "loop.budget=30.5"], "error: loop.budget=30.5 "),
        ([*SMOKE, "loop.stop_at={accuracy: 2}"], "error: loop.stop_at.accuracy=2 "),
        ([*SMOKE, "network=small_fcn"], "error: network=small_fcn "),
        ([*SMOKE, "+foo=1"], "error: foo "),
        ([*SMOKE, "loop.initial=it's"], "error: loop.initial=it's "),
        ([*SMOKE, "learner._target_=al_bench.nothing.There"], "error: al_bench.nothing.There "),
        ([*SMOKE, "evaluator._target_=builtins.dict"], "error: evaluator._target_=builtins.dict "),
        (["scale=smoke", "feature.network.channels=[1,1,1,1,1,1,1,1,1]"], "error: decoder_channels=[16] "),
        (["scale=smoke", "loop.initial_size=5"], "error: loop.initial_size=5 "),
    ],
)
def test_bad_input_is_one_sentence_before_anything_is_trained_and_leaves_nothing(tmp_path, arguments, beginning):
    done = run(*arguments, folder=tmp_path / "outputs")
    assert done.returncode == 2
    said = (done.stdout + done.stderr).splitlines()
    assert [line for line in said if "error" in line.lower()] == said[-1:]
    assert said[-1].startswith(beginning)
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and path.name != "parts.json"]
    assert not list(tmp_path.rglob("cycles")) and not list(tmp_path.rglob("seed=*"))


@pytest.mark.parametrize("folder", ["", "5", "null"])
def test_a_folder_of_outputs_that_is_none_is_refused_before_it_is_made(folder):
    before = set(Path("/").iterdir()) | set(ROOT.iterdir())
    done = run(*SMOKE, folder=folder)
    assert done.returncode == 2
    assert (done.stdout + done.stderr).startswith(f"error: paths.outputs={folder} must be text")
    assert set(Path("/").iterdir()) | set(ROOT.iterdir()) == before


def test_what_was_stored_before_outlives_a_refused_command(tmp_path):
    run(*SMOKE, folder=tmp_path)
    stored = {path: path.read_bytes() for path in tmp_path.rglob("cycles/*")}
    (log,) = tmp_path.rglob("run.log")
    done = run(*SMOKE, "loop.stop_at={accurcy: 1}", "loop.max_cycles=9", folder=tmp_path)
    assert done.returncode == 2 and done.stdout.splitlines()[-1].startswith("error: loop.stop_at names accurcy")
    assert {path: path.read_bytes() for path in tmp_path.rglob("cycles/*")} == stored != {}
    assert "accurcy" in log.read_text()
    refused = run(*SMOKE, "loop.query_size=0", folder=tmp_path)
    assert refused.returncode == 2 and "loop.query_size=0 must be more than 0" in refused.stdout
    assert "a new run" not in refused.stdout, "no run began beside the stored one"
    finished = run(*SMOKE[:-1], "device=tpu", folder=tmp_path)
    assert finished.returncode == 2 and "device=tpu is not known" in finished.stdout, (
        "a finished run is not shown by it"
    )


def test_data_that_are_absent_are_named_with_their_place(tmp_path):
    done = run("dataset=mnist_two", *SMOKE, f"paths.data={tmp_path}/none", folder=tmp_path)
    assert done.returncode == 2
    assert f"{tmp_path}/none/MNIST/raw" in done.stdout
    assert "train-images-idx3-ubyte" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_a_defect_of_ours_keeps_its_traceback_and_fails(tmp_path):
    broken = f"import runpy, sys; sys.argv = ['run.py', *{[*SMOKE, f'paths.outputs={tmp_path}']}]\n"
    broken += "import al_bench.procedure.loop as loop; loop.record_cycle = lambda *given: given.nothing\n"
    broken += "runpy.run_path('run.py', run_name='__main__')"
    done = subprocess.run([forked.python(), "-c", broken], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 1
    assert "Traceback" in done.stderr and "has no attribute 'nothing'" in done.stderr


def test_two_at_once_in_one_folder(tmp_path):
    slow = [*SMOKE, "learner.epochs=100000"]
    with forked.started(*slow, f"paths.outputs={tmp_path}") as first:
        while not list(tmp_path.rglob("owner")):
            os.kill(first.pid, 0)
            time.sleep(0.05)
        second = run(*slow, folder=tmp_path)
        assert second.returncode == 2
        assert f"error: another process (process {first.pid}) is running in {tmp_path}" in second.stdout
        os.kill(first.pid, 0)


def test_a_garbled_cycle_is_named_and_done_again(tmp_path):
    run(*SMOKE, folder=tmp_path)
    (path,) = tmp_path.rglob("cycles/002.json")
    before = path.read_text()
    path.write_text(before[:100])
    done = run(*SMOKE, folder=tmp_path)
    assert done.returncode == 0
    assert "cycle 2 in" in done.stdout and "is missing or corrupted: kept as 002.json.corrupted-1" in done.stdout
    assert path.with_name("002.json.corrupted-1").read_text() == before[:100]
    assert "cycle   2" in done.stdout and "cycle   1 " not in done.stdout.split("finished")[0]


@pytest.mark.slow
def test_a_finished_run_is_shown_where_nothing_can_be_written(tmp_path):
    """Here because folders stand in the files' places; a disk that is only read fails at the same calls."""
    run(*SMOKE, folder=tmp_path)
    (config,) = tmp_path.rglob("config.json")
    for name in ("lock", "run.log"):
        (config.parent / name).unlink()
        (config.parent / name).mkdir()
    again = run(*SMOKE, folder=tmp_path)
    assert again.returncode == 0 and "finished before: loop.max_cycles=2 is reached" in again.stdout
    assert again.stderr.startswith(f"no log is kept: {config.parent}/run.log is a folder")
    more = run(*SMOKE, "loop.max_cycles=3", folder=tmp_path)
    assert more.returncode == 2
    assert f"error: {config.parent}/lock is a folder where a file should be: move it away" in more.stdout
    assert "Traceback" not in more.stdout + more.stderr


def test_help_explains_the_groups_and_lists_every_choice():
    done = typed("--help")
    assert done.returncode == 0
    for word in ("what is asked for next", "asal_auto", "shapes_seg", "h_divergence", "paper, small, smoke", "gaal"):
        assert word in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 120
