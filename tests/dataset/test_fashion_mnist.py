"""Counts of WAAL Tab. 2, on the real files."""

from pathlib import Path

import pytest
import torch

from al_bench.dataset.fashion_mnist import fashion_mnist

pytestmark = pytest.mark.real_data


def test_split_40k_20k_10k(real_data: Path) -> None:
    dataset = fashion_mnist(real_data, 20_000)
    assert dataset.validation is not None
    assert [len(split) for split in (dataset.train, dataset.validation, dataset.test)] == [40_000, 20_000, 10_000]
    assert torch.bincount(dataset.test.labels).tolist() == [1_000] * 10
    assert dataset.class_names[0] == "T-shirt/top"
    assert dataset.num_classes == len(dataset.class_names) == 10


def test_only_the_training_split_is_cut(real_data: Path) -> None:
    dataset = fashion_mnist(real_data, 20_000, max_images=300)
    assert len(dataset.train) == 300
    assert len(dataset.test) == 10_000
