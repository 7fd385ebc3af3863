"""CelebA, one attribute of the faces against its absence, in the official split (ASAL Sec. 4.1)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import torch
from pooch import file_hash
from pydantic import Field

from al_bench.active.part import declare
from al_bench.config.ranges import Side, UpToAll
from al_bench.dataset import Dataset, Split
from al_bench.dataset.imbalance import Imbalance
from al_bench.dataset.subset import limit_positions, smaller
from al_bench.errors import UserError
from al_bench.sources.cache import decode_pictures
from al_bench.sources.decoding import Decoder, Picture
from al_bench.sources.listing import picture_files
from al_bench.sources.zipped_pictures import zipped_pictures

PARTITION, ATTRIBUTES, PICTURES = "list_eval_partition.txt", "list_attr_celeba.txt", "img_align_celeba"
CHECKSUMS = {  # as torchvision has them, whose import takes long
    PARTITION: "d32c9cbf5e040fd4025c592c306e6668",
    ATTRIBUTES: "75e246fa4810816ffd6ee81facbd244c",
}
FOLDER = "celeba"
WIDTH = 178  # of the aligned faces, which are 218 high

_SPLITS = {"0": "train", "1": "validation", "2": "test"}
_MOST_NAMED = 3

Faces = dict[str, tuple[Picture, list[int]]]  # by name: where it is, and numbers that another file would not have


@declare(
    "dataset/celeba",
    beside=(
        "root",
        "cache",
        "decoded",
    ),
    places=("celeba",),
)
def celeba(
    root: str | Path,
    attribute: str,
    crop: Annotated[int, Field(ge=1, le=WIDTH)],
    image_size: Side,
    cache: Literal["auto", "never"],
    decoded: str | Path,
    max_images: UpToAll | None = None,
    max_held_out: UpToAll | None = None,
    max_test: UpToAll | None = None,
    checksums: Mapping[str, str] = CHECKSUMS,
    imbalance: Imbalance | None = None,
) -> Dataset:
    """(N, 3, image_size, image_size) images of faces; 162,770 for training, 19,867 validation, 19,962 test.

    root: the folder of celeba/, which holds list_eval_partition.txt, list_attr_celeba.txt and the aligned faces, as the
    folder img_align_celeba or as img_align_celeba.zip, which is read as it is. attribute: the name of the one that
    label 1 has and label 0 has not. crop: side in pixels of the square in the middle that is cut out and scaled. cache:
    `auto` keeps decoded pictures in the folder `decoded` if its disk has room, `never` decodes them whenever they are
    asked for. max_images: of the training split; max_held_out: of the two others each; max_test: of the
    test split alone. checksums: MD5 of the two lists. imbalance: what is kept of the training split.

    Raises UserError naming what is missing, corrupted or contradicts another file, and for values that cannot be.
    """
    folder = Path(root).expanduser() / FOLDER
    splits, labels = _splits(folder, checksums), _labels(folder, attribute, checksums)
    if splits.keys() != labels.keys():
        raise UserError(
            f"{folder / PARTITION} names {len(splits):,} faces and {ATTRIBUTES} others, {len(labels):,}: get both anew"
        )
    faces = _faces(folder, list(splits))
    decoder = Decoder((image_size, image_size), "center", "rgb", window=crop)

    def split(wanted: str, most: int | None, kept: Imbalance | None = None) -> Split:
        names = [name for name, found in splits.items() if found == wanted]
        if kept is not None:
            names = [names[position] for position in kept.positions(torch.tensor([labels[name] for name in names]), 2)]
        if most is not None and most < len(names):
            names = [names[position] for position in limit_positions(len(names), most).tolist()]
        pictures, known = [faces[name][0] for name in names], [names, [faces[name][1] for name in names]]
        images = decode_pictures(pictures, known, decoder, Path(decoded).expanduser(), cache == "auto")
        return Split(images, torch.tensor([labels[name] for name in names]))

    class_names = (f"no {attribute}", attribute)
    return Dataset(
        split("train", max_images, imbalance),
        split("validation", max_held_out),
        split("test", smaller(max_held_out, max_test)),
        2,
        class_names,
    )


def _splits(folder: Path, checksums: Mapping[str, str]) -> dict[str, str]:
    """The split of each face, by name."""
    found = {}
    for line in _lines(folder / PARTITION, checksums):
        name, _, number = line.strip().partition(" ")
        if number not in _SPLITS:
            raise UserError(f"{folder / PARTITION} has the line {line!r}, not a name and 0, 1 or 2: get it anew")
        found[name] = _SPLITS[number]
    return found


def _labels(folder: Path, attribute: str, checksums: Mapping[str, str]) -> dict[str, int]:
    """1 for each face that has the attribute and 0 for the others, by name."""
    path = folder / ATTRIBUTES
    count, header, *rows = _lines(path, checksums)
    known = header.split()
    if attribute not in known:
        raise UserError(f"dataset.attribute={attribute} is not known: use one of {', '.join(known)}")
    if count.strip() != str(len(rows)):
        raise UserError(f"{path} says that it has {count} faces and has {len(rows):,}: get it anew")
    column, found = 1 + known.index(attribute), {}
    for row in rows:
        values = row.split()
        if len(values) != 1 + len(known) or values[column] not in ("-1", "1"):
            raise UserError(f"{path} has a line {row[:40]!r}, not a name and {len(known)} times -1 or 1: get it anew")
        found[values[0]] = int(values[column] == "1")
    return found


def _lines(path: Path, checksums: Mapping[str, str]) -> list[str]:
    """The lines of a published list."""
    if not path.is_file():
        raise UserError(
            f"{path} is missing: put {PARTITION}, {ATTRIBUTES} and {PICTURES} (folder or .zip) of the CelebA project "
            f"page into {path.parent}, or set paths.data to where its folder {path.parent.name} lies"
        )
    if file_hash(str(path), "md5") != checksums[path.name]:
        raise UserError(f"{path} is corrupted, truncated or not the published list: get it anew")
    return path.read_text().splitlines()


def _faces(folder: Path, names: list[str]) -> Faces:
    """The pictures of a folder or of an archive. Raises UserError where one of the names is missing."""
    place = folder / PICTURES
    archive = place.with_suffix(".zip")
    if not place.is_dir() and not archive.exists():
        raise UserError(f"{folder} has neither the folder {PICTURES} nor {archive.name}: put one of them there")
    found: Faces
    if place.is_dir():
        listed = picture_files(place)
        found = {file.name.rsplit("/", 1)[-1]: (place / file.name, [file.size, file.changed]) for file in listed}
    else:
        place, zipped = archive, zipped_pictures(archive)
        found = {name: (picture, [picture.size, picture.checksum]) for name, picture in zipped.items()}
    missing = [name for name in names if name not in found]
    if missing:
        raise UserError(
            f"{place} lacks {len(missing):,} of {len(names):,} pictures, such as {', '.join(missing[:_MOST_NAMED])}: "
            f"put all of {archive.name} there"
        )
    return found
