"""Which of the published images are in which split: the last ones, a draw, or what an index file says.

The images count from 0 through all that are published, those for training first and then those for the test. Papers
print sizes and nothing more (WAAL Tab. 2), so that a split is worth handing on as an index file.
"""

from pathlib import Path

import torch
from torch import Tensor

from al_bench import seeding
from al_bench.active.inputs import Inputs
from al_bench.dataset import Split
from al_bench.dataset.index_file import Positions, read
from al_bench.errors import UserError

Splits = tuple[Split, Split | None, Split]  # for training, validation and the test


def divide(train: Split, test: Split, validation: Tensor, file: str | Path | None) -> Splits:
    """The splits of what is published as `train` and `test`.

    validation: (V,) positions in `train` of the images that are the validation split (none: None). file: an index file
    that says of every split what is in it, whatever `validation` is. Raises UserError where it cannot be used.
    """
    if file is None and not len(validation):  # nothing is copied: SVHN with its extra images fills 2 GB
        return _number(train, 0), None, _number(test, len(train))
    published = join(train, test)
    if file is not None:
        return take(published, read(file, published.classes))
    kept = torch.ones(len(train), dtype=torch.bool)
    kept[validation] = False
    test_positions = torch.arange(len(train), len(published))
    return take(published, Positions(kept.nonzero().squeeze(1), validation, test_positions))


def join(*parts: Split) -> Split:
    """The images of all parts, in memory, counted through."""
    images = torch.cat([_in_memory(part.images) for part in parts])
    return _number(Split(images, torch.cat([part.classes for part in parts])), 0)


def _in_memory(images: Inputs) -> Tensor:
    return images if isinstance(images, Tensor) else images[torch.arange(len(images))]


def take(published: Split, positions: Positions) -> Splits:
    """The images at these positions of all that are published."""
    train, validation, test = (published.subset(chosen) for chosen in positions)
    return train, validation if len(validation) else None, test


def last(count: int, size: int) -> Tensor:
    """(size,) positions of the last of `count` images. Raises UserError for a size that leaves nothing to train on."""
    if not 0 <= size < count:
        raise UserError(f"dataset.validation_size={size} cannot be: give 0 to {count - 1:,}")
    return torch.arange(count - size, count)


def last_of_each(labels: Tensor, num_classes: int, size: int) -> Tensor:
    """(size,) ascending positions: the last images of each class, as many of each. For files that lie by class.

    labels: (N,). Raises UserError for a size that cannot be.
    """
    return _of_each(labels, num_classes, {"validation_size": size}, None)[0]


def draw(labels: Tensor, num_classes: int, validation_size: int, test_size: int, seed: int) -> Positions:
    """Positions drawn by a seed, as many of each class for validation and for the test; the rest is to train on.

    labels: (N,). Raises UserError for sizes that cannot be.
    """
    sizes = {"test_size": test_size, "validation_size": validation_size}
    test, validation = _of_each(labels, num_classes, sizes, seed)
    is_left = torch.ones(len(labels), dtype=torch.bool)
    is_left[torch.cat([test, validation])] = False
    return Positions(is_left.nonzero().squeeze(1), validation, test)


def _of_each(labels: Tensor, num_classes: int, sizes: dict[str, int], seed: int | None) -> list[Tensor]:
    """(size,) ascending positions for each size, from the end of each class, in its order or in one drawn by a seed."""
    per_class = [size // num_classes for size in sizes.values()]
    fewest = int(torch.bincount(labels, minlength=num_classes).min())
    if any(size < 0 or size % num_classes for size in sizes.values()) or sum(per_class) >= fewest:
        said = " with ".join(f"dataset.{key}={size}" for key, size in sizes.items())
        raise UserError(
            f"{said} cannot be: give multiples of {num_classes}, the number of classes, that leave some to train on of "
            f"each class, which has {fewest:,} images or more"
        )
    parts: list[list[Tensor]] = [[] for _ in sizes]
    for label in range(num_classes):
        members = (labels == label).nonzero().squeeze(1)
        if seed is not None:
            rng = seeding.generator(seeding.seed_for(seed, 0, f"splits of class {label}"))
            members = members[torch.randperm(len(members), generator=rng)]
        for part, count in zip(parts, per_class, strict=True):
            members, chosen = members[: len(members) - count], members[len(members) - count :]
            part.append(chosen)
    return [torch.cat(part).sort().values for part in parts]


def _number(split: Split, first: int) -> Split:
    return Split(split.images, split.labels, torch.arange(first, first + len(split)))
