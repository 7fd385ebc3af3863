"""Data sets of millions of pictures, named by their list: no picture is decoded before it is asked for."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from al_bench.active.inputs import Inputs
from al_bench.config.ranges import NoneToAll
from al_bench.dataset import Dataset, Split
from al_bench.dataset.imbalance import Imbalance
from al_bench.dataset.subset import limit_positions
from al_bench.errors import UserError
from al_bench.sources.cache import LazyImages, decode_pictures, fits
from al_bench.sources.decoding import Decoder
from al_bench.sources.file_list import FileList

Expected = Mapping[str, NoneToAll]  # classes, and pictures of the lists train and val


@dataclass(frozen=True)
class Listed:
    """Pictures and their classes. labels: (N,) int64."""

    files: FileList
    labels: Tensor

    def __len__(self) -> int:
        return len(self.files)

    def limit(self, most: int | None) -> "Listed":
        """At most so many, as `subset.limit` draws."""
        if most is None or most >= len(self):
            return self
        return self.take(limit_positions(len(self), most))

    def take(self, positions: Tensor) -> "Listed":
        """Those at (M,) positions, in their order."""
        return Listed(self.files.take(positions.tolist()), self.labels[positions])


@dataclass(frozen=True)
class Reading:
    """How pictures become images: decoded whenever asked for, or with `keep` once, into the folder `decoded`."""

    decoder: Decoder
    decoded: Path
    keep: bool

    def split(self, listed: Listed) -> Split:
        """Raises UserError where one of a thousand pictures, evenly spaced, is not there."""
        return Split(self._images(listed.files), listed.labels)

    def _images(self, files: FileList) -> Inputs:
        """Known by their list, decoded or not: to decode a million for that would take hours."""
        assert self.decoder.size is not None
        shape = torch.Size((len(files), self.decoder.num_channels, *self.decoder.size))
        try:
            known = json.dumps([files.id, asdict(self.decoder)])
        except OSError as error:
            raise UserError(f"{error.filename} is named by a list and cannot be read: unpack all pictures") from error
        fingerprint = hashlib.sha256(known.encode()).hexdigest()[:16]
        if self.keep:
            self.decoded.mkdir(parents=True, exist_ok=True)
            if fits(self.decoded, shape):
                kept = decode_pictures(files, [fingerprint], self.decoder, self.decoded, keep=True)
                return replace(kept, fingerprint=fingerprint)
        return LazyImages(files, self.decoder, shape, fingerprint)


def assemble(
    lists: Mapping[str, Listed],
    class_names: tuple[str, ...],
    reading: Reading,
    root: Path,
    expected: Expected | None,
    max_images: int | None,
    max_held_out: int | None,
    imbalance: Imbalance | None = None,
) -> Dataset:
    """The data set of the lists `train`, its pool, and `val`, its test.

    root: of the pictures; expected: see `Expected`; None: whatever there is. imbalance: what is kept of the pool.
    Raises UserError where the counts differ, and where a class has no picture in one of both.
    """
    found = {"classes": len(class_names), **{name: len(listed) for name, listed in lists.items()}}
    for name, wanted in (expected or {}).items():
        if found.get(name) != wanted:
            what = name if name == "classes" else f"pictures in {name}"
            raise UserError(
                f"{root} is half there, or another data set: it has {found.get(name, 0):,} {what} and {wanted:,} are "
                "expected: put all there, or take what is there by dataset.expected=null"
            )
    for name, listed in lists.items():
        empty = (torch.bincount(listed.labels, minlength=len(class_names)) == 0).nonzero()
        if len(empty):
            raise UserError(f"{root} has no picture of class {class_names[int(empty[0])]} in {name}: put all there")
    train, test = lists["train"], lists["val"].limit(max_held_out)
    if imbalance is not None:
        train = train.take(imbalance.positions(train.labels, len(class_names)))
    train = train.limit(max_images)
    return Dataset(reading.split(train), None, reading.split(test), len(class_names), class_names)
