"""A process that imports once what cells need, and becomes each of them in a fork: `forks.ForkServer` starts it.

Its standard input is the socket over which it is asked. It forks only while it has the one thread that it began with
and has opened no GPU: a fork of more has locks that nobody frees, and a driver that refuses it.
"""

# No `from __future__ import annotations` here, see processes.py.
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import sys
import sysconfig
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

# Imported by a cell inside of functions, once it trains or measures something
LIBRARIES = (
    "faiss", "hydra._internal.core_plugins.file_config_source", "hydra._internal.hydra",
    "hydra.core.override_parser.overrides_parser", "lightning_fabric", "matplotlib", "pandas",
    "pydantic.json_schema", "pydantic.type_adapter", "safetensors.torch", "scipy.optimize", "sklearn.cluster",
    "tabulate", "threadpoolctl", "torch", "torchmetrics.classification", "torchvision", "tqdm.contrib.logging",
    "wandb",
)  # fmt: skip
PACKAGES = ("active", "config", "network", "procedure", "storage", "training")  # of ours, whole
BLAS_THREADS = ("OPENBLAS_NUM_THREADS", "GOTO_NUM_THREADS", "OMP_NUM_THREADS")  # as OpenBLAS looks for them
Stamps = dict[str, tuple[int, int]]


def serve() -> NoReturn:
    """Forks whatever is asked for until nobody can ask any more; cells that run then go on."""
    asked = socket.socket(fileno=0)
    requests = asked.makefile()
    first = json.loads(requests.readline())
    sys.path[0] = first["folder"]  # as in each cell, whose program lies there
    import_all(first["targets"])
    with composed_once():
        imported = stamps_of_sources()
        gc.freeze()  # what forks share is not looked through, and not copied, in each of them
        _say(asked, ready=True)
        _answer_all(asked, requests, imported)
    os._exit(0)  # without torch's words on what it has not freed


def _answer_all(asked: socket.socket, requests: Iterator[str], imported: Stamps) -> None:
    running: dict[int, int] = {}  # the process behind each open pidfd
    while True:
        for file in select.select([asked.fileno(), *running], [], [])[0]:
            if file in running:
                _, status = os.waitpid(running[file], 0)
                _say(asked, ended=running.pop(file), code=os.waitstatus_to_exitcode(status))
                os.close(file)
            elif (line := next(requests, None)) is None:
                return
            else:
                _answer(asked, line, imported, running)


def import_all(targets: Iterable[str]) -> None:
    """Imports libraries, the loop's packages and the parts of cells; what cannot be imported a cell says itself.

    targets: paths of classes and functions in the code.
    """
    import pkgutil

    for name in LIBRARIES:
        with suppress(Exception):
            importlib.import_module(name)
    for package in PACKAGES:
        found = importlib.import_module(f"al_bench.{package}")
        for module in pkgutil.walk_packages(found.__path__, f"{found.__name__}."):
            with suppress(Exception):
                importlib.import_module(module.name)
    for target in targets:
        with suppress(Exception):
            importlib.import_module(target.rpartition(".")[0])


@contextmanager
def composed_once() -> Iterator[None]:
    """Inside, and in forks made inside, Hydra composes quicker, and finds parsed what every configuration has."""
    from al_bench.config.composing import as_yaml, composing, composing_quicker

    with composing_quicker():
        with suppress(Exception), composing():
            as_yaml([])
        yield


def stamps_of_sources() -> Stamps:
    """Size and time of each file that a module that is not installed was imported from."""
    found, installed = {}, tuple(sysconfig.get_paths()[name] for name in ("stdlib", "purelib", "platlib"))
    for module in list(sys.modules.values()):
        path = getattr(module, "__file__", None) or ""
        if path and not path.startswith(installed):
            with suppress(OSError):
                state = Path(path).stat()
                found[path] = (state.st_size, state.st_mtime_ns)
    return found


def why_not(imported: Stamps) -> str | None:
    """A sentence about what forbids to fork this process, None where nothing does. imported: sources as they were."""
    now = stamps_of_sources()
    if changed := [path for path, stamp in imported.items() if now.get(path) != stamp]:
        return f"{changed[0]} was changed"
    if (threads := len(os.listdir("/proc/self/task"))) > 1:  # noqa: PTH208
        return f"what was imported started {threads - 1} threads"
    if any(_points_to(name).startswith("/dev/nvidia") for name in os.listdir("/proc/self/fd")):  # noqa: PTH208
        return "what was imported opened a GPU"
    return None


def _points_to(name: str) -> str:
    try:
        return str(Path("/proc/self/fd", name).readlink())
    except OSError:  # of the listing itself
        return ""


def _answer(asked: socket.socket, line: str, imported: Stamps, running: dict[int, int]) -> None:
    if reason := why_not(imported):
        _say(asked, refused=reason)
        return
    if process := os.fork():
        file = os.pidfd_open(process)
        running[file] = process
        _say(asked, [file], started=process)
        return
    for file in running:
        os.close(file)
    _become(**json.loads(line))


def _say(asked: socket.socket, files: Sequence[int] = (), **words: Any) -> None:
    try:
        socket.send_fds(asked, [json.dumps(words).encode() + b"\n"], files)
    except (BrokenPipeError, ConnectionResetError):
        os._exit(0)


def _become(words: Sequence[str], environment: Mapping[str, str], log: str) -> NoReturn:
    """Is `python *words` from here on, in a session of its own, its output behind what `log` has."""
    os.setsid()
    for signum in (signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(signum, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    output, nothing = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND), os.open(os.devnull, os.O_RDONLY)
    for file, number in ((nothing, 0), (output, 1), (output, 2)):  # 0 was the socket
        os.dup2(file, number)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = [*words]
    _restore()
    end(code_of(partial(runpy.run_path, words[0], run_name="__main__")))


def _restore() -> None:
    """What a new interpreter has by its environment or by chance: threads of OpenBLAS and NumPy's global generator."""
    import numpy as np
    import threadpoolctl

    said = next((os.environ[name] for name in BLAS_THREADS if os.environ.get(name, "").isdigit()), "")
    threadpoolctl.threadpool_limits(min(int(said or os.cpu_count() or 1), len(os.sched_getaffinity(0))), "blas")
    np.random.seed()


def code_of(program: Callable[[], object]) -> int:
    """The exit code of a program, once it has ended; that of an interrupt is the signal's, below zero."""
    try:
        program()
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        sys.stderr.write(f"{end.code}\n")
        return 1
    except BaseException as error:
        sys.excepthook(type(error), error, error.__traceback__)
        return -signal.SIGINT if isinstance(error, KeyboardInterrupt) else 1
    return 0


def end(code: int) -> NoReturn:
    """As an interpreter ends, but that it does not take its modules apart: in a fork that costs two seconds of CPU."""
    import atexit

    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):
            stream.flush()
    if code < 0:
        signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code & 0xFF)


if __name__ == "__main__":
    serve()
