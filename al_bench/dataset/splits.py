"""Which of the published images are in which split: the last ones, a draw, or what an index file says.

The images count from 0 through all that are published, those for training first and then those for the test. Papers
print sizes and nothing more (WAAL Tab. 2), so that a split is worth handing on: `write` makes an index file of it,
`read` takes it back.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from al_bench import seeding
from al_bench.active.inputs import Inputs
from al_bench.dataset import Dataset, Split
from al_bench.errors import UserError
from al_bench.files import read_json, write_json

Splits = tuple[Split, Split | None, Split]  # for training, validation and the test


class Positions(NamedTuple):
    """(P,) of the images of each split among all that are published; those for validation may be none."""

    train: Tensor
    validation: Tensor
    test: Tensor


def divide(train: Split, test: Split, validation: Tensor, file: str | Path | None) -> Splits:
    """The splits of what is published as `train` and `test`.

    validation: (V,) positions in `train` of the images that are the validation split (none: None). file: an index file
    that says of every split what is in it, whatever `validation` is. Raises UserError where it cannot be used.
    """
    if file is None and not len(validation):  # nothing is copied: SVHN with its extra images fills 2 GB
        return _number(train, 0), None, _number(test, len(train))
    published = join(train, test)
    if file is not None:
        return take(published, read(file, published.labels))
    kept = torch.ones(len(train), dtype=torch.bool)
    kept[validation] = False
    test_positions = torch.arange(len(train), len(published))
    return take(published, Positions(kept.nonzero().squeeze(1), validation, test_positions))


def join(*parts: Split) -> Split:
    """The images of all parts, in memory, counted through."""
    images = torch.cat([_in_memory(part.images) for part in parts])
    return _number(Split(images, torch.cat([part.labels for part in parts])), 0)


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


def write(path: Path, dataset: Dataset) -> None:
    """Writes an index file: the positions of each split, and a mark of their labels by which other images show.

    Raises UserError for a data set that does not know its positions.
    """
    splits = [dataset.train, dataset.validation, dataset.test]
    present = {name: split for name, split in zip(Positions._fields, splits, strict=True) if split is not None}
    positions = {name: split.positions.tolist() for name, split in present.items() if split.positions is not None}
    if len(positions) < len(present):
        raise UserError(
            "this data set does not say which of the published images it holds, so there is no index file of it: name "
            "one of published files, such as dataset=fashion_mnist"
        )
    mark = _mark([split.labels for split in present.values()])
    write_json(path, {"labels": mark, **{name: positions.get(name, []) for name in Positions._fields}})


def read(file: str | Path, labels: Tensor) -> Positions:
    """The positions that an index file holds: JSON with the lists train, validation and test, the second perhaps empty,
    and the mark of `write`, which a file of your own may leave out.

    labels: (N,) of all published images. Raises UserError for a file that is missing, is no such one, or was made of
    other images.
    """
    name = f"dataset.split={file}"
    try:
        found = read_json(Path(file).expanduser())
    except OSError as error:
        raise UserError(f"{name} cannot be read ({error.strerror}): scripts/split.py makes such a file") from error
    except ValueError as error:
        raise UserError(f"{name} is corrupted or truncated: get it anew") from error
    lists: list[Any] = [found.get(part) for part in Positions._fields] if isinstance(found, dict) else [None]
    if not all(_is_index(part) for part in lists):
        raise UserError(f"{name} is no index file: that is JSON with whole numbers in train, validation and test")
    _check(name, lists, len(labels))
    positions = Positions(*(torch.tensor(part, dtype=torch.int64) for part in lists))
    mark = found.get("labels")
    if mark is not None and mark != _mark([labels[part] for part in positions if len(part)]):
        raise UserError(
            f"{name} was made of other images, of these in another order or format, or was changed since: make it anew "
            "by scripts/split.py"
        )
    return positions


def _is_index(part: Any) -> bool:
    return isinstance(part, list) and all(type(position) is int for position in part)


def _check(name: str, lists: Sequence[list[int]], count: int) -> None:
    empty = [part for part, positions in zip(Positions._fields, lists, strict=True) if not positions]
    if empty and empty != ["validation"]:
        raise UserError(f"{name} holds no images for {empty[0]}: every data set needs some")
    times = Counter(position for positions in lists for position in positions)
    outside = [position for position in times if not 0 <= position < count]
    if outside:
        raise UserError(f"{name} names image {outside[0]:,} and there are {count:,} from 0 on: get another")
    twice = [position for position, found in times.items() if found > 1]
    if twice:
        raise UserError(f"{name} names image {twice[0]:,} twice: an image is in one split")


def _mark(parts: Sequence[Tensor]) -> str:
    """Sixteen hexadecimal digits of the labels of each split, in order."""
    state = hashlib.sha256()
    for labels in parts:
        state.update(f"{tuple(labels.shape)}".encode())
        state.update(labels.to(torch.int64).contiguous().numpy().tobytes())
    return state.hexdigest()[:16]


def _number(split: Split, first: int) -> Split:
    return Split(split.images, split.labels, torch.arange(first, first + len(split)))
