"""Counts of docs/papers/asal.md, Data, on the real files."""

from pathlib import Path

import pytest
import torch

from al_bench.dataset.mnist import mnist
from al_bench.errors import UserError

pytestmark = pytest.mark.real_data


def test_two_classes_have_the_papers_counts(real_data: Path) -> None:
    dataset = mnist(real_data, 10_000, classes=[5, 7])
    assert len(dataset.train) == 9_681
    assert len(dataset.test) == 1_920
    assert torch.bincount(dataset.train.labels).tolist() == [4_506, 5_175]
    assert torch.bincount(dataset.test.labels).tolist() == [892, 1_028]
    assert dataset.num_classes == 2
    assert dataset.class_names == ("5", "7")


def test_the_order_of_classes_is_the_order_of_labels(real_data: Path) -> None:
    assert torch.bincount(mnist(real_data, 10_000, classes=[7, 5]).test.labels).tolist() == [1_028, 892]


def test_ten_classes_are_split_50k_10k_10k(real_data: Path) -> None:
    dataset = mnist(real_data, 10_000)
    assert dataset.validation is not None
    assert [len(split) for split in (dataset.train, dataset.validation, dataset.test)] == [50_000, 10_000, 10_000]
    assert dataset.train.images.shape[1:] == (1, 28, 28)
    assert dataset.train.images.dtype == torch.uint8
    assert dataset.train.labels[:5].tolist() == [5, 0, 4, 1, 9], "the first images of the published file"


def test_only_the_training_split_is_cut(real_data: Path) -> None:
    dataset = mnist(real_data, 0, max_images=300)
    assert len(dataset.train) == 300
    assert dataset.validation is None
    assert len(dataset.test) == 10_000


@pytest.mark.parametrize("classes", [[5], [5, 5], [5, 10], []])
def test_impossible_classes_are_refused(real_data: Path, classes: list[int]) -> None:
    with pytest.raises(UserError, match=r"dataset\.classes"):
        mnist(real_data, 10_000, classes=classes)
