"""Matching by the distances to all: FAISS, or torch where there is none."""

import importlib
import importlib.util
import logging
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from al_bench.active.part import declare
from al_bench.matcher import Matcher
from al_bench.matcher.faiss_index import MOST_ON_GPU, library, placed, reaches, required, use_torchs_threads

logger = logging.getLogger(__name__)

_QUERIES, _FEATURES = 256, 2**16  # a block of distances that torch holds at once: 64 MiB
_CACHED = 2**14  # features that stay in the cache while FAISS goes through them for each of some queries


@declare("matcher/exact", revision=2)
class Exact(Matcher):
    """backend: `faiss`, `torch`, or `auto`: FAISS where it is installed and runs on the features' device; `fused`: one
    pass by a kernel (`fused.py`) where the features are on a GPU and Triton is installed, elsewhere torch."""

    def __init__(self, backend: Literal["auto", "faiss", "torch", "fused"]) -> None:
        if backend == "faiss":
            required("matcher.backend=faiss", "backend=torch")
        self.backend = backend

    def build(self, features: Tensor) -> None:
        """FAISS searches rows in memory where they are; on a GPU it has an index of its own. Torch keeps norms."""
        self.rows: np.ndarray | None = None
        self.index: Any = None
        self.norms: Tensor | None = None
        self.scan: Callable[[Tensor, Tensor, int, Any], Tensor] = nearest
        faiss = library() if self.backend in ("auto", "faiss") else None
        if faiss is None or (self.backend == "auto" and not reaches(features)):
            self.norms = squared_norms(features)
            self.scan = _fused(features) if self.backend == "fused" else nearest
            return
        if features.is_cuda and reaches(features):
            self.index = placed(faiss.IndexFlatL2(features.shape[1]), features)
            self.index.add(features.cpu().numpy())
        else:
            self.rows = features.cpu().numpy()

    def search(self, queries: Tensor, count: int) -> Tensor:
        """The (Q, count) nearest positions as far as float32 tells distances apart."""
        if self.rows is not None:
            use_torchs_threads()
            return torch.cat([scanned(part.cpu().numpy(), self.rows, count) for part in queries.split(_QUERIES)])
        if self.index is not None and count <= MOST_ON_GPU:
            return torch.from_numpy(self.index.search(queries.cpu().numpy(), count)[1])
        return self.scan(self.features, queries, count, self.norms)


def _fused(features: Tensor) -> Callable[[Tensor, Tensor, int, Any], Tensor]:
    """The scan in one pass, or torch's, which finds the same, with a sentence that says why."""
    if lacking := lacks_fused(features):
        logger.warning(f"matcher.backend=fused: {lacking}, so torch scans them, which finds the same")
        return nearest
    from al_bench.matcher.fused import nearest_fused

    return nearest_fused


def lacks_fused(features: Tensor) -> str:
    """Why the scan in one pass cannot search features where they are; empty where it can."""
    if not features.is_cuda:
        return f"the features are on {features.device}, not on a GPU"
    return "" if importlib.util.find_spec("triton") else "Triton is not installed"


def scanned(queries: np.ndarray, rows: np.ndarray, count: int) -> Tensor:
    """The (Q, count) positions of the rows (N, D) nearest to each query (Q, D), nearest first, by FAISS.

    Block by block, which takes 0.6 of the time of a scan of all rows for one query after the other.
    """
    faiss = importlib.import_module("faiss")
    starts = range(0, len(rows), _CACHED)
    blocks = [rows[start : start + _CACHED] for start in starts]
    found = [faiss.knn(queries, block, min(count, len(block))) for block in blocks]
    distances = torch.from_numpy(np.concatenate([part for part, _ in found], 1))
    positions = torch.from_numpy(np.concatenate([at + start for (_, at), start in zip(found, starts, strict=True)], 1))
    return positions.gather(1, distances.topk(count, largest=False).indices)


def nearest(features: Tensor, queries: Tensor, count: int, norms: Tensor | None = None) -> Tensor:
    """The (Q, count) positions of the features (N, D) nearest to each query (Q, D), nearest first.

    norms: (N,) `squared_norms` of the features, where they are known. (Q, N) distances never exist at once.
    """
    norms = squared_norms(features) if norms is None else norms
    return torch.cat([_nearest(features, norms, part, count) for part in torch.split(queries, _QUERIES)])


def squared_norms(features: Tensor) -> Tensor:
    """The (N,) squared lengths of features (N, D), whose squares never exist at once."""
    return torch.cat([part.square().sum(1) for part in features.split(_FEATURES)])


def _nearest(features: Tensor, norms: Tensor, queries: Tensor, count: int) -> Tensor:
    device = features.device
    # on a GPU as many features as make a block of that size: each block costs launches, which take longer than it does
    rows = _QUERIES * _FEATURES // len(queries) if features.is_cuda else _FEATURES
    best = torch.empty(len(queries), 0, device=device)
    positions = torch.empty(len(queries), 0, dtype=torch.int64, device=device)
    for start in range(0, len(features), rows):
        block = slice(start, start + rows)
        distances = norms[block] - 2 * queries @ features[block].T  # without |query|^2, which is the same for all
        near, chosen = distances.topk(min(count, distances.shape[1]), largest=False)
        best, order = torch.cat([best, near], 1).topk(min(count, best.shape[1] + near.shape[1]), largest=False)
        positions = torch.cat([positions, start + chosen], 1).gather(1, order)
    return positions
