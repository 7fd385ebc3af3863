"""A cell of a sweep: how long until its first line, forked from what has imported beside started by itself."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks import Goal, Measured, interleaved
from hydra_plugins.forks import forking

ROOT = Path(__file__).parents[1]
TARGETS = (
    "al_bench.dataset.digits.digits", "al_bench.network.small_cnn.SmallCnn", "al_bench.learner.supervised.Supervised",
    "al_bench.strategy.uncertainty.Uncertainty", "al_bench.evaluator.accuracy.Accuracy",
    "al_bench.oracle.ground_truth.GroundTruth",
)  # fmt: skip
Start = Callable[[Sequence[str], Path], Any]  # words for an interpreter, its log; returns the process


def measure(pairs: int = 3) -> list[Measured]:
    """Cells of the digits with margin sampling; both sides are killed once they have said which run they are."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}

    def alone(words: Sequence[str], log: Path) -> Any:
        with log.open("ab") as file:
            return subprocess.Popen([sys.executable, *words], stdout=file, stderr=file, env=environment, cwd=ROOT)

    with TemporaryDirectory() as folder, forking(str(ROOT / "run.py"), TARGETS, environment) as server:

        def forked(words: Sequence[str], log: Path) -> Any:
            return server.fork(words, environment, log)

        runs = interleaved(lambda n: said_by(forked, folder, n), lambda n: said_by(alone, folder, n), pairs)
    agrees = all(first == second for first, second in runs.results)
    ours, other = runs.medians
    how = f"wall time, median of {pairs}: {min(runs.first):.2f} to {max(runs.first):.2f} s"
    beside = f"{ours:.2f} s and {other:.2f} s"
    return [
        Measured("a forked cell's first line", ours, Goal(0.5, "s"), how, agrees),
        Measured("a cell's first line, forked / started by itself", runs.ratio, None, beside, agrees),
    ]


def said_by(start: Start, folder: str, number: int) -> str:
    """The first line of a new cell, which is killed then."""
    log = Path(folder, "sweep.log")
    log.write_bytes(b"")
    words = (str(ROOT / "run.py"), "strategy=margin", f"seed={number}", "device=cpu", "tracking=none")
    process = start((*words, f"paths.outputs={folder}", f"paths.cells={folder}/cells"), log)
    while not (said := log.read_text()).endswith("\n") and process.poll() is None:
        time.sleep(0.002)
    if process.returncode is None:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    return said.partition("\n")[0]
