"""Pictures that forks draw while their page goes on being made: a large one has hundreds, each of 50 milliseconds."""

import gc
import multiprocessing
import os
import re
import secrets
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from contextvars import ContextVar

from al_bench.sources.cores import usable_cores

Draw = Callable[[], str]

_MANY = 40  # pictures of a page from which it is worth to fork
_MOST = 8  # forks


class Drawings:
    """The pictures of one page, which are names until `fill` puts them in."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._forks: ProcessPoolExecutor | None = None
        self._name = f"picture-{secrets.token_hex(8)}"  # that no text of a page holds
        self._asked: list[Draw] = []
        self._forked: list[Future[str]] = []  # of the first that are asked for
        self._own: dict[int, str] = {}  # drawn here, by their place among those asked for

    def draw(self, draw: Draw) -> str:
        """A name of a picture, or the picture where nothing is forked. draw: goes to another process, so it is made of
        what can be pickled and does not change."""
        if not self._workers:
            return draw()
        self._asked.append(draw)
        if len(self._asked) >= _MANY:
            self._fork()
        return f"{self._name}-{len(self._asked) - 1}."

    def fill(self, html: str) -> str:
        """The page with its pictures. Those that no fork has begun are drawn here, from the last: nobody waits."""
        for place in reversed(range(len(self._asked))):
            if place not in self._own and (place >= len(self._forked) or self._forked[place].cancel()):
                self._own[place] = self._asked[place]()
        return re.sub(rf"{self._name}-(\d+)\.", lambda found: self._result(int(found[1])), html)

    def end(self) -> None:
        """Nothing more is drawn."""
        if self._forks is not None:
            self._forks.shutdown(cancel_futures=True)

    def _fork(self) -> None:
        """All that is asked for goes to forks, if there can be any."""
        try:
            if self._forks is None:
                fork, own = multiprocessing.get_context("fork"), (os.getpid(),)
                self._forks = ProcessPoolExecutor(self._workers, fork, _begin, own)
            for draw in self._asked[len(self._forked) :]:
                self._forked.append(self._forks.submit(draw))
        except (OSError, RuntimeError):  # no more processes, no semaphores, a fork that was killed
            self._workers = 0

    def _result(self, place: int) -> str:
        if place in self._own:
            return self._own[place]
        try:
            return self._forked[place].result()
        except BrokenProcessPool:
            return self._asked[place]()


@contextmanager
def drawing_ahead(workers: int | None = None) -> Iterator[Drawings]:
    """Inside, pictures are drawn by so many forks, None: by one less than there are processors, 0: by none, as where
    processes are not forked."""
    if workers is None:
        can_fork = "fork" in multiprocessing.get_all_start_methods() and hasattr(os, "sched_getaffinity")
        workers = min(_MOST, usable_cores() - 1) if can_fork else 0
    token = _drawings.set(drawings := Drawings(workers))
    try:
        yield drawings
    finally:
        _drawings.reset(token)
        drawings.end()


def draw_ahead(draw: Draw) -> str:
    """A picture, or inside `drawing_ahead` maybe a name for it."""
    drawings = _drawings.get()
    return draw() if drawings is None else drawings.draw(draw)


_drawings: ContextVar[Drawings | None] = ContextVar("_drawings", default=None)


def _begin(parent: int) -> None:
    """A page that is interrupted ends its forks itself, and its own handlers are not theirs. What the page holds is no
    rubbish of a fork's: looking through it for some took a tenth of its time."""
    gc.freeze()
    gc.enable()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    """A fork that waits for more to draw does not see that nobody is left to ask."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)
