"""Your own pictures: a folder for each class, below `train/` and `test/` or `val/`, or split here."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from pydantic import PositiveInt

from al_bench import seeding
from al_bench.active.part import declare
from al_bench.config.ranges import ProperFraction
from al_bench.dataset import Dataset, Split
from al_bench.dataset.imbalance import Imbalance
from al_bench.dataset.subset import limit_positions, smaller
from al_bench.errors import UserError
from al_bench.sources.cache import decode_images
from al_bench.sources.decoding import Decoder, size_of
from al_bench.sources.listing import SUFFIXES, PictureFile, picture_files, pictures_id, visible_folders

logger = logging.getLogger(__name__)

Files = list[PictureFile]
ByClass = dict[str, Files]


@dataclass(frozen=True)
class Reading:
    """How pictures become images: the arguments of `image_folder` of the same names."""

    decoder: Decoder
    decoded: Path
    cache: Literal["auto", "never"]

    def split(self, root: Path, classes: Mapping[str, Sequence[PictureFile]], max_images: int | None = None) -> Split:
        """The pictures of each class, labeled in the order of the classes; at most `max_images`, as `limit` draws."""
        files = [file for members in classes.values() for file in members]
        labels = torch.tensor([label for label, members in enumerate(classes.values()) for _ in members])
        if max_images is not None and len(files) > max_images:
            taken = limit_positions(len(files), max_images)
            files, labels = [files[position] for position in taken.tolist()], labels[taken]
        return Split(decode_images(root, files, self.decoder, self.decoded, self.cache == "auto"), labels)


@declare(
    "dataset/image_folder",
    beside=(
        "root",
        "cache",
        "decoded",
    ),
)
def image_folder(
    root: str | Path | None,
    image_size: PositiveInt | Sequence[PositiveInt] | None,
    crop: Literal["center", "none"],
    mode: Literal["rgb", "gray"],
    test_share: ProperFraction,
    split_seed: int,
    cache: Literal["auto", "never"],
    decoded: str | Path,
    classes: Sequence[str] | None = None,
    max_images: PositiveInt | None = None,
    max_held_out: PositiveInt | None = None,
    max_test: PositiveInt | None = None,
    files: str | None = None,
    imbalance: Imbalance | None = None,
) -> Dataset:
    """(N, C, H, W) images of any files that Pillow reads; the names of the class folders, sorted, are the classes.

    root: has the folders train and test or val (with all three val is the validation split), or train alone, or the
    class folders themselves. image_size: a side, or [height, width]; None: that of the pictures, if all have the same.
    crop, mode: see `Decoder`. test_share: of each class, drawn by split_seed, where the folder has no test pictures.
    cache: `auto` keeps decoded pictures in the folder `decoded` if its disk has room, `never` decodes them whenever
    they are asked for. classes: those to keep, labeled 0, 1, ... in this order; None: all. max_images: of the training
    split; max_held_out: of the two others each; max_test: of the test split alone. files: what the folder is expected
    to hold, see `listing.pictures_id`. imbalance: what is kept of the training split.

    Raises UserError for a folder that is not such a one, for arguments that cannot be, and for pictures that cannot be
    read, all of which are looked at.
    """
    reading = _reading(image_size, crop, mode, cache, decoded)
    folder = _checked_root(root, files)
    splits = _splits(folder, test_share, split_seed, classes)
    if imbalance is not None:
        splits["train"] = _thin(splits["train"], imbalance)
    most = {"train": max_images, "val": max_held_out, "test": smaller(max_held_out, max_test)}
    found = {name: reading.split(folder, members, most[name]) for name, members in splits.items()}
    train, validation, test = found["train"], found.get("val"), found["test"]
    for name, split in (("test", test), ("validation", validation)):
        if split is not None and split.images.shape[1:] != train.images.shape[1:]:
            raise UserError(
                f"pictures differ in size: those for training have {_size(train)} pixels and those for {name} have "
                f"{_size(split)}: give one for all, such as dataset.image_size=64"
            )
    return Dataset(train, validation, test, len(splits["train"]), tuple(splits["train"]))


def _thin(found: ByClass, imbalance: Imbalance) -> ByClass:
    files = [file for members in found.values() for file in members]
    labels = torch.tensor([label for label, members in enumerate(found.values()) for _ in members])
    names = list(found)
    thinned: ByClass = {name: [] for name in names}
    for position in imbalance.positions(labels, len(found)).tolist():
        thinned[names[int(labels[position])]].append(files[position])
    return thinned


def _size(split: Split) -> str:
    return " x ".join(str(side) for side in split.images.shape[2:])


def _reading(
    image_size: int | Sequence[int] | None,
    crop: Literal["center", "none"],
    mode: Literal["rgb", "gray"],
    cache: Literal["auto", "never"],
    decoded: str | Path,
) -> Reading:
    """Raises UserError for a size that cannot be."""
    return Reading(Decoder(size_of(image_size), crop, mode), Path(decoded).expanduser(), cache)


def _checked_root(root: str | Path | None, files: str | None) -> Path:
    if root is None:
        raise UserError("dataset.root is not given: name your folder of pictures by dataset.root=DIR")
    folder = Path(str(root)).expanduser()
    if not folder.is_dir():
        raise UserError(f"dataset.root={root} is not a folder: name one that holds a folder of pictures for each class")
    if files is not None and pictures_id(str(root)) != files:
        raise UserError(f"dataset.root={root} holds other pictures than the run was made with: put those back")
    return folder


def _splits(folder: Path, test_share: float, split_seed: int, classes: Sequence[str] | None) -> dict[str, ByClass]:
    """The files of each class of the splits train, test and perhaps val. Raises UserError where they do not fit."""
    present = set(visible_folders(folder))
    if "train" not in present and {"test", "val"} & present:
        raise UserError(f"{folder} has no folder train beside {' and '.join(sorted({'test', 'val'} & present))}")
    train = _choose(folder / "train" if "train" in present else folder, folder, classes)
    if "train" not in present or not {"test", "val"} & present:
        return _divide(folder, train, test_share, split_seed)
    splits = {"train": train}
    for name in sorted({"test", "val"} & present):
        splits[name] = _like(train, folder / name, folder, whole=classes is None)
    if "test" not in splits:
        splits["test"] = splits.pop("val")
    return splits


def _choose(place: Path, root: Path, classes: Sequence[str] | None) -> ByClass:
    """The files of the classes that are kept, with names below `root`. Raises UserError for fewer than two classes."""
    found = _by_class(place, root)
    wanted = sorted(found) if classes is None else list(classes)
    unknown = [name for name in wanted if name not in found]
    if unknown:
        raise UserError(f"{place} has no pictures of {', '.join(unknown)}: it has {', '.join(sorted(found))}")
    if len(set(wanted)) < max(2, len(wanted)):
        raise UserError(
            f"{place} gives the classes {', '.join(wanted)}, and at least two different ones are needed: put a folder "
            "of pictures for each class there"
        )
    return {name: found[name] for name in wanted}


def _by_class(place: Path, root: Path) -> ByClass:
    """Raises UserError where there are no class folders, or one of them holds no picture."""
    found: ByClass = {name: [] for name in visible_folders(place)}
    beside = 0
    prefix = "" if place == root else f"{place.relative_to(root).as_posix()}/"
    for file in picture_files(place):
        name, slash, _ = file.name.partition("/")
        if slash:
            found[name].append(file._replace(name=prefix + file.name))
        beside += not slash
    if not any(found.values()):
        what = f"{beside:,} pictures and no class folders" if beside else f"no pictures ({' '.join(SUFFIXES)})"
        raise UserError(f"{place} holds {what}: put a folder of pictures for each class there")
    empty = [name for name, files in found.items() if not files]
    if empty:
        raise UserError(f"{place / empty[0]} holds no picture: remove it, or put pictures of {empty[0]} there")
    if beside:
        logger.warning(f"{beside:,} pictures in {place} lie beside the class folders and are left out")
    return found


def _like(train: ByClass, place: Path, root: Path, whole: bool) -> ByClass:
    """The files of the classes that training has; whole: there must be no others. Raises UserError."""
    found = _by_class(place, root)
    missing, more = [name for name in train if name not in found], sorted(found.keys() - train.keys())
    if missing:
        raise UserError(f"{place} has no picture of {', '.join(missing)}, which training has: every class needs one")
    if more and whole:
        raise UserError(f"{place} has the classes {', '.join(more)}, which training has not: remove them, or add them")
    return {name: found[name] for name in train}


def _divide(root: Path, found: ByClass, test_share: float, split_seed: int) -> dict[str, ByClass]:
    """The same fraction of each class for the test, at least one picture, drawn in each class on its own."""
    splits: dict[str, ByClass] = {"train": {}, "test": {}}
    for name, files in found.items():
        if len(files) < 2:
            raise UserError(
                f"{root} has one picture of {name}, which leaves none for training or for the test: add more"
            )
        num_test = min(max(1, round(test_share * len(files))), len(files) - 1)
        order = torch.randperm(
            len(files), generator=seeding.generator(seeding.seed_for(split_seed, 0, f"test share of {name}"))
        ).tolist()
        splits["test"][name] = [files[position] for position in sorted(order[:num_test])]
        splits["train"][name] = [files[position] for position in sorted(order[num_test:])]
    return splits
