"""How a command ends: by Ctrl-C and SIGTERM at the next safe point, with everything finished already on disk; by what a
user can mend in one sentence."""

import io
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from types import FrameType
from typing import Any

from al_bench.errors import Pause, UserError, of_files

logger = logging.getLogger(__name__)

REFUSED = 2  # exit code of what a user can mend
_IMPORTING = "importlib._bootstrap"
_SOON = 0.05  # seconds


class Interrupted(KeyboardInterrupt):
    """Raised in place of a signal; `signum` says which, `words` to a person what happened."""

    def __init__(self, signum: int) -> None:
        super().__init__(signal.Signals(signum).name)
        self.signum = signum

    @property
    def words(self) -> str:
        return f"stopped by {self}; everything finished is kept, the same command goes on from there"

    @property
    def exit_code(self) -> int:
        """As a shell says it of a process that a signal ended."""
        return 128 + self.signum


class _State:
    deferring = False
    pending: int | None = None


def _handle(signum: int, frame: FrameType | None) -> None:
    again = _State.pending is not None
    _State.pending = signum
    if _State.deferring and not again:
        return
    if _is_importing(frame):
        _end(Interrupted(signum))
    raise Interrupted(signum)


def _is_importing(frame: FrameType | None) -> bool:
    while frame and frame.f_globals.get("__name__") != _IMPORTING:
        frame = frame.f_back
    return frame is not None


def _end(stop: Interrupted) -> None:
    """Ends the process here and now: modules that are half there break what is done after them, at its exit too, and
    some of them take any exception for one of their own."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(RuntimeError, OSError):
            stream.flush()
    with suppress(OSError):
        os.write(2, f"{stop.words}\n".encode())
    os._exit(stop.exit_code)


def _note(signum: int, frame: FrameType | None) -> None:
    _State.pending = signum


@contextmanager
def signals_noted() -> Iterator[None]:
    """Inside the block SIGINT and SIGTERM raise nothing, `pending()` and `raise_pending` say that one came: for where
    threads wait for each other. The handlers before it are put back after it."""
    with _handled_by(_note):
        yield


@contextmanager
def signals_handled() -> Iterator[None]:
    """Inside the block SIGINT and SIGTERM raise Interrupted; the handlers before it are put back after it.

    While a module is imported they end the process, with a line and the exit code that an Interrupted has. One that
    comes where Python ignores what is raised, in a destructor or in what a weak reference calls, comes again soon.
    """
    before = sys.unraisablehook
    sys.unraisablehook = partial(_come_again, before)
    try:
        with _handled_by(_handle):
            yield
    finally:
        sys.unraisablehook = before


def _come_again(otherwise: Callable[[Any], object], ignored: Any) -> None:
    """What Python does with an exception that it ignores."""
    if not isinstance(ignored.exc_value, Interrupted):
        otherwise(ignored)
        return
    _State.pending = None  # it is still the first one
    again = threading.Timer(_SOON, os.kill, (os.getpid(), ignored.exc_value.signum))
    again.daemon = True
    again.start()


@contextmanager
def _handled_by(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    before = {number: signal.signal(number, handler) for number in (signal.SIGINT, signal.SIGTERM)}
    _State.pending = None
    try:
        yield
    finally:
        _State.pending = None
        for number, earlier in before.items():
            signal.signal(number, earlier)


@contextmanager
def ended_in_words() -> Iterator[None]:
    """The outermost block of a command: raises SystemExit in place of an Interrupted, of a Pause, of a UserError and of
    a failure of the file system, each said in a line of the log. Our own mistakes keep their traceback."""
    try:
        yield
    except Interrupted as stop:
        logger.warning(stop.words)
        raise SystemExit(stop.exit_code) from None
    except BrokenPipeError as error:  # whoever reads, such as `head`, has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # for what is flushed at the exit
        raise SystemExit(128 + signal.SIGPIPE) from error
    except Pause as pause:
        logger.info(pause)
        raise SystemExit(0) from None
    except (UserError, OSError) as error:
        known = of_files(error) if isinstance(error, OSError) else error
        if known is None:
            raise
        logger.error(f"error: {known}")
        raise SystemExit(REFUSED) from None


@contextmanager
def as_command() -> Iterator[None]:
    """The whole of a command: `signals_handled` and `ended_in_words`, and output that ends nothing.

    Where a terminal has no letters but ASCII's, others are printed as their codes.
    """
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):  # of a file that was exchanged for a pipe below it
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
    with signals_handled(), ended_in_words():
        yield


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


def raise_pending() -> None:
    """A safe point. Raises Interrupted where a signal waits."""
    if _State.pending is not None:
        raise Interrupted(_State.pending)
