"""A smaller split made from one: at most so many images, or those of some classes."""

from dataclasses import replace

import torch
from torch import Tensor

from al_bench import seeding
from al_bench.dataset import Dataset, Split
from al_bench.dataset.imbalance import Imbalance


def limit(split: Split, max_images: int | None, seed: int = 0) -> Split:
    """At most `max_images` of a split, drawn by `seed`, in their first order; all of it for None."""
    if max_images is None or len(split) <= max_images:
        return split
    return split.subset(limit_positions(len(split), max_images, seed))


def limit_splits(
    dataset: Dataset,
    max_images: int | None,
    max_held_out: int | None,
    max_test: int | None = None,
    imbalance: Imbalance | None = None,
) -> Dataset:
    """At most `max_images` for training, of what `imbalance` keeps, and `max_held_out` for validation and for the test
    each, for the test no more than `max_test` either, as `limit` draws."""
    if imbalance is not None:
        dataset = replace(dataset, train=imbalance.apply(dataset.train, dataset.num_classes))
    held_out = None if dataset.validation is None else limit(dataset.validation, max_held_out)
    test = limit(dataset.test, smaller(max_held_out, max_test))
    return replace(dataset, train=limit(dataset.train, max_images), validation=held_out, test=test)


def smaller(first: int | None, second: int | None) -> int | None:
    """The smaller of two limits, None where there is neither."""
    return min((limit for limit in (first, second) if limit is not None), default=None)


def limit_positions(total: int, max_images: int, seed: int = 0) -> Tensor:
    """Which of `total` images `limit` takes, ascending."""
    return torch.randperm(total, generator=seeding.generator(seed))[:max_images].sort().values


def of_classes(split: Split, classes: list[int] | None) -> Split:
    """The images of some classes, relabeled 0, 1, ... in the order given; all of it for None."""
    if classes is None:
        return split
    kept = torch.isin(split.classes, torch.tensor(classes)).nonzero().squeeze(1)
    position = {label: number for number, label in enumerate(classes)}
    labels = torch.tensor([position[label] for label in split.classes[kept].tolist()])
    return Split(split.images[kept], labels)
