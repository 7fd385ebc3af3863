"""`pictures.jsonl` of a labeling run: which picture has which position of its pool, kept for good.

A JSON array a line: `[name, size, changed]` gives a picture, as `listing.PictureFile` has it, the next position;
`[name, size, changed, position]` says what is the name of one by now. Lines are only added, so that a picture keeps its
position, and with it its answer, when others come or go, and when it is renamed.
"""

import json
from collections.abc import Callable, Hashable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

from al_bench.errors import UserError
from al_bench.files import parse_json
from al_bench.sources.listing import PictureFile
from al_bench.storage.lines import append_lines, read_lines

PICTURES = "pictures.jsonl"
AUDIT = "audit.json"  # positions of the audit set
AUDIT_DRAWN = "audit_drawn.json"  # of which pictures it was drawn

_Known = TypeVar("_Known")

Contents = Mapping[int, str]  # by position, what identifies a picture wherever it lies


class Changes(NamedTuple):
    """What became of a folder since it was looked at last, as positions.

    more: pictures that were not there; gone: all that are not there; renamed: that have another name now; changed:
    that nobody answered and whose file is another than it was, or only touched.
    """

    more: list[int]
    gone: list[int]
    renamed: list[int]
    changed: list[int]


class PictureList:
    """names: by position, below the folder of pictures, of those that are gone the last they had; gone: positions
    without a picture in the folder, once `look` has looked.

    path: of the file, which may not be there yet. Raises UserError for a line that is none.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.names: list[str] = []
        self.gone: set[int] = set()
        self._files: list[PictureFile] = []  # by position
        self._position: dict[str, int] = {}  # by name, the last that had it
        for number, line in enumerate(read_lines(path), 1):
            self._set(*self._parse(line, number))

    @classmethod
    def of(cls, path: Path, files: Sequence[PictureFile]) -> "PictureList":
        """That of a run which has not listed its pictures yet, these; nothing is written."""
        pictures = cls(path)
        for position, file in enumerate(files, len(pictures)):
            pictures._set(position, file)
        return pictures

    def __len__(self) -> int:
        return len(self.names)

    @property
    def files(self) -> Sequence[PictureFile]:
        """By position, of pictures that are gone the last that they were."""
        return self._files

    def position(self, name: str) -> int | None:
        """That of the picture with a name, None where there is none, or none any more."""
        found = self._position.get(name)
        return None if found in self.gone else found

    def had(self, position: int, name: str) -> bool:
        """Whether a picture has a name or once had it, and none after it."""
        return self._position.get(name) == position

    def has_all(self, found: Sequence[PictureFile]) -> bool:
        """Whether it has all of a folder's pictures as they are. found: as `look` takes them."""
        return all(
            (position := self._position.get(file.name)) is not None and self._files[position] == file for file in found
        )

    def look(
        self,
        found: Sequence[PictureFile],
        contents: Contents,
        content_of: Callable[[str], str | None],
        forget: Callable[[Sequence[int]], None],
        find_same: Callable[[Mapping[int, str]], set[int]],
    ) -> Changes:
        """Holds a folder's pictures against the list and adds to it what is new.

        found: all that the folder holds. contents: of the pictures that were answered. content_of: the same of a name
        in the folder, None where it cannot be read; it is asked only of answered pictures' files that changed, and of
        new files that are as large as an answered one that is gone. A file whose content is not what was answered is
        another picture. One that nobody answered is what has its name, or else the one new file of its size, time of
        change and last part of the name: `forget` is given the positions of both, before the list says so, for their
        content may be another. Or the one new file of its size and time, where `find_same`, which is given names by
        position, says that what is known of the position is of that file.
        """
        present = {file.name: file for file in found}
        self.gone = {position for position, file in enumerate(self._files) if present.get(file.name) != file}
        kept = {file.name for position, file in enumerate(self._files) if position not in self.gone}
        touched = {}
        for position in sorted(self.gone & contents.keys(), reverse=True):
            name = self.names[position]
            if name in present and name not in kept and content_of(name) == contents[position]:
                touched[position] = present[name]
                kept.add(name)  # no file is two pictures
        changed = self._changed(present, contents, kept)
        touched |= changed
        kept |= {file.name for file in changed.values()}
        new = [file for file in found if file.name not in kept]
        renamed = self._renamed(self.gone - touched.keys(), new, contents, content_of)
        moved = self._alone_in(self.gone - contents.keys() - touched.keys(), _without(new, renamed), _stamp_and_name)
        renamed |= moved
        left = self.gone - contents.keys() - touched.keys() - moved.keys()
        alike = self._alone_in(left, _without(new, renamed), _stamp)
        same = find_same({position: file.name for position, file in alike.items()})
        renamed |= {position: alike[position] for position in sorted(same)}
        added = _without(new, renamed)
        more = range(len(self), len(self) + len(added))
        placed = [*touched.items(), *renamed.items(), *zip(more, added, strict=True)]
        lines = [json.dumps([*file, position] if position < len(self) else file) for position, file in placed]
        forget(sorted(changed | moved))
        if lines:
            append_lines(self.path, lines, "the list of pictures")
        for position, file in placed:
            self._set(position, file)
        self.gone -= touched.keys() | renamed.keys()
        return Changes(list(more), sorted(self.gone), sorted(renamed), sorted(changed))

    def _changed(
        self, present: Mapping[str, PictureFile], contents: Contents, kept: set[str]
    ) -> dict[int, PictureFile]:
        """The files by now of pictures that nobody answered. kept: names that others have."""
        return {
            position: present[name]
            for position in sorted(self.gone - contents.keys())
            if (name := self.names[position]) in present and name not in kept and self._position[name] == position
        }

    def _renamed(
        self,
        gone: set[int],
        new: Sequence[PictureFile],
        contents: Contents,
        content_of: Callable[[str], str | None],
    ) -> dict[int, PictureFile]:
        """Of answered pictures that are gone, the new file that each is."""
        wanted: dict[tuple[int, str], list[int]] = {}
        for position in sorted(gone & contents.keys(), reverse=True):
            wanted.setdefault((self._files[position].size, contents[position]), []).append(position)
        sizes, found = {size for size, _ in wanted}, {}
        for file in new:
            content = content_of(file.name) if file.size in sizes else None
            if content is not None and (positions := wanted.get((file.size, content))):
                found[positions.pop()] = file
        return found

    def _alone_in(
        self, gone: set[int], new: Sequence[PictureFile], key: Callable[[PictureFile], Hashable]
    ) -> dict[int, PictureFile]:
        """Of pictures that are gone, the new file of the same key, where no other of them has it, and no other file."""
        files = _alone({file.name: file for file in new}, key)
        places = _alone({position: self._files[position] for position in sorted(gone)}, key)
        return {places[one][0]: files[one][1] for one in places.keys() & files.keys()}

    def _set(self, position: int, file: PictureFile) -> None:
        if position == len(self.names):
            self.names.append(file.name)
            self._files.append(file)
        else:
            self.names[position], self._files[position] = file.name, file
        self._position[file.name] = position

    def _parse(self, line: bytes, number: int) -> tuple[int, PictureFile]:
        try:
            name, size, changed, *place = parse_json(line)
            position = place[0] if place else len(self)
            if not (isinstance(name, str) and all(isinstance(one, int) for one in (size, changed, position))):
                raise ValueError("other values")
            if len(place) > 1 or not 0 <= position < len(self) + (not place):
                raise ValueError("no position")
        except (ValueError, TypeError) as error:
            raise UserError(f"{self.path}, line {number} is no picture: put the file back from a copy") from error
        return position, PictureFile(name, size, changed)


def _without(files: Sequence[PictureFile], taken: Mapping[int, PictureFile]) -> list[PictureFile]:
    names = {file.name for file in taken.values()}
    return [file for file in files if file.name not in names]


def _stamp(file: PictureFile) -> Hashable:
    return file.size, file.changed


def _stamp_and_name(file: PictureFile) -> Hashable:
    return file.size, file.changed, file.name.rpartition("/")[2]


def _alone(
    files: Mapping[_Known, PictureFile], key: Callable[[PictureFile], Hashable]
) -> dict[Hashable, tuple[_Known, PictureFile]]:
    """The files, with what they are known by, that have a key of their own."""
    found: dict[Hashable, list[tuple[_Known, PictureFile]]] = {}
    for known, file in files.items():
        found.setdefault(key(file), []).append((known, file))
    return {one: same[0] for one, same in found.items() if len(same) == 1}
