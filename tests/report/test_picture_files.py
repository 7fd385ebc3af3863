"""Pictures of a large page become files, each once; a small page keeps them."""

import base64
from pathlib import Path

import pytest

from al_bench.report import picture_files
from al_bench.report.picture_files import take_pictures_out

SVG, PNG = b"<svg/>", b"\x89PNG"


def uri(kind: str, data: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


PAGE = (
    f'<source srcset="{uri("svg+xml", SVG)}"><img src="{uri("svg+xml", SVG)}"><img src="{uri("png", PNG)}">'
    f"<p>{uri('png', PNG)}</p>"
)


def test_a_small_page_keeps_its_pictures(tmp_path: Path) -> None:
    assert take_pictures_out(PAGE, tmp_path / "pictures") == PAGE
    assert not (tmp_path / "pictures").exists()


def test_a_large_page_has_them_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture_files, "LARGEST", 10)
    text = take_pictures_out(PAGE, tmp_path / "pictures")
    files = {path.suffix: path for path in (tmp_path / "pictures").iterdir()}
    assert {end: path.read_bytes() for end, path in files.items()} == {".svg": SVG, ".png": PNG}
    svg, png = (f"pictures/{files[end].name}" for end in (".svg", ".png"))
    assert text.startswith(f'<source srcset="{svg}"><img src="{svg}" loading="lazy"><img src="{png}" loading="lazy">')
    assert text.endswith(f"<p>{uri('png', PNG)}</p>"), "text is no picture"
    assert take_pictures_out(PAGE, tmp_path / "pictures") == text


def test_a_picture_that_was_cut_short_is_written_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture_files, "LARGEST", 10)
    take_pictures_out(PAGE, tmp_path)
    (png,) = tmp_path.glob("*.png")
    png.write_bytes(PNG[:2])
    take_pictures_out(PAGE, tmp_path)
    assert png.read_bytes() == PNG
