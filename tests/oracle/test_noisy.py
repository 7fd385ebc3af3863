from pathlib import Path

import pytest
import torch
from torch import Tensor

from al_bench.active.pool import UNKNOWN
from al_bench.active.query import PoolQuery
from al_bench.dataset import Dataset, Split
from al_bench.errors import UserError
from al_bench.oracle.noisy import Noisy
from al_bench.seeding import generator
from al_bench.storage.artifacts import Artifacts

COUNT, CLASSES = 20_000, 5
LABELS = torch.randint(CLASSES, (COUNT,), generator=generator(9))


def answers(folder: Path, flip: float, abstain: float, seed: int = 0, labels: Tensor = LABELS) -> Tensor:
    split = Split(torch.zeros(len(labels), 1, 1, 1, dtype=torch.uint8), labels)
    oracle = Noisy(flip, abstain, seed)
    oracle.prepare(Dataset(split, None, split, CLASSES, tuple("abcde")), Artifacts(folder))
    return oracle.label(PoolQuery(torch.arange(len(labels))))


@pytest.mark.parametrize(("flip", "abstain"), [(0.1, 0.0), (0.3, 0.2), (0.0, 0.5)])
def test_rates_are_within_four_standard_deviations(tmp_path: Path, flip: float, abstain: float) -> None:
    given = answers(tmp_path, flip, abstain)
    silent = int((given == UNKNOWN).sum())
    wrong = int(((given != UNKNOWN) & (given != LABELS)).sum())
    for found, rate in ((silent, abstain), (wrong, flip * (1 - abstain))):
        assert abs(found - COUNT * rate) <= 4 * (COUNT * rate * (1 - rate)) ** 0.5


def test_at_rate_one_no_label_is_true_and_every_other_class_is_as_likely(tmp_path: Path) -> None:
    given = answers(tmp_path, flip=1.0, abstain=0.0)
    steps = torch.bincount((given - LABELS) % CLASSES, minlength=CLASSES)
    assert steps[0] == 0
    assert ((steps[1:] - COUNT / 4).abs() < 4 * (COUNT * 3 / 16) ** 0.5).all()


def test_at_rate_zero_all_are_true_and_at_one_all_are_silent(tmp_path: Path) -> None:
    assert torch.equal(answers(tmp_path, 0.0, 0.0), LABELS)
    assert (answers(tmp_path, 0.3, 1.0) == UNKNOWN).all()


def test_a_higher_rate_adds_to_the_images_that_a_lower_one_hit(tmp_path: Path) -> None:
    low, high = (answers(tmp_path, flip, 0.0) for flip in (0.1, 0.2))
    hit = low != LABELS
    assert torch.equal(high[hit], low[hit])


def test_another_seed_errs_elsewhere(tmp_path: Path) -> None:
    assert torch.equal(answers(tmp_path, 0.2, 0.1, seed=1), answers(tmp_path, 0.2, 0.1, seed=1))
    assert not torch.equal(answers(tmp_path, 0.2, 0.1, seed=1), answers(tmp_path, 0.2, 0.1, seed=2))


def test_refuses_label_maps(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="labels are maps"):
        answers(tmp_path, 0.1, 0.1, labels=torch.zeros(3, 2, 2, dtype=torch.uint8))
