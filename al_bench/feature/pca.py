"""Principal component analysis that reads its data once, in batches (ASAL Sec. 3.2, "Efficient Feature Matching")."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from scipy.sparse.linalg import ArpackError, eigsh
from threadpoolctl import threadpool_limits
from torch import Tensor

from al_bench import seeding

_DENSE = 8  # times the size asked for: from there on all eigenvectors cost more than the leading ones by themselves


@dataclass(frozen=True)
class Pca:
    """mean: (D,); components: (P, D) orthonormal rows, of largest variance first."""

    mean: Tensor
    components: Tensor

    def project(self, features: Tensor) -> Tensor:
        """(B, D) features to (B, P): F_PCA of ASAL, the mean of the pool subtracted first."""
        return (features - self.mean) @ self.components.T


def fit_pca(batches: Iterable[Tensor], size: int) -> Pca:
    """The min(size, D) directions of largest variance of (B, D) batches, float32 like them.

    Mean and covariance are updated in float64 batch by batch (Chan, Golub and LeVeque 1979), so memory is O(D^2)
    however large the pool. Each component's entry of largest magnitude is positive. Raises FloatingPointError where
    a feature is not finite, ValueError where there is none. Batches are not empty.
    """
    count, mean, scatter = 0, torch.zeros(()), torch.zeros(())
    for batch in batches:
        rows = batch.double()
        total = count + len(rows)
        center = rows.mean(0)
        offset, centered = center - mean.to(rows), rows - center
        if count == 0:
            scatter = torch.zeros(rows.shape[1], rows.shape[1]).to(rows)
        # In place: at 8,192 features of a critic each copy of the scatter would take half a gigabyte
        scatter.addmm_(centered.T, centered).addr_(offset, offset, alpha=count * len(rows) / total)
        mean = mean.to(rows) + offset * (len(rows) / total)
        count = total
    if count == 0:
        raise ValueError("a PCA needs features and got none")
    if not scatter.isfinite().all():
        raise FloatingPointError("a PCA needs finite features and got NaN or infinity")
    components = _leading(scatter, size, count)
    largest = components.gather(1, components.abs().argmax(1, keepdim=True))
    return Pca(mean.float(), (components * largest.sign()).float())


def _leading(scatter: Tensor, size: int, count: int) -> Tensor:
    """The min(size, D) eigenvectors (P, D) of largest eigenvalue of a (D, D) scatter of `count` rows.

    Of thousands of features, as a critic has, few are asked for: Lanczos finds them to the same digits in a fraction of
    the time. It is not asked for directions that the rows do not have, whose eigenvalues are all 0; where it cannot do
    without some, it draws, by a seed, and of rows that are all the same it finds nothing.
    """
    if len(scatter) <= _DENSE * size or count <= 2 * size:
        return _all(scatter)[:size]
    start = torch.randn(len(scatter), generator=seeding.generator(0), dtype=torch.float64)
    try:
        with threadpool_limits(torch.get_num_threads(), "blas"):
            vectors = eigsh(scatter.cpu().numpy(), size, v0=start.numpy(), which="LA", rng=np.random.default_rng(0))[1]
    except ArpackError:
        return _all(scatter)[:size]
    found: Tensor = torch.from_numpy(vectors.T[::-1].copy())
    return found.to(scatter)


def _all(scatter: Tensor) -> Tensor:
    """All D eigenvectors (D, D), of largest eigenvalue first."""
    found: Tensor = torch.linalg.eigh(scatter).eigenvectors.T.flip(0)
    return found
