"""Which pictures cannot be read: looked for once, by decoding all of them, and kept beside what is decoded."""

import errno
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from al_bench.errors import UserError
from al_bench.files import digest, make_once, read_json, write_json
from al_bench.progress import progress
from al_bench.sources.decoding import Decoder, ahead
from al_bench.sources.listing import PictureFile, id_of

_CHUNK = 64  # pictures that a thread decodes at a time


def find_broken(root: Path, files: Sequence[PictureFile], decoder: Decoder, folder: Path) -> list[int]:
    """The positions, ascending, of those files below `root` that a decoder refuses.

    folder: where they are kept. Raises UserError for a full disk, and where no file can be read.
    """
    known = json.dumps(["broken", id_of(root, files), [file.changed for file in files], asdict(decoder)])
    path = folder / f"{digest(known.encode())[:16]}.broken.json"

    def read() -> list[int] | None:
        return _checked(read_json(path), len(files)) if path.exists() else None

    def make() -> list[int]:
        found = _find([root / file.name for file in files], decoder)
        write_json(path, found)
        return found

    return make_once([path], "the list of broken pictures", read, make)


def _checked(stored: object, count: int) -> list[int]:
    """Raises ValueError for what is no list of positions."""
    if not isinstance(stored, list) or not set(stored) <= set(range(count)):
        raise ValueError("another list")
    return sorted(stored)


def _find(pictures: Sequence[Path], decoder: Decoder) -> list[int]:
    def refused(first: int) -> list[int]:
        chunk = range(first, min(first + _CHUNK, len(pictures)))
        return [position for position in chunk if not _is_readable(pictures[position], decoder)]

    with progress("looking for broken pictures", len(pictures), "pictures") as bar:
        found = []
        for positions in ahead(refused, range(0, len(pictures), _CHUNK)):
            bar.advance(_CHUNK)
            found += positions
    return found


def _is_readable(picture: Path, decoder: Decoder) -> bool:
    """Raises UserError where it is not its content that cannot be read, but its file, now."""
    try:
        decoder.decode(picture)
    except UserError as error:
        if is_of_file(error):
            raise
        return False
    return True


def is_of_file(error: UserError) -> bool:
    """Whether a picture could not be decoded for its file, its disk or short memory, which may pass, and not for its
    content."""
    cause = error.__cause__
    of_system = isinstance(cause, OSError) and cause.errno not in (None, errno.EINVAL)  # EINVAL: a pipe, an odd offset
    return isinstance(cause, MemoryError) or of_system
