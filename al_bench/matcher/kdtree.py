"""Matching by a k-d tree, as ASAL does (Sec. 3.2): sub-linear where the features have few dimensions."""

import numpy as np
import torch
from scipy.spatial import cKDTree
from torch import Tensor

from al_bench.active.part import declare
from al_bench.matcher import Matcher


@declare("matcher/kdtree", revision=2)
class KdTree(Matcher):
    """SciPy's k-d tree on the CPU, in float64."""

    def build(self, features: Tensor) -> None:
        """Builds the tree of (N, D) features."""
        self.tree = cKDTree(features.cpu().numpy())

    def search(self, queries: Tensor, count: int) -> Tensor:
        """The (Q, count) nearest positions, exactly, on the CPU."""
        _, positions = self.tree.query(queries.cpu().numpy(), k=np.arange(1, count + 1))
        return torch.from_numpy(positions)
