"""SVHN: tiny files in the published layout."""

from pathlib import Path

import numpy as np
import pytest
import torch
from published import SVHN_COUNTS, md5, svhn_files, svhn_image
from scipy.io import savemat

from al_bench.dataset import Dataset
from al_bench.dataset.svhn import CHECKSUMS, SOURCE, svhn
from al_bench.errors import UserError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "svhn"


@pytest.fixture
def checksums(folder: Path) -> dict[str, str]:
    return svhn_files(folder)


def read(folder: Path, checksums: dict[str, str], source: str = "file:///nowhere", **more: int) -> Dataset:
    return svhn(folder, checksums=checksums, source=source, **more)


def test_the_pool_is_the_training_images_and_then_the_extra_ones(folder: Path, checksums: dict[str, str]) -> None:
    dataset = read(folder, checksums)
    assert [len(dataset.train), len(dataset.test)] == [40 + 160, 40]
    assert dataset.validation is None
    assert dataset.class_names == tuple("0123456789")
    for split, position, name, row in (
        (dataset.train, 7, "train", 7),
        (dataset.train, 40, "extra", 0),
        (dataset.train, 199, "extra", 159),
        (dataset.test, 39, "test", 39),
    ):
        found = split.images[torch.tensor([position])][0].permute(1, 2, 0).numpy()
        assert np.array_equal(found, svhn_image(name, row))


def test_the_training_images_alone_are_divided_and_need_no_others(folder: Path, checksums: dict[str, str]) -> None:
    (folder / "extra_32x32.mat").unlink()
    dataset = read(folder, checksums, extra=False, validation_size=15)
    assert dataset.validation is not None
    splits = (dataset.train, dataset.validation, dataset.test)
    assert [len(split) for split in splits] == [25, 15, 40]
    for split, position, name, row in (
        (splits[0], 24, "train", 24),
        (splits[1], 0, "train", 25),
        (splits[2], 3, "test", 3),
    ):
        found = split.images[torch.tensor([position])][0].permute(1, 2, 0).numpy()
        assert np.array_equal(found, svhn_image(name, row))
    with pytest.raises(UserError, match=r"dataset\.validation_size=40 .*0 to 39"):
        read(folder, checksums, extra=False, validation_size=40)
    with pytest.raises(UserError, match=r"put train_32x32\.mat, test_32x32\.mat"):
        read(folder.parent / "none", checksums, extra=False)


def test_ten_is_the_digit_zero(folder: Path, checksums: dict[str, str]) -> None:
    dataset = read(folder, checksums)
    assert dataset.test.labels.tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 9, 0] * 4
    assert torch.bincount(dataset.train.labels).tolist() == [20] * 10


def test_images_lie_in_memory_as_models_read_them(folder: Path, checksums: dict[str, str]) -> None:
    for split in (read(folder, checksums).train, read(folder, checksums, max_images=30).train):
        assert isinstance(split.images, torch.Tensor)
        assert split.images.is_contiguous()


def test_absent_files_are_fetched_and_the_others_left(folder: Path, checksums: dict[str, str], tmp_path: Path) -> None:
    place = tmp_path / "data"
    place.mkdir()
    (folder / "train_32x32.mat").rename(place / "train_32x32.mat")
    for _ in range(2):
        assert len(read(place, checksums, folder.as_uri()).train) == 200
    assert sorted(path.name for path in place.glob("*.mat")) == sorted(f"{name}_32x32.mat" for name in SVHN_COUNTS)


def test_without_files_and_network_it_says_what_to_put_where(folder: Path, checksums: dict[str, str]) -> None:
    said = r"lacks files .*: put train_32x32\.mat, extra_32x32\.mat, test_32x32\.mat into .*none, or set paths\.data"
    with pytest.raises(UserError, match=said):
        read(folder.parent / "none", checksums)
    with pytest.raises(UserError, match=r"train_32x32\.mat is corrupted"):
        read(folder.parent / "none", {**checksums, "train": "0" * 32}, folder.as_uri())
    assert not list((folder.parent / "none").glob("*.mat")), "nothing half-fetched stays"


@pytest.mark.parametrize("name", ["train", "extra", "test"])
def test_a_truncated_file_is_named(folder: Path, checksums: dict[str, str], name: str) -> None:
    path = folder / f"{name}_32x32.mat"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(UserError, match=rf"{name}_32x32\.mat is corrupted"):
        read(folder, checksums)


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (np.ones((11, 1)), r"\(32, 32, 3, 10\) .*11 labels"),
        (np.arange(10)[:, None], r"0 to 9.*1 to 10"),
    ],
)
def test_labels_that_do_not_fit_the_images_are_refused(
    folder: Path, checksums: dict[str, str], labels: np.ndarray, said: str
) -> None:
    path = folder / "test_32x32.mat"
    savemat(path, {"X": np.zeros((32, 32, 3, 10), dtype=np.uint8), "y": labels})
    with pytest.raises(UserError, match=rf"test_32x32\.mat holds .*{said}"):
        read(folder, {**checksums, "test": md5(path)})


def test_what_is_fetched_and_from_where_is_published() -> None:
    assert SOURCE.endswith("/housenumbers")
    assert list(CHECKSUMS) == ["train", "extra", "test"]
    assert CHECKSUMS["extra"] == "a93ce644f1a588dc4d68dda5feec44a7"
