"""The command line: how long a person waits for `run.py --help`."""

import statistics
import subprocess
import sys
from pathlib import Path

from benchmarks import Goal, Measured, timed

ROOT = Path(__file__).parents[1]


def measure(runs: int = 5) -> list[Measured]:
    """The median of five starts, each a process of its own, after one to warm up."""
    seconds = [timed(_help, number)[0] for number in range(runs + 1)][1:]
    how = f"wall time, median of {runs}: {min(seconds):.2f} to {max(seconds):.2f} s"
    return [Measured("run.py --help", statistics.median(seconds), Goal(1.5, "s"), how)]


def _help(_: int) -> bytes:
    return subprocess.run([sys.executable, "run.py", "--help"], cwd=ROOT, check=True, capture_output=True).stdout
