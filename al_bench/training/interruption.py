"""Ctrl-C and SIGTERM: end at the next safe point, with everything finished already on disk."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupted(KeyboardInterrupt):
    """Raised in place of a signal; `signum` says which."""

    def __init__(self, signum: int) -> None:
        super().__init__(signal.Signals(signum).name)
        self.signum = signum


class _State:
    deferring = False
    pending: int | None = None


def _handle(signum: int, frame: FrameType | None) -> None:
    again = _State.pending is not None
    _State.pending = signum
    if again or not _State.deferring:
        raise Interrupted(signum)


@contextmanager
def signals_handled() -> Iterator[None]:
    """Inside the block SIGINT and SIGTERM raise Interrupted; the handlers before it are put back after it."""
    before = {number: signal.signal(number, _handle) for number in (signal.SIGINT, signal.SIGTERM)}
    _State.pending = None
    try:
        yield
    finally:
        _State.pending = None
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def deferred() -> Iterator[None]:
    """Inside the block a first signal only sets `pending()`; a second one raises at once."""
    before = _State.deferring
    _State.deferring = True
    try:
        yield
    finally:
        _State.deferring = before
    if _State.pending is not None and not before:
        raise Interrupted(_State.pending)


@contextmanager
def at_once() -> Iterator[None]:
    """Inside the block, which may be inside of a `deferred` one, a signal is not put off."""
    before = _State.deferring
    _State.deferring = False
    try:
        yield
    finally:
        _State.deferring = before


def pending() -> bool:
    """Whether a signal waits for the next safe point."""
    return _State.pending is not None
