"""How much memory a process holds, as Linux counts it; for sides that run in a process of their own."""

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import ParamSpec, TypeVar

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


def apart(task: Callable[_Arguments, _Result], *arguments: _Arguments.args, **more: _Arguments.kwargs) -> _Result:
    """What a task returns that runs in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        return process.submit(task, *arguments, **more).result()


def peak_above(task: Callable[[], object], base: Callable[[], object]) -> int:
    """Bytes that `task` holds at most, above the most that `base` does, in this process; both are run."""
    return max(0, _peak(task) - _peak(base))


def _peak(task: Callable[[], object]) -> int:
    Path("/proc/self/clear_refs").write_text("5")  # the peak of this process is what it holds now
    task()
    return resident("VmHWM")


def resident(field: str) -> int:
    """Bytes of this process in memory: now (VmRSS) or at most (VmHWM)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:"))
