"""Copies of pictures on both sides of a split are said, whoever divided it."""

import logging
from pathlib import Path

import pytest
from pictures import fill

from al_bench.dataset.class_folders import ByClass, ClassFolders
from al_bench.dataset.copies import find_copies, say_copies
from al_bench.sources.listing import look_through, picture_files
from al_bench.sources.looking import only_looking


def splits_of(root: Path) -> dict[str, ByClass]:
    return ClassFolders(root, look_through(root), 1, None).splits(0.5, 0)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return fill(tmp_path / "pictures", {"train": 6, "test": 4}, ("cat", "dog"), side=8)


def test_nothing_is_said_of_pictures_that_differ(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        say_copies(root, splits_of(root))
    assert caplog.text == ""


def test_copies_across_a_split_are_said_with_an_example(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Under another name and in another class, too."""
    copied, of = sorted((root / "test" / "dog").iterdir())[0], sorted((root / "train" / "cat").iterdir())[0]
    copied.write_bytes(of.read_bytes())
    with caplog.at_level(logging.WARNING):
        say_copies(root, splits_of(root))
    (said,) = caplog.messages
    assert said.startswith("1 of 8 pictures of the split test are copies of pictures for training, ")
    assert f"test/dog/{copied.name} of train/cat/{of.name}" in said and "put them on one side" in said


def test_nothing_is_said_to_who_only_looks(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    copied, of = sorted((root / "test" / "dog").iterdir())[0], sorted((root / "train" / "cat").iterdir())[0]
    copied.write_bytes(of.read_bytes())
    with caplog.at_level(logging.WARNING), only_looking():
        say_copies(root, splits_of(root))
    assert caplog.text == ""


def test_of_many_some_are_looked_at(
    root: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("al_bench.dataset.copies._MOST", 3)
    for picture in (root / "test").rglob("*.png"):
        picture.write_bytes(next((root / "train").rglob("*.png")).read_bytes())
    with caplog.at_level(logging.WARNING):
        say_copies(root, splits_of(root))
    assert caplog.messages[0].startswith("3 of 3 pictures that were looked at of the split test are copies")


def test_only_files_of_one_size_are_read(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = list[str]()
    content = "al_bench.dataset.copies._content"
    monkeypatch.setattr(content, lambda path: read.append(path.name))
    one, *others = picture_files(root)
    assert find_copies(root, [one._replace(size=10**9)], others) == {} and read == []


def test_a_file_that_cannot_be_read_is_no_copy(root: Path) -> None:
    one, *others = picture_files(root)
    gone = one._replace(name="gone.png")
    assert find_copies(root, [gone], [*others, gone._replace(name="gone too.png")]) == {}
