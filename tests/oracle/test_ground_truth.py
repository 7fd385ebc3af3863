from pathlib import Path

import torch

from al_bench.active.query import PoolQuery
from al_bench.dataset import Dataset, Split
from al_bench.oracle.ground_truth import GroundTruth
from al_bench.storage.artifacts import Artifacts


def test_is_exact(tmp_path: Path) -> None:
    split = Split(torch.zeros(5, 1, 2, 2, dtype=torch.uint8), torch.tensor([4, 2, 0, 1, 3]))
    oracle = GroundTruth()
    oracle.prepare(Dataset(split, None, split, 5, tuple("abcde")), Artifacts(tmp_path))
    assert oracle.label(PoolQuery(torch.tensor([3, 0, 4]))).tolist() == [1, 4, 3]
