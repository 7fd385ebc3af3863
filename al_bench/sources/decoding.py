"""Pictures of any size and mode to uint8 arrays of one shape, by a thread per core."""

import re
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, ClassVar, Literal, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError
from PIL.TiffImagePlugin import TiffImageFile

from al_bench.errors import UserError
from al_bench.files import open_file
from al_bench.sources.cores import usable_cores

Pixels = NDArray[np.uint8]

_CHUNK = 64  # pictures that a thread decodes at a time
_MOST_WORKERS = 16  # what waits of each is memory: 1.2 GB of 224 x 224 pixels in color by chunks
_MOST_NAMED = 5
_FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")  # those of `listing.SUFFIXES`; others start programs
_QUIET = ("ignore", None, Warning, re.compile(r"PIL\."), 0)
_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


class Picture(Protocol):
    """The content of one picture file, wherever it lies: a path is one. Its `str` names it to a person."""

    def open(self, mode: Literal["rb"], /) -> IO[bytes]:
        """Raises OSError where it cannot be read."""
        ...


class AnyDecoder(Protocol):
    """What becomes of a picture; a frozen dataclass of plain values, which say it to a cache.

    shape: of what it gives, None where that depends on the picture. counts_values: whether a cache counts how often
    each byte is in what it gives.
    """

    counts_values: ClassVar[bool]

    @property
    def shape(self) -> tuple[int, ...] | None: ...

    def decode(self, picture: Picture, /) -> Pixels:
        """Raises UserError, naming the picture, where it cannot be read."""
        ...


@dataclass(frozen=True)
class Decoder:
    """What becomes of a picture, turned upright as its camera says.

    size: (H, W), or None to leave it as it is. crop: `center` scales until the shorter side fits and cuts the rest off
    evenly; `none` squashes. mode: `rgb` or `gray`. window: side in pixels of the square in the middle that is cut out
    before all that; None: the picture as it is. Transparent parts are white; 16 bits are rounded to 8.
    """

    counts_values: ClassVar[bool] = False
    size: tuple[int, int] | None
    crop: Literal["center", "none"]
    mode: Literal["rgb", "gray"]
    window: int | None = None

    @property
    def num_channels(self) -> int:
        """C."""
        return 3 if self.mode == "rgb" else 1

    @property
    def shape(self) -> tuple[int, int, int] | None:
        """(C, H, W)."""
        return None if self.size is None else (self.num_channels, *self.size)

    def decode(self, picture: Picture) -> Pixels:
        """(C, H, W). Raises UserError, naming the picture, where it cannot be read."""
        with opened(picture) as image:
            if self.size is not None and self.window is None:
                image.draft(None, (2 * max(self.size),) * 2)  # a large JPEG is decoded at a fraction of its size
            upright = ImageOps.exif_transpose(image)
        try:
            converted = self._middle(_eight_bits(upright)).convert("RGB" if self.mode == "rgb" else "L")
        except ValueError as error:
            raise unreadable(picture, error) from error
        pixels = np.asarray(resize(converted, self.size, self.crop, Image.Resampling.BILINEAR))
        return pixels[None] if pixels.ndim == 2 else np.ascontiguousarray(pixels.transpose(2, 0, 1))

    def _middle(self, image: Image.Image) -> Image.Image:
        if self.window is None:
            return image
        if min(image.size) < self.window:
            raise ValueError(
                f"{image.width} x {image.height} pixels do not hold the {self.window} x {self.window} that are cut out"
            )
        left, top = (image.width - self.window) // 2, (image.height - self.window) // 2
        return image.crop((left, top, left + self.window, top + self.window))


def resize(
    image: Image.Image, size: tuple[int, int] | None, crop: Literal["center", "none"], how: Image.Resampling
) -> Image.Image:
    """A picture of `size` (H, W), cut and scaled as `Decoder` says; as it is for None."""
    if size is None or image.size == size[::-1]:
        return image
    return ImageOps.fit(image, size[::-1], how) if crop == "center" else image.resize(size[::-1], how)


@contextmanager
def opened(picture: Picture) -> Iterator[Image.Image]:
    """A picture, for a block in which Pillow decodes it and nothing else is done.

    Raises UserError, naming the picture, for a file that is none, that is cut or has more than Pillow's limit of pixels
    (`Image.DecompressionBombError`), and for whatever else Pillow makes of what it holds.
    """
    if _QUIET not in warnings.filters:  # of odd tags, which every thread meets: to catch them is not safe among threads
        warnings.filterwarnings("ignore", module=_QUIET[3].pattern)
    try:
        file = open_file(picture) if isinstance(picture, Path) else picture.open("rb")
        with file, Image.open(file, formats=_FORMATS) as image:
            _refuse_missing(image)
            yield image
    except UserError:
        raise
    except Exception as error:  # of content that a decoder was not made for any can come
        raise unreadable(picture, error) from error


def _refuse_missing(image: Image.Image) -> None:
    """Raises ValueError for a TIFF whose strips do not cover it: Pillow leaves the rest black."""
    if not isinstance(image, TiffImageFile):
        return
    parts = {part[1] or (0, 0, *image.size) for part in image.tile}
    covered = sum((right - left) * (lower - upper) for left, upper, right, lower in parts)
    if covered < image.width * image.height:
        raise ValueError(f"it has {covered:,} of its {image.width * image.height:,} pixels")


def unreadable(picture: Picture, error: Exception) -> UserError:
    """The sentence on a picture that could not be read."""
    known = isinstance(error, OSError | ValueError | SyntaxError | Image.DecompressionBombError)
    why = str(error) if known else f"{type(error).__name__} {error}".strip()
    if isinstance(error, UnidentifiedImageError):
        why = f"none of the formats {', '.join(_FORMATS)}"
    return UserError(f"{picture} cannot be read as a picture ({why}): remove or replace it")


def _eight_bits(image: Image.Image) -> Image.Image:
    """A picture of 8 bits a channel, without transparency."""
    if image.mode.startswith("I"):
        return Image.fromarray((np.asarray(image).clip(0, 65_535) / 257).round().astype(np.uint8))
    if image.mode == "F":
        raise ValueError("its pixels are floating-point numbers, 8 or 16 bits are known")
    if image.has_transparency_data:
        whole = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", whole.size, "white"), whole)
    return image


def size_of(image_size: int | Sequence[int] | None) -> tuple[int, int] | None:
    """(H, W) of a side or of both, None for None. Raises UserError for a size that cannot be."""
    sides = [image_size, image_size] if isinstance(image_size, int) else image_size
    if sides is not None and len(sides) != 2:
        raise UserError(f"dataset.image_size={list(sides)} cannot be: give a side in pixels, or [height,width]")
    return None if sides is None else (sides[0], sides[1])


def common_shape(decoder: AnyDecoder, pictures: Sequence[Picture]) -> tuple[int, ...]:
    """(C, H, W) of decoded pictures, (H, W) of label maps: the size asked for, or that of the first that can be read.

    Raises UserError where none can.
    """
    if decoder.shape is not None:
        return decoder.shape
    problem: UserError | None = None
    for picture in pictures:
        try:
            return decoder.decode(picture).shape
        except UserError as error:
            problem = problem or error
    raise problem or UserError("no picture to take dataset.image_size from: give it")


def decode_in_order(decoder: AnyDecoder, pictures: Sequence[Picture], shape: tuple[int, ...]) -> Iterator[Pixels]:
    """Batches (B, C, H, W), or (B, H, W) of label maps, of all pictures, in order; a few batches exist at a time.

    Raises UserError for a picture of another shape at once, and for pictures that cannot be read after the last, so
    that all of them can be mended together.
    """
    problems: list[str] = []

    def decode_chunk(chunk: Sequence[Picture]) -> list[Pixels]:
        return [pixels for picture in chunk if (pixels := _try(decoder, picture, shape, problems)) is not None]

    chunks = (pictures[first : first + _CHUNK] for first in range(0, len(pictures), _CHUNK))
    for images in ahead(decode_chunk, chunks):
        if not problems:
            yield np.stack(images)
    if len(problems) == 1:
        raise UserError(problems[0])
    if problems:
        named = "; ".join(sorted(problems)[:_MOST_NAMED])
        raise UserError(f"{len(problems):,} pictures cannot be used, remove or replace them: {named}")


def _try(decoder: AnyDecoder, picture: Picture, shape: tuple[int, ...], problems: list[str]) -> Pixels | None:
    try:
        pixels = decoder.decode(picture)
    except UserError as error:
        problems.append(str(error))
        return None
    if pixels.shape != shape:
        raise UserError(
            f"pictures differ in size: {picture} has {pixels.shape[-2]} x {pixels.shape[-1]} pixels and others have "
            f"{shape[-2]} x {shape[-1]}: give one for all, such as dataset.image_size=64"
        )
    return pixels


def ahead(
    function: Callable[[_Item], _Result], items: Iterable[_Item], workers: int | None = None
) -> Generator[_Result, None, None]:
    """The results of `function` in order, computed by threads and only a few ahead of the one asked for.

    workers: how many threads, None: one per core, up to 16; at most twice as many results wait. Threads are enough:
    Pillow decodes and scales outside of Python's lock. Closed early, it waits for what is computed and begins no more.
    """
    workers = workers or min(usable_cores(), _MOST_WORKERS)
    waiting: deque[Future[_Result]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                if len(waiting) > 2 * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
