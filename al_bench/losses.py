"""Training losses: tensors in, a scalar out, each citing its source."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

IGNORED = 255  # the value in a label map that no loss and no metric looks at


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean cross entropy of (B, K) logits and (B,) labels, or of (B, K, H, W) logits and (B, H, W) uint8 maps.

    Pixels of value IGNORED do not count.
    """
    if labels.dim() == 1:
        return functional.cross_entropy(logits, labels)
    return functional.cross_entropy(logits, labels.long(), ignore_index=IGNORED)


def gradient_penalty(critic: Callable[[Tensor], Tensor], points: Tensor, target: float = 1.0) -> Tensor:
    """Mean over points of (|gradient of the critic| - target)^2: to be *added* to a loss that is minimised.

    critic: (B, ...) -> (B,) values; points: (B, ...) at which it is taken. (WGAN-GP; ASAL Sec. 4.2, facts 1.5; WAAL
    Sec. 3.5.)
    """
    points = points.detach().requires_grad_(True)
    values = critic(points).float()
    (gradient,) = torch.autograd.grad(values.sum(), points, create_graph=True)
    norms: Tensor = gradient.flatten(1).norm(dim=1)
    return (norms - target).square().mean()


def interpolates(first: Tensor, second: Tensor) -> Tensor:
    """One uniform point on the line between each pair of rows; (B, ...) and (B, ...) to (B, ...)."""
    shape = (len(first),) + (1,) * (first.dim() - 1)
    weight = torch.rand(shape, device=first.device, dtype=first.dtype)
    return first + weight * (second - first)


def domain_loss(unlabeled: Tensor, labeled: Tensor) -> Tensor:
    """Binary cross entropy of a discriminator that answers 1 on unlabeled and 0 on labeled inputs.

    unlabeled, labeled: (B,) logits; log 4 / 2 + log 4 / 2 = 2 log 2 where it cannot tell. The discriminator minimises
    it and the features maximise it, as WAAL App. H describes Eq. 20 in words; its printed sign is the other one
    (facts 2.4).
    """
    ones, zeros = torch.ones_like(unlabeled), torch.zeros_like(labeled)
    first = functional.binary_cross_entropy_with_logits(unlabeled, ones)
    return first + functional.binary_cross_entropy_with_logits(labeled, zeros)
