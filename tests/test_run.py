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

ROOT = Path(__file__).parent.parent
BAR = re.compile(rb"classifier: +\d+%\|.*\d+/6000 \[\d+:\d+<\d+:\d+, +[\d.]+steps/s\]")
SMOKE = ("scale=smoke", "gan=none", "strategy=random", "device=cpu")


def run(*arguments, folder):
    return forked.run(*arguments, f"paths.outputs={folder}")


def typed(*arguments):
    command = [sys.executable, str(ROOT / "run.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)


def test_a_run_says_what_it_does_and_the_same_line_again_says_that_it_is_finished(tmp_path):
    first = run(*SMOKE, folder=tmp_path)
    assert first.returncode == 0, first.stderr
    assert "scale smoke cuts" in first.stdout and "learner.epochs 40 -> 1" in first.stdout
    lines = re.findall(
        r"cycle +(\d+) +(\d+) annotations  accuracy 0\.\d{4}.*fit [\d.]+ s  query [\d.]+ s", first.stdout
    )
    assert lines == [("0", "20"), ("1", "30"), ("2", "40")]
    assert "finished: 2 cycles are done" in first.stdout
    assert "calibration error" in first.stdout.splitlines()[-5]
    assert "\r" not in first.stdout + first.stderr
    again = run(*SMOKE, folder=tmp_path)
    assert again.returncode == 0
    assert "finished before: 2 cycles are done" in again.stdout
    assert not re.search(r"cycle +\d+ +\d+ annotations  ", again.stdout)


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
        ([*SMOKE, "loop.budget=5"], "error: loop.budget=5 "),
        ([*SMOKE, "+learner.epoch=3"], "error: learner.epoch "),
        ([*SMOKE, "recipe.optimizer.lr=-1"], "error: recipe.optimizer: "),
        ([*SMOKE, "scale.gan_width=wide"], "error: scale.gan_width=wide "),
        ([*SMOKE, "seed=first"], "error: seed=first "),
        ([*SMOKE, "keep_weights=none"], "error: keep_weights=none "),
        ([*SMOKE, "device=cuda:7"], "error: device=cuda:7 "),
        ([*SMOKE, "threads=0"], "error: threads=0 "),
        (["hydra.job.chdir=true"], "error: hydra.job.chdir=true "),
        (["-m", "hydra/launcher=basic"], "error: hydra/launcher=basic "),
        (["paths.outputs=/dev/null"], "error: /dev/null"),
    ],
)
def test_bad_input_is_one_sentence_and_an_exit_code(tmp_path, arguments, beginning):
    done = run(*arguments, folder=tmp_path)
    assert done.returncode == 2
    assert beginning in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert not list(tmp_path.rglob("cycles/*.json"))


def test_data_that_are_absent_are_named_with_their_place(tmp_path):
    done = run("dataset=mnist_two", *SMOKE, f"paths.data={tmp_path}/none", folder=tmp_path)
    assert done.returncode == 2
    assert f"{tmp_path}/none/MNIST/raw" in done.stdout
    assert "train-images-idx3-ubyte" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_a_defect_of_ours_keeps_its_traceback_and_fails(tmp_path):
    done = run(*SMOKE, "evaluator._target_=builtins.dict", folder=tmp_path)
    assert done.returncode not in (0, 2)


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
    assert "cycle 2 in" in done.stdout and "is corrupted: kept as 002.json.corrupted-1" in done.stdout
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
    assert again.returncode == 0 and "finished before: 2 cycles are done" in again.stdout
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
