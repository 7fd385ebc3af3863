"""What `forked` starts once: imports the libraries, and becomes in a fork each process that is asked for."""

import gc
import importlib
import json
import os
import runpy
import signal
import socket
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from importlib.abc import MetaPathFinder
from pathlib import Path
from select import select
from typing import Any, NoReturn

# None of our own modules: a fork shall import them, as run.py does
LIBRARIES = (
    "torch", "torchvision", "torchmetrics", "pytorch_lightning", "hydra", "pydantic", "scipy", "sklearn", "filelock",
    "pydantic.json_schema", "pydantic.type_adapter", "safetensors.torch", "sklearn.datasets", "tabulate",
    "tqdm.contrib.logging",
)  # fmt: skip
CELLS = runpy.run_path(str(Path(__file__).parents[1] / "hydra_plugins" / "fork_server.py"))  # how its forks end
MOST_SECONDS = 300


def _serve(listener: socket.socket) -> None:
    for name in LIBRARIES:
        importlib.import_module(name)
    gc.freeze()  # what forks share is not looked through, and not copied, in each of them
    signal.signal(signal.SIGCHLD, _wait_for_ended)
    while sys.stdin not in select([sys.stdin, listener], [], [])[0]:
        asked, _ = listener.accept()
        if os.fork():
            asked.close()
            continue
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        listener.close()
        _, files, _, _ = socket.recv_fds(asked, 1, 3)
        request = json.loads(asked.makefile().readline())
        if process := os.fork():
            for file in files:
                os.close(file)
            _watch(process, asked)
        asked.close()
        _become(files=files, **request)
    os._exit(0)  # without torch's words on what it has not freed


def _wait_for_ended(signum: int, frame: object) -> None:
    """At once, so that their CPU seconds are counted as this one's (`forked.spent`)."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass


def _watch(process: int, asked: socket.socket) -> None:
    """Says which process it is and, when it has ended, with which code; kills it when who asked is gone."""

    def kill_when_alone() -> None:
        asked.recv(1)
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)

    threading.Thread(target=kill_when_alone, daemon=True).start()
    with suppress(BrokenPipeError):
        asked.sendall(f"{process}\n".encode())
    _, status = os.waitpid(process, 0)
    with suppress(BrokenPipeError):
        asked.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
    os._exit(0)


def _become(
    words: Sequence[str],
    folder: str,
    environment: Mapping[str, str],
    executable: str,
    files: Sequence[int],
    trap: tuple[str, int, str, int] | None = None,
) -> NoReturn:
    """Is the interpreter with these arguments from here on."""
    os.setsid()
    signal.alarm(MOST_SECONDS)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell that starts the tests by `&` has it ignored
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.executable = executable
    given = [str(Path(path).resolve()) for path in environment.get("PYTHONPATH", "").split(os.pathsep) if path]
    sys.path[1:1] = [path for path in given if path not in sys.path]
    if words[0] == "-c":
        sys.path[0] = ""
    else:
        sys.path[0] = folder if words[0] == "-m" else str(Path(words[0]).resolve().parent)
    if trap is not None:
        _set(trap)
    CELLS["end"](CELLS["code_of"](partial(_run, words)))


def _run(words: Sequence[str]) -> None:
    """Runs what an interpreter would with these arguments."""
    if words[0] == "-c":
        sys.argv = ["-c", *words[2:]]
        exec(compile(words[1], "<string>", "exec"), {"__name__": "__main__"})
    elif words[0] == "-m":
        sys.argv = [*words[1:]]
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = [*words]
        runpy.run_path(words[0], run_name="__main__")


def _set(trap: tuple[str, int, str, int]) -> None:
    target, number, when, signum = trap
    if when == "import":
        sys.meta_path.insert(0, Watch(target, signum))
        return

    import torch

    from al_bench.training.fit import Fitter

    torch.set_num_threads(1)
    assert Fitter.fit.__kwdefaults__ is not None
    Fitter.fit.__kwdefaults__["checkpoint_seconds"] = 0.02
    if when != "never":
        _kill_at(target, number, when, signum)


class Watch(MetaPathFinder):
    """Sends a signal to the process that looks for a module."""

    def __init__(self, name: str, signum: int) -> None:
        self.name, self.signum = name, signum

    def find_spec(self, fullname: str, path: object, target: object = None) -> None:
        if fullname == self.name:
            os.kill(os.getpid(), self.signum)


def _kill_at(target: str, number: int, when: str, signum: int) -> None:
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
            os.kill(os.getpid(), signum)
        result = original(*arguments, **options)
        if calls == number and when == "after":
            os.kill(os.getpid(), signum)
        return result

    setattr(owner, name, counted)


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
