"""Data sets: what one is, and how a smaller or a sealed one is made from it.

A member is a function that returns a Dataset; its configuration node calls it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from al_bench import seeding
from al_bench.active.inputs import Inputs
from al_bench.errors import UserError


@dataclass(frozen=True)
class Split:
    """images: (N, C, H, W) uint8 by index, or (N, D) float features once a representation replaced them.
    labels: (N,) int64 classes or (N, H, W) uint8 label maps, 255 = ignore. positions: (N,) int64 among all images that
    are published, which index files are made of (`splits.py`); None where nobody counts them."""

    images: Inputs
    labels: Tensor
    positions: Tensor | None = None

    def __len__(self) -> int:
        return len(self.images)

    def subset(self, indices: Tensor) -> "Split":
        """The split of the given positions, in their order, in memory."""
        positions = None if self.positions is None else self.positions[indices]
        return Split(self.images[indices], self.labels[indices], positions)

    def to(self, device: torch.device) -> "Split":
        """The split on a device, or giving its batches there."""
        return Split(self.images.to(device), self.labels.to(device), self.positions)


@dataclass(frozen=True)
class Dataset:
    """A classification or segmentation task. `train` is the pool; `validation` may be None.

    decode: (B, D) inputs of a representation that can be turned back to float images (B, C, H, W).
    """

    train: Split
    validation: Split | None
    test: Split
    num_classes: int
    class_names: tuple[str, ...]
    decode: Callable[[Tensor], Tensor] | None = None

    @property
    def map_shape(self) -> tuple[int, ...]:
        """(H, W) of the label maps, () where a label is one class."""
        return tuple(self.train.labels.shape[1:])

    def to(self, device: torch.device) -> "Dataset":
        """All splits on a device."""
        validation = self.validation.to(device) if self.validation else None
        return replace(self, train=self.train.to(device), validation=validation, test=self.test.to(device))

    def blind(self) -> "Dataset":
        """What a strategy may see: training images. Touching a label or another split raises PermissionError."""
        sealed = cast(Any, Sealed())
        return replace(self, train=Split(self.train.images, sealed), validation=sealed, test=sealed)


class Sealed:
    """Stands where something hidden would be; any use of it raises PermissionError."""

    def _refuse(self, *use: object, **more: object) -> NoReturn:
        raise PermissionError("strategies and features see no hidden label and no validation or test image")

    __getattr__ = __getitem__ = __len__ = __iter__ = __bool__ = __array__ = __eq__ = _refuse
    __hash__ = None  # type: ignore[assignment]


def limit(split: Split, max_images: int | None, seed: int = 0) -> Split:
    """At most `max_images` of a split, drawn by `seed`, in their first order; all of it for None."""
    if max_images is None or len(split) <= max_images:
        return split
    return split.subset(limit_positions(len(split), max_images, seed))


def limit_positions(total: int, max_images: int, seed: int = 0) -> Tensor:
    """Which of `total` images `limit` takes, ascending."""
    return torch.randperm(total, generator=seeding.generator(seed))[:max_images].sort().values


def of_classes(split: Split, classes: list[int] | None) -> Split:
    """The images of some classes, relabeled 0, 1, ... in the order given; all of it for None."""
    if classes is None:
        return split
    kept = torch.isin(split.labels, torch.tensor(classes)).nonzero().squeeze(1)
    position = {label: number for number, label in enumerate(classes)}
    labels = torch.tensor([position[label] for label in split.labels[kept].tolist()])
    return Split(split.images[kept], labels)


def choose_classes(classes: Sequence[int] | None) -> list[int]:
    """The numbers of the classes to keep, of ten; None: all. Raises UserError for some that cannot be."""
    chosen = list(range(10)) if classes is None else list(classes)
    if len(set(chosen)) < max(2, len(chosen)) or not set(chosen) <= set(range(10)):
        raise UserError(f"dataset.classes={chosen} cannot be: give two or more different numbers from 0 to 9")
    return chosen


def check_ten_labels(path: Path, labels: NDArray[np.integer]) -> None:
    """Raises UserError, naming their file, for labels that are not 1 to 10, as some publishers count."""
    if not ((labels >= 1) & (labels <= 10)).all():
        raise UserError(f"{path} holds labels from {labels.min()} to {labels.max()}, not 1 to 10: get it anew")
