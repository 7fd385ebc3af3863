import gzip
import hashlib
import struct
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torchvision import datasets
from torchvision.datasets.mnist import read_image_file, read_label_file

from al_bench.dataset import celeba, cifar10, cifar100, fashion_mnist, stl10, svhn
from al_bench.dataset.idx import MIRRORS, idx_splits, read_idx
from al_bench.errors import UserError
from al_bench.sources.looking import only_looking


@pytest.fixture(autouse=True)
def mirrors(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Where "Tiny" is fetched from is set by each test."""
    found: list[str] = []
    monkeypatch.setitem(MIRRORS, "Tiny", found)
    return found


def encoded(values: Tensor) -> bytes:
    """The IDX format: 0, 0, 8 for unsigned bytes, the number of dimensions, big-endian sizes, the values."""
    header = struct.pack(">4B", 0, 0, 8, values.dim()) + struct.pack(f">{values.dim()}I", *values.shape)
    return header + values.to(torch.uint8).numpy().tobytes()


IMAGES = torch.arange(5 * 28 * 28).reshape(5, 28, 28) % 251
FILES = {
    "train-images-idx3-ubyte": encoded(IMAGES[:3]),
    "train-labels-idx1-ubyte": encoded(torch.tensor([4, 0, 9])),
    "t10k-images-idx3-ubyte": encoded(IMAGES[3:]),
    "t10k-labels-idx1-ubyte": encoded(torch.tensor([1, 2])),
}
CHECKSUMS = {name: hashlib.md5(content).hexdigest() for name, content in FILES.items()}


def put(folder: Path, files: Mapping[str, bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)


def packed() -> dict[str, bytes]:
    return {f"{name}.gz": gzip.compress(content) for name, content in FILES.items()}


def check(root: Path) -> None:
    train, validation, test = idx_splits("Tiny", root, CHECKSUMS, 0)
    assert validation is None
    assert torch.equal(train.images[:], IMAGES[:3, None].to(torch.uint8))
    assert train.labels.tolist() == [4, 0, 9]
    assert torch.equal(test.images[:], IMAGES[3:, None].to(torch.uint8))
    assert test.labels.tolist() == [1, 2]


def test_reads_files_as_they_are(tmp_path: Path) -> None:
    put(tmp_path / "Tiny/raw", FILES)
    check(tmp_path)
    assert {path.name for path in (tmp_path / "Tiny/raw").iterdir()} == set(FILES), "a folder may be read-only"


def test_the_last_images_are_the_validation_split(tmp_path: Path) -> None:
    put(tmp_path / "Tiny/raw", FILES)
    train, validation, test = idx_splits("Tiny", tmp_path, CHECKSUMS, 1)
    assert validation is not None
    assert [split.labels.tolist() for split in (train, validation, test)] == [[4, 0], [9], [1, 2]]
    assert torch.equal(validation.images[:], IMAGES[2:3, None].to(torch.uint8))


@pytest.mark.parametrize("size", [-1, 3, 60_000])
def test_an_impossible_validation_size_is_refused(tmp_path: Path, size: int) -> None:
    put(tmp_path / "Tiny/raw", FILES)
    with pytest.raises(UserError, match=rf"dataset\.validation_size={size} .*0 to 2"):
        idx_splits("Tiny", tmp_path, CHECKSUMS, size)


def test_unpacks_archives(tmp_path: Path) -> None:
    put(tmp_path / "Tiny/raw", packed())
    check(tmp_path)


def test_fetches_what_is_absent_from_the_mirror_that_has_it(tmp_path: Path, mirrors: list[str]) -> None:
    put(tmp_path / "broken", dict.fromkeys(packed(), b"<html>log in first</html>"))
    put(tmp_path / "mirror", packed())
    folders = [tmp_path / name for name in ("nowhere", "broken", "mirror")]
    mirrors += [f"{folder.as_uri()}/" for folder in folders]
    check(tmp_path / "data")
    check(tmp_path / "data")


def test_what_only_looks_fetches_nothing_and_unpacks_what_is_here(tmp_path: Path, mirrors: list[str]) -> None:
    mirrors.append("https://localhost/")
    with only_looking(), pytest.raises(UserError, match=r"\(nothing is fetched to be looked at\): put "):
        idx_splits("Tiny", tmp_path, CHECKSUMS, 0)
    put(tmp_path / "Tiny/raw", packed())
    with only_looking():
        check(tmp_path)


def test_absent_files_without_a_network_are_named_with_their_place(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"train-images-idx3-ubyte, .*Tiny/raw, .*paths\.data"):
        idx_splits("Tiny", tmp_path, CHECKSUMS, 0)


@pytest.mark.parametrize("name", FILES)
def test_a_truncated_or_changed_file_is_named(tmp_path: Path, name: str) -> None:
    for content in (FILES[name][:-1], FILES[name][:-1] + b"\xff", b""):
        put(tmp_path / "Tiny/raw", {**FILES, name: content})
        with pytest.raises(UserError, match=f"{name} is corrupted"):
            idx_splits("Tiny", tmp_path, CHECKSUMS, 0)


def test_a_truncated_archive_is_named_and_nothing_is_unpacked(tmp_path: Path) -> None:
    name = "train-images-idx3-ubyte"
    put(tmp_path / "Tiny/raw", {**packed(), f"{name}.gz": packed()[f"{name}.gz"][:-20]})
    with pytest.raises(UserError, match=f"{name}.gz: "):
        idx_splits("Tiny", tmp_path, CHECKSUMS, 0)
    assert not (tmp_path / "Tiny/raw" / name).exists()


def test_files_are_read_as_torchvision_reads_them(tmp_path: Path) -> None:
    put(tmp_path, FILES)
    images, labels = (str(tmp_path / f"train-{kind}-ubyte") for kind in ("images-idx3", "labels-idx1"))
    assert torch.equal(read_idx(Path(images)), read_image_file(images))
    assert torch.equal(read_idx(Path(labels)).long(), read_label_file(labels))


def test_what_is_published_is_what_torchvision_says() -> None:
    """Sums, names and addresses, which stand here since its import takes long."""
    assert {*cifar10.CHECKSUMS.items()} == {*map(tuple, [*datasets.CIFAR10.train_list, *datasets.CIFAR10.test_list])}
    assert (datasets.CIFAR10.url, datasets.CIFAR10.base_folder) == (cifar10.SOURCE, cifar10.BATCHES)
    hundred = datasets.CIFAR100
    meta = hundred.meta["filename"], hundred.meta["md5"]
    assert {*cifar100.CHECKSUMS.items()} == {*map(tuple, [*hundred.train_list, *hundred.test_list]), meta}
    assert (hundred.url, hundred.base_folder) == (cifar100.SOURCE, cifar100.FOLDER)
    for name, (url, file, checksum) in datasets.SVHN.split_list.items():
        assert (f"{svhn.SOURCE}/{file}", svhn.CHECKSUMS[name]) == (url, checksum)
    files = dict([*datasets.STL10.train_list, *datasets.STL10.test_list])
    assert files == {**stl10.CHECKSUMS, "unlabeled_X.bin": files["unlabeled_X.bin"]}
    assert (datasets.STL10.url, datasets.STL10.base_folder) == (stl10.SOURCE, stl10.FOLDER)
    assert celeba.CHECKSUMS.items() <= {(name, checksum) for _, checksum, name in datasets.CelebA.file_list}
    assert datasets.CelebA.base_folder == celeba.FOLDER
    assert {name: getattr(datasets, name).mirrors for name in ("MNIST", "FashionMNIST")} == {
        name: [*found] for name, found in MIRRORS.items() if name != "Tiny"
    }
    assert list(fashion_mnist.CLASS_NAMES) == datasets.FashionMNIST.classes
