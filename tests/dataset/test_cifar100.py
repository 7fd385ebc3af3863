"""CIFAR-100: tiny files in the published layout."""

import pickle
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest
import torch
from published import cifar100_files, cifar100_image, md5

from al_bench.dataset import Dataset
from al_bench.dataset.cifar100 import CHECKSUMS, cifar100
from al_bench.dataset.imbalance import Imbalance
from al_bench.dataset.index_file import write
from al_bench.errors import UserError


def read(root: Path, checksums: dict[str, str], **more: object) -> Dataset:
    return cifar100(root, checksums=checksums, source="file:///nowhere/cifar100.tar.gz", **more)  # type: ignore[arg-type]


def test_reads_the_published_files_by_their_fine_labels(tmp_path: Path) -> None:
    dataset = read(tmp_path, cifar100_files(tmp_path))
    assert dataset.class_names[:2] == ("thing00", "thing01")
    assert dataset.num_classes == 100
    assert dataset.train.labels.tolist() == list(range(100)) * 4
    assert dataset.test.labels.tolist() == list(range(100))
    for split, name, row in ((dataset.train, "train", 213), (dataset.test, "test", 7)):
        found = split.images[torch.tensor([row])][0].permute(1, 2, 0).numpy()
        assert np.array_equal(found, cifar100_image(name, row))


def refuse() -> NoReturn:
    raise AssertionError("unpickled")


class Unpickled:
    def __reduce__(self) -> tuple[object, ...]:
        return (refuse, ())


@pytest.mark.parametrize("name", list(CHECKSUMS))
def test_the_sum_comes_before_unpickling(tmp_path: Path, name: str) -> None:
    checksums = cifar100_files(tmp_path)
    path = tmp_path / "cifar-100-python" / name
    path.write_bytes(pickle.dumps(Unpickled()))
    with pytest.raises(UserError, match=rf"{name} is corrupted or truncated"):
        read(tmp_path, checksums)
    with pytest.raises(AssertionError, match="unpickled"):
        read(tmp_path, {**checksums, name: md5(path)})


def test_without_files_it_says_what_to_put_where(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"cifar-100-python lacks files .*put cifar100\.tar\.gz into .*paths\.data"):
        read(tmp_path, CHECKSUMS)


def test_the_imbalanced_form_is_handed_on_as_an_index_file(tmp_path: Path) -> None:
    """The test stays whole, and a file says all there is to say."""
    checksums, thin = cifar100_files(tmp_path), Imbalance([0.25, 1])
    dataset = read(tmp_path, checksums, imbalance=thin)
    assert sorted(torch.bincount(dataset.train.labels).tolist()) == [1] * 50 + [4] * 50
    assert len(dataset.test) == 100
    write(tmp_path / "split.json", dataset)
    again = read(tmp_path, checksums, split=tmp_path / "split.json", imbalance=thin)
    assert again.train.positions is not None and dataset.train.positions is not None
    assert torch.equal(again.train.positions, dataset.train.positions)
    assert torch.equal(again.train.images[torch.arange(250)], dataset.train.images[torch.arange(250)])


def test_what_validates_is_not_thinned(tmp_path: Path) -> None:
    dataset = read(tmp_path, cifar100_files(tmp_path), validation_size=100, imbalance=Imbalance([0.34]))
    assert dataset.validation is not None
    assert [len(dataset.train), len(dataset.validation), len(dataset.test)] == [100, 100, 100]
