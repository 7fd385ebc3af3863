"""Pictures that are left out are those whose content is broken, not those whose file cannot be read for now."""

import errno
from pathlib import Path
from typing import Any

import pytest
from pictures import noise, save

from al_bench.errors import UserError
from al_bench.sources import decoding
from al_bench.sources.broken_pictures import find_broken
from al_bench.sources.decoding import Decoder
from al_bench.sources.listing import picture_files

GRAY = Decoder((4, 4), "center", "gray")


def made(folder: Path) -> Path:
    for number in range(3):
        save(folder / f"{number}.png", noise(number))
    return folder


def test_broken_content_is_found_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = made(tmp_path / "pictures")
    (root / "1.png").write_text("no picture")
    files = picture_files(root)
    assert find_broken(root, files, GRAY, tmp_path / "kept") == [1]
    monkeypatch.setattr(decoding, "open_file", None)  # it is not asked again
    assert find_broken(root, files, GRAY, tmp_path / "kept") == [1]


@pytest.mark.parametrize("error", [PermissionError(errno.EACCES, "denied"), OSError(errno.EIO, "disk"), MemoryError()])
def test_a_file_that_cannot_be_read_for_now_ends_the_search(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    root = made(tmp_path / "pictures")
    files, read = picture_files(root), decoding.open_file

    def refuse_one(path: Path) -> Any:
        if path.name == "1.png":
            raise error
        return read(path)

    monkeypatch.setattr(decoding, "open_file", refuse_one)
    with pytest.raises(UserError, match=r"1\.png"):
        find_broken(root, files, GRAY, tmp_path / "kept")
    assert not list((tmp_path / "kept").glob("*.json"))
    monkeypatch.undo()
    assert find_broken(root, files, GRAY, tmp_path / "kept") == []
