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


def test_an_index_file_divides_it_anew(real_data: Path, tmp_path: Path) -> None:
    (tmp_path / "split.json").write_text('{"train": [60000, 1], "validation": [], "test": [69999]}')
    dataset, published = fashion_mnist(real_data, 20_000, split=tmp_path / "split.json"), fashion_mnist(real_data, 0)
    assert dataset.validation is None
    assert torch.equal(dataset.train.images[:][0], published.test.images[:][0])
    assert torch.equal(dataset.train.images[:][1], published.train.images[:][1])
    assert torch.equal(dataset.test.labels, published.test.labels[-1:])
