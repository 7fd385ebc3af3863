"""The picture files of a folder, or its databases of pictures: which they are, told without decoding any.

Imports nothing heavy: a run's identity asks this while it is composed.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from al_bench.files import digest, open_file
from al_bench.sources.split_folders import SPLIT_NAMES, find_splits

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")

DATABASE = "data.mdb"  # as LMDB names its file in a database's folder

_MOST_READ = 1000  # files, evenly spaced in the list, of which the beginning is read as well
READ_BYTES = 1 << 16

_Place = tuple[int, int]  # device and inode of a folder


class PictureFile(NamedTuple):
    """name: path below the folder that was searched, with `/`; size: in bytes; changed: nanoseconds since 1970."""

    name: str
    size: int
    changed: int


class Listing(NamedTuple):
    """What lies in or below a folder. pictures, folders: by name, sorted; left_out: why -> names of all else; links:
    names of the pictures and folders that are links themselves, sorted."""

    pictures: list[PictureFile]
    folders: list[str]
    left_out: dict[str, list[str]]
    links: list[str]


def picture_files(folder: Path) -> list[PictureFile]:
    """Every picture in or below `folder`, by name, as `look_through` finds them. Raises OSError."""
    return look_through(folder).pictures


def picture_file(path: Path) -> list[PictureFile]:
    """The one picture of its folder that is this, as `picture_files` finds it there, which may look at a million
    others; none where it is no picture. Raises OSError."""
    is_one = _visible(path.name) and path.name.lower().endswith(SUFFIXES) and path.is_file()
    return [file_below(path.parent, path)] if is_one else []


def is_text(name: str) -> bool:
    """Whether a file's name is UTF-8, and can stand in a file of text."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def visible_folders(folder: Path) -> list[str]:
    """The names of the folders in `folder`, sorted; what begins with a dot or `__MACOSX` is left out."""
    return sorted(entry.name for entry in os.scandir(folder) if _visible(entry.name) and is_folder(entry))


def look_through(folder: Path) -> Listing:
    """What lies in or below `folder`. Links are followed, but into no folder that they lie in. Raises OSError."""
    found = Listing([], [], {}, [])
    waiting: list[tuple[str, Path, tuple[_Place, ...]]] = [("", folder, ())]
    while waiting:
        above, place, outer = waiting.pop()
        inside = (*outer, _place_of(place.stat()))
        with os.scandir(place) as entries:
            lying = list(entries)
        for entry in lying:
            name = above + entry.name
            if (why := _why_not(entry, inside)) is not None:
                found.left_out.setdefault(why, []).append(name)
                continue
            if entry.is_symlink():
                found.links.append(name)
            if is_folder(entry):
                found.folders.append(name)
                waiting.append((f"{name}/", Path(entry.path), inside))
            else:
                status = entry.stat()
                found.pictures.append(PictureFile(name, status.st_size, status.st_mtime_ns))
    left_out = {why: sorted(names) for why, names in sorted(found.left_out.items())}
    return Listing(sorted(found.pictures), sorted(found.folders), left_out, sorted(found.links))


def is_folder(entry: "os.DirEntry[str]") -> bool:
    """Whether it is a folder, or a link that leads to one."""
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _why_not(entry: "os.DirEntry[str]", inside: Sequence[_Place]) -> str | None:
    """Why an entry is neither a picture nor a folder to look through; None where it is. inside: what it lies in."""
    if not _visible(entry.name):
        return "hidden"
    if is_folder(entry):
        is_loop = entry.is_symlink() and _place_of(entry.stat()) in inside
        return "a link to a folder that it lies in" if is_loop else None
    if entry.is_symlink() and not Path(entry.path).exists():
        return "a link to nothing"
    if not is_file(entry):
        return "no file but a pipe, socket or device"
    if entry.name.lower().endswith(SUFFIXES):
        return None
    return Path(entry.name).suffix.lower() or "without a suffix"


def _place_of(status: os.stat_result) -> _Place:
    return status.st_dev, status.st_ino


def is_file(entry: "os.DirEntry[str]") -> bool:
    """Whether it is a regular file, or a link that leads to one: all else is never opened."""
    try:
        return entry.is_file()
    except OSError:
        return False


def _visible(name: str) -> bool:
    return not name.startswith((".", "__MACOSX"))


@cache
def pictures_id(root: str | int | None) -> str | None:
    """`id_of` all pictures below a folder, taken once per process; None where there is no folder to read."""
    if root is None:
        return None
    folder = Path(str(root)).expanduser()
    try:
        found = look_through(folder)
        return _with_splits(id_of(folder, found.pictures), found.folders)
    except OSError:
        return None


def folder_id(root: str | int | None, class_names: Sequence[str] | None) -> str | None:
    """Which folder of pictures it is: its `pictures_id`, or of pictures without labels (class_names: those that will be
    given) the place where it lies, for such a folder changes while a person labels it."""
    if class_names is None or root is None:
        return pictures_id(root)
    return digest(os.fsencode(Path(str(root)).expanduser().resolve()))[:16]


def _with_splits(pictures: str, folders: Sequence[str]) -> str:
    """The id of pictures, another one where `find_splits` trains or tests on others than train, test and val are."""
    before = {name: [name] for name in SPLIT_NAMES if name in folders} if "train" in folders else {}
    used, usual = (
        [found.get("train"), found.get("test") or found.get("val")] for found in (find_splits(folders), before)
    )
    return pictures if used == usual else digest(json.dumps([pictures, used]).encode())[:16]


@cache
def patterns_id(root: str | int | None, *patterns: str) -> str | None:
    """`id_of` the files below a folder that fit any of the patterns, such as train/*/*.png, taken once per process;
    None where a pattern fits none."""
    if root is None:
        return None
    folder = Path(str(root)).expanduser()
    try:
        found = [
            [file_below(folder, path) for path in folder.glob(pattern) if _visible(path.name) and path.is_file()]
            for pattern in patterns
        ]
        return id_of(folder, sorted({file for files in found for file in files})) if all(found) else None
    except OSError:
        return None


def file_below(root: Path, path: Path) -> PictureFile:
    """A file by its name below a folder. Raises OSError."""
    status = path.stat()
    return PictureFile(path.relative_to(root).as_posix(), status.st_size, status.st_mtime_ns)


def file_ids(read: str, files: Iterable[PictureFile]) -> Iterator[int]:
    """Of each file 64 bits that are others once it has another name or size, or was written again. read: from where and
    how, which they depend on too."""
    for file in files:
        text = f"{read}\0{file.name}\0{file.size}\0{file.changed}".encode("utf-8", "surrogateescape")
        yield int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little")


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
        with open_file(folder / file.name) as opened:
            state.update(opened.read(READ_BYTES))
    return state.hexdigest()[:16]
