"""The pickled batches of CIFAR-10 and CIFAR-100, checked before they are unpickled."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from al_bench.sources.download import read_checked


def read_batch(path: Path, checksum: str, key: str) -> tuple[Tensor, Tensor]:
    """(B, 3, 32, 32) images and (B,) labels, which stand under `key`. Raises UserError as `read_pickle`."""
    batch = read_pickle(path, checksum)
    images = np.asarray(batch["data"], dtype=np.uint8).reshape(-1, 3, 32, 32)
    return torch.from_numpy(images), torch.tensor(batch[key])


def read_pickle(path: Path, checksum: str) -> dict[str, Any]:
    """What a file holds. The MD5 comes first: unpickling may run whatever a file says.

    Raises UserError for a file that has another.
    """
    content: dict[str, Any] = pickle.loads(read_checked(path, checksum), encoding="latin1")
    return content
