"""Pictures in a zip archive: whatever it holds, one is read or refused by name."""

import io
import os
import zipfile
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest
from mutating import FAULTS, whole_files

from al_bench.errors import UserError
from al_bench.sources import zipped_pictures
from al_bench.sources.decoding import Decoder

DECODER = Decoder((8, 8), "none", "rgb")


def packed(method: int) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as opened:
        for name, contents in whole_files().items():
            opened.writestr(f"faces/1.{name}", contents[0])
    return file.getvalue()


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_an_archive_with_any_fault(tmp_path: Path, method: int, pytestconfig: pytest.Config) -> None:
    rng, whole, path = Random(method), packed(method), tmp_path / "faces.zip"
    for _ in range(pytestconfig.getoption("--mutants") // 15):
        content = bytearray(whole)
        for _ in range(rng.choice((1, 2, 8))):
            rng.choice(FAULTS)(content, rng)
        path.write_bytes(content)
        with suppress(UserError):
            for picture in zipped_pictures.zipped_pictures(path).values():
                with suppress(UserError):
                    DECODER.decode(picture)


def test_what_is_too_large_for_a_picture_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "faces.zip"
    path.write_bytes(packed(zipfile.ZIP_DEFLATED))
    monkeypatch.setattr(zipped_pictures, "MOST_BYTES", 1000)
    picture = zipped_pictures.zipped_pictures(path)["1.bmp"]
    with pytest.raises(UserError, match=r"faces\.zip/faces/1\.bmp cannot be read .*it has 1,494 bytes unpacked"):
        DECODER.decode(picture)
    picture.archive.close()


def test_a_pipe_is_no_archive(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "faces.zip")
    with pytest.raises(UserError, match=r"faces\.zip cannot be read as a zip archive \(.*no regular file"):
        zipped_pictures.zipped_pictures(tmp_path / "faces.zip")
