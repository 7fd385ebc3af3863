import os
import threading
from pathlib import Path

import numpy as np
import pytest
from pictures import noise, save
from PIL import Image

from al_bench.errors import UserError
from al_bench.sources.decoding import Decoder, ahead, common_shape, decode_in_order

RGB = Decoder(None, "center", "rgb")
GRAY = Decoder(None, "center", "gray")


def saved(folder: Path, image: Image.Image, name: str = "picture.png", **options: object) -> Path:
    image.save(folder / name, **options)
    return folder / name


def one(mode: str, color: object) -> Image.Image:
    return Image.new(mode, (3, 2), color)  # type: ignore[arg-type]


def test_pixels_are_those_of_the_file(tmp_path: Path) -> None:
    pixels = noise(0, 5, 7)
    decoded = RGB.decode(save(tmp_path / "x.png", pixels))
    assert decoded.dtype == np.uint8
    assert decoded.flags.c_contiguous
    assert np.array_equal(decoded, pixels.transpose(2, 0, 1))


@pytest.mark.parametrize(
    ("name", "image", "expected"),
    [
        ("gray", one("L", 77), (77, 77, 77)),
        ("two levels", one("1", 1), (255, 255, 255)),
        ("half transparent, over white", one("RGBA", (200, 100, 0, 51)), (244, 224, 204)),  # 0.2 c + 0.8 * 255
        ("wholly transparent", one("LA", (10, 0)), (255, 255, 255)),
        ("palette", one("RGB", (10, 200, 30)).quantize(4), (10, 200, 30)),
        ("16 bits", Image.fromarray(np.full((2, 3), 100 * 257 + 100, dtype=np.uint16)), (100, 100, 100)),
        ("16 bits, white", Image.fromarray(np.full((2, 3), 65_535, dtype=np.uint16)), (255, 255, 255)),
    ],
)
def test_every_mode_becomes_eight_bits_of_color(
    tmp_path: Path, name: str, image: Image.Image, expected: tuple[int, ...]
) -> None:
    decoded = RGB.decode(saved(tmp_path, image))
    assert decoded.shape == (3, 2, 3)
    assert [int(channel.min()) for channel in decoded] == [int(channel.max()) for channel in decoded] == list(expected)


@pytest.mark.parametrize(("side", "first"), [(5, (1, 0)), (4, (1, 0)), (1, (3, 2))])
def test_a_window_is_the_square_in_the_middle(tmp_path: Path, side: int, first: tuple[int, int]) -> None:
    """first: its left and upper pixel, of 7 x 5; where the middle lies between two pixels, the earlier."""
    pixels, (left, top) = noise(0, 5, 7), first
    path = save(tmp_path / "x.png", pixels)
    expected = pixels[top : top + side, left : left + side].transpose(2, 0, 1)
    assert np.array_equal(Decoder(None, "center", "rgb", window=side).decode(path), expected)
    with pytest.raises(UserError, match=r"x\.png .*7 x 5 .*6 x 6"):
        Decoder((4, 4), "center", "rgb", window=6).decode(path)


def test_a_window_is_cut_from_all_the_pixels_of_a_large_jpeg(tmp_path: Path) -> None:
    """Which is decoded at a fraction of its size where it is only scaled."""
    pixels = np.zeros((256, 256, 3), dtype=np.uint8)
    pixels[112:144, 112:144] = 255
    path = save(tmp_path / "x.jpg", pixels, quality=95)
    assert Decoder((16, 16), "center", "rgb", window=32).decode(path).min() > 200
    assert Decoder((16, 16), "center", "rgb").decode(path).min() == 0


def test_a_transparent_color_of_a_palette_is_white(tmp_path: Path) -> None:
    image = Image.fromarray(np.array([[0, 1]], dtype=np.uint8), mode=None).convert("P")
    image.putpalette([10, 20, 30, 40, 50, 60])
    decoded = RGB.decode(saved(tmp_path, image, transparency=1))
    assert decoded[:, 0].T.tolist() == [[10, 20, 30], [255, 255, 255]]


def test_cmyk(tmp_path: Path) -> None:
    path = saved(tmp_path, one("CMYK", (255, 0, 0, 0)), "x.tif")
    assert RGB.decode(path)[:, 0, 0].tolist() == [0, 255, 255]


def test_gray_is_the_luma_of_the_color(tmp_path: Path) -> None:
    decoded = GRAY.decode(saved(tmp_path, one("RGB", (200, 100, 50))))
    assert decoded.shape == (1, 2, 3)
    assert decoded[0, 0, 0] == round(0.299 * 200 + 0.587 * 100 + 0.114 * 50)


def test_a_picture_is_turned_as_its_camera_says(tmp_path: Path) -> None:
    pixels = np.zeros((2, 3, 3), dtype=np.uint8)
    pixels[0, 0] = 255  # the camera's top left
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter clockwise, which brings it to the top right
    decoded = RGB.decode(saved(tmp_path, Image.fromarray(pixels), exif=exif))
    assert decoded.shape == (3, 3, 2)
    assert decoded[0].tolist() == [[0, 255], [0, 0], [0, 0]]


def test_center_cuts_the_sides_off_and_none_squashes(tmp_path: Path) -> None:
    pixels = np.zeros((20, 60, 3), dtype=np.uint8)
    for third in range(3):
        pixels[:, 20 * third : 20 * third + 20, third] = 255  # red, green, blue
    path = save(tmp_path / "x.png", pixels)
    center = Decoder((10, 10), "center", "rgb").decode(path)
    inner = center[:, :, 1:-1]  # the outer columns take a little from beyond the cut, as scaling does
    assert (inner[1] == 255).all() and not inner[[0, 2]].any()
    squashed = Decoder((10, 30), "none", "rgb").decode(path)
    assert squashed.shape == (3, 10, 30)
    assert [int(squashed[third, 5, 10 * third + 5]) for third in range(3)] == [255, 255, 255]
    assert Decoder((10, 10), "none", "rgb").decode(path)[:, 5].max(1).min() > 200, "all three are still there"


def test_a_large_jpeg_decoded_at_a_fraction_looks_as_one_decoded_whole(tmp_path: Path) -> None:
    ramp = np.linspace(0, 255, 800)[None, :, None] * np.linspace(0.2, 1, 600)[:, None, None] * np.array([1, 0.5, 0.8])
    path = save(tmp_path / "x.jpg", ramp.astype(np.uint8), quality=95)
    small = Decoder((30, 40), "center", "rgb").decode(path).astype(int)
    whole = Image.open(path).convert("RGB").resize((40, 30), Image.Resampling.BOX)
    assert np.abs(small - np.asarray(whole).transpose(2, 0, 1)).mean() < 2


def broken(folder: Path) -> dict[str, Path]:
    whole = save(folder / "whole.png", noise(0, 40, 40)).read_bytes()
    jpeg = save(folder / "whole.jpg", noise(0, 40, 40)).read_bytes()
    corrupted = bytearray(whole)
    corrupted[200:400] = bytes(200)
    contents = {
        "truncated.png": whole[: len(whole) // 2],
        "truncated.jpg": jpeg[: len(jpeg) // 2],
        "corrupted.png": bytes(corrupted),
        "empty.jpg": b"",
        "text.png": b"<html>not found</html>",
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    saved(folder, Image.fromarray(np.zeros((4, 4), dtype=np.float32)), "float.tif")
    return {name: folder / name for name in [*contents, "float.tif", "absent.png"]}


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    for name, path in broken(tmp_path).items():
        with pytest.raises(UserError, match=rf"{name} .*\(.+\)"):
            RGB.decode(path)


def test_all_that_cannot_be_read_is_named_together(tmp_path: Path) -> None:
    bad = broken(tmp_path)
    paths = [tmp_path / "whole.png", bad["empty.jpg"], tmp_path / "whole.jpg", bad["truncated.png"]]
    shape = common_shape(RGB, paths)
    assert shape == (3, 40, 40)
    with pytest.raises(UserError, match=r"2 pictures .*empty\.jpg.*truncated\.png"):
        list(decode_in_order(RGB, paths, shape))
    with pytest.raises(UserError, match=r"^\S+empty\.jpg "):
        list(decode_in_order(RGB, paths[:3], shape))
    assert common_shape(RGB, paths[1:]) == (3, 40, 40), "of the first that can be read"
    with pytest.raises(UserError, match=r"empty\.jpg"):
        common_shape(RGB, [bad["empty.jpg"], bad["text.png"]])


def test_pictures_of_two_sizes_need_one_that_is_asked_for(tmp_path: Path) -> None:
    paths = [save(tmp_path / "a.png", noise(0, 8, 8)), save(tmp_path / "b.png", noise(0, 6, 9))]
    with pytest.raises(UserError, match=r"b\.png .*6 x 9 .*8 x 8.*dataset\.image_size=64"):
        list(decode_in_order(RGB, paths, common_shape(RGB, paths)))
    asked = Decoder((4, 5), "center", "gray")
    assert common_shape(asked, []) == (1, 4, 5)
    (batch,) = decode_in_order(asked, paths, (1, 4, 5))
    assert batch.shape == (2, 1, 4, 5)


@pytest.mark.parametrize(("cores", "most"), [(1, 3), (3, 7), (256, 33)])
def test_results_come_in_order_and_few_ahead(monkeypatch: pytest.MonkeyPatch, cores: int, most: int) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(cores)))
    begun, lock = [0], threading.Lock()

    def count(number: int) -> int:
        with lock:
            begun[0] += 1
        return number

    for done, number in enumerate(ahead(count, iter(range(500)))):
        assert number == done
        assert begun[0] <= done + most
    assert begun[0] == 500


@pytest.mark.parametrize("other", ["EPS", "PDF", "ICO"])
def test_no_other_format_is_decoded_whatever_the_file_is_called(tmp_path: Path, other: str) -> None:
    """PostScript would be handed to Ghostscript."""
    Image.new("RGB", (16, 16)).save(tmp_path / "a.png", format=other)
    with pytest.raises(UserError, match=r"a\.png cannot be read as a picture \(none of the formats BMP, GIF, JPEG"):
        Decoder((8, 8), "center", "rgb").decode(tmp_path / "a.png")
