"""STL10 in WAAL's variant: small files in the published layout."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from published import md5, stl10_files, stl10_image

from al_bench.dataset import Dataset, Split
from al_bench.dataset.stl10 import CHECKSUMS, CLASS_NAMES, stl10
from al_bench.errors import UserError

FILES = ["test_X.bin", "test_y.bin", "train_X.bin", "train_y.bin"]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    stl10_files(root / "stl10_binary")
    return root


def read(root: Path, **more: object) -> Dataset:
    """Ten for validation, forty for the test; checksums of the files that are there unless given."""
    folder = root / "stl10_binary"
    checksums = {name: md5(folder / name) if (folder / name).exists() else "" for name in FILES}
    arguments = {"validation_size": 10, "test_size": 40, "split_seed": 0, "checksums": checksums, **more}
    return stl10(root, source="file:///nowhere/stl10_binary.tar.gz", **arguments)  # type: ignore[arg-type]


def images(split: Split | None) -> dict[int, np.ndarray]:
    """(96, 96, 3) of each published position."""
    assert split is not None and split.positions is not None
    pixels = split.images[torch.arange(len(split))].permute(0, 2, 3, 1).numpy()
    return dict(zip(split.positions.tolist(), pixels, strict=True))


def test_all_that_is_labeled_is_split_anew(root: Path) -> None:
    dataset = read(root)
    found = [images(split) for split in (dataset.train, dataset.validation, dataset.test)]
    assert [len(part) for part in found] == [80, 10, 40]
    assert sorted(position for part in found for position in part) == list(range(130))
    for position, pixels in {**found[0], **found[1], **found[2]}.items():
        name, row = ("train", position) if position < 50 else ("test", position - 50)
        assert np.array_equal(pixels, stl10_image(name, row))
    assert torch.equal(dataset.train.labels, dataset.train.positions % 10)  # type: ignore[operator]
    assert dataset.class_names == CLASS_NAMES


def test_classes_are_alike_in_every_split(root: Path) -> None:
    dataset = read(root)
    for split, share in ((dataset.train, 8), (dataset.validation, 1), (dataset.test, 4)):
        assert split is not None
        assert torch.bincount(split.labels).tolist() == [share] * 10


def test_without_a_test_size_the_published_images_stay_where_they_are(root: Path) -> None:
    """Smaller, too: as a picture of a folder is made smaller."""
    dataset = read(root, validation_size=0, test_size=None, image_size=32)
    assert dataset.validation is None
    assert (len(dataset.train), len(dataset.test)) == (50, 80)
    for name, split, first in (("train", dataset.train, 0), ("test", dataset.test, 50)):
        assert split.images.shape[1:] == (3, 32, 32)
        for position, pixels in images(split).items():
            whole = Image.fromarray(stl10_image(name, position - first))
            assert np.array_equal(pixels, np.asarray(whole.resize((32, 32), Image.Resampling.BILINEAR)))
    assert torch.equal(dataset.train.labels, torch.arange(50) % 10)


def test_the_last_of_each_class_validate_beside_the_published_test(root: Path) -> None:
    dataset = read(root, validation_size=20, test_size=None)
    found = [sorted(images(split)) for split in (dataset.train, dataset.validation, dataset.test)]
    assert found == [list(range(30)), list(range(30, 50)), list(range(50, 130))]
    with pytest.raises(UserError, match=r"dataset\.validation_size=50 cannot be"):
        read(root, validation_size=50, test_size=None)


def test_the_splits_are_drawn_by_their_seed_alone(root: Path) -> None:
    first = read(root).test.positions
    assert first is not None
    assert torch.equal(first, read(root, max_images=7).test.positions)
    assert not torch.equal(first, read(root, split_seed=1).test.positions)


def test_sizes_that_cannot_be(root: Path) -> None:
    for sizes in ({"validation_size": 15}, {"test_size": 120}, {"test_size": 200}):
        with pytest.raises(UserError, match=r"dataset\.validation_size=.*multiples of 10"):
            read(root, **sizes)


def test_without_files_and_network_it_says_what_to_put_where(tmp_path: Path) -> None:
    said = r"stl10_binary lacks files .*: put stl10_binary\.tar\.gz into .*, or set paths\.data"
    with pytest.raises(UserError, match=said):
        read(tmp_path)


@pytest.mark.parametrize("name", FILES)
def test_a_truncated_file_is_named(root: Path, tmp_path: Path, name: str) -> None:
    stl10_files(tmp_path / "stl10_binary")
    path = tmp_path / "stl10_binary" / name
    path.write_bytes(path.read_bytes()[:-1])
    published = {name: md5(root / "stl10_binary" / name) for name in FILES}
    with pytest.raises(UserError, match=rf"{name} is corrupted"):
        read(tmp_path, checksums=published)
    with pytest.raises(UserError, match=r"_X\.bin holds [\d,]+ bytes.* [\d,]+ images"):
        read(tmp_path)


def test_labels_out_of_range_are_refused(tmp_path: Path) -> None:
    stl10_files(tmp_path / "stl10_binary")
    (tmp_path / "stl10_binary" / "test_y.bin").write_bytes(bytes(range(80)))
    with pytest.raises(UserError, match=r"test_y\.bin .*0 to 79.*1 to 10"):
        read(tmp_path)


def test_the_unlabeled_images_are_neither_needed_nor_fetched() -> None:
    assert sorted(CHECKSUMS) == FILES
    assert CHECKSUMS["test_X.bin"] == "7f263ba9f9e0b06b93213547f721ac82"
