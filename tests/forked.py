"""Runs run.py's command line in a process of its own, which finds torch imported.

It is forked from one that a session of tests starts once: a new interpreter spends five seconds of CPU on imports.
"""

import atexit
import importlib
import json
import os
import runpy
import signal
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

ROOT = Path(__file__).parent.parent
# None of our own modules: a fork shall import them, as run.py does
LIBRARIES = ("torch", "torchvision", "torchmetrics", "pytorch_lightning", "hydra", "pydantic", "scipy", "sklearn")
MOST_SECONDS = 300


class Trap(NamedTuple):
    """Where the process is killed with SIGKILL: at the nth call of a function.

    when: `before`, instead of the call, or `after`, once it has returned; `never` runs to the end.
    """

    target: str = ""
    number: int = 0
    when: str = "never"


def run(*overrides: str, trap: Trap | None = None) -> subprocess.CompletedProcess[str]:
    """What `python run.py <overrides>` says, and its exit code: -9 where a trap killed it, -14 after `MOST_SECONDS`.

    With a trap, checkpoints are written every few steps, so that one lies between any two kills.
    """
    server = _server()
    assert server.stdin is not None and server.stdout is not None
    with TemporaryDirectory() as folder:
        said = [f"{folder}/stdout", f"{folder}/stderr"]
        server.stdin.write(json.dumps([overrides, trap, said, dict(os.environ)]) + "\n")
        server.stdin.flush()
        code = int(server.stdout.readline())
        return subprocess.CompletedProcess(overrides, code, *(Path(path).read_text() for path in said))


@cache
def _server() -> subprocess.Popen[str]:
    command = [sys.executable, __file__]
    server = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    atexit.register(server.communicate)  # ends its input, so that it ends
    return server


def _serve() -> None:
    for name in LIBRARIES:
        importlib.import_module(name)
    for line in sys.stdin:
        if process := os.fork():
            _, status = os.waitpid(process, 0)
            sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
            sys.stdout.flush()
        else:
            _become(*json.loads(line))
            return


def _become(
    overrides: Sequence[str], trap: tuple[str, int, str] | None, said: Sequence[str], environment: dict[str, str]
) -> None:
    """Is run.py from here on."""
    signal.alarm(MOST_SECONDS)
    for number, path in enumerate([os.devnull, *said]):
        os.dup2(os.open(path, os.O_RDWR | os.O_CREAT), number)
    os.environ.clear()
    os.environ.update(environment)
    sys.path.insert(0, str(ROOT))
    if trap is not None:
        _set(trap)
    sys.argv = [str(ROOT / "run.py"), *overrides]
    runpy.run_path(sys.argv[0], run_name="__main__")


def _set(trap: tuple[str, int, str]) -> None:
    import torch

    from al_bench.training.fit import Fitter

    torch.set_num_threads(1)
    assert Fitter.fit.__kwdefaults__ is not None
    Fitter.fit.__kwdefaults__["checkpoint_seconds"] = 0.02
    target, number, when = trap
    if when != "never":
        _kill_at(target, number, when)


def _kill_at(target: str, number: int, when: str) -> None:
    """Puts a function in the target's place that kills the process at its nth call."""
    from hydra.utils import get_object

    owner_path, name = target.rsplit(".", 1)
    owner = get_object(owner_path)
    original = getattr(owner, name)
    calls = 0

    def counted(*arguments: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == number and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = original(*arguments, **options)
        if calls == number and when == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, name, counted)


if __name__ == "__main__":
    _serve()
