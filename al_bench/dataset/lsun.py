"""LSUN scenes, ten million pictures of ten kinds, of which ASAL splits off a test of its own (Sec. 4.1)."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from al_bench import seeding
from al_bench.active.inputs import Inputs
from al_bench.active.part import declare
from al_bench.config.ranges import Seed, Side, UpToAll
from al_bench.dataset import Dataset, Split
from al_bench.dataset.imbalance import Imbalance
from al_bench.dataset.subset import limit_positions, smaller
from al_bench.errors import UserError
from al_bench.sources.cache import LazyImages, decode_pictures, fits
from al_bench.sources.decoding import Decoder
from al_bench.sources.listing import DATABASE, database_file, databases_id, id_of
from al_bench.sources.lmdb_pictures import Keys, LmdbPictures, keys_of

SCENES = (
    "bedroom", "bridge", "church_outdoor", "classroom", "conference_room", "dining_room", "kitchen", "living_room",
    "restaurant", "tower",
)  # fmt: skip


@dataclass(frozen=True)
class Databases:
    """One database for each kind, their pictures counted through; decoder, decoded and keep: how these are read."""

    folders: Sequence[Path]
    keys: Sequence[Keys]
    decoder: Decoder
    decoded: Path
    keep: bool

    def __len__(self) -> int:
        return sum(len(keys) for keys in self.keys)

    def split(self, positions: Tensor) -> Split:
        """The pictures at (N,) ascending positions among all, labeled in the order of the databases."""
        pictures = LmdbPictures(self.folders, self.keys, positions.numpy())
        return Split(self._images(pictures), self.labels(positions))

    def labels(self, positions: Tensor) -> Tensor:
        """(N,) classes of the pictures at (N,) positions among all."""
        ends = torch.tensor([len(keys) for keys in self.keys]).cumsum(0)
        return torch.bucketize(positions, ends, right=True)

    def _images(self, pictures: LmdbPictures) -> Inputs:
        """Known by what they are, decoded or not: to decode ten million for that would take hours."""
        size = self.decoder.size
        assert size is not None
        shape = torch.Size((len(pictures), self.decoder.num_channels, *size))
        files = [database_file(folder.parent, folder.name) for folder in self.folders]
        ids = [id_of(folder.parent, [file]) for folder, file in zip(self.folders, files, strict=True)]
        state = hashlib.sha256(json.dumps([ids, asdict(self.decoder)]).encode())
        state.update(np.ascontiguousarray(pictures.positions).data)
        fingerprint = state.hexdigest()[:16]
        if not self.keep or not fits(self.decoded, shape):
            return LazyImages(pictures, self.decoder, shape, fingerprint)
        known = [fingerprint, [file.changed for file in files]]
        return replace(decode_pictures(pictures, known, self.decoder, self.decoded, keep=True), fingerprint=fingerprint)


@declare(
    "dataset/lsun",
    beside=(
        "root",
        "cache",
        "decoded",
    ),
)
def lsun(
    root: str | Path,
    classes: Sequence[str],
    test_size: UpToAll,
    split_seed: Seed,
    image_size: Side,
    crop: Side | None,
    cache: Literal["auto", "never"],
    decoded: str | Path,
    max_images: UpToAll | None = None,
    max_held_out: UpToAll | None = None,
    max_test: UpToAll | None = None,
    files: str | None = None,
    imbalance: Imbalance | None = None,
) -> Dataset:
    """(N, 3, image_size, image_size) images of scenes, decoded when they are asked for.

    root: the folder of the published databases <class>_train_lmdb; where there is <class>_val_lmdb of every class,
    these are the validation split. classes: of SCENES, labeled in this order. test_size: of the pictures for training,
    drawn by split_seed, which are the test; all others are the pool. crop: side in pixels of the square in the middle
    that is cut out and scaled; None: the largest there is. cache: `never`, or `auto` to decode all of a split at once
    and keep that in the folder `decoded` if its disk has room. decoded: also for the lists of keys, made once.
    max_images: of the training split; max_held_out: of the two others each; max_test: of the test split alone. files:
    what the databases are expected to be, see `listing.databases_id`. imbalance: what is kept of the training
    split.

    Raises UserError naming what is missing, corrupted or truncated, and for values that cannot be.
    """
    unknown = sorted(set(classes) - set(SCENES))
    if unknown or len(set(classes)) < max(2, len(classes)):
        raise UserError(
            f"dataset.classes={list(classes)} cannot be: give two or more different ones of {', '.join(SCENES)}"
        )
    folder = _checked_root(root, classes, files)
    decoder = Decoder((image_size, image_size), "center", "rgb", window=crop)

    def databases(ending: str) -> Databases:
        folders, lists = [folder / f"{name}_{ending}_lmdb" for name in classes], Path(decoded).expanduser()
        return Databases(folders, [keys_of(place, lists) for place in folders], decoder, lists, cache == "auto")

    published = databases("train")
    train, test = divide(len(published), test_size, split_seed)
    if imbalance is not None:
        train = train[imbalance.positions(published.labels(train), len(classes))]
    train, test = _limit(train, max_images), _limit(test, smaller(max_held_out, max_test))
    validation = None
    if all((folder / f"{name}_val_lmdb" / DATABASE).exists() for name in classes):
        known = databases("val")
        validation = known.split(_limit(torch.arange(len(known)), max_held_out))
    return Dataset(published.split(train), validation, published.split(test), len(classes), tuple(classes))


def _checked_root(root: str | Path, classes: Sequence[str], files: str | None) -> Path:
    """The folder, without links in its path. Raises UserError where a database is missing or another."""
    folder = Path(root).expanduser().resolve()
    missing = [f"{name}_train_lmdb" for name in classes if not (folder / f"{name}_train_lmdb" / DATABASE).exists()]
    if missing:
        raise UserError(
            f"{folder} lacks {', '.join(missing)}: unpack the databases of LSUN's scenes there, each with its "
            f"{DATABASE}, or set paths.data to where their folder {folder.name} lies"
        )
    if files is not None and databases_id(str(root), classes, "_train_lmdb") != files:
        raise UserError(f"{folder} holds other databases than the run was made with: put those back")
    return folder


def _limit(positions: Tensor, most: int | None) -> Tensor:
    return positions if most is None or most >= len(positions) else positions[limit_positions(len(positions), most)]


def divide(total: int, test_size: int, split_seed: int) -> tuple[Tensor, Tensor]:
    """Ascending positions of the training and the test split, every picture being as likely in the test."""
    if not 0 < test_size < total:
        raise UserError(
            f"dataset.test_size={test_size} cannot be: give 1 to {total - 1:,}, the databases hold {total:,}"
        )
    order = torch.randperm(total, generator=seeding.generator(seeding.seed_for(split_seed, 0, "test of lsun")))
    is_test = torch.zeros(total, dtype=torch.bool)
    is_test[order[:test_size]] = True
    return (~is_test).nonzero().squeeze(1), is_test.nonzero().squeeze(1)
