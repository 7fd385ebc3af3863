"""Folders of pictures that are looked through once, where several data sets are read of one in seconds, to be shown."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from al_bench.sources.listing import Listing, look_through

_seen: ContextVar[dict[Path, Listing] | None] = ContextVar("_seen", default=None)


@contextmanager
def looking_once() -> Iterator[None]:
    """Inside, `listing_of` looks through each folder once: what comes into it meanwhile is not seen. And nothing is
    said of what makes no difference to who only looks, see `is_only_looking`."""
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


def is_only_looking() -> bool:
    """Whether nothing is trained or measured here, so that warnings of that are of no use."""
    return _seen.get() is not None
