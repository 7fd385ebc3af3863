"""Two indexes of NVIDIA's cuVS as FAISS has them, for the bench alone until a GPU has said what they are worth.

Written after FAISS 1.15.1 (the package faiss-gpu-cuvs), its headers and tests; not run on a GPU yet.
"""

import importlib
from typing import Any

import torch
from torch import Tensor

from al_bench import seeding
from al_bench.matcher import Matcher
from al_bench.matcher.exact import nearest
from al_bench.matcher.faiss_index import library

_MOST_PROBES = 2**14  # that FAISS lets cuVS look into
_MOST_KEPT = 512  # that one block of threads keeps on its way along the graph
_NEEDS = "GpuIndexCagra"  # FAISS has it only where it was built with cuVS


def lacks_gpu(points: Tensor) -> str:
    """Why FAISS cannot search points where they are, on a GPU; empty where it can."""
    faiss = library()
    if faiss is None:
        return "FAISS is not installed"
    if faiss.get_num_gpus() == 0:
        return f"FAISS {faiss.__version__} as it is installed finds no GPU; faiss-gpu and faiss-gpu-cuvs are for one"
    return "" if points.is_cuda else f"the points are on {points.device}"


def lacks_cuvs(points: Tensor) -> str:
    """The same of cuVS."""
    faiss = library()
    if faiss is not None and not hasattr(faiss, _NEEDS):
        return f"FAISS {faiss.__version__} as it is installed was built without cuVS; faiss-gpu-cuvs has it"
    return lacks_gpu(points)


class CuvsLists(Matcher):
    """Inverted lists of whole float32 features, as many as `Ivf` makes; effort: lists that a query looks into.

    sample_per_list: features per list that cuVS is given to place them, of which it takes half. seed: of that sample.
    """

    effort = 1

    def __init__(self, sample_per_list: int, seed: int) -> None:
        self.sample_per_list, self.seed = sample_per_list, seed

    def build(self, features: Tensor) -> None:
        """Places the lists on a sample and fills them, on the features' GPU."""
        faiss = importlib.import_module("faiss")
        config = faiss.GpuIndexIVFFlatConfig()
        config.device, config.use_cuvs = features.device.index or 0, True
        lists = min(round(3 * len(features) ** 0.5), len(features))
        self.most_effort = min(lists, _MOST_PROBES)
        self.resources = faiss.StandardGpuResources()  # which have to live as long as the index
        self.index: Any = faiss.GpuIndexIVFFlat(self.resources, features.shape[1], lists, faiss.METRIC_L2, config)
        drawn = torch.randperm(len(features), generator=seeding.generator(self.seed))[: self.sample_per_list * lists]
        self.index.train(features[drawn.to(features.device)].cpu().numpy())
        self.index.add(features.cpu().numpy())

    def search(self, queries: Tensor, count: int) -> Tensor:
        """The (Q, count) nearest positions of the lists looked into, -1 where these hold fewer."""
        if count > _MOST_PROBES:
            return nearest(self.features, queries, count)
        self.index.nprobe = min(self.effort, self.most_effort)
        return torch.from_numpy(self.index.search(queries.cpu().numpy(), count)[1])


class Cagra(Matcher):
    """A graph of neighbors made for GPUs (Ootomo et al. 2024, CAGRA), as cuVS makes it by default.

    effort: nearest so far that a search keeps on its way.
    """

    effort, most_effort = 1, _MOST_KEPT

    def build(self, features: Tensor) -> None:
        """Links the features, on their GPU."""
        faiss = importlib.import_module("faiss")
        config = faiss.GpuIndexCagraConfig()
        config.device = features.device.index or 0
        self.resources = faiss.StandardGpuResources()
        self.index: Any = faiss.GpuIndexCagra(self.resources, features.shape[1], faiss.METRIC_L2, config)
        self.rows = features.cpu().numpy()  # FAISS keeps where they are
        self.index.train(self.rows)

    def search(self, queries: Tensor, count: int) -> Tensor:
        """The (Q, count) nearest positions that the graph leads to."""
        if count > self.most_effort:
            return nearest(self.features, queries, count)
        kept = importlib.import_module("faiss").SearchParametersCagra(itopk_size=max(self.effort, count))
        return torch.from_numpy(self.index.search(queries.cpu().numpy(), count, params=kept)[1])
