"""The first labels: which images are annotated before any model exists."""

from typing import Literal

import torch
from torch import Tensor

from al_bench import seeding
from al_bench.active.inputs import Inputs
from al_bench.active.query import PoolQuery
from al_bench.errors import UserError, amount

Rule = Literal["random", "balanced", "stratified"]

_MOST_DRAWS = 1000


def initial_query(labels: Inputs, num_classes: int, size: int, rule: Rule, every_class: bool, seed: int) -> PoolQuery:
    """The query of the initial labels, the same for every strategy of a run's seed; see `initial_indices`."""
    rng = seeding.generator(seeding.seed_for(seed, 0, "initial"))
    return PoolQuery(initial_indices(labels, num_classes, size, rule, every_class, rng).to(labels.device))


def initial_indices(
    labels: Inputs, num_classes: int, size: int, rule: Rule, every_class: bool, rng: torch.Generator
) -> Tensor:
    """(size,) distinct positions in the training split.

    labels: (N,) int64 true classes, or (N, H, W) label maps (rule `random` alone). rule: `random`, uniform; `balanced`,
    the same number of each class as far as `size` divides (the remainder goes to classes drawn at random);
    `stratified`, class fractions of the data with largest remainders. every_class: with `random`, draw again while a
    class is missing (ASAL gives no rule for MNIST). Raises UserError where that cannot be done.
    """
    size = min(size, len(labels))
    if not isinstance(labels, Tensor) or labels.dim() > 1:
        if rule == "random":
            return torch.randperm(len(labels), generator=rng)[:size]
        raise UserError(f"loop.initial={rule} needs one class per image and this data set has label maps: use random")
    if rule == "random":
        return _random(labels, num_classes, size, every_class, rng)
    counts = torch.bincount(labels.cpu(), minlength=num_classes)
    per_class = _even(num_classes, size, rng) if rule == "balanced" else _proportional(counts, size)
    if (per_class > counts).any():
        short = int((per_class > counts).nonzero()[0])
        raise UserError(
            f"loop.initial_size={size} with loop.initial={rule} asks for {amount(int(per_class[short]), 'image')} of "
            f"class {short}, which has {int(counts[short])}: use fewer, or loop.initial=stratified"
        )
    order = torch.randperm(len(labels), generator=rng)
    by_class = order[labels.cpu()[order].argsort(stable=True)].split(counts.tolist())
    chosen = torch.cat([members[:count] for members, count in zip(by_class, per_class.tolist(), strict=True)])
    return chosen[torch.randperm(size, generator=rng)]


def _random(labels: Tensor, num_classes: int, size: int, every_class: bool, rng: torch.Generator) -> Tensor:
    if every_class and size < num_classes:
        raise UserError(
            f"loop.initial_size={size} cannot hold {num_classes} classes: use at least {num_classes}, "
            "or loop.every_class=false"
        )
    for _ in range(_MOST_DRAWS):
        chosen = torch.randperm(len(labels), generator=rng)[:size]
        if not every_class or len(labels.cpu()[chosen].unique()) == num_classes:
            return chosen
    raise UserError(
        f"loop.initial_size={size}: no draw of {_MOST_DRAWS} held all {num_classes} classes: use more, "
        "loop.initial=balanced or loop.every_class=false"
    )


def _even(num_classes: int, size: int, rng: torch.Generator) -> Tensor:
    per_class = torch.full((num_classes,), size // num_classes)
    per_class[torch.randperm(num_classes, generator=rng)[: size % num_classes]] += 1
    return per_class


def _proportional(counts: Tensor, size: int) -> Tensor:
    exact = counts.double() * size / counts.sum()
    per_class = exact.floor().long()
    largest = (exact - per_class).sort(descending=True, stable=True).indices
    per_class[largest[: size - int(per_class.sum())]] += 1
    return per_class
