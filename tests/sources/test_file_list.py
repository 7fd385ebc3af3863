import tracemalloc
from pathlib import Path

import pytest
from pictures import fill

from al_bench.sources.file_list import FileList, class_folders, documents_id, folders_id

NAMES = ["b/2.jpg", "a/größe.jpg", "a/1.jpg"]


def test_is_a_sequence_of_paths_in_its_order(tmp_path: Path) -> None:
    files, paths = FileList.of(tmp_path, NAMES), [tmp_path / name for name in NAMES]
    assert list(files) == [files[index] for index in range(3)] == paths
    assert (files[-1], files[1:], len(files)) == (paths[2], paths[1:], 3)
    assert list(files.take([2, 0, 2])) == [paths[2], paths[0], paths[2]]
    with pytest.raises(IndexError):
        files[3]


def test_a_million_names_take_what_their_letters_take(tmp_path: Path) -> None:
    """A list of paths takes 250 bytes each and more."""
    tracemalloc.start()
    files = FileList.of(tmp_path, (f"train/n01440764/n01440764_{number:06d}.JPEG" for number in range(100_000)))
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 100_000 * (len("train/n01440764/n01440764_000000.JPEG") + 8) * 1.2
    assert files[99_999].name == "n01440764_099999.JPEG"


def test_class_folders_are_listed_by_name_without_opening(tmp_path: Path) -> None:
    fill(tmp_path, {"train": 2, "val": 1}, ("n2", "n1"), ending="JPEG")
    (tmp_path / "train" / "n1" / "notes.txt").touch()
    (tmp_path / "train" / "n1" / ".hidden.JPEG").touch()
    found = class_folders(tmp_path, "train")
    assert (found.names, found.counts) == (("n1", "n2"), (2, 2))
    assert [path.relative_to(tmp_path).as_posix() for path in found.files] == [
        "train/n1/0.JPEG", "train/n1/1.JPEG", "train/n2/0.JPEG", "train/n2/1.JPEG",
    ]  # fmt: skip


def known(root: Path) -> str | None:
    class_folders.cache_clear()
    folders_id.cache_clear()
    return folders_id(str(root), "train", "val")


def test_pictures_are_known_by_names_and_contents_and_not_by_where_they_are(tmp_path: Path) -> None:
    one, same = (fill(tmp_path / name, {"train": 2, "val": 1}, ending="png") for name in ("one", "same"))
    first = known(one)
    assert first == known(same)
    (same / "train" / "cat" / "0.png").rename(same / "train" / "cat" / "9.png")
    assert known(same) not in (first, None)
    content = (one / "val" / "dog" / "0.png").read_bytes()
    (one / "val" / "dog" / "0.png").write_bytes(content[:-1] + b"x")
    assert known(one) not in (first, None)
    assert known(tmp_path / "absent") is None
    assert folders_id(None, "train") is None


def test_lists_are_known_by_what_they_say(tmp_path: Path) -> None:
    for folder, said in (("one", "1"), ("same", "1"), ("other", "2")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "list.json").write_text(said)
    one, same, other = (documents_id(str(tmp_path / name), "list.json") for name in ("one", "same", "other"))
    assert one == same != other
    assert documents_id(str(tmp_path / "one"), "list.json", "absent.json") is None
    assert documents_id(None, "list.json") is None
