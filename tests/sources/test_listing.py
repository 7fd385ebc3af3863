import os
import shutil
import socket
from pathlib import Path

import pytest
from pictures import fill, noise, save

from al_bench.errors import UserError
from al_bench.sources import listing as picture_files
from al_bench.sources.decoding import Decoder
from al_bench.sources.links import leading_out
from al_bench.sources.listing import PictureFile, id_of, look_through, patterns_id, pictures_id
from al_bench.sources.split_folders import find_splits


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


def test_what_is_left_out_is_named_and_never_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path / "cat" / "1.png", noise(0))
    for name in ("cat/2.jfif", "cat/README", "cat/.DS_Store", ".git/config", "notes.txt", "more.TXT"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    os.mkfifo(tmp_path / "cat" / "pipe.png")
    monkeypatch.chdir(tmp_path / "cat")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind("socket.jpg")  # a whole path may be too long for it
    (tmp_path / "cat" / "null.png").symlink_to("/dev/null")
    (tmp_path / "cat" / "gone.png").symlink_to("nowhere.png")
    (tmp_path / "cat" / "itself").symlink_to("itself")
    (tmp_path / "cat" / "up").symlink_to("..")
    (tmp_path / "again").symlink_to("cat")
    found = picture_files.look_through(tmp_path)
    assert [file.name for file in found.pictures] == ["again/1.png", "cat/1.png"]
    assert found.folders == ["again", "cat"]
    assert {why: [name for name in names if not name.startswith("again")] for why, names in found.left_out.items()} == {
        ".jfif": ["cat/2.jfif"],
        ".txt": ["more.TXT", "notes.txt"],
        "a link to a folder that it lies in": ["cat/up"],
        "a link to nothing": ["cat/gone.png", "cat/itself"],
        "hidden": [".git", "cat/.DS_Store"],
        "no file but a pipe, socket or device": ["cat/null.png", "cat/pipe.png", "cat/socket.jpg"],
        "without a suffix": ["cat/README"],
    }
    assert fresh_id(tmp_path) is not None
    assert patterns_id(str(tmp_path), "cat/*.png") == id_of(tmp_path, found.pictures[1:])
    with pytest.raises(OSError, match="no regular file"):
        id_of(tmp_path, [PictureFile("cat/pipe.png", 0, 0)])
    with pytest.raises(UserError, match=r"cat/pipe\.png cannot be read as a picture"):
        Decoder(None, "none", "rgb").decode(tmp_path / "cat" / "pipe.png")


def test_names_that_are_no_utf_8_and_folders_within_folders(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.png")
    save(tmp_path / "x.png", noise(0)).rename(tmp_path / name)
    assert [file.name for file in picture_files.picture_files(tmp_path)] == [name]
    assert fresh_id(tmp_path) is not None
    deep = tmp_path
    for _ in range(1000):  # of one letter: more than Python's own stack is deep
        deep /= "d"
        os.mkdir(deep)  # noqa: PTH102  (Path.mkdir is slower by a second)
    assert len(picture_files.look_through(tmp_path).folders) == 1000
    for folder in [deep, *deep.parents][:1000]:  # pytest cannot remove what is as deep
        os.rmdir(folder)  # noqa: PTH106


@pytest.mark.parametrize(
    ("folders", "splits"),
    [
        ("cat dog", {}),
        ("train/cat test/cat", {"train": "train", "test": "test"}),
        ("Train/cat Test/cat", {"train": "Train", "test": "Test"}),
        ("training/cat testing/cat", {"train": "training", "test": "testing"}),
        ("TRAIN/cat VAL/cat", {"train": "TRAIN", "val": "VAL"}),
        ("train/cat valid/cat test/cat", {"train": "train", "val": "valid", "test": "test"}),
        ("train/cat Validation/cat", {"train": "train", "val": "Validation"}),
        ("train/cat dev/cat", {"train": "train", "val": "dev"}),
        ("Training/cat", {"train": "Training"}),
        ("train/cat more/cat", {"train": "train"}),
        ("train/cat val/cat valid/cat", {"train": "train", "val": "val valid"}),
        ("Train/cat train/cat test/cat", {"train": "Train train", "test": "test"}),
        ("train test", {"train": "train", "test": "test"}),  # which hold pictures alone: refused later
        ("test/cat val/cat", {"val": "val", "test": "test"}),
        ("cat dog test/cat test/dog", {"test": "test"}),
        ("dev ops", {}),
        ("cat dog test", {}),
        ("train car bus", {}),
        ("training/gym training/yoga cardio/run", {}),
    ],
)
def test_which_folders_are_splits(folders: str, splits: dict[str, str]) -> None:
    names = sorted({above for name in folders.split() for above in (name.partition("/")[0], name)})
    assert find_splits(names) == {name: found.split() for name, found in splits.items()}


def test_an_id_moves_only_where_another_split_is_made(tmp_path: Path) -> None:
    """What was read as it is now keeps its id; two classes Test and Train, or a valid that nobody read, are others."""
    for kept in ({"": 1}, {"train": 1}, {"train": 1, "val": 1, "test": 1}, {"train": 1, "test": 1, "valid": 1}):
        root = fill(tmp_path / "-".join(kept), kept)
        assert fresh_id(root) == id_of(root, picture_files.picture_files(root))
    for moved in ({"Train": 1, "Test": 1}, {"train": 1, "valid": 1}, {"train": 1, "val": 1, "testing": 1}):
        root = fill(tmp_path / "-".join(moved), moved)
        assert fresh_id(root) not in (None, id_of(root, picture_files.picture_files(root)))


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


def test_pictures_that_links_out_of_the_folder_lead_to_are_told(tmp_path):
    root, outside = tmp_path / "root", tmp_path / "outside"
    for path in (root / "a" / "in.png", root / "own.png", outside / "b" / "out.png"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    (root / "inside.png").symlink_to(root / "a" / "in.png")
    assert leading_out(root, look_through(root)) == []
    (root / "a" / "link.png").symlink_to("../../outside/b/out.png")
    (root / "folder").symlink_to(outside)
    (root / "same").symlink_to("a")
    found = look_through(root)
    assert found.links == ["a/link.png", "folder", "inside.png", "same", "same/link.png"]
    assert leading_out(root, found) == ["a/link.png", "folder/b/out.png", "same/link.png"]
    (tmp_path / "another").symlink_to(root)  # as a person may name it
    assert leading_out(tmp_path / "another", look_through(tmp_path / "another")) == leading_out(root, found)
