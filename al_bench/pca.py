"""Principal component analysis that reads its data once, in batches (ASAL Sec. 3.2, "Efficient Feature Matching")."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor


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
    however large the pool. Each component's entry of largest magnitude is positive. Raises ValueError where a feature
    is not finite, or where there is none. Batches are not empty.
    """
    count, mean, scatter = 0, torch.zeros(()), torch.zeros(())
    for batch in batches:
        rows = batch.double()
        total = count + len(rows)
        center = rows.mean(0)
        offset, centered = center - mean.to(rows), rows - center
        scatter = scatter.to(rows) + centered.T @ centered + offset.outer(offset) * (count * len(rows) / total)
        mean = mean.to(rows) + offset * (len(rows) / total)
        count = total
    if count == 0:
        raise ValueError("a PCA needs features and got none")
    if not scatter.isfinite().all():
        raise ValueError("a PCA needs finite features and got NaN or infinity")
    components = torch.linalg.eigh(scatter).eigenvectors.T.flip(0)[:size]
    largest = components.gather(1, components.abs().argmax(1, keepdim=True))
    return Pca(mean.float(), (components * largest.sign()).float())
