"""Data sets: what one is, and a sealed one.

A member is a function that returns a Dataset; its configuration node calls it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn, cast

import torch
from torch import Tensor

from al_bench.active.inputs import Inputs
from al_bench.errors import UserError
from al_bench.sources.decoding import Decoder
from al_bench.sources.listing import PictureFile
from al_bench.storage.model_file import Featured


@dataclass(frozen=True)
class Split:
    """images: (N, C, H, W) uint8 by index, or (N, D) float features once a representation replaced them.
    labels: (N,) int64 classes, a tensor, or (N, H, W) uint8 label maps by index, 255 = ignore. positions: (N,) int64
    among all images that are published, which index files are made of (`index_file`); None where nobody counts them."""

    images: Inputs
    labels: Inputs
    positions: Tensor | None = None

    def __len__(self) -> int:
        return len(self.images)

    @property
    def classes(self) -> Tensor:
        """(N,) int64 labels, where each is one class."""
        assert len(self.labels.shape) == 1, "label maps are read by index"
        assert isinstance(self.labels, Tensor)
        return self.labels

    def subset(self, indices: Tensor) -> "Split":
        """The split of the given positions, in their order, in memory."""
        positions = None if self.positions is None else self.positions[indices.to(self.positions.device)]
        return Split(self.images[indices], self.labels[indices], positions)

    def to(self, device: torch.device) -> "Split":
        """The split on a device, or giving its batches there."""
        return Split(self.images.to(device), self.labels.to(device), self.positions)


@dataclass(frozen=True)
class PictureFolder:
    """Where pictures lie. root: absolute; files: in the order of the training split; decoder: what becomes of one;
    keep: whether decoded ones are kept, if the disk has room."""

    root: Path
    files: Sequence[PictureFile]
    decoder: Decoder
    keep: bool = True


@dataclass(frozen=True)
class Dataset:
    """A classification or segmentation task. `train` is the pool; `validation` may be None.

    decode: (B, D) inputs of a representation that can be turned back to float images (B, C, H, W). skipped: how many
    pictures were left out, for they cannot be read. names: of the pictures of the training split, by position, where
    they have some. unlabeled: the folder of the training split's pictures where nobody labeled them; all labels are -1
    then, and the test split is empty. featured: how images became the inputs, where a frozen network made features of
    them.
    """

    train: Split
    validation: Split | None
    test: Split
    num_classes: int
    class_names: tuple[str, ...]
    decode: Callable[[Tensor], Tensor] | None = None
    skipped: int = 0
    names: Sequence[str] | None = None
    unlabeled: PictureFolder | None = None
    featured: Featured | None = None

    @property
    def map_shape(self) -> tuple[int, ...]:
        """(H, W) of the label maps, () where a label is one class."""
        return tuple(self.train.labels.shape[1:])

    def to(self, device: torch.device) -> "Dataset":
        """All splits on a device."""
        validation = self.validation.to(device) if self.validation else None
        return replace(self, train=self.train.to(device), validation=validation, test=self.test.to(device))

    def refuse_unlabeled(self, asks: bool) -> None:
        """Raises UserError for pictures that nobody labeled. asks: whether what runs asks an oracle for labels, so that
        a person could give them."""
        if self.unlabeled is None:
            return
        person = "have a person label them by oracle=human or oracle=files, or " if asks else ""
        raise UserError(
            f"the pictures of dataset.root={self.unlabeled.root} have no labels: {person}leave out dataset.class_names "
            "for a folder of pictures for each class"
        )

    def blind(self) -> "Dataset":
        """What a strategy may see: training images. Touching a label or another split raises PermissionError."""
        sealed = cast(Any, Sealed())
        return replace(self, train=Split(self.train.images, sealed), validation=sealed, test=sealed, names=None)


class Sealed:
    """Stands where something hidden would be; any use of it raises PermissionError."""

    def _refuse(self, *use: object, **more: object) -> NoReturn:
        raise PermissionError("strategies and features see no hidden label and no validation or test image")

    __getattr__ = __getitem__ = __len__ = __iter__ = __bool__ = __array__ = __eq__ = _refuse
    __hash__ = None  # type: ignore[assignment]
