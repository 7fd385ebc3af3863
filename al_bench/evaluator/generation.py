"""How far generated images are from real ones, by what a network says of them: equations alone.

Features are (N, D), logits (N, K), of N images each; both float.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch_fidelity.metric_isc import KEY_METRIC_ISC_MEAN, isc_features_to_metric
from torch_fidelity.metric_prc import calculate_precision_recall_part

_LEAST_LOG = -700.0  # exp of less is 0 in float64, and 0 times log 0 is NaN
_ROWS = 1000  # images whose distances to all others are held at once


@dataclass(frozen=True)
class Moments:
    """Of features seen so far. mean: (D,), scatter: (D, D) sum of the outer products of deviations, float64."""

    count: int
    mean: Tensor
    scatter: Tensor

    @classmethod
    def none(cls, size: int, device: torch.device) -> "Moments":
        """Before the first features of D = size."""
        zeros = torch.zeros(size + 1, size, dtype=torch.float64, device=device)
        return cls(0, zeros[0], zeros[1:])

    def with_rows(self, features: Tensor) -> "Moments":
        """With (B, D) more, by the update of Chan, Golub and LeVeque (1983): a difference of large sums would lose the
        small variances that a collapsed generator has."""
        rows = features.double()
        count, mean = self.count + len(rows), rows.mean(0)
        step, deviations = mean - self.mean, rows - mean
        between = step.outer(step) * (self.count * len(rows) / count)
        return Moments(
            count, self.mean + step * (len(rows) / count), self.scatter + deviations.T @ deviations + between
        )

    @property
    def covariance(self) -> Tensor:
        """(D, D), unbiased."""
        return self.scatter / (self.count - 1)


def frechet_distance(one: Moments, other: Moments) -> float:
    """FID (Heusel et al. 2017, Eq. 6): |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)), at least 0, NaN where a moment is
    not finite.

    Ours: torch-fidelity and torchmetrics take the square roots of eigenvalues of C1 C2, which is not symmetric, and
    where a generator has collapsed these are negative or complex by rounding. C1^(1/2) C2 C1^(1/2) has the same ones
    and is symmetric, so that they are real and errors of rounding are cut at 0.
    """
    first, second = one.covariance, other.covariance
    distance = (one.mean - other.mean).square().sum() + first.trace() + second.trace()
    if not distance.isfinite():
        return float("nan")
    values, vectors = torch.linalg.eigh(first)
    root = vectors * values.clamp(min=0).sqrt() @ vectors.T
    inner = root @ second @ root
    shared = torch.linalg.eigvalsh((inner + inner.T) / 2).clamp(min=0).sqrt().sum()
    return max(float(distance - 2 * shared), 0.0)


def kernel_distance(samples: Tensor, real: Tensor, subsets: int, size: int, rng: torch.Generator) -> float:
    """KID (Binkowski et al. 2018, Sec. 4): the unbiased squared MMD by the kernel (x y / D + 1)^3, also below 0.

    The mean over `subsets` pairs of subsets of `size` images each, or as many as there are, drawn by `rng`.
    """
    from torchmetrics.image.kid import poly_mmd  # two seconds, of what measures nothing too

    size = min(size, len(samples), len(real))
    found = []
    for _ in range(subsets):
        mine, theirs = (rows[torch.randperm(len(rows), generator=rng)[:size]].double() for rows in (samples, real))
        found.append(float(poly_mmd(theirs, mine)))
    return sum(found) / subsets


def inception_score(logits: Tensor, splits: int, seed: int) -> float:
    """exp of the mean KL divergence between p(y|x) and p(y) (Salimans et al. 2016, Sec. 4), in [1, K]: the mean over
    `splits` parts of the images, which are shuffled by `seed`."""
    logs = logits.double().log_softmax(1).clamp(min=_LEAST_LOG).cpu()
    score: float = isc_features_to_metric(logs, splits=splits, shuffle=True, rng_seed=seed)[KEY_METRIC_ISC_MEAN]
    return score


def precision_and_recall(samples: Tensor, real: Tensor, neighbors: int) -> tuple[float, float]:
    """Fractions of samples among real images, and of real images among samples (Kynkaanniemi et al. 2019, Eqs. 1, 2).

    An image is among others where it is no farther from one of them than this one's `neighbors`-th nearest other. NaN
    for real images whose features are not finite.
    """
    if not real.isfinite().all():
        return math.nan, math.nan
    center = real.mean(0)  # of distances by products float32 keeps little where all lie far from 0
    precision, recall = calculate_precision_recall_part(samples - center, real - center, neighbors, _ROWS)
    return precision, recall


def count_modes(answers: Tensor, num_classes: int, share: float) -> int:
    """How many classes have more than `share` of the (N,) classes that were answered."""
    shares = torch.bincount(answers, minlength=num_classes) / len(answers)
    return int((shares > share).sum())


def fraction_by_class(hits: Tensor, classes: Tensor, num_classes: int) -> list[float]:
    """Of (N,) bool hits, the fraction in each of the (N,) classes; NaN where a class has none."""
    count, right = (torch.bincount(part, minlength=num_classes) for part in (classes, classes[hits]))
    fractions: list[float] = (right / count).tolist()
    return fractions


def fractions_of(counts: Tensor) -> list[float]:
    """What part each of (K,) counts is of their sum; NaN where that is 0."""
    fractions: list[float] = (counts / counts.sum()).tolist()
    return fractions
