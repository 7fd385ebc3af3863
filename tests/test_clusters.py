"""Sweeps on Slurm and on Ray, really started, with two nodes each on this machine."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import clusters
import forked
import pytest

ROOT = Path(__file__).parent.parent
LINE = ("-m", "scale=smoke", "gan=none", "device=cpu", "threads=1", "network=linear", "tracking=none")
# eight cycles after the one that is waited for: seconds in which the cell is to be killed
CELLS = ("strategy=random", "learner.epochs=300", "loop.max_cycles=8", "seed=0,1")
ENGINES = [
    pytest.param(
        clusters.slurm,
        marks=pytest.mark.skipif(
            not clusters.HAS_SLURM, reason="no slurm here: tests/install_slurm.sh gets it, as root"
        ),
    ),
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
