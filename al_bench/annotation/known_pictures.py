"""The pictures of a run, to be found by what files from elsewhere call them."""

import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Final
from urllib.parse import unquote, unquote_plus

from al_bench.errors import printable
from al_bench.storage.picture_list import PictureList

_SERVED: Final = re.compile(r"^(https?://[^/]+)?/data/local-files/\?d=")  # Label Studio's own address of a local file
_SCHEME: Final = re.compile(r"^[a-z][a-z0-9+.-]*://[^/]*/", re.IGNORECASE)


class KnownPictures:
    """Finds positions. pictures: of the run; root: their folder."""

    def __init__(self, pictures: PictureList, root: Path) -> None:
        self.pictures = pictures
        self._above = root.absolute().parts[1:]

    def name(self, position: int) -> str | None:
        """The name that a picture has, or had; None of a position that there is not."""
        return self.pictures.names[position] if position < len(self.pictures.names) else None

    def find(self, file: str) -> set[int]:
        """The positions that a file's words may mean: one, none where it is unknown, or several.

        file: a name below the folder, which counts before all else; or one that folders above come before, absolute or
        relative to one of them; or an address that ends in either, with escapes or without, also Label Studio's of a
        local file (`/data/local-files/?d=`).
        """
        if (exact := self.pictures.position(file)) is not None:
            return {exact}
        address = _SERVED.sub("", file)
        path = _SCHEME.sub("", address).lstrip("/")
        spellings = {path, path.strip(), unquote(path, errors="surrogateescape"), unquote_plus(path)}
        found = (self._position(name) for spelling in spellings for name in self._below(spelling))
        return {position for position in found if position is not None}

    def _below(self, path: str) -> Iterator[str]:
        """A path, and what of it lies below the folder if it begins with the last folders above."""
        parts = [part for part in path.split("/") if part not in ("", ".")]
        for count in range(len(parts)):
            if count == 0 or tuple(parts[:count]) == self._above[-count:]:
                yield "/".join(parts[count:])

    def _position(self, name: str) -> int | None:
        position = self.pictures.position(name)
        return self._others.get(name) if position is None else position

    @cached_property
    def _others(self) -> dict[str, int]:
        """Names as a table has them, with escapes for controls, where that is not as they are."""
        names = enumerate(self.pictures.names)
        return {printable(name): position for position, name in names if not name.isprintable()}
