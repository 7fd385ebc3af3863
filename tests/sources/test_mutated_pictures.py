"""Whatever a picture file holds is read or refused in a sentence that names it: `pytest --mutants=9000` tries more."""

import io
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
import pytest
from mutating import mutants, whole_files
from pictures import noise, save
from PIL import Image

from al_bench.errors import UserError
from al_bench.sources.decoding import AnyDecoder, Decoder
from al_bench.sources.label_maps import MapDecoder

AS_IT_IS = Decoder(None, "none", "rgb")
DECODERS: tuple[AnyDecoder, ...] = (
    Decoder((16, 16), "center", "rgb"),
    Decoder(None, "none", "gray"),
    MapDecoder((8, 8), "none", tuple((number, number) for number in range(256)), 0),
)
POSTSCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\nshowpage\n"


@dataclass
class Content:
    """A picture in memory."""

    name: str
    content: bytes

    def open(self, mode: str, /) -> IO[bytes]:
        return io.BytesIO(self.content)

    def __str__(self) -> str:
        return self.name


def test_any_content_is_read_or_refused_by_name_and_without_a_warning(pytestconfig: pytest.Config) -> None:
    refusals = []
    with warnings.catch_warnings(record=True) as warned:
        warnings.resetwarnings()
        for name, content in mutants(pytestconfig.getoption("--mutants")):
            for decoder in DECODERS:
                try:
                    assert decoder.decode(Content(name, content)).dtype == np.uint8
                except UserError as error:
                    refusals.append((name, str(error)))
    assert all(said.startswith(f"{name} ") for name, said in refusals) and refusals
    assert not [str(one.message) for one in warned]


@pytest.mark.parametrize("kind", sorted(whole_files()))
def test_a_file_that_is_cut_is_refused_or_whole_all_the_same(kind: str) -> None:
    for content in whole_files()[kind]:
        if content.startswith((b"P2", b"P3")):
            continue  # of numbers in text the last one may be cut and still be one
        whole = decoded(content)
        for length in {*range(0, len(content), 23), *range(len(content) - 12, len(content))}:
            assert decoded(content[:length]) in (None, whole)


def test_a_large_jpeg_that_is_cut_is_refused_though_a_fraction_of_it_is_decoded(tmp_path: Path) -> None:
    whole = save(tmp_path / "x.jpg", noise(0, 300, 200), quality=95).read_bytes()
    for length in range(1, len(whole), len(whole) // 10):
        with pytest.raises(UserError, match=r"x\.jpg cannot be read"):
            Decoder((30, 20), "center", "rgb").decode(Content("x.jpg", whole[:length]))


def decoded(content: bytes) -> bytes | None:
    """The pixels; None where it is refused."""
    try:
        return AS_IT_IS.decode(Content("x", content)).tobytes()
    except UserError:
        return None


@pytest.mark.parametrize("kind", ["EPS", "ICO", "PCX", "TGA"])
def test_no_other_format_is_opened_whatever_its_name(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("subprocess.check_call", lambda *arguments, **more: pytest.fail("a program was started"))
    file = io.BytesIO(POSTSCRIPT)
    if kind != "EPS":
        Image.fromarray(noise(0)).save(file, kind)
    with pytest.raises(
        UserError, match=r"x\.png cannot be read as a picture \(none of the formats BMP, GIF, .* WEBP\)"
    ):
        AS_IT_IS.decode(Content("x.png", file.getvalue()))


def test_a_file_that_says_it_has_more_pixels_than_it_holds(tmp_path: Path) -> None:
    head = b"P6 20000 20000 255\n"
    with pytest.raises(UserError, match=r"bomb\.ppm cannot be read .*400000000 pixels"):
        AS_IT_IS.decode(Content("bomb.ppm", head + bytes(1000)))
    content = bytearray(save(tmp_path / "x.tif", noise(0, 24, 20)).read_bytes())
    content[content.index(b"\x01\x01\x04\x00\x01\x00\x00\x00\x18") + 8] = 200  # rows, of which 24 are there
    with pytest.raises(UserError, match=r"x\.tif cannot be read .*it has 480 of its 4,000 pixels"):
        AS_IT_IS.decode(Content("x.tif", bytes(content)))


def test_a_fault_of_pillow_itself_is_named_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fail(*arguments: object) -> None:
        raise KeyError("tag")

    path = save(tmp_path / "x.png", noise(0))
    monkeypatch.setattr(Image.Image, "copy", fail)
    with pytest.raises(UserError, match=r"x\.png cannot be read as a picture \(KeyError 'tag'\)"):
        AS_IT_IS.decode(path)
