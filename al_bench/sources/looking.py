"""What only looks: folders are looked through once, nothing is fetched, and nothing is said of trainings."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from al_bench.sources.listing import Listing, look_through

_seen: ContextVar[dict[Path, Listing] | None] = ContextVar("_seen", default=None)
_only: ContextVar[bool] = ContextVar("_only", default=False)


@contextmanager
def looking_once() -> Iterator[None]:
    """Inside, `listing_of` looks through each folder once: what comes into it meanwhile is not seen."""
    token = _seen.set({})
    try:
        yield
    finally:
        _seen.reset(token)


def listing_of(folder: Path) -> Listing:
    """What lies in or below a folder, see `look_through`. Raises OSError."""
    if (seen := _seen.get()) is None:
        return look_through(folder)
    if folder not in seen:
        seen[folder] = look_through(folder)
    return seen[folder]


@contextmanager
def only_looking() -> Iterator[None]:
    """Inside, see `is_only_looking`, what is made is shown: no file comes over a network for it, and no warning of what
    a training or a measurement on it would be worth."""
    token = _only.set(True)
    try:
        yield
    finally:
        _only.reset(token)


def is_only_looking() -> bool:
    """Whether this is inside `only_looking`."""
    return _only.get()
