"""By what a file that was changed or replaced is told from what it was."""

from pathlib import Path

Stamp = tuple[int, int, int]  # which file it is, how large, when it was changed


def stamp_of(path: Path) -> Stamp | None:
    """None where there is no file."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns
