"""FAISS, imported when it is first needed: on the GPU of the features where it knows one, with torch's threads."""

import importlib
import importlib.util
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from al_bench.errors import UserError

MOST_ON_GPU = 2048  # neighbors that FAISS returns for one query, and lists that it probes, on a GPU


def library() -> ModuleType | None:
    """FAISS; None where it is not installed."""
    return importlib.import_module("faiss") if importlib.util.find_spec("faiss") else None


def required(key: str, instead: str) -> ModuleType:
    """FAISS. Raises UserError where it is not installed; key: what asks for it; instead: what does without."""
    faiss = library()
    if faiss is None:
        raise UserError(f"{key}: FAISS is not installed; install faiss-cpu or use {instead}")
    return faiss


def reaches(features: Tensor) -> bool:
    """Whether FAISS is installed and searches on the device that the features are on."""
    faiss = library()
    return faiss is not None and (not features.is_cuda or faiss.get_num_gpus() > 0)


def placed(index: Any, features: Tensor) -> Any:
    """The index on the features' GPU if FAISS knows one, else the index."""
    faiss = importlib.import_module("faiss")
    if not features.is_cuda or faiss.get_num_gpus() == 0:
        return index
    resources = faiss.StandardGpuResources()
    moved = faiss.index_cpu_to_gpu(resources, features.device.index or 0, index)
    moved.resources = resources  # which have to live as long as the index
    return moved


def use_torchs_threads() -> None:
    """As many threads as torch has: a run on one thread is to be one bit for bit."""
    importlib.import_module("faiss").omp_set_num_threads(torch.get_num_threads())
