"""Sweeps on Slurm and on Ray, really started, with two nodes each on this machine."""

import os
import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace

import clusters
import forked
import pytest

from hydra_plugins import slurm_queue

ROOT = Path(__file__).parent.parent
LINE = ("-m", "scale=smoke", "gan=none", "device=cpu", "threads=1", "network=linear", "tracking=none")
# eight cycles after the one that is waited for: seconds in which the cell is to be killed
CELLS = ("strategy=random", "learner.epochs=300", "loop.max_cycles=8", "seed=0,1")
on_slurm = pytest.mark.skipif(not clusters.HAS_SLURM, reason="no slurm here: tests/install_slurm.sh gets it, as root")
ENGINES = [
    pytest.param(clusters.slurm, marks=on_slurm),
    pytest.param(clusters.ray, marks=pytest.mark.skipif(not clusters.HAS_RAY, reason="ray is not installed")),
]


@pytest.fixture(scope="module")
def serial(tmp_path_factory):
    """Weights and queries of the same sweep, one cell after the other in processes."""
    folder = tmp_path_factory.mktemp("serial")
    done = forked.run(*LINE, *CELLS, "hydra.launcher.workers=1", *paths(folder))
    assert done.returncode == 0, done.stdout + done.stderr
    return arrays_of(folder)


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_a_sweep_whose_worker_is_killed_ends_as_a_serial_one(engine, serial, tmp_path):
    """The cell and the worker above it are killed once the cell has stored a cycle."""
    with TemporaryDirectory() as short, engine(Path(short)) as (environment, words):
        command = [sys.executable, str(ROOT / "run.py"), *LINE, *CELLS, *words, *paths(tmp_path)]
        settings = {"env": {**os.environ, **environment}, "cwd": ROOT, "text": True, "stderr": subprocess.STDOUT}
        with subprocess.Popen(command, stdout=subprocess.PIPE, **settings) as sweep:
            while not (stored := list(tmp_path.glob("*/random/seed=0/*/cycles/000.json"))):
                assert sweep.poll() is None, sweep.stdout.read()
                time.sleep(0.02)
            kill_with_parent(int((stored[0].parent.parent / "owner").read_text()))
            said = sweep.stdout.read()
        assert sweep.returncode == 0, said
        assert "seed=0: killed by signal 9, started once more" in said
        assert arrays_of(tmp_path) == serial


@pytest.fixture(scope="module")
def queue():
    """What a sweep on Slurm finds in its environment, and says on its line; one cluster for all tests of this file."""
    with TemporaryDirectory() as short, clusters.slurm(Path(short)) as (environment, words):
        yield {**os.environ, **environment}, words


@contextmanager
def sweep(queue, *line):
    environment, words = queue
    command = [sys.executable, str(ROOT / "run.py"), *LINE, *words, *line]
    settings = {"env": environment, "cwd": ROOT, "text": True, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen(command, **settings) as process:
        try:
            yield process
        finally:
            process.kill()


def in_the_queue(queue):
    listed = subprocess.run(["squeue", "--noheader"], env=queue[0], capture_output=True, text=True, check=True)
    return listed.stdout.splitlines()


def left_in_the_queue(queue, seconds=60):
    """What is there once jobs that are completing, whose nodes Slurm still cleans up, have had this long."""
    ends = time.monotonic() + seconds
    while (left := in_the_queue(queue)) and time.monotonic() < ends:
        time.sleep(0.2)
    return left


@pytest.mark.slow
@on_slurm
def test_a_sweep_that_is_stopped_takes_its_jobs_out_of_the_queue(queue, tmp_path):
    """Two run and one waits for a node; a cell that runs stores what it has, and no process is left."""
    with sweep(queue, "strategy=random", "learner.epochs=100000", "seed=0,1,2", *paths(tmp_path)) as process:
        while len(begun := list(tmp_path.glob("*/random/*/*/owner"))) < 2 or not all(one.read_text() for one in begun):
            assert process.poll() is None, process.stdout.read()
            time.sleep(0.05)
        cells = [int(one.read_text()) for one in begun]
        assert len(in_the_queue(queue)) == 3
        process.send_signal(signal.SIGTERM)
        said = process.stdout.read()
        assert process.wait() == 128 + signal.SIGTERM, said
    assert "stopped by SIGTERM; everything finished is kept" in said
    assert left_in_the_queue(queue) == []
    for cell in cells:
        with pytest.raises(ProcessLookupError):
            os.kill(cell, 0)
    assert all("stopped by SIGTERM" in (one.parent / "sweep.log").read_text() for one in begun)


def told_to_end(queue, folder):
    """A job that Slurm tells to end and that dies of it. Slurm looks every 30 s: it has just looked."""
    asked = ["sbatch", "--parsable", "--time=1", "--signal=USR2@90", f"--output={folder}/log", "--wrap=srun sleep 99"]
    number = subprocess.run(asked, env=queue[0], capture_output=True, text=True, check=True).stdout.strip()
    job = slurm_queue.Job(SimpleNamespace(job_id=number, paths=SimpleNamespace(result_pickle=folder / "none")))
    return job, job.wait()


@pytest.mark.slow
@on_slurm
def test_a_job_that_is_told_to_end_before_it_listens_came_to_its_time_limit(queue, tmp_path, monkeypatch):
    monkeypatch.setenv("SLURM_CONF", queue[0]["SLURM_CONF"])
    job, code = told_to_end(queue, tmp_path)
    assert (code, job.because) == (-signal.SIGKILL, slurm_queue.TIME_LIMIT)


@pytest.mark.slow
@on_slurm
def test_a_cell_that_came_to_its_time_limit_says_so_and_keeps_what_it_has(queue, tmp_path, monkeypatch):
    """A minute is the shortest limit; Slurm asks for the end when it next looks at a job of one that runs."""
    monkeypatch.setenv("SLURM_CONF", queue[0]["SLURM_CONF"])
    told_to_end(queue, tmp_path)  # so that the cell has the time to begin
    line = ("strategy=random", "learner.epochs=1000000", "seed=0", *paths(tmp_path))
    with sweep(queue, *line, "hydra.launcher.minutes=1") as process:
        said = process.stdout.read()
        assert process.wait() == 1, said
    limit = "unfinished, its job came to its time limit (hydra.launcher.minutes)"
    assert f"{limit}, started once more" in said
    assert f"failed with code -9: {limit}; log " in said
    (log,) = tmp_path.rglob("sweep.log")
    first, _, second = log.read_text().partition("stopped by SIGTERM")
    assert "going on at step" not in first
    assert re.search(r"going on at step \d", second), "what it had stored"
    assert list(log.parent.glob("scratch/000-*/*.ckpt")), "from where the same line goes on"


@pytest.mark.slow
@on_slurm
def test_what_two_jobs_ask_for_is_trained_by_one_of_them(queue, tmp_path):
    own = ("scale=smoke", "gan=wgan_gp", "strategy=asal_auto", "seed=0,1", "loop.max_cycles=1")
    with sweep(queue, *own, *paths(tmp_path)) as process:
        said = process.stdout.read()
        assert process.wait() == 0, said
    logs = [path.read_text() for path in tmp_path.rglob("sweep.log")]
    assert len(logs) == 2
    for kind in ("gan", "autoencoder"):
        assert sum(f"making {kind} " in log for log in logs) == 1, kind
        assert len(list(tmp_path.glob(f"artifacts/{kind}/*.json"))) == 1


def test_the_launcher_of_another_package_is_answered_with_ours():
    done = forked.run("-m", "hydra/launcher=submitit_slurm", "seed=0,1")
    assert (done.returncode, "take hydra/launcher=slurm" in done.stdout + done.stderr) == (2, True)


def paths(folder):
    return f"paths.outputs={folder}", f"paths.cells={folder}/cells"


def arrays_of(folder):
    """The bytes of what each cycle stored, by its place."""
    return {file.relative_to(folder): file.read_bytes() for file in folder.glob("digits/**/cycles/*.safetensors")}


def kill_with_parent(pid):
    status = Path(f"/proc/{pid}/status").read_text()
    parent = int(status.split("PPid:")[1].split()[0])
    for one in (parent, pid):
        os.kill(one, signal.SIGKILL)
