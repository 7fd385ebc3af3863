"""Label maps: files of ids, one for each pixel of a picture, to uint8 arrays of classes.

An id is never blended with another: scaled maps take the nearest pixel. A palette's indices and 16 bits are ids as they
are.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from al_bench.errors import UserError
from al_bench.files import open_file
from al_bench.sources.decoding import Picture, Pixels, opened, resize, unreadable

_MOST_IDS = 1 << 16
_UNKNOWN = -1
_TURNED = (5, 6, 7, 8)  # orientations of EXIF by which a picture's sides change places
_ORIENTATION = 0x0112


@dataclass(frozen=True)
class LabelMap:
    """The file of a map, beside the picture that it labels; it opens where both have the same size."""

    path: Path
    picture: Path

    def __str__(self) -> str:
        return str(self.path)

    def open(self, mode: Literal["rb"], /) -> IO[bytes]:
        """Raises UserError where the two differ in size, or one of them is no picture."""
        own, other = _size_of(self.path), _size_of(self.picture)
        if own != other:
            raise UserError(
                f"{self.path} labels {own[0]} x {own[1]} pixels and {self.picture} has {other[0]} x {other[1]}: a "
                "map has one id for each pixel of its picture"
            )
        return open_file(self.path)


@dataclass(frozen=True)
class MapDecoder:
    """What becomes of a label map, as `decoding.Decoder` says of its picture.

    size: (H, W), or None to leave it as it is. crop: as its picture's. classes: pairs of an id from 0 to 65,535 and the
    class that it is, 0 to 255. other: the class of every id that is not among them; None: such an id is an error.
    """

    counts_values: ClassVar[bool] = True
    size: tuple[int, int] | None
    crop: Literal["center", "none"]
    classes: tuple[tuple[int, int], ...]
    other: int | None = None

    @property
    def shape(self) -> tuple[int, int] | None:
        """(H, W)."""
        return self.size

    def decode(self, picture: Picture) -> Pixels:
        """(H, W) classes. Raises UserError, naming the map, where it cannot be read or holds an id that is an error."""
        with opened(picture) as image:
            upright = ImageOps.exif_transpose(image)
        try:
            ids = _ids(upright)
        except ValueError as error:
            raise unreadable(picture, error) from error
        self._check(picture, ids)
        scaled = np.asarray(resize(ids, self.size, self.crop, Image.Resampling.NEAREST))
        return np.asarray(self._table[scaled], dtype=np.uint8)

    @cached_property
    def _table(self) -> NDArray[np.int16]:
        """(65536,) the class of each id."""
        table = np.full(_MOST_IDS, _UNKNOWN if self.other is None else self.other, dtype=np.int16)
        for number, label in self.classes:
            table[number] = label
        return table

    def _check(self, picture: Picture, ids: Image.Image) -> None:
        """Looks at all pixels, those that scaling leaves out too."""
        present = np.flatnonzero(ids.histogram()) if ids.mode == "L" else np.unique(np.asarray(ids))
        outside = [number for number in present.tolist() if not 0 <= number < _MOST_IDS]
        outside = outside or present[self._table[present] == _UNKNOWN].tolist()
        if outside:
            known = ", ".join(str(number) for number, _ in self.classes)
            raise UserError(f"{picture} holds the id {outside[0]}, which is not one of {known}: mend or replace it")


def _ids(image: Image.Image) -> Image.Image:
    """A picture whose pixels are ids: mode L, or I where they have more than 8 bits. Raises ValueError for colors."""
    if image.mode.startswith("I"):
        return image.convert("I")
    if image.mode in ("L", "P", "1"):
        return Image.fromarray(np.asarray(image).astype(np.uint8))
    values = np.asarray(image)
    if values.dtype != np.uint8 or values.ndim != 3 or (values[..., :3] != values[..., :1]).any():
        raise ValueError(f"its pixels are no ids but of mode {image.mode}")
    return Image.fromarray(np.ascontiguousarray(values[..., 0]))


def _size_of(path: Path) -> tuple[int, int]:
    """(W, H) of a picture that stands upright; read from its head. Raises UserError."""
    with opened(path) as image:
        turned = image.getexif().get(_ORIENTATION) in _TURNED
        return image.size[::-1] if turned else image.size
