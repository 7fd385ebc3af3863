"""Pictures that nobody labeled: a folder, flat or nested, and the names of the classes that a person will give."""

import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch

from al_bench.dataset import Dataset, PictureFolder, Split
from al_bench.dataset.class_folders import named
from al_bench.errors import UserError, amount, printable
from al_bench.files import digest
from al_bench.sources.cache import LazyImages
from al_bench.sources.decoding import Decoder
from al_bench.sources.links import leading_out
from al_bench.sources.listing import SUFFIXES, Listing, id_of, is_text
from al_bench.storage.answers import LABELS, Answers, LabelLog
from al_bench.storage.picture_list import PICTURES, PictureList

logger = logging.getLogger(__name__)

_LONGEST = 200  # characters of a class's name
_NAMED = 3  # pictures of those that are left out


@dataclass(frozen=True)
class Below(Sequence[Path]):
    """Paths below a folder, made when they are asked for: of millions of files the names alone are held."""

    root: Path
    names: Sequence[str]

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> Path:  # type: ignore[override]  # no slices are taken
        return self.root / self.names[index]

    def __iter__(self) -> Iterator[Path]:
        return (self.root / name for name in self.names)


def read_unlabeled(root: Path, listing: Listing, class_names: Sequence[str], decoder: Decoder, keep: bool) -> Dataset:
    """All pictures in or below `root`, none of which is decoded before it is asked for; labels are all -1, there is no
    test split, and how pictures lie in folders says nothing.

    keep: whether a run that a person labels keeps decoded pictures. Raises UserError for names that cannot be those of
    classes, without a picture, and where no size is given.
    """
    names = _checked_names(class_names)
    if decoder.size is None:
        raise UserError(
            "oracle=human or oracle=files has a person label pictures without labels, as dataset.class_names is for, "
            "and dataset.image_size is not given: such as 64, for not all are looked at; or leave dataset.class_names "
            "out where a folder for each class has them"
        )
    files = [file for file in listing.pictures if is_text(file.name)]
    if len(files) < len(listing.pictures):
        others = [printable(file.name) for file in listing.pictures if not is_text(file.name)]
        which = ", ".join(others[:_NAMED]) + (" and others" if len(others) > _NAMED else "")
        logger.warning(f"left out: {amount(len(others), 'picture')} named by what is no UTF-8: rename {which}")
    if not files:
        raise UserError(f"{root} holds no pictures ({' '.join(SUFFIXES)}): name a folder that has some in or below it")
    assert decoder.shape is not None
    shape = torch.Size((len(files), *decoder.shape))
    try:
        known = digest(json.dumps([id_of(root, files), asdict(decoder)]).encode())[:16]
    except OSError as error:
        raise UserError(f"{error.filename} cannot be read ({error.strerror}): mend it, or leave it out") from error
    below = Below(root, [file.name for file in files])
    images = LazyImages(below, decoder, shape, known)
    unknown = torch.full((len(files),), -1)
    none = Split(torch.empty((0, *decoder.shape), dtype=torch.uint8), unknown[:0])
    logger.info(f"{amount(len(files), 'picture')} without labels; dataset.class_names has {named(names)}")
    train, folder = Split(images, unknown), PictureFolder(root.resolve(), files, decoder, keep)
    return Dataset(train, None, none, len(names), names, names=below.names, unlabeled=folder)


def say_leading_out(root: Path, listing: Listing) -> None:
    """Says how many pictures a page will not show, since nothing that lies outside of their folder is shown."""
    try:
        out = leading_out(root, listing)
    except OSError:  # a link that went meanwhile
        return
    if out:
        logger.warning(
            f"{amount(len(out), 'picture')} of {len(listing.pictures):,} can be reached by links that lead out of "
            f"{root} alone, such as {printable(out[0])}, and the page shows none of these: put the files there "
            "themselves, or hard links, or name the folder that they lie in by dataset.root"
        )


def as_labeled(dataset: Dataset, run: Path) -> Dataset:
    """The data set by the positions and with the classes that a run has in which a person labels it. run: its folder.

    Raises UserError where what the run wrote there is corrupted.
    """
    assert dataset.unlabeled is not None
    names = PictureList(run / PICTURES).names
    classes = tuple(Answers(LabelLog(run / LABELS).read_new()).classes) or dataset.class_names
    decoder, below = dataset.unlabeled.decoder, Below(dataset.unlabeled.root, names)
    images = LazyImages(below, decoder, torch.Size((len(names), *(decoder.shape or ()))), "as labeled")
    split = Split(images, torch.full((len(names),), -1))
    return replace(dataset, train=split, num_classes=len(classes), class_names=classes, names=names)


def _checked_names(class_names: Sequence[str]) -> tuple[str, ...]:
    """Raises UserError for fewer than two, for the same twice, and for what a line of a file does not hold."""
    names = tuple(class_names)
    for name in names:
        if not name or len(name) > _LONGEST or not name.isprintable() or name != name.strip():
            raise UserError(
                f"dataset.class_names has {name!r}: a name is 1 to {_LONGEST} characters that can be seen, without "
                "spaces around it"
            )
    if len(set(names)) < max(2, len(names)):
        raise UserError(
            f"dataset.class_names=[{','.join(names)}] must name at least two classes, each once: such as [cat,dog]"
        )
    return names
