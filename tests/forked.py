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
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from importlib.abc import MetaPathFinder
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any, NamedTuple

ROOT = Path(__file__).parent.parent
# None of our own modules: a fork shall import them, as run.py does
LIBRARIES = ("torch", "torchvision", "torchmetrics", "pytorch_lightning", "hydra", "pydantic", "scipy", "sklearn")
MOST_SECONDS = 300


class Trap(NamedTuple):
    """Where the process is killed with SIGKILL: at the nth call of a function.

    when: `before`, instead of the call, or `after`, once it has returned; `import`, where the target is a module's
    name that is imported for the first time; `never` runs to the end.
    """

    target: str = ""
    number: int = 0
    when: str = "never"


def run(*overrides: str, trap: Trap | None = None) -> subprocess.CompletedProcess[str]:
    """What `python run.py <overrides>` says, and its exit code: -9 where a trap killed it, -14 after `MOST_SECONDS`.

    With a trap, checkpoints are written every few steps, so that one lies between any two kills.
    """
    with started(*overrides, trap=trap) as process:
        code = process.wait()
        return subprocess.CompletedProcess(overrides, code, process.stdout, process.stderr)


@dataclass
class Started:
    """A run that goes on. answers: its exit code comes from there; said: the files of its output and its errors."""

    pid: int
    answers: IO[str]
    said: Sequence[Path]
    code: int | None = None

    @property
    def stdout(self) -> str:
        """What it has said so far."""
        return self.said[0].read_text()

    @property
    def stderr(self) -> str:
        return self.said[1].read_text()

    def await_words(self, *words: str) -> None:
        """Returns once it has said one of them; fails when it cannot any more."""
        while not any(word in self.stdout for word in words):
            os.kill(self.pid, 0)
            time.sleep(0.01)

    def wait(self) -> int:
        """Its exit code, once it has ended."""
        if self.code is None:
            self.code = int(self.answers.readline())
        return self.code


@contextmanager
def started(*overrides: str, trap: Trap | None = None, terminal: str | None = None) -> Iterator[Started]:
    """As `run`, while it runs; at the end it is killed. terminal: that it says everything to, in place of files."""
    server = _server()
    assert server.stdin is not None
    with TemporaryDirectory() as folder:
        os.mkfifo(answers := f"{folder}/answers")
        said = [terminal] * 2 if terminal else [f"{folder}/stdout", f"{folder}/stderr"]
        for path in said:
            Path(path).touch()  # it can be read before the process has begun to write
        server.stdin.write(json.dumps([answers, overrides, trap, said, dict(os.environ)]) + "\n")
        server.stdin.flush()
        with Path(answers).open() as opened:
            process = Started(int(opened.readline()), opened, [Path(path) for path in said])
            try:
                yield process
            finally:
                if process.code is None:
                    with suppress(ProcessLookupError):
                        os.kill(process.pid, signal.SIGKILL)
                    process.wait()


@cache
def _server() -> subprocess.Popen[str]:
    server = subprocess.Popen([sys.executable, __file__], cwd=ROOT, stdin=subprocess.PIPE, text=True)
    atexit.register(server.communicate)  # ends its input, so that it ends
    return server


def _serve() -> None:
    for name in LIBRARIES:
        importlib.import_module(name)
    watchers = set()
    for line in sys.stdin:
        watchers = {watcher for watcher in watchers if os.waitpid(watcher, os.WNOHANG) == (0, 0)}
        answers, *request = json.loads(line)
        if watcher := os.fork():
            watchers.add(watcher)
        elif process := os.fork():
            _watch(process, answers)
        else:
            _become(*request)
            return


def _watch(process: int, answers: str) -> None:
    """Says which process it is and, when it has ended, with which code."""
    with Path(answers).open("w") as opened:
        opened.write(f"{process}\n")
        opened.flush()
        _, status = os.waitpid(process, 0)
        with suppress(BrokenPipeError):
            opened.write(f"{os.waitstatus_to_exitcode(status)}\n")
            opened.flush()
    os._exit(0)


def _become(
    overrides: Sequence[str], trap: tuple[str, int, str] | None, said: Sequence[str], environment: dict[str, str]
) -> None:
    """Is run.py from here on."""
    signal.alarm(MOST_SECONDS)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell that starts the tests by `&` has it ignored
    for number, path in enumerate([os.devnull, *said]):
        os.dup2(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOCTTY), number)
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
    if when == "import":
        sys.meta_path.insert(0, Watch(target))
    elif when != "never":
        _kill_at(target, number, when)


class Watch(MetaPathFinder):
    """Kills the process that looks for a module."""

    def __init__(self, name: str) -> None:
        self.name = name

    def find_spec(self, fullname: str, path: object, target: object = None) -> None:
        if fullname == self.name:
            os.kill(os.getpid(), signal.SIGKILL)


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
