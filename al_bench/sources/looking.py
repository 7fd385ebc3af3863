"""Folders of pictures that are looked through once, where several data sets are read of one in seconds."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from al_bench.sources.listing import Listing, look_through

_seen: ContextVar[dict[Path, Listing] | None] = ContextVar("_seen", default=None)


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
