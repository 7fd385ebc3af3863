"""Pictures as the page shows them: made small when they are asked for, and kept in bounded memory."""

import hashlib
import io
from collections import OrderedDict
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Literal

from PIL import Image
from PIL.ExifTags import Base

from al_bench.annotation.stamp import Stamp, stamp_of
from al_bench.errors import UserError, printable
from al_bench.files import open_file
from al_bench.sources.decoding import Decoder, opened

SIDES = {"tile": 256, "view": 1280, "whole": 6000}  # pixels of the longer side, at most
_SMALL = 256 * 256  # pixels up to which a picture is sent without loss
_TURNED = (5, 6, 7, 8)  # orientations in which a camera lay on its side
_Key = tuple[str, str, int, int, int]


@dataclass(frozen=True)
class Served:
    """A picture for a browser. content: as a file; digest: the first 16 hexadecimal digits of the SHA-256 of the file
    on the disk."""

    content: bytes
    media_type: str
    digest: str


@dataclass(frozen=True)
class Below:
    """A picture file below a folder, and nothing else: no link out of it, no path upwards.

    root: the folder. file: the name below it, from a file that others can write.
    """

    root: Path
    file: str

    def __str__(self) -> str:
        return printable(self.file)

    @property
    def path(self) -> Path:
        """Where it really is. Raises UserError where that is not below the folder, or nothing is there."""
        try:
            root = self.root.resolve(strict=True)
            path = (root / self.file).resolve(strict=True)
        except (OSError, ValueError, RuntimeError) as error:  # not there, a zero byte, links in a circle
            raise UserError(f"{self} is not in the folder of pictures any more: put it back, or go on") from error
        if path == root or not path.is_relative_to(root):
            raise UserError(f"{self} leads out of the folder of pictures, and nothing outside of it is shown: go on")
        return path

    def open(self, mode: Literal["rb"]) -> io.BufferedReader:
        """Raises UserError as `path` does, and where the file may not be read."""
        try:
            return open_file(self.path)
        except OSError as error:
            raise UserError(f"{self} cannot be read ({error.strerror}): mend that, or go on") from error


class Pictures:
    """Pictures that were shown lately. Threads may share it.

    most: bytes that are kept.
    """

    def __init__(self, most: int = 64 << 20) -> None:
        self._most = most
        self._kept: OrderedDict[_Key, Served] = OrderedDict()
        self._size = 0
        self._lock = Lock()

    def get(self, picture: Below, size: str) -> Served:
        """A picture whose longer side has SIDES[size] pixels at most. Raises UserError, naming it, where it cannot be
        shown."""
        status = (path := picture.path).stat()
        key = (str(path), size, status.st_ino, status.st_size, status.st_mtime_ns)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        served = make(picture, SIDES[size])
        with self._lock:
            self._keep(key, served)
        return served

    def _keep(self, key: _Key, served: Served) -> None:
        if key in self._kept:
            return  # two threads made it
        self._kept[key] = served
        self._size += len(served.content)
        while self._size > self._most:
            _, dropped = self._kept.popitem(last=False)
            self._size -= len(dropped.content)


def make(picture: Below, side: int) -> Served:
    """A picture, upright, on white, with no side longer than `side` pixels. Raises UserError as `Pictures.get` does."""
    digest = content_of(picture)
    width, height = _size(picture)
    scale = min(1.0, side / max(width, height))
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    pixels = Decoder(size, "none", "rgb").decode(picture)
    image = Image.fromarray(pixels.transpose(1, 2, 0))
    written = io.BytesIO()
    small = image.width * image.height <= _SMALL and scale == 1
    if small:
        image.save(written, "PNG", compress_level=1)
    else:
        image.save(written, "JPEG", quality=90, subsampling=0)
    return Served(written.getvalue(), "image/png" if small else "image/jpeg", digest)


def content_of(picture: Below) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of the file on the disk, read once while it stays as it is. Raises
    UserError as `Below.path` does, and OSError where it cannot be read."""
    return _content(picture, stamp_of(picture.path))


@lru_cache(1 << 14)
def _content(picture: Below, stamp: Stamp | None) -> str:
    with picture.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


def _size(picture: Below) -> tuple[int, int]:
    """Width and height, upright. Raises UserError where that is no picture."""
    with opened(picture) as image:
        width, height = image.size
        turned = image.getexif().get(Base.Orientation) in _TURNED
    return (height, width) if turned else (width, height)
