"""Matching among the cells of a k-means that are nearest to the query: FAISS's inverted lists."""

from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from al_bench import seeding
from al_bench.active.part import declare
from al_bench.config.ranges import FaissCount, FaissSeed, UpToAll
from al_bench.matcher import Matcher
from al_bench.matcher.exact import nearest
from al_bench.matcher.faiss_index import MOST_ON_GPU, placed, reaches, required, use_torchs_threads

_ASSIGNED = 0.3  # a distance to a center while building, many rows at once, against one of a plain scan: timed by hand
_WIDTH = 16  # FAISS reads half precision by so many columns at once, and one by one where they do not divide the size
_ROWS = 2**18  # added at once


@declare("matcher/ivf", revision=2)
class Ivf(Matcher):
    """Approximate: a nearest neighbor whose cell is not probed is missed.

    The index holds each feature's offset from its center in half precision, which is read in half the time of floats
    and orders neighbors well enough to fetch some; the rule of `match` computes the distances of those in float64.
    Features at one point are in one cell and found together; others at equal distances where their cells are probed.

    lists: cells, at most N; None: 3 sqrt(N): more make cells that miss less for as many rows, and take as
    much longer to build.
    probes: cells looked into, of a query's nearest centers. sample_per_list: rows of the pool per cell that k-means
    sees. seed: of the sample and of k-means; the same features give the same index.
    """

    index: Any
    name: ClassVar[str] = "ivf"

    def __init__(self, lists: UpToAll | None, probes: UpToAll, sample_per_list: FaissCount, seed: FaissSeed) -> None:
        required(f"matcher={self.name}", "matcher=exact")
        self.lists, self.effort = lists, probes
        self.sample_per_list, self.seed = sample_per_list, seed

    def build(self, features: Tensor) -> None:
        """Places the cells by k-means on a sample and fills them; on the features' GPU if FAISS knows one."""
        index = self._trained(features, round(3 * len(features) ** 0.5))
        self.index = placed(index, features)
        if self.index is index:
            self._fill(features)
            return
        self.evenness = 1.0  # not told there
        for rows in features.split(_ROWS):
            self.index.add(self._columns(rows))

    def _trained(self, features: Tensor, usual: int) -> Any:
        """Cells, `usual` ones where `lists` says nothing, without features."""
        use_torchs_threads()
        self.most_effort = min(self.lists or usual, len(features))
        self.scale = self.largest**0.5 or 1.0  # of the longest feature: half precision ends at 65,504
        sample = self._columns(self._sample(features))
        index = self._untrained(sample.shape[1], self.most_effort)
        index.cp.seed = self.seed
        index.cp.min_points_per_centroid = 1  # else it warns on stderr, whatever the features are
        index.cp.max_points_per_centroid = self.sample_per_list
        index.train(sample)
        return index

    def _untrained(self, size: int, lists: int) -> Any:
        faiss = required(f"matcher={self.name}", "matcher=exact")
        return faiss.IndexIVFScalarQuantizer(faiss.IndexFlatL2(size), size, lists, faiss.ScalarQuantizer.QT_fp16)

    def _sample(self, features: Tensor) -> Tensor:
        count = self.sample_per_list * self.most_effort
        if count >= len(features):
            return features
        chosen = torch.randperm(len(features), generator=seeding.generator(self.seed))[:count]
        return features[chosen.to(features.device)]

    def _columns(self, rows: Tensor) -> np.ndarray:
        return functional.pad(rows / self.scale, (0, -rows.shape[1] % _WIDTH)).cpu().numpy()

    def _fill(self, features: Tensor) -> None:
        """Fills lists that were made as long as they need to be: FAISS doubles those that run full, to up to twice.

        Also notes how many times more rows a query meets in these lists than in lists of equal length.
        """
        pointer = required("matcher=ivf", "matcher=exact").swig_ptr
        parts = features.split(_ROWS)
        cells = [self.index.quantizer.assign(self._columns(rows), 1)[:, 0] for rows in parts]
        lengths = np.bincount(np.concatenate(cells), minlength=self.most_effort)
        for cell, length in enumerate(lengths.tolist()):
            self.index.invlists.resize(cell, length)
            self.index.invlists.resize(cell, 0)
        for rows, where in zip(map(self._columns, parts), cells, strict=True):
            self.index.add_core(len(rows), pointer(rows), None, pointer(where), None)
        self.evenness = float(len(lengths) * np.square(lengths / len(features)).sum())

    def search(self, queries: Tensor, count: int) -> Tensor:
        """The (Q, count) nearest positions of the cells probed, -1 where these hold fewer."""
        use_torchs_threads()
        on_gpu = self.features.is_cuda and reaches(self.features)
        if on_gpu and count > MOST_ON_GPU:
            return nearest(self.features, queries, count)
        self.index.nprobe = min(self.effort, MOST_ON_GPU if on_gpu else self.most_effort, self.most_effort)
        return torch.from_numpy(self.index.search(self._columns(queries), count)[1])

    def work(self, queries: Tensor) -> tuple[float, float]:
        """What building took, and what searching for one query takes, in distances of a plain scan.

        `evenness` is how many times more rows a query meets in uneven cells than in even ones.
        """
        num_features, lists = len(self.features), self.most_effort
        trained = 10 * min(self.sample_per_list * lists, num_features)  # FAISS iterates ten times
        in_lists = num_features / lists * self.evenness * min(self.effort, lists)
        return _ASSIGNED * (num_features + trained) * lists, lists + in_lists

    def at_home(self, features: Tensor) -> bool:
        """Whether it searches on the device that the features are on."""
        return reaches(features)
