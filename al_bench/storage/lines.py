"""Files that only grow, line by line: what a kill cut short was never said to be kept, and makes room for the next."""

import os
from collections.abc import Sequence
from pathlib import Path

from al_bench.files import hold, named, open_file


def append_lines(path: Path, lines: Sequence[str], what: str) -> None:
    """Adds lines; when this returns they are on the disk, all or, after a kill, the first of them.

    what: they are, for the log of a process that waits. Raises UserError where the disk does not take them.
    """
    text = "".join(f"{line}\n" for line in lines).encode()
    with hold(path.with_suffix(".lock"), what), named(path):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            end = _end_of_whole_lines(descriptor)
            os.ftruncate(descriptor, end)
            written = 0
            while written < len(text):
                written += os.pwrite(descriptor, text[written:], end + written)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def read_lines(path: Path, start: int = 0) -> list[bytes]:
    """The whole lines from a byte on, with their ends; none of a file that is not there."""
    if not path.exists():
        return []
    with open_file(path) as file:
        file.seek(start)
        content = file.read()
    return content[: content.rfind(b"\n") + 1].splitlines(keepends=True)


def _end_of_whole_lines(descriptor: int) -> int:
    """Where the last whole line ends, in bytes."""
    position = os.fstat(descriptor).st_size
    while position > 0:
        first = max(0, position - 4096)
        found = os.pread(descriptor, position - first, first).rfind(b"\n")
        if found >= 0:
            return first + found + 1
        position = first
    return 0
