"""Pictures as they are shown: small, upright, of the folder alone."""

import hashlib
import io
import os

import pytest
from PIL import Image

from al_bench.annotation.pictures import SIDES, Below, Pictures, make
from al_bench.errors import UserError


def image_of(served) -> Image.Image:
    return Image.open(io.BytesIO(served.content))


def test_a_small_picture_is_sent_as_it_is(tmp_path):
    picture = Image.effect_noise((40, 30), 80).convert("RGB")
    picture.save(tmp_path / "a.png")
    served = make(Below(tmp_path, "a.png"), 256)
    assert image_of(served).tobytes() == picture.tobytes()
    assert served.digest == hashlib.sha256((tmp_path / "a.png").read_bytes()).hexdigest()[:16]


@pytest.mark.parametrize(("size", "side"), SIDES.items())
def test_a_large_picture_is_made_small_and_upright(tmp_path, size, side):
    picture = Image.new("RGB", (6400, 400), "red")
    picture.paste("blue", (0, 0, 3200, 400))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter, clockwise
    picture.save(tmp_path / "a.jpg", exif=exif)
    shown = image_of(Pictures().get(Below(tmp_path, "a.jpg"), size)).convert("RGB")
    assert shown.size == (round(400 * side / 6400), side)
    red, _, blue = shown.getpixel((shown.width // 2, side // 8))
    assert blue > 200 > 60 > red, "the left is on top"
    assert not shown.getexif()


@pytest.mark.parametrize(
    "file", ["../secret.png", "sub/../../secret.png", "/etc/passwd", "link.png", "links/secret.png", "", "."]
)
def test_nothing_outside_of_the_folder_is_shown(tmp_path, file):
    Image.new("RGB", (4, 4)).save(tmp_path / "secret.png")
    (root := tmp_path / "pictures").mkdir()
    (root / "sub").mkdir()
    (root / "link.png").symlink_to(tmp_path / "secret.png")
    (root / "links").symlink_to(tmp_path)
    with pytest.raises(UserError, match="out of the folder"):
        Pictures().get(Below(root, file), "view")


def test_a_link_inside_of_the_folder_is_followed(tmp_path):
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png")
    (tmp_path / "b.png").symlink_to("a.png")
    assert image_of(make(Below(tmp_path, "b.png"), 64)).size == (4, 4)


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("gone.png", "not in the folder"),
        ("a\0b.png", "not in the folder"),
        ("text.png", "none of the formats"),
        ("pipe.png", "regular file"),
    ],
)
def test_what_cannot_be_shown_says_why_and_names_no_other_folder(tmp_path, file, words):
    (tmp_path / "text.png").write_text("no picture")
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(UserError, match=words) as error:
        Pictures().get(Below(tmp_path, file), "tile")
    assert str(tmp_path) not in str(error.value)


def test_memory_is_bounded_and_a_changed_file_is_read_anew(tmp_path):
    pictures = Pictures(most=15_000)
    for name in ("a.png", "b.png", "c.png"):
        Image.effect_noise((60, 60), 80).convert("RGB").save(tmp_path / name)
    first = pictures.get(Below(tmp_path, "a.png"), "view")
    assert pictures.get(Below(tmp_path, "a.png"), "view") is first
    assert len(first.content) < 15_000 < 3 * len(first.content)
    for name in ("b.png", "c.png"):
        pictures.get(Below(tmp_path, name), "view")
    assert sum(len(served.content) for served in pictures._kept.values()) <= 15_000
    again = pictures.get(Below(tmp_path, "a.png"), "view")
    assert again is not first and again.content == first.content
    Image.new("RGB", (61, 61)).save(tmp_path / "a.png")
    assert pictures.get(Below(tmp_path, "a.png"), "view").digest != first.digest
