"""Picture files with faults, drawn by a seed: what a decoder must read, or refuse by name."""

import io
from collections.abc import Callable, Iterator
from functools import cache
from random import Random

import numpy as np
from pictures import noise
from PIL import Image

FORMATS = ("bmp", "gif", "jpg", "pbm", "pgm", "png", "ppm", "tif", "webp")


@cache
def whole_files() -> dict[str, list[bytes]]:
    """A few files of each format, of several modes and packings."""
    color = Image.fromarray(noise(0, 24, 20))
    gray, palette, seen = color.convert("L"), color.quantize(16), color.convert("RGBA")
    seen.putalpha(gray)
    deep = Image.fromarray(noise(1, 24, 20, 1)[..., 0].astype(np.uint16) * 257)
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    packings = ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg")
    return {
        "bmp": [_saved(image, "BMP") for image in (color, palette, gray.convert("1"), seen)],
        "gif": [
            _saved(palette, "GIF"),
            _saved(palette, "GIF", transparency=3),
            _saved(palette, "GIF", save_all=True, append_images=[palette.rotate(90)]),
        ],
        "jpg": [
            _saved(color, "JPEG", exif=exif),
            _saved(color, "JPEG", progressive=True),
            _saved(gray, "JPEG"),
            _saved(color.convert("CMYK"), "JPEG"),
        ],
        "pbm": [_saved(gray.convert("1"), "PPM"), b"P1\n# plain\n6 2\n101010\n010101\n"],
        "pgm": [_saved(gray, "PPM"), _saved(deep, "PPM"), b"P2\n3 2\n255\n0 50 100\n150 200 255\n"],
        "png": [_saved(image, "PNG", exif=exif) for image in (color, seen, deep, gray.convert("1"), seen.convert("LA"))]
        + [_saved(palette, "PNG", transparency=bytes(range(16)))],
        "ppm": [_saved(color, "PPM"), b"P3\n2 1\n255\n0 50 100 150 200 255\n"],
        "tif": [_saved(color, "TIFF", compression=packing) for packing in packings]
        + [_saved(image, "TIFF") for image in (deep, palette, seen, color.convert("LAB"), color.convert("CMYK"))],
        "webp": [_saved(color, "WEBP", exif=exif), _saved(seen, "WEBP", lossless=True)],
    }


def _saved(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def mutants(count: int, seed: int = 0) -> Iterator[tuple[str, bytes]]:
    """`count` names and contents, the formats in turn, with up to eight faults each."""
    rng = Random(seed)
    for number in range(count):
        ending = FORMATS[number % len(FORMATS)]
        content = bytearray(rng.choice(whole_files()[ending]))
        for _ in range(rng.choice((1, 1, 1, 4))):
            rng.choice(FAULTS)(content, rng)
        yield f"{number}.{ending}", bytes(content)


def _place(content: bytearray, rng: Random) -> int:
    """A third of them in the head, where what is said of the pixels stands."""
    return rng.randrange(min(len(content), 64) if rng.random() < 0.3 else len(content)) if content else 0


def _put(content: bytearray, rng: Random) -> None:
    place = _place(content, rng)
    content[place : place + 1] = bytes([rng.choice((0, 1, 127, 128, 255, rng.randrange(256)))])


def _fill(content: bytearray, rng: Random) -> None:
    place, length = _place(content, rng), rng.choice((2, 4, 8))
    content[place : place + length] = bytes([rng.choice((0, 255))]) * length


def _cut(content: bytearray, rng: Random) -> None:
    del content[_place(content, rng) :]


def _leave_out(content: bytearray, rng: Random) -> None:
    place = _place(content, rng)
    del content[place : place + rng.randrange(1, 32)]


def _repeat(content: bytearray, rng: Random) -> None:
    place = _place(content, rng)
    content[place:place] = content[place : place + rng.randrange(1, 32)]


def _insert(content: bytearray, rng: Random) -> None:
    place = _place(content, rng)
    content[place:place] = rng.randbytes(rng.randrange(1, 16))


FAULTS: tuple[Callable[[bytearray, Random], None], ...] = (_put, _put, _fill, _cut, _leave_out, _repeat, _insert)
