"""Acquisition scores: logits in, one number per input out.

Every score takes logits with the classes in dimension 1, (B, K) or (B, K, H, W), and returns (B,); for label maps it
is the mean over pixels. Scores of Monte-Carlo passes take (T, B, K[, H, W]). A probability that underflows stays
finite; entropies are in nats.

In float32 the largest probability rounds to 1 once its logit lies 17 above the others. `entropy`, `least_confidence`
and `margin` are made of what is left to the others, so that images stay apart up to a gap of 87.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from al_bench.active.part import declare
from al_bench.active.pool import Pool
from al_bench.errors import UserError


def refuse_no_score(score: Callable[[Tensor], Tensor], pool: Pool, of_passes: bool = False) -> None:
    """Raises UserError for what makes no real number of each of two inputs, of the pool's classes or label maps: one of
    dropout passes in the place of one of a single pass, say. of_passes: whether logits are (T, B, K[, H, W])."""
    shape = (2, pool.num_classes, *(3 for _ in pool.labels.shape[1:]))
    try:
        found = score(torch.zeros((4, *shape) if of_passes else shape))
        why = ""
    except Exception as error:  # whatever code of a user's own raises
        found, why = None, f" ({type(error).__name__}: {error})"
    if isinstance(found, Tensor) and found.shape == (2,) and not found.is_complex() and not found.isnan().any():
        return
    name = f"{getattr(score, '__module__', '')}.{getattr(score, '__qualname__', score)}".lstrip(".")
    takes = "the logits of several dropout passes" if of_passes else "the logits of a single pass"
    like = mutual_information if of_passes else entropy
    told = "" if name.startswith(f"{__name__}.") else why
    raise UserError(
        f"{name} makes no score of {takes}{told}: use one that does, such as {like.__module__}.{like.__name__}"
    )


@declare("score/entropy")
def entropy(logits: Tensor) -> Tensor:
    """Predictive entropy H(y | x), from 0 to log K: higher is more uncertain (ASAL Sec. 3.1; Eq. 1 ascends it)."""
    gaps, others, rest = _odds(logits)
    return _per_input(rest.log1p() - (others * gaps).sum(1) / (1 + rest))


@declare("score/least_confidence")
def least_confidence(logits: Tensor) -> Tensor:
    """One minus the largest probability, from 0 to 1 - 1/K: higher is more uncertain (WAAL Sec. 4, LeastCon)."""
    _, _, rest = _odds(logits)
    return _per_input(rest / (1 + rest))


@declare("score/margin")
def margin(logits: Tensor) -> Tensor:
    """One minus the gap between the two largest probabilities, from 0 to 1: higher is more uncertain (WAAL Sec. 4)."""
    _, others, rest = _odds(logits)
    return _per_input((rest + others.amax(1)) / (1 + rest))


@declare("score/most_confidence")
def most_confidence(logits: Tensor) -> Tensor:
    """-log(1 - p_1) of the largest probability, at least -log(1 - 1/K): higher is more certain (ALCG Eq. 6).

    The order of p_1, and that of `least_confidence` from its end, at any gap between logits; of a map that of the mean.
    """
    gaps, first = _gaps(logits)
    others = gaps.scatter(1, first, -torch.inf)
    return -_log_per_input(others.logsumexp(1) - gaps.logsumexp(1))


@declare("score/large_margin")
def large_margin(logits: Tensor) -> Tensor:
    """-log(1 - (p_1 - p_2)) of the two largest probabilities, at least 0: higher is more certain (ALCG Eq. 7).

    The order of the gap, and that of `margin` from its end, as `most_confidence` has it.
    """
    gaps, first = _gaps(logits)
    others = gaps.scatter(1, first, -torch.inf)
    return -_log_per_input(torch.logaddexp(others.logsumexp(1), others.amax(1)) - gaps.logsumexp(1))


@declare("score/least_entropy")
def least_entropy(logits: Tensor) -> Tensor:
    """-log of `entropy`, at least -log log K: higher is more certain (ALCG Eq. 8), as `most_confidence` has it."""
    gaps, first = _gaps(logits)
    rest = gaps.scatter(1, first, -torch.inf).logsumexp(1)  # log((1 - p_1) / p_1)
    of_first = torch.where(rest > -16, rest.exp().log1p().log(), rest)  # log(-log p_1), which is `rest` where p_1 is 1
    of_others = (gaps + (-gaps).log()).logsumexp(1) - gaps.logsumexp(1)
    return -_log_per_input(torch.logaddexp(of_first, of_others))


def boundary_distance(logits: Tensor) -> Tensor:
    """Gap between the two largest logits, at least 0: 0 on the decision boundary.

    For two classes and a linear model this is |s(x)| = |w x + b|, s the difference of both logits, the quantity that
    GAAL minimises over z (ASAL Sec. 2; docs/papers/asal.md, Sample generation).
    """
    top = logits.topk(2, dim=1).values
    return _per_input(top[:, 0] - top[:, 1])


@declare("score/boundary_closeness")
def boundary_closeness(logits: Tensor) -> Tensor:
    """Minus `boundary_distance`, at most 0: the form of "minimum distance" that is ascended (ASAL Figs. 8, 9, 11)."""
    return -boundary_distance(logits)


@declare("score/single_worst")
def single_worst(logits: Tensor) -> Tensor:
    """log p of the least probable class, from minus infinity to -log K: higher is more uncertain, minus WAAL Eq. 10."""
    return _per_input(logits.log_softmax(1).amin(1))


@declare("score/uniformity")
def uniformity(logits: Tensor) -> Tensor:
    """Sum over classes of log p, at most -K log K (uniform): higher is more uncertain, minus WAAL Eq. 11."""
    return _per_input(logits.log_softmax(1).sum(1))


@declare("score/log_norm")
def log_norm(logits: Tensor) -> Tensor:
    """Minus the L2 norm of the log p, at most -sqrt(K) log K: higher is more uncertain, what the code of WAAL's authors
    has where the paper has Eq. 10 (docs/papers/waal.md, Paper and code)."""
    return _per_input(-logits.log_softmax(1).norm(dim=1))


@declare("score/mean_entropy")
def mean_entropy(passes: Tensor) -> Tensor:
    """Entropy of the mean of T dropout passes, from 0 to log K (DBAL as WAAL runs it; docs/papers/waal.md, Baselines).

    passes: (T, B, K[, H, W]) logits.
    """
    return _entropy_of_mean(_exact(passes)).float()


@declare("score/mutual_information")
def mutual_information(passes: Tensor) -> Tensor:
    """BALD: entropy of the mean minus the mean entropy of T dropout passes, from 0 to log K.

    passes: (T, B, K[, H, W]) logits. Zero where all passes agree, however uncertain each is; of label maps but for
    rounding, by which a small difference of two entropies may fall below.
    """
    if _are_maps(passes):
        return mean_entropy(passes) - torch.stack([entropy(logits) for logits in passes]).mean(0)
    passes = _exact(passes)
    log_probs = passes.log_softmax(2)
    expected = -(log_probs.exp() * log_probs).sum(2).mean(0)
    return (_entropy_of_mean(passes) - expected).clamp(min=0).float()


def _exact(passes: Tensor) -> Tensor:
    """In float64, for entropies and what they differ by are far below the float32 of a probability near 1; but maps,
    of which every pixel counts and no copy is made."""
    return passes if _are_maps(passes) else passes.double()


def _entropy_of_mean(passes: Tensor) -> Tensor:
    """(B,) of (T, B, K[, H, W]) logits."""
    log_mean = _log_mean(passes)
    return _per_input(-(log_mean.exp() * log_mean).sum(1))


def _log_mean(passes: Tensor) -> Tensor:
    count = torch.tensor(len(passes), dtype=passes.dtype, device=passes.device)
    if not _are_maps(passes):
        return passes.log_softmax(2).logsumexp(0) - count.log()
    total = passes[0].log_softmax(1)
    for logits in passes[1:]:
        total = torch.logaddexp(total, logits.log_softmax(1))
    return total - count.log()


def _are_maps(passes: Tensor) -> bool:
    """Whether passes are taken one by one: a single copy of 25 of 19 x 688 x 688 logits is 0.9 GB."""
    return passes.dim() > 3


def _gaps(logits: Tensor) -> tuple[Tensor, Tensor]:
    """log(p_j / p_1) of every class j, at most 0, and (B, 1[, H, W]) which class has p_1, the largest probability."""
    first = logits.max(1, keepdim=True)
    return logits - first.values, first.indices


def _odds(logits: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """log(p_j / p_1) and p_j / p_1 of every class j, of which the latter is 0 for the first class itself, and its sum,
    (1 - p_1) / p_1, which is no number where p_1 is none."""
    gaps, first = _gaps(logits)
    others = gaps.scatter(1, first, -torch.inf).exp()
    one = gaps.gather(1, first).exp().squeeze(1)
    return gaps, others, others.sum(1) * one


def _per_input(values: Tensor) -> Tensor:
    return values if values.dim() == 1 else values.flatten(1).mean(1)


def _log_per_input(logs: Tensor) -> Tensor:
    """log of what `_per_input` makes of the values whose logarithms these are."""
    return logs if logs.dim() == 1 else logs.flatten(1).logsumexp(1) - math.log(logs[0].numel())
