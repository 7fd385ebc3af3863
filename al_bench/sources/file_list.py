"""A million files named by one list, which takes what their letters take: nothing is opened to list them.

Imports nothing heavy: a run's identity asks this while it is composed.
"""

import hashlib
import os
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import overload

from al_bench.files import open_file
from al_bench.sources.listing import READ_BYTES, SUFFIXES, is_file, spread, visible_folders


@dataclass(frozen=True, eq=False)
class FileList(Sequence[Path]):
    """Files below a folder, in an order; a path is made when it is asked for.

    text: their names below `root`, with `/`, one after another; ends: where each ends in it.
    """

    root: Path
    text: bytes
    ends: "array[int]"

    @classmethod
    def of(cls, root: Path, names: Iterable[str]) -> "FileList":
        """The files of these names below `root`."""
        text, ends = bytearray(), array("q")
        for name in names:
            text += os.fsencode(name)
            ends.append(len(text))
        return cls(root, bytes(text), ends)

    def __len__(self) -> int:
        return len(self.ends)

    @overload
    def __getitem__(self, index: int) -> Path: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Path]: ...

    def __getitem__(self, index: int | slice) -> Path | Sequence[Path]:
        if isinstance(index, slice):
            return [self.root / self._name(number) for number in range(*index.indices(len(self)))]
        return self.root / self._name(range(len(self))[index])

    def __iter__(self) -> Iterator[Path]:
        return (self.root / self._name(index) for index in range(len(self)))

    def take(self, positions: Iterable[int]) -> "FileList":
        """The files at these positions, in their order."""
        return FileList.of(self.root, (self._name(position) for position in positions))

    @property
    def id(self) -> str:
        """Sixteen hexadecimal digits that say which files these are, wherever the folder lies.

        From every name, and the size and the first 64 KiB of a thousand, evenly spaced: to ask a million for their
        sizes takes minutes. Raises OSError where one of the thousand is not there.
        """
        state = hashlib.sha256(self.text)
        state.update(self.ends.tobytes())
        for index in range(0, len(self), spread(len(self))):
            path = self[index]
            with open_file(path) as opened:
                state.update(f"{path.stat().st_size}\0".encode())
                state.update(opened.read(READ_BYTES))
        return state.hexdigest()[:16]

    def _name(self, index: int) -> str:
        return os.fsdecode(self.text[self.ends[index - 1] if index else 0 : self.ends[index]])


@dataclass(frozen=True)
class ClassFolders:
    """Pictures by class. names: of the folders, sorted; files: those of each in turn; counts: how many each has."""

    names: tuple[str, ...]
    files: FileList
    counts: tuple[int, ...]


@cache
def class_folders(root: Path, split: str) -> ClassFolders:
    """The pictures root/<split>/<class>/*, taken once per process, by name. Raises OSError."""
    names, counts, found = tuple(visible_folders(root / split)), [], []
    for name in names:
        entries = os.scandir(root / split / name)
        members = sorted(entry.name for entry in entries if _is_picture(entry.name) and is_file(entry))
        counts.append(len(members))
        found.append(FileList.of(root, (f"{split}/{name}/{member}" for member in members)))
    return ClassFolders(names, _join(root, found), tuple(counts))


def _is_picture(name: str) -> bool:
    return name.lower().endswith(SUFFIXES) and not name.startswith(".")


def _join(root: Path, parts: Sequence[FileList]) -> FileList:
    ends, length = array("q"), 0
    for part in parts:
        ends.extend(end + length for end in part.ends)
        length += len(part.text)
    return FileList(root, b"".join(part.text for part in parts), ends)


@cache
def folders_id(root: str | int | None, *splits: str) -> str | None:
    """Sixteen hexadecimal digits of the lists of `class_folders`, taken once per process; None where one cannot be
    read."""
    if root is None:
        return None
    try:
        folder = Path(str(root)).expanduser()
        ids = [class_folders(folder, split).files.id for split in splits]
    except OSError:
        return None
    return hashlib.sha256("\0".join(ids).encode()).hexdigest()[:16]


@cache
def documents_id(root: str | int | None, *names: str) -> str | None:
    """Sixteen hexadecimal digits of what the files root/<name> say, taken once per process; None where one cannot be
    read."""
    if root is None:
        return None
    state = hashlib.sha256()
    try:
        for name in names:
            with (Path(str(root)).expanduser() / name).open("rb") as opened:
                state.update(hashlib.file_digest(opened, "sha256").digest())
    except OSError:
        return None
    return state.hexdigest()[:16]
