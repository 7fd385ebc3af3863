"""The picture files of a folder, or its databases of pictures: which they are, told without decoding any.

Imports nothing heavy: a run's identity asks this while it is composed.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")

DATABASE = "data.mdb"  # as LMDB names its file in a database's folder

_MOST_READ = 1000  # files, evenly spaced in the list, of which the beginning is read as well
READ_BYTES = 1 << 16


class PictureFile(NamedTuple):
    """name: path below the folder that was searched, with `/`; size: in bytes; changed: nanoseconds since 1970."""

    name: str
    size: int
    changed: int


def picture_files(folder: Path) -> list[PictureFile]:
    """Every picture in or below `folder`, by name; what begins with a dot is left out. Raises OSError."""
    return sorted(_find(folder, ""))


def visible_folders(folder: Path) -> list[str]:
    """The names of the folders in `folder`, sorted; what begins with a dot or `__MACOSX` is left out."""
    return sorted(entry.name for entry in os.scandir(folder) if entry.is_dir() and _visible(entry.name))


def _find(folder: Path, above: str) -> Iterator[PictureFile]:
    for entry in os.scandir(folder):
        if not _visible(entry.name):
            continue
        if entry.is_dir():
            yield from _find(Path(entry.path), f"{above}{entry.name}/")
        elif entry.name.lower().endswith(SUFFIXES):
            status = entry.stat()
            yield PictureFile(above + entry.name, status.st_size, status.st_mtime_ns)


def _visible(name: str) -> bool:
    return not name.startswith((".", "__MACOSX"))


@cache
def pictures_id(root: str | int | None) -> str | None:
    """`id_of` all pictures below a folder, taken once per process; None where there is no folder to read."""
    if root is None:
        return None
    folder = Path(str(root)).expanduser()
    try:
        return id_of(folder, picture_files(folder))
    except OSError:
        return None


@cache
def patterns_id(root: str | int | None, *patterns: str) -> str | None:
    """`id_of` the files below a folder that fit any of the patterns, such as train/*/*.png, taken once per process;
    None where a pattern fits none."""
    if root is None:
        return None
    folder = Path(str(root)).expanduser()
    try:
        found = [
            [file_below(folder, path) for path in folder.glob(pattern) if _visible(path.name)] for pattern in patterns
        ]
        return id_of(folder, sorted({file for files in found for file in files})) if all(found) else None
    except OSError:
        return None


def file_below(root: Path, path: Path) -> PictureFile:
    """A file by its name below a folder. Raises OSError."""
    status = path.stat()
    return PictureFile(path.relative_to(root).as_posix(), status.st_size, status.st_mtime_ns)


def databases_id(root: str | int | None, names: Iterable[str], ending: str = "") -> str | None:
    """`id_of` the LMDB databases <root>/<name><ending>, taken once per process; None where one cannot be read."""
    return None if root is None else _databases_id(Path(str(root)).expanduser(), tuple(f"{n}{ending}" for n in names))


@cache
def _databases_id(root: Path, names: tuple[str, ...]) -> str | None:
    try:
        return id_of(root, [database_file(root, name) for name in names])
    except OSError:
        return None


def database_file(root: Path, name: str) -> PictureFile:
    """What holds the pictures of the LMDB database in the folder `name` of `root`. Raises OSError."""
    status = (root / name / DATABASE).stat()
    return PictureFile(f"{name}/{DATABASE}", status.st_size, status.st_mtime_ns)


def spread(count: int) -> int:
    """How far apart the files lie of which the beginning is read, a thousand of `count` at most."""
    return max(1, -(-count // _MOST_READ))


def id_of(folder: Path, files: Sequence[PictureFile]) -> str:
    """Sixteen hexadecimal digits that say which pictures these are, wherever the folder lies. Raises OSError.

    From every name and size, and the first 64 KiB of a thousand files: sizes alone are the same for all
    uncompressed pictures of one shape, and reading a million files would take longer than many a run.
    """
    state = hashlib.sha256()
    for file in files:
        state.update(f"{file.name}\0{file.size}\0".encode("utf-8", "surrogateescape"))
    for file in files[:: spread(len(files))]:
        with (folder / file.name).open("rb") as opened:
            state.update(opened.read(READ_BYTES))
    return state.hexdigest()[:16]
