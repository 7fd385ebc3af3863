import os
import shutil
from pathlib import Path

import pytest
from pictures import fill, noise, save

from al_bench.sources import listing as picture_files
from al_bench.sources.listing import id_of, pictures_id


def fresh_id(root: Path) -> str | None:
    pictures_id.cache_clear()
    return pictures_id(str(root))


def test_finds_pictures_at_any_depth_by_name_and_nothing_else(tmp_path: Path) -> None:
    for name in ("b/2.PNG", "b/deep/1.png", "a.png", "b/.hidden.png", ".hidden/1.png", "__MACOSX/1.png"):
        save(tmp_path / name, noise(0))
    (tmp_path / "b" / "notes.txt").write_text("not a picture")
    found = picture_files.picture_files(tmp_path)
    assert [file.name for file in found] == ["a.png", "b/2.PNG", "b/deep/1.png"]
    assert {file.size for file in found} == {(tmp_path / "a.png").stat().st_size}
    assert picture_files.visible_folders(tmp_path) == ["b"]


def test_links_are_followed(tmp_path: Path) -> None:
    save(tmp_path / "elsewhere" / "1.png", noise(0))
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "cat").symlink_to(tmp_path / "elsewhere")
    assert [file.name for file in picture_files.picture_files(tmp_path / "root")] == ["cat/1.png"]


def test_the_id_says_which_pictures_not_where_or_when(tmp_path: Path) -> None:
    root = fill(tmp_path / "here", {"train": 2})
    first = fresh_id(root)
    copied = Path(shutil.copytree(root, tmp_path / "there" / "deeper"))
    for path in copied.rglob("*.png"):
        os.utime(path, (0, 0))
    assert fresh_id(copied) == first
    assert fresh_id(tmp_path / "nowhere") is None
    assert pictures_id(None) is None


@pytest.mark.parametrize("change", ["renamed", "moved to another class", "removed", "another of the same size"])
def test_the_id_moves_with(tmp_path: Path, change: str) -> None:
    root = fill(tmp_path, {"train": 2}, ending="bmp")
    first, path = fresh_id(root), root / "train" / "cat" / "0.bmp"
    size = path.stat().st_size
    if change == "another of the same size":
        save(path, noise(99))
        assert path.stat().st_size == size
    elif change == "removed":
        path.unlink()
    else:
        path.rename(path.with_name("9.bmp") if change == "renamed" else root / "train" / "dog" / "9.bmp")
    assert fresh_id(root) != first


def test_of_many_files_only_some_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture_files, "_MOST_READ", 2)
    files = picture_files.picture_files(fill(tmp_path, {"": 2}, ending="bmp"))  # six, of which 0 and 3 are read
    first = id_of(tmp_path, files)
    save(tmp_path / files[1].name, noise(99))
    assert id_of(tmp_path, files) == first
    save(tmp_path / files[3].name, noise(99))
    assert id_of(tmp_path, files) != first
