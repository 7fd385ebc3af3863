"""Cells that run in one process and meet where each has a small model to work on: alike ones are done as one stack.

A cell stays plain code, in a thread of its own, of which one runs at a time: it goes on until it asks for something
that may be done together, then the next one goes on. Once all living cells have asked, or ended, those requests that
join are answered by one computation. What torch has once, such as its global generators, is no cell's while it waits.
"""

import logging
import signal
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import ClassVar, Self

import torch

from al_bench.training import interruption
from al_bench.training.cost import add_cost
from al_bench.training.interruption import Interrupted

logger = logging.getLogger(__name__)


class Request(ABC):
    """Something that a cell waits for. rank: requests of the lowest are answered first, so that those of a higher one
    come together. done: whether it was answered; what is not, the cell does alone. weight: how large it is among
    those that it joins; seconds: the cell's share, by that. threads: of torch in the cell."""

    rank: ClassVar[int]
    done: bool = False
    weight: float = 1.0
    seconds: float = 0.0
    threads: int = 1

    @abstractmethod
    def joins(self, other: "Request") -> bool:
        """Whether both can be answered by one computation."""

    @abstractmethod
    def answer(self, others: Sequence[Self]) -> None:
        """Does its own and those of `others`, all of which it joins; nothing of a cell changes before all is done."""


class Member(threading.Thread):
    """A cell of a pack. work: all of it. around: of each of its turns, puts in place what a process has once and each
    cell its own of. error: what it ended with, None where that is nothing."""

    def __init__(
        self, work: Callable[[], None], around: Callable[[], AbstractContextManager[None]] = nullcontext
    ) -> None:
        super().__init__(daemon=True)
        self.work, self.around = work, around
        self.request: Request | None = None
        self.error: BaseException | None = None
        self.ended = False
        self.said: set[str] = set()
        self.stop: Interrupted | None = None
        self._turn, self._paused = threading.Semaphore(0), threading.Semaphore(0)

    def run(self) -> None:
        """What the thread does: the work, from its first turn on."""
        self._turn.acquire()
        _member.set(self)
        try:
            if self.stop is None:
                self.work()
        except BaseException as error:  # handed to whoever runs the pack
            self.error = error
        finally:
            self.ended = True
            self._paused.release()

    def ask(self, request: Request) -> bool:
        """Called in the cell's thread: waits for the others, and returns whether the request is done. The cell's costs
        have its share of the time alone. Raises Interrupted where the pack is stopped."""
        began = time.perf_counter()
        request.threads = torch.get_num_threads()
        self.request = request
        self._paused.release()
        self._turn.acquire()
        if self.stop is not None:
            raise self.stop
        add_cost(0, 0, request.seconds - (time.perf_counter() - began))
        return request.done

    def take_turn(self) -> None:
        """Lets the cell go on until it asks or ends."""
        with self.around():
            self._turn.release()
            self._paused.acquire()

    def end(self, stop: Interrupted) -> None:
        """Stops the cell, unless it has ended, where it asks for something next."""
        self.stop = stop
        while not self.ended:
            self.take_turn()


_member: ContextVar[Member | None] = ContextVar("member", default=None)


def in_pack() -> bool:
    """Whether this is a cell of a pack."""
    return _member.get() is not None


def ask(request: Request) -> bool:
    """Whether the request was done together with others'; outside of a pack it never is."""
    member = _member.get()
    return member is not None and member.ask(request)


@contextmanager
def apart() -> Iterator[None]:
    """Inside the block a cell asks for nothing: for what it does while others wait for a file of it."""
    token = _member.set(None)
    try:
        yield
    finally:
        _member.reset(token)


def say_once(words: str) -> None:
    """Logs what a cell of a pack has to say of all its cycles."""
    member = _member.get()
    if member is not None and words not in member.said:
        member.said.add(words)
        logger.info(words)


def said_once() -> list[str]:
    """What this cell of a pack has had to say of all its cycles."""
    member = _member.get()
    return sorted(member.said) if member else []


def run_pack(members: Sequence[Member]) -> None:
    """Runs cells until all have ended, each with its `error`; inside of `interruption.signals_noted`, for one that was
    raised between two threads would have them wait for ever.

    Raises Interrupted, once all have ended, where a signal came.
    """
    for member in members:
        member.start()
    stop: Interrupted | None = None
    try:
        while living := [member for member in members if not member.ended]:
            for member in living:
                if member.request is None:
                    member.take_turn()
                    interruption.raise_pending()
            _answer([member for member in living if not member.ended])
            interruption.raise_pending()
    except Interrupted as signalled:
        stop = signalled
        raise
    finally:
        for member in members:
            member.end(stop or Interrupted(signal.SIGTERM))


def _answer(waiting: Sequence[Member]) -> None:
    """Requests of the lowest rank, alike ones together; one that is like no other is left to its cell."""
    asked = [(member, member.request) for member in waiting if member.request is not None]
    lowest = min((request.rank for _, request in asked), default=0)
    groups: list[list[tuple[Member, Request]]] = []
    for member, request in asked:
        if request.rank > lowest:
            continue
        member.request = None  # it goes on in the next round
        joined = next((group for group in groups if request.joins(group[0][1])), None)
        if joined is None:
            groups.append([(member, request)])
        else:
            joined.append((member, request))
    for group in groups:
        if len(group) > 1:
            members, requests = zip(*group, strict=True)
            with members[0].around():  # in whose log it is said how far it is
                _answer_together(requests)


def _answer_together(group: Sequence[Request]) -> None:
    """One computation for all; where it fails, each cell is left to its own, which then fails alone."""
    began = time.perf_counter()
    first, *others = group
    torch.set_num_threads(first.threads)  # of this thread, in which no cell runs
    try:
        first.answer(others)
    except Exception as error:
        logger.warning(f"{len(group)} cells fail together, so each goes on alone: {error}")
        return
    per_weight = (time.perf_counter() - began) / sum(request.weight for request in group)
    for request in group:
        request.done, request.seconds = True, request.weight * per_weight
