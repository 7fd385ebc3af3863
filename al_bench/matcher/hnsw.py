"""Matching along a graph of neighbors: hierarchical navigable small worlds (Malkov and Yashunin 2018), by FAISS."""

import importlib
from typing import Any

import torch
from torch import Tensor

from al_bench.active.part import declare
from al_bench.config.ranges import FaissCount, Links
from al_bench.matcher import Matcher
from al_bench.matcher.faiss_index import required, use_torchs_threads

_HOP = 25.0  # a distance along the graph against one of a plain scan: timed by hand, one thread, 50 dimensions


@declare("matcher/hnsw", revision=2)
class Hnsw(Matcher):
    """Approximate, on the CPU; building takes long (0.2 ms a feature), memory the features once more and the links.

    neighbors: links of a feature, M. ef_construction, ef: how many nearest so far are kept on the way, while building
    and in a search. The graph is built on one thread, because links depend on which came first; so the same features
    give the same index. Of features at one point it may find some alone: these link to each other only.
    """

    index: Any

    def __init__(self, neighbors: Links, ef_construction: FaissCount, ef: FaissCount) -> None:
        required("matcher=hnsw", "matcher=exact")
        self.neighbors, self.ef_construction, self.effort = neighbors, ef_construction, ef

    def build(self, features: Tensor) -> None:
        """Links the features, in their order."""
        faiss = required("matcher=hnsw", "matcher=exact")
        self.index = faiss.IndexHNSWFlat(features.shape[1], self.neighbors)
        self.index.hnsw.efConstruction = self.ef_construction
        self.most_effort = len(features)
        threads = torch.get_num_threads()
        faiss.omp_set_num_threads(1)
        try:
            self.index.add(features.cpu().numpy())
        finally:
            faiss.omp_set_num_threads(threads)  # where both share one OpenMP, it was torch's number too

    def search(self, queries: Tensor, count: int) -> Tensor:
        """The (Q, count) nearest positions that the graph leads to, -1 where it leads to fewer."""
        use_torchs_threads()
        self.index.hnsw.efSearch = self.effort  # FAISS takes `count` where that is more
        return torch.from_numpy(self.index.search(queries.cpu().numpy(), count)[1])

    def work(self, queries: Tensor) -> tuple[float, float]:
        """What building took, and what searching for one query takes, in distances of a plain scan.

        Both are the distances that FAISS counts in searches for `queries`: to build is to search for each feature.
        """
        counted = [_HOP * self._distances(queries, ef) for ef in (self.ef_construction, self.effort)]
        return counted[0] * len(self.features), counted[1]

    def _distances(self, queries: Tensor, ef: int) -> float:
        faiss = importlib.import_module("faiss")
        self.index.hnsw.efSearch = ef
        faiss.cvar.hnsw_stats.reset()
        self.index.search(queries.cpu().numpy(), 1)
        return float(faiss.cvar.hnsw_stats.ndis) / len(queries)

    def at_home(self, features: Tensor) -> bool:
        """Whether it searches on the device that the features are on."""
        return not features.is_cuda
