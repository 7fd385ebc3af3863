"""What learners train on is read batch by batch, and ends in the weights that a copy of it all gives."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from composing import on_digits, part
from torch import Tensor

from al_bench.active.inputs import Inputs, read_all
from al_bench.active.pool import UNKNOWN, Pool
from al_bench.active.query import PoolQuery, SyntheticQuery

LEARNERS = ("supervised", "waal", "h_divergence")


class Counted:
    """Inputs that note how many rows each read asked for."""

    def __init__(self, inputs: Tensor) -> None:
        self.inputs, self.reads = inputs, list[int]()
        self.shape, self.dtype, self.device = inputs.shape, inputs.dtype, inputs.device

    def __len__(self) -> int:
        return len(self.inputs)

    def __getitem__(self, indices: Tensor, /) -> Tensor:
        self.reads.append(len(indices))
        return self.inputs[indices]

    def to(self, device: torch.device, /) -> Inputs:
        return self


def digits_pool(choices: tuple[str, ...]) -> Pool:
    """150 labels of 300 digits, ten of which nobody could give, and four synthetic images."""
    dataset = part("dataset", *choices, "dataset.max_images=300")
    indices = torch.arange(0, 300, 2)
    labels = dataset.train.labels[indices].clone()
    labels[:10] = UNKNOWN
    pool = Pool.unlabeled_from(dataset.train.images, dataset.num_classes).with_labels(PoolQuery(indices), labels)
    made = torch.full((4, 1, 1, 8, 8), 255, dtype=torch.uint8)
    return pool.with_labels(SyntheticQuery(made), torch.tensor([[1], [0], [1], [UNKNOWN]]))


def copied_set(pool: Pool) -> tuple[Any, Tensor]:
    """The training set as it was before it was a view: copied whole."""
    told, made = pool.labels != UNKNOWN, pool.synthetic_labels != UNKNOWN
    return torch.cat([pool.inputs[pool.labeled[told]], pool.synthetic[made]]), pool.training_labels()


@pytest.mark.parametrize("name", LEARNERS)
def test_a_fit_reads_one_batch_at_a_time_and_keeps_the_bits_of_a_copy(name: str, monkeypatch: Any) -> None:
    choices = on_digits(f"learner={name}", "strategy=random")
    learner = part("learner", *choices, "learner.epochs=2", "learner.batch_size=16")
    pool = digits_pool(choices)
    counted = Counted(read_all(pool.inputs))
    viewed = learner.fit(replace(pool, inputs=counted), None, seed=0)
    assert 0 < max(counted.reads) <= 16 + 1, "a last batch of one joins the one before it"
    monkeypatch.setattr(Pool, "training_set", copied_set)
    copied = learner.fit(pool, None, seed=0)
    first, second = viewed.state_dict(), copied.state_dict()
    assert first.keys() == second.keys()
    assert all(torch.equal(first[key], second[key]) for key in first)
    start = learner.empty(pool, seed=0).state_dict()
    assert not all(torch.equal(first[key], start[key]) for key in first), "nothing was trained"
