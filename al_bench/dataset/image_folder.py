"""Your own pictures: a folder for each class, in `train/` and `test/` or `val/`, or split here; or without labels."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import torch

from al_bench.active.part import declare
from al_bench.config.ranges import Levels, ProperFraction, Seed, Side, UpToAll
from al_bench.dataset import Dataset, Split
from al_bench.dataset.class_folders import ByClass, ClassFolders, named, say_left_out
from al_bench.dataset.copies import say_copies
from al_bench.dataset.imbalance import Imbalance
from al_bench.dataset.subset import limit_positions, smaller
from al_bench.dataset.unlabeled_folder import read_unlabeled, say_leading_out
from al_bench.errors import UserError, amount, printable
from al_bench.sources.broken_pictures import find_broken
from al_bench.sources.cache import decode_images
from al_bench.sources.decoding import Decoder, size_of
from al_bench.sources.listing import Listing, PictureFile, folder_id
from al_bench.sources.looking import listing_of

logger = logging.getLogger(__name__)


class Read(NamedTuple):
    """A split that was read. names: of its files; skipped: how many of them were left out, for they cannot be read."""

    split: Split
    names: list[str]
    skipped: int


@dataclass(frozen=True)
class Reading:
    """How pictures become images: the arguments of `image_folder` of the same names."""

    decoder: Decoder
    decoded: Path
    cache: Literal["auto", "never"]
    broken: Literal["refuse", "skip"]

    def split(self, root: Path, classes: Mapping[str, Sequence[PictureFile]], max_images: int | None = None) -> Read:
        """The pictures of each class, labeled in the order of the classes; at most `max_images`, as `limit` draws.
        Raises UserError where none of a class can be read."""
        files = [file for members in classes.values() for file in members]
        labels = torch.tensor([label for label, members in enumerate(classes.values()) for _ in members])
        if max_images is not None and len(files) > max_images:
            taken = limit_positions(len(files), max_images)
            files, labels = [files[position] for position in taken.tolist()], labels[taken]
        broken = find_broken(root, files, self.decoder, self.decoded) if self.broken == "skip" else []
        if broken:
            names = [files[position].name for position in broken]
            logger.warning(f"left out: {amount(len(broken), 'picture')} that cannot be read: {named(names)}")
            whole = sorted(set(range(len(files))) - set(broken))
            if lost := set(labels.tolist()) - set(labels[whole].tolist()):
                raise UserError(f"no picture of {list(classes)[min(lost)]} can be read, such as {root / names[0]}")
            files, labels = [files[position] for position in whole], labels[whole]
        images = decode_images(root, files, self.decoder, self.decoded, self.cache == "auto")
        return Read(Split(images, labels), [file.name for file in files], len(broken))


@declare(
    "dataset/image_folder",
    beside=(
        "root",
        "cache",
        "decoded",
        "broken",  # no run was made of a folder with such files, so that leaving them out changes none
        "class_names",  # of classes that a person gives, and may add to: a run keeps its own
    ),
)
def image_folder(
    root: str | Path | None,
    image_size: Side | Sequence[Side] | None,
    crop: Literal["center", "none"],
    mode: Literal["rgb", "gray"],
    test_share: ProperFraction,
    split_seed: Seed,
    cache: Literal["auto", "never"],
    decoded: str | Path,
    classes: Sequence[str] | None = None,
    max_images: UpToAll | None = None,
    max_held_out: UpToAll | None = None,
    max_test: UpToAll | None = None,
    files: str | None = None,
    imbalance: Imbalance | None = None,
    class_depth: Levels = 1,
    broken: Literal["refuse", "skip"] = "refuse",
    class_names: Sequence[str] | None = None,
) -> Dataset:
    """(N, C, H, W) images of the files of `listing.SUFFIXES`; the names of the class folders, sorted, are the classes.

    root: has the folders train and test or val (with all three val is the validation split), or train alone, or the
    class folders themselves; what else they may be called is in `split_folders.find_splits`. image_size: a side, or
    [height, width]; None: that of the pictures, if all have the same. crop, mode: see `Decoder`. test_share: of each
    class, drawn by split_seed, where the folder has no test pictures.
    cache: `auto` keeps decoded pictures in the folder `decoded` if its disk has room, `never` decodes them whenever
    they are asked for. classes: those to keep, labeled 0, 1, ... in this order; None: all. max_images: of the training
    split; max_held_out: of the two others each; max_test: of the test split alone. files: what the folder is expected
    to hold, see `listing.folder_id`. imbalance: what is kept of the training split. class_depth: 1, a class is what
    lies in or below a folder; 2, in or below one of its folders, called animals/cat; and so on. broken: pictures that
    cannot be read are an error, or left out once they are drawn for a split; `Dataset.skipped` counts them.
    class_names: of pictures that nobody labeled, see `read_unlabeled`, all of which are the pool, and of which a run
    that a person labels keeps the decoded ones in its own folder; None: folders are the classes.

    Raises UserError for a folder that is not such a one, for arguments that cannot be, and for pictures that cannot be
    read, all of which are looked at.
    """
    decoder = Decoder(size_of(image_size), crop, mode)
    reading = Reading(decoder, Path(decoded).expanduser(), cache, broken)
    folder = _checked_root(root, files, class_names)
    if class_names is not None:
        _refuse_in_vain(classes=classes, imbalance=imbalance, class_depth=None if class_depth == 1 else class_depth)
    listing = _listing(folder)
    if class_names is not None:
        say_leading_out(folder, listing)
    say_left_out(folder, listing)
    if class_names is not None:
        return read_unlabeled(folder, listing, class_names, decoder, cache == "auto")
    folders = ClassFolders(folder, listing, class_depth, classes)
    splits = folders.splits(test_share, split_seed)
    say_copies(folder, splits)
    if imbalance is not None:
        splits["train"] = _thin(splits["train"], imbalance)
    most = {"train": max_images, "val": max_held_out, "test": smaller(max_held_out, max_test)}
    read = {name: reading.split(folder, members, most[name]) for name, members in splits.items()}
    found, skipped = {name: one.split for name, one in read.items()}, sum(one.skipped for one in read.values())
    train, validation, test = found["train"], found.get("val"), found["test"]
    _refuse_sizes(train, test=test, validation=validation)
    names = tuple(map(printable, splits["train"]))
    logger.info(_summary(folders, names, found))
    return Dataset(train, validation, test, len(names), names, skipped=skipped, names=read["train"].names)


def _refuse_sizes(train: Split, **others: Split | None) -> None:
    """Raises UserError where the images of a split have another shape than those for training."""
    for name, split in others.items():
        if split is not None and split.images.shape[1:] != train.images.shape[1:]:
            raise UserError(
                f"pictures differ in size: those for training have {_size(train)} pixels and those for {name} have "
                f"{_size(split)}: give one for all, such as dataset.image_size=64"
            )


def _refuse_in_vain(**given: object) -> None:
    """What chooses among labels, beside the names of those that a person will give. Raises UserError for the first."""
    for name, value in given.items():
        if value is not None:
            raise UserError(
                f"dataset.{name} chooses among labels, and dataset.class_names is for pictures that have none: leave "
                "one of them out"
            )


def _summary(folders: ClassFolders, names: Sequence[str], splits: Mapping[str, Split]) -> str:
    """What is in a data set, in one line: classes with how many pictures each, and splits."""
    counts = torch.bincount(torch.cat([split.classes for split in splits.values()])).tolist()
    deeper = {printable(name): inside for name, inside in folders.deeper().items()}
    classes = [
        f"{name} ({count:,}{f' in {named(deeper[name], 3)}' if name in deeper else ''})"
        for name, count in zip(names, counts, strict=True)
    ]
    sizes = ", ".join(f"{len(split):,} {name}" for name, split in splits.items())
    said = f"{len(names):,} classes: {named(classes)}; {sizes}"
    if len({one for inside in deeper.values() for one in inside}) < 2:
        return said
    return f"{said}; dataset.class_depth={folders.depth + 1} makes classes of the folders in them"


def _listing(folder: Path) -> Listing:
    """Raises UserError where something cannot be looked at."""
    try:
        return listing_of(folder)
    except OSError as error:
        raise UserError(f"{error.filename} cannot be read ({error.strerror}): mend it, or leave it out") from error


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


def _checked_root(root: str | Path | None, files: str | None, class_names: Sequence[str] | None) -> Path:
    if root is None:
        raise UserError("dataset.root is not given: name your folder of pictures by dataset.root=DIR")
    folder = Path(str(root)).expanduser()
    if not folder.is_dir():
        what = "a folder of pictures for each class" if class_names is None else "pictures"
        raise UserError(f"dataset.root={root} is not a folder: name one that holds {what}")
    if files is not None and folder_id(str(root), class_names) != files:
        raise UserError(f"dataset.root={root} holds other pictures than the run was made with: put those back")
    return folder
