"""Training losses: tensors in, a scalar out, each citing its source. None has fewer bits than float32, whatever comes
in, which autocast sees to for cross entropy alone: eight bits of a mean are too few to play for."""

from collections.abc import Callable
from contextlib import nullcontext

import torch
from torch import Tensor
from torch.nn import functional

from al_bench.active.part import declare
from al_bench.training.linear_pieces import LinearPieces

IGNORED = 255  # the value in a label map that no loss and no metric looks at


@declare("loss/cross_entropy")
def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean cross entropy of (B, K) logits and (B,) labels, or of (B, K, H, W) logits and (B, H, W) uint8 maps.

    Pixels of value IGNORED do not count; 0 for maps of which all is IGNORED, which teach nothing.
    """
    if labels.dim() == 1:
        return functional.cross_entropy(logits, labels)
    some = (labels != IGNORED).any()  # stays on the device: nobody waits for it
    mean = functional.cross_entropy(logits, torch.where(some, labels, 0).long(), ignore_index=IGNORED)
    return mean * some  # a mean over no pixel would be nan, and so would its gradient


@declare("loss/smoothed_cross_entropy")
def smoothed_cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean cross entropy of (B, K) logits and labels (B,) that are believed to nine tenths, the rest shared by all
    classes alike (Szegedy et al. 2016, Sec. 7)."""
    return functional.cross_entropy(logits, labels, label_smoothing=0.1)


def cross_entropy_each(logits: Tensor, labels: Tensor) -> Tensor:
    """(B,) cross entropies of each input, for label maps the mean over its pixels that are not IGNORED.

    logits: (B, K) or (B, K, H, W); labels: (B,) or (B, H, W) maps. 0 for a map of which all is IGNORED.
    """
    if labels.dim() == 1:
        return functional.cross_entropy(logits, labels, reduction="none")
    pixels = functional.cross_entropy(logits, labels.long(), ignore_index=IGNORED, reduction="none")
    counted = (labels != IGNORED).flatten(1).sum(1)
    return pixels.flatten(1).sum(1) / counted.clamp(min=1)


@declare("loss/hinge", revision=2)
def hinge(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean multi-class hinge loss of (B, K) logits and (B,) labels, or of (B, K, H, W) logits and (B, H, W) maps.

    1/(K - 1) sum over k != y of max(0, 1 - (l_y - l_k)), that of Weston and Watkins. For two classes it is
    max(0, 1 - s y) with the decision value s = l_1 - l_0 and y = +-1, a linear SVM's, and the softmax of such logits is
    p = sigmoid(s): what the entropy of a hinge-trained model means here, which ASAL leaves open (Figs. 8, 11). Pixels
    of value IGNORED do not count; 0 for maps of which all is IGNORED.
    """
    if labels.dim() > 1:
        kept = labels != IGNORED
        logits, labels = logits.movedim(1, -1)[kept], labels[kept].long()
        if not len(labels):
            return logits.sum()
    num_classes = logits.shape[1]
    return functional.multi_margin_loss(logits, labels, margin=1.0) * num_classes / (num_classes - 1)


def on_boundary(logits: Tensor) -> Tensor:
    """Mean of s^2 over inputs that lie on the boundary of two classes, s = l_1 - l_0 of (B, 2) logits.

    The regression of boundary points to 0 that ADBA trains jointly with the hinge loss (docs/papers/asal.md, ADBA).
    """
    return raised(logits[:, 1] - logits[:, 0]).square().mean()


def ranking(predicted: Tensor, target: Tensor, margin: float) -> Tensor:
    """Mean over pairs of max(0, margin - sign(t_i - t_j) (p_i - p_j)), pairs being rows 2 i and 2 i + 1; an odd last
    row has no partner (Yoo and Kweon 2019, Eq. 2).

    predicted, target: (B,); no gradient goes to the target. 0 for a single row, `margin` where all predictions agree.
    """
    predicted, paired = raised(predicted), len(predicted) // 2 * 2
    if paired == 0:
        return predicted.sum() * 0
    gap = predicted[0:paired:2] - predicted[1:paired:2]
    order = (target[0:paired:2] - target[1:paired:2]).detach().sign()
    return (margin - order * gap).clamp(min=0).mean()


def says(logits: Tensor, target: float) -> Tensor:
    """Mean binary cross entropy of a discriminator's (B,) logits, all of which should say `target`: 1 real, 0 fake."""
    logits = logits.float()
    return functional.binary_cross_entropy_with_logits(logits, torch.full_like(logits, target))


def gradient_penalty(critic: Callable[[Tensor], Tensor], points: Tensor, target: float = 1.0) -> Tensor:
    """Mean over points of (|gradient of the critic| - target)^2: to be *added* to a loss that is minimised.

    critic: (B, ...) -> (B,) values; points: (B, ...) at which it is taken. On a CPU a weight on which no slope depends,
    such as a bias, may get no gradient in place of one of zeros. (WGAN-GP; ASAL Sec. 4.2; WAAL Sec. 3.5.)
    """
    points = points.detach().requires_grad_(True)
    with LinearPieces() if points.device.type == "cpu" else nullcontext():
        values = critic(points).float()
        (gradient,) = torch.autograd.grad(values.sum(), points, create_graph=True)
    norms: Tensor = gradient.flatten(1).norm(dim=1)
    return (norms - target).square().mean()


def interpolates(first: Tensor, second: Tensor) -> Tensor:
    """One uniform point on the line between each pair of rows; (B, ...) and (B, ...) to (B, ...)."""
    shape = (len(first),) + (1,) * (first.dim() - 1)
    weight = torch.rand(shape, device=first.device, dtype=first.dtype)
    return first + weight * (second - first)


def consistency(
    values: tuple[Tensor, Tensor],
    features: tuple[Tensor, Tensor],
    weight: float = 2.0,
    feature_weight: float = 0.1,
    margin: float = 0.0,
) -> Tensor:
    """Mean over images of max(0, weight ((D1 - D2)^2 + feature_weight mean (f1 - f2)^2) - margin): to be *added*.

    values: (B,) each, of a critic in two dropout passes on the same real images; features: (B, D) each, the inputs of
    its last layer. weight: lambda_2; margin: M'. (WGAN-CT, Wei et al. 2018, as biuyq/CT-GAN CT_gan_cifar_resnet.py
    weighs it; docs/papers/asal.md, GANs.)
    """
    apart = raised(values[0] - values[1]).square()
    features_apart = raised(features[0] - features[1]).square().mean(1)
    return (weight * (apart + feature_weight * features_apart) - margin).clamp(min=0).mean()


def domain_loss(unlabeled: Tensor, labeled: Tensor) -> Tensor:
    """Binary cross entropy of a discriminator that answers 1 on unlabeled and 0 on labeled inputs.

    unlabeled, labeled: (B,) logits; log 4 / 2 + log 4 / 2 = 2 log 2 where it cannot tell. The discriminator minimises
    it and the features maximise it, as WAAL App. H describes Eq. 20 in words; its printed sign is the other one
    (docs/papers/waal.md, H-divergence).
    """
    ones, zeros = torch.ones_like(unlabeled), torch.zeros_like(labeled)
    first = functional.binary_cross_entropy_with_logits(unlabeled, ones)
    return first + functional.binary_cross_entropy_with_logits(labeled, zeros)


def labeledness_loss(labeled: Tensor, unlabeled: Tensor) -> Tensor:
    """Binary cross entropy of a discriminator that answers 1 on labeled and 0 on unlabeled inputs (MAL Eq. 3), the
    other way round than `domain_loss`.

    labeled, unlabeled: (B,) logits.
    """
    return domain_loss(labeled, unlabeled)


def smoothed_entropy(logits: Tensor) -> Tensor:
    """Mean of -sum_k p_k log(p_k + 1e-5) over inputs, and over pixels of maps: what MAL plays for (Eq. 2).

    logits: (B, K[, H, W]). The small number is that of the published minimax entropy (VisionLearningGroup/SSDA_MME
    utils/loss.py).
    """
    probs = raised(logits).softmax(1)
    return -(probs * (probs + 1e-5).log()).sum(1).mean()


def bias_coefficient(labeled: int, unlabeled: int, query_size: int) -> float:
    """C0 = (gamma - alpha) / (gamma^2 (1 + alpha)), gamma = U / L, alpha = B / L (WAAL Eq. 8): the weight of the
    labeled batch beside the unlabeled one, 0.049 for 1,000 labels, 9,000 images and queries of 1,000.

    It is negative where the next query is larger than what is left, so no query counts for more than that.
    """
    gamma, alpha = unlabeled / labeled, min(query_size, unlabeled) / labeled
    return (gamma - alpha) / (gamma**2 * (1 + alpha))


def wasserstein(unlabeled: Tensor, labeled: Tensor, bias: float) -> Tensor:
    """mean g(unlabeled) - bias mean g(labeled), of a critic's (B,) values (WAAL Eq. 8 without mu'): the critic raises
    it and the features lower it."""
    return raised(unlabeled).mean() - bias * raised(labeled).mean()


def raised(values: Tensor) -> Tensor:
    """The same values, in float32 where they have fewer bits."""
    return values.float() if values.dtype in (torch.bfloat16, torch.float16) else values
