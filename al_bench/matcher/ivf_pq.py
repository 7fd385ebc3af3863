"""Matching a hundred million features: FAISS's inverted lists of four bits for each feature, and a second look."""

import ctypes
import mmap
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from al_bench.active.part import declare
from al_bench.config.ranges import FaissCount, FaissSeed, Repeats, Shared, UpToAll
from al_bench.matcher.faiss_index import required, use_torchs_threads
from al_bench.matcher.ivf import Ivf

_BITS = 4  # of a code: those that FAISS compares sixteen at a time, in registers
_ROWS = 2**18  # added at once
_QUERIES = 256  # whose neighbors are looked at again at once


@declare("matcher/ivf_pq")
class IvfPq(Ivf):
    """Approximate: a nearest neighbor is missed whose cell is not probed, or whose code is none of the nearest.

    The index holds codes of the features' offsets from their centers (product quantization, Jegou et al. 2011), an
    eighth of the features' size, and neither reads nor copies the features again but those that a search brings up:
    they may lie in a mapped file. Of these, `refine` times as many as were asked for, the distances themselves decide.
    On the CPU, wherever the features are.

    lists: cells, at most N; None: sqrt(N) / 2: a code is compared in a nanosecond, and building takes N times lists.
    probes, sample_per_list, seed: as of `ivf`. features_per_code: features that share four bits. refine: see above.
    """

    name: ClassVar[str] = "ivf_pq"

    def __init__(
        self,
        lists: UpToAll | None,
        probes: UpToAll,
        sample_per_list: FaissCount,
        features_per_code: Shared,
        refine: Repeats,
        seed: FaissSeed,
    ) -> None:
        super().__init__(lists, probes, sample_per_list, seed)
        self.features_per_code, self.refine = features_per_code, refine

    def build(self, features: Tensor) -> None:
        """Places the cells and finds the codes on a sample, and fills the cells in one pass over the features."""
        self.index = self._trained(features, max(1, round(len(features) ** 0.5 / 2)))
        for rows in features.split(_ROWS):
            self.index.add(self._columns(rows))
        self.evenness = self.index.invlists.imbalance_factor()
        expect_random_reads(features)

    def search(self, queries: Tensor, count: int) -> Tensor:
        """The (Q, count) nearest positions of the cells probed, -1 where these hold fewer."""
        use_torchs_threads()
        self.index.nprobe = min(self.effort, self.most_effort)
        return torch.cat([self._search(part, count) for part in queries.split(_QUERIES)])

    def _search(self, queries: Tensor, count: int) -> Tensor:
        fetched = min(self.refine * count, len(self.features))
        found = torch.from_numpy(self.index.search(self._columns(queries), fetched)[1]).to(self.features.device)
        offsets = self.features[found.clamp(min=0)] - queries[:, None]  # (Q, M, D)
        distances = offsets.square().sum(2).masked_fill(found < 0, torch.inf)
        return found.gather(1, distances.topk(count, largest=False).indices)

    def at_home(self, features: Tensor) -> bool:
        """Whether it searches on the device that the features are on."""
        return not features.is_cuda

    def _columns(self, rows: Tensor) -> np.ndarray:
        return functional.pad(rows / self.scale, (0, -rows.shape[1] % self.features_per_code)).cpu().numpy()

    def _sample(self, features: Tensor) -> Tensor:
        sample = super()._sample(features)
        return sample.repeat(-(-(2**_BITS) // len(sample)), 1)  # FAISS refuses fewer rows than there are codes

    def _untrained(self, size: int, lists: int) -> Any:
        faiss = required(f"matcher={self.name}", "matcher=exact")
        codes = size // self.features_per_code
        index = faiss.IndexIVFPQFastScan(faiss.IndexFlatL2(size), size, lists, codes, _BITS)
        index.pq.cp.seed = self.seed
        index.pq.cp.min_points_per_centroid = 1
        return index


def expect_random_reads(features: Tensor) -> None:
    """Tells the system of features on the CPU, which may be mapped from a file, that rows here and there are read.

    Else it reads what follows each of them, too: of 16 neighbors of 500 queries gigabytes. Systems without this advice
    are left alone.
    """
    advise = getattr(ctypes.CDLL(None), "madvise", None) if hasattr(mmap, "MADV_RANDOM") else None
    if advise is None or features.is_cuda or not features.numel():
        return
    first = -(-features.data_ptr() // mmap.PAGESIZE) * mmap.PAGESIZE  # whole pages: others share the borders
    size = features.data_ptr() + features.numel() * features.element_size() - first
    if size > 0:
        advise(ctypes.c_void_p(first), ctypes.c_size_t(size // mmap.PAGESIZE * mmap.PAGESIZE), mmap.MADV_RANDOM)
