"""Index files and the splits that they are made of."""

import json
from pathlib import Path

import pytest
import torch
from torch import Tensor

from al_bench.dataset import Dataset, Split
from al_bench.dataset.index_file import read, write
from al_bench.dataset.splits import divide, draw, join, last, last_of_each, take
from al_bench.dataset.subset import limit
from al_bench.errors import UserError
from scripts import split

LABELS = torch.tensor([0, 1, 2, 2, 1, 0, 0, 1, 2, 1, 0, 2, 2, 0, 1])  # five of each
POSITIONS = {"train": [3, 0, 1], "validation": [2], "test": [4, 14]}


def numbered(first: int, labels: Tensor) -> Split:
    """Images that hold their number."""
    numbers = torch.arange(first, first + len(labels), dtype=torch.uint8)
    return Split(numbers[:, None, None, None], labels)


TRAIN, TEST = numbered(0, LABELS[:9]), numbered(9, LABELS[9:])


def numbers(split: Split | None) -> list[int]:
    if split is None:
        return []
    found: list[int] = split.images[torch.arange(len(split))].flatten().tolist()
    assert split.labels.tolist() == LABELS[found].tolist()
    assert split.positions is not None and split.positions.tolist() == found
    return found


@pytest.mark.gpu
def test_a_part_of_a_split_on_a_gpu_keeps_its_positions() -> None:
    whole = Split(TRAIN.images, TRAIN.labels, torch.arange(9)).to(torch.device("cuda"))
    part = whole.subset(torch.tensor([8, 2], device="cuda"))
    assert part.positions is not None and part.positions.tolist() == [8, 2]


def put(path: Path, content: object) -> Path:
    path.write_text(json.dumps(content))
    return path


def test_the_last_images_validate() -> None:
    train, validation, test = divide(TRAIN, TEST, last(9, 2), None)
    assert numbers(train) == [0, 1, 2, 3, 4, 5, 6]
    assert numbers(validation) == [7, 8]
    assert numbers(test) == [9, 10, 11, 12, 13, 14]


def test_without_validation_nothing_is_copied() -> None:
    train, validation, test = divide(TRAIN, TEST, last(9, 0), None)
    assert validation is None
    assert train.images is TRAIN.images and test.images is TEST.images
    assert (numbers(train), numbers(test)) == (list(range(9)), list(range(9, 15)))


def test_of_images_that_lie_by_class_the_last_of_each_validate() -> None:
    labels = torch.arange(3).repeat_interleave(5)
    assert last_of_each(labels, 3, 6).tolist() == [3, 4, 8, 9, 13, 14]
    assert len(last_of_each(labels, 3, 0)) == 0


def test_a_draw_takes_as_many_of_each_class_and_leaves_the_rest() -> None:
    labels = torch.arange(10).repeat(1300)
    found = draw(labels, 10, validation_size=1000, test_size=4000, seed=0)
    for positions, share in zip(found, (800, 100, 400), strict=True):
        assert torch.bincount(labels[positions]).tolist() == [share] * 10
        assert torch.equal(positions, positions.sort().values)
    assert torch.equal(torch.cat(found).sort().values, torch.arange(13_000))
    again, other = (draw(labels, 10, 1000, 4000, seed) for seed in (0, 1))
    assert all(map(torch.equal, found, again))
    assert not any(map(torch.equal, found, other))
    overlap = len(set(found.test.tolist()) & set(other.test.tolist()))
    assert 1050 < overlap < 1410, "4000 * 4000 / 13000 = 1231 by chance"


@pytest.mark.parametrize(("validation", "test"), [(1, 3), (3, 4), (6, 9), (-3, 3), (0, 15)])
def test_sizes_that_cannot_be_drawn_are_refused(validation: int, test: int) -> None:
    said = rf"test_size={test} with dataset\.validation_size={validation} cannot be: give multiples of 3"
    with pytest.raises(UserError, match=said):
        draw(LABELS, 3, validation, test, seed=0)
    with pytest.raises(UserError, match=r"validation_size=9 .*0 to 8"):
        last(9, 9)
    with pytest.raises(UserError, match=r"validation_size=-1 "):
        last(9, -1)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    found = draw(LABELS, 3, 3, 6, seed=0)
    train, validation, test = take(join(TRAIN, TEST), found)
    write(tmp_path / "split.json", Dataset(train, validation, test, 3, ("a", "b", "c")))
    assert all(map(torch.equal, read(tmp_path / "split.json", LABELS), found))
    again = divide(TRAIN, TEST, last(9, 4), tmp_path / "split.json")
    assert [numbers(split) for split in again] == [part.tolist() for part in found]


def test_a_cut_pool_is_handed_on_as_it_was_cut(tmp_path: Path) -> None:
    train, _, test = divide(TRAIN, TEST, last(9, 0), None)
    cut = limit(train, 4)
    write(tmp_path / "split.json", Dataset(cut, None, test, 3, ("a", "b", "c")))
    again, validation, _ = divide(TRAIN, TEST, last(9, 0), tmp_path / "split.json")
    assert numbers(again) == numbers(cut)
    assert validation is None


def test_a_file_of_your_own_needs_no_mark(tmp_path: Path) -> None:
    found = divide(TRAIN, TEST, last(9, 0), put(tmp_path / "mine.json", POSITIONS))
    assert [numbers(split) for split in found] == list(POSITIONS.values())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"train": [0, 15]}, r".*image 15 .*15 "),
        ({"train": [0, -1]}, r".*image -1 .*15"),
        ({"train": [0, 10**30]}, r".*image 1,000,.*15"),
        ({"train": [0, 1, 2]}, r".*image 2 twice"),
        ({"train": [3, 3]}, r".*image 3 twice"),
        ({"test": []}, r".*no images for test"),
        ({"train": [], "validation": []}, r".*no images for train"),
        ({"test": None}, r"is no index file"),
        ({"test": [0.5]}, r"is no index file"),
        ({"labels": "0123456789abcdef"}, r".*other images"),
    ],
)
def test_what_cannot_be_a_split_is_refused(tmp_path: Path, change: dict[str, object], said: str) -> None:
    path = put(tmp_path / "split.json", POSITIONS | change)
    with pytest.raises(UserError, match=rf"dataset\.split=.*split\.json {said}"):
        read(path, LABELS)


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.json .*\(No such file or directory\).*scripts/split\.py"):
        read(tmp_path / "none.json", LABELS)
    with pytest.raises(UserError, match=r"\(Is a directory\)"):
        read(tmp_path, LABELS)
    whole = put(tmp_path / "split.json", POSITIONS).read_text()
    for content in (whole[:-3].encode(), b"", b"\xff\xfe"):
        (tmp_path / "split.json").write_bytes(content)
        with pytest.raises(UserError, match=r"split\.json is corrupted"):
            read(tmp_path / "split.json", LABELS)
    with pytest.raises(UserError, match=r"split\.json "):
        read(put(tmp_path / "split.json", [1, 2]), LABELS)


@pytest.mark.parametrize("change", ["shorter", "exchanged", "of others"])
def test_what_was_changed_since_is_refused(tmp_path: Path, change: str) -> None:
    train, validation, test = divide(TRAIN, TEST, last(9, 2), None)
    write(tmp_path / "split.json", Dataset(train, validation, test, 3, ("a", "b", "c")))
    content, labels = json.loads((tmp_path / "split.json").read_text()), LABELS
    if change == "shorter":
        content["train"].pop()
    elif change == "exchanged":
        content["train"][0], content["test"][1] = content["test"][1], content["train"][0]
        content["train"][1], content["test"][2] = content["test"][2], content["train"][1]
    else:
        labels = LABELS.flip(0)
    with pytest.raises(UserError, match=r"other images"):
        read(put(tmp_path / "split.json", content), labels)


@pytest.mark.real_data
def test_one_command_writes_the_split(real_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    split.main(["dataset=fashion_mnist", f"paths.data={real_data}", str(tmp_path / "split.json")])
    assert "40,000 train, 20,000 validation, 10,000 test images" in capsys.readouterr().out
    found = json.loads((tmp_path / "split.json").read_text())
    assert found["train"] == list(range(40_000))
    assert found["validation"] == list(range(40_000, 60_000))
    assert found["test"] == list(range(60_000, 70_000))


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (["dataset=digits"], r"this data set does not say which"),
        (["dataset=digit"], r"dataset=digit .*digits\?"),
        (["dataset=digits", "dataset.side=8"], r".*'dataset\.side'"),
    ],
)
def test_the_command_says_what_is_wrong(tmp_path: Path, overrides: list[str], said: str) -> None:
    with pytest.raises(UserError, match=said):
        split.main([*overrides, str(tmp_path / "split.json")])
    assert not list(tmp_path.iterdir())


def test_the_command_needs_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        split.main(["dataset=digits", "paths.data=data"])
    assert "paths.data=data is no file: name the one to write last" in capsys.readouterr().err


@pytest.mark.parametrize("file", [".", "/", "dataset=digits"])
def test_a_command_without_a_file_to_write_is_refused(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        split.main(["dataset=stl10", file])
    assert f"{file} is no file: name the one to write last" in capsys.readouterr().err
