"""ImageNet (ILSVRC 2012), 1,281,167 / 50,000 pictures of a thousand classes (MAL Tabs. 1 and 10)."""

from pathlib import Path
from typing import Literal

import torch

from al_bench.active.part import declare
from al_bench.config.ranges import Side, UpToAll
from al_bench.dataset import Dataset
from al_bench.dataset.imbalance import Imbalance
from al_bench.dataset.listed_pictures import Expected, Listed, Reading, assemble
from al_bench.dataset.subset import smaller
from al_bench.errors import UserError
from al_bench.sources.decoding import Decoder
from al_bench.sources.file_list import ClassFolders, class_folders, folders_id


@declare("dataset/imagenet", beside=("root", "expected", "cache", "decoded"))
def imagenet(
    root: str | Path,
    image_size: Side,
    cache: Literal["auto", "never"],
    decoded: str | Path,
    expected: Expected | None = None,
    max_images: UpToAll | None = None,
    max_held_out: UpToAll | None = None,
    max_test: UpToAll | None = None,
    files: str | None = None,
    imbalance: Imbalance | None = None,
) -> Dataset:
    """(N, 3, image_size, image_size) images, decoded when they are asked for; the test split is the published val.

    root: holds train/<class>/*.JPEG and val/<class>/*.JPEG; the names of the folders, sorted, are the classes.
    image_size: of the shorter side, the rest is cut off evenly. cache: `never`, or `auto` to decode all of a split at
    once and keep that in the folder `decoded` if its disk has room. expected: see `listed_pictures.assemble`.
    max_images: of the training split; max_held_out, max_test: of the test split. files: what the folder is expected to
    hold, see `file_list.folders_id`. imbalance: what is kept of the training split.

    Raises UserError naming what is missing, and for pictures that cannot be read when they are asked for.
    """
    folder = Path(root).expanduser()
    found = {split: _listed(folder, split) for split in ("train", "val")}
    if found["train"].names != found["val"].names:
        other = sorted(set(found["train"].names) ^ set(found["val"].names))[0]
        raise UserError(f"{folder} has class {other} in one of train and val alone: both need the same folders")
    if files is not None and folders_id(str(root), "train", "val") != files:
        raise UserError(f"{folder} holds other pictures than the run was made with: put those back")
    lists = {split: Listed(one.files, _labels(one)) for split, one in found.items()}
    decoder = Decoder((image_size, image_size), "center", "rgb")
    reading = Reading(decoder, Path(decoded).expanduser(), cache == "auto")
    return assemble(
        lists, found["train"].names, reading, folder, expected, max_images, smaller(max_held_out, max_test), imbalance
    )


def _listed(folder: Path, split: str) -> ClassFolders:
    try:
        return class_folders(folder, split)
    except OSError as error:
        raise UserError(
            f"{folder} lacks the folder {split} ({error.strerror}): put train/<class>/*.JPEG and val/<class>/*.JPEG "
            f"there, as ILSVRC 2012 is unpacked, or set paths.data to where the folder {folder.name} lies"
        ) from error


def _labels(folders: ClassFolders) -> torch.Tensor:
    return torch.arange(len(folders.names)).repeat_interleave(torch.tensor(folders.counts, dtype=torch.int64))
