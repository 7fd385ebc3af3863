"""Matching by the distances to all: FAISS's flat index, or torch where there is none."""

import importlib
import importlib.util
from types import ModuleType
from typing import Any, Literal

import torch
from torch import Tensor

from al_bench.errors import InputError
from al_bench.matcher import Matcher

_MOST_ON_GPU = 2048  # neighbors that FAISS returns for one query on a GPU
_QUERIES, _FEATURES = 256, 2**16  # a block of distances that torch holds at once: 64 MiB


class Exact(Matcher):
    """backend: `faiss`, `torch`, or `auto`: FAISS where it is installed and runs on the features' device."""

    def __init__(self, backend: Literal["auto", "faiss", "torch"]) -> None:
        if backend == "faiss" and _faiss() is None:
            raise InputError("matcher.backend=faiss: FAISS is not installed; install faiss-cpu or use backend=torch")
        self.backend = backend

    def build(self, features: Tensor) -> None:
        """Builds FAISS's index, on the features' GPU if it knows one; torch needs none."""
        self.index: Any = None
        faiss = _faiss() if self.backend != "torch" else None
        if faiss is None:
            return
        on_gpu = features.is_cuda and faiss.get_num_gpus() > 0
        if features.is_cuda and not on_gpu and self.backend == "auto":
            return
        self.index, self.most = faiss.IndexFlatL2(features.shape[1]), len(features)
        if on_gpu:
            self.resources, self.most = faiss.StandardGpuResources(), _MOST_ON_GPU
            self.index = faiss.index_cpu_to_gpu(self.resources, features.device.index or 0, self.index)
        self.index.add(features.cpu().numpy())

    def search(self, queries: Tensor, count: int) -> Tensor:
        """The (Q, count) nearest positions as far as float32 tells distances apart."""
        faiss = _faiss()
        if faiss is None or self.index is None or count > self.most:
            return nearest(self.features, queries, count)
        faiss.omp_set_num_threads(torch.get_num_threads())  # a run on one thread is to be one bit for bit
        return torch.from_numpy(self.index.search(queries.cpu().numpy(), count)[1])


def nearest(features: Tensor, queries: Tensor, count: int) -> Tensor:
    """The (Q, count) positions of the features (N, D) nearest to each query (Q, D), nearest first.

    (Q, N) distances never exist at once.
    """
    norms = features.square().sum(1)
    return torch.cat([_nearest(features, norms, part, count) for part in torch.split(queries, _QUERIES)])


def _nearest(features: Tensor, norms: Tensor, queries: Tensor, count: int) -> Tensor:
    device = features.device
    best = torch.empty(len(queries), 0, device=device)
    positions = torch.empty(len(queries), 0, dtype=torch.int64, device=device)
    for start in range(0, len(features), _FEATURES):
        block = slice(start, start + _FEATURES)
        distances = norms[block] - 2 * queries @ features[block].T  # without |query|^2, which is the same for all
        here = torch.arange(start, start + distances.shape[1], device=device).expand_as(distances)
        best, chosen = torch.cat([best, distances], 1).topk(min(count, best.shape[1] + here.shape[1]), largest=False)
        positions = torch.cat([positions, here], 1).gather(1, chosen)
    return positions


def _faiss() -> ModuleType | None:
    """FAISS, imported when it is first needed; None where it is not installed."""
    return importlib.import_module("faiss") if importlib.util.find_spec("faiss") else None
