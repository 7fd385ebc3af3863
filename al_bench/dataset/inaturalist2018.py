"""iNaturalist 2018, 437,513 / 24,426 pictures of 8,142 kinds, which are far from balanced (MAL Tabs. 2 and 10)."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from al_bench.active.part import declare
from al_bench.config.ranges import Side, UpToAll
from al_bench.dataset import Dataset
from al_bench.dataset.imbalance import Imbalance
from al_bench.dataset.listed_pictures import Expected, Listed, Reading, assemble
from al_bench.dataset.subset import smaller
from al_bench.errors import UserError
from al_bench.sources.decoding import Decoder
from al_bench.sources.file_list import FileList, documents_id

LISTS = {"train": "train2018.json", "val": "val2018.json"}


@declare("dataset/inaturalist2018", beside=("root", "expected", "cache", "decoded"))
def inaturalist2018(
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

    root: holds train2018.json and val2018.json, and the pictures where these say. image_size: of the shorter side, the
    rest is cut off evenly. cache: `never`, or `auto` to decode all of a split at once and keep that in the folder
    `decoded` if its disk has room. expected: see `listed_pictures.assemble`. max_images: of the training split;
    max_held_out, max_test: of the test split. files: what the lists are expected to say, see `file_list.documents_id`.
    imbalance: what is kept of the training split.

    Raises UserError naming what is missing or no such list, and for pictures that cannot be read when they are asked
    for.
    """
    folder = Path(root).expanduser()
    missing = [name for name in LISTS.values() if not (folder / name).is_file()]
    if missing:
        raise UserError(
            f"{folder} lacks {' and '.join(missing)}: put the lists and the folder train_val2018 of iNaturalist 2018 "
            f"there, or set paths.data to where the folder {folder.name} lies"
        )
    if files is not None and documents_id(str(root), *LISTS.values()) != files:
        raise UserError(f"{folder} holds other lists than the run was made with: put those back")
    lists = {split: read_list(folder, name) for split, name in LISTS.items()}
    num_classes = 1 + max(int(listed.labels.max()) for listed in lists.values())
    decoder = Decoder((image_size, image_size), "center", "rgb")
    reading = Reading(decoder, Path(decoded).expanduser(), cache == "auto")
    names = tuple(str(number) for number in range(num_classes))
    return assemble(lists, names, reading, folder, expected, max_images, smaller(max_held_out, max_test), imbalance)


def read_list(folder: Path, name: str) -> Listed:
    """The pictures that a list names, in its order, and the number of each one's category.

    It is JSON with `images`, each with id and file_name, and `annotations`, each with image_id and category_id; an
    image has one. Raises UserError for a file that is none, and for a name outside of the folder.
    """
    path = folder / name
    try:
        found = json.loads(path.read_bytes())
        categories = {entry["image_id"]: entry["category_id"] for entry in found["annotations"]}
        images = {entry["id"]: entry["file_name"] for entry in found["images"]}
        counts = len(found["annotations"]), len(found["images"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise UserError(f"{path} is corrupted or no list of iNaturalist 2018 ({_say(error)}): get it anew") from error
    del found
    if not images or categories.keys() != images.keys() or counts != (len(categories), len(images)):
        raise UserError(f"{path} does not give each image one category: get it anew")
    wrong = [file for file in images.values() if not _is_inside(file)]
    if wrong:
        raise UserError(f"{path} names {wrong[0]!r}, which is no file below {folder}: get it anew")
    if len(set(images.values())) < len(images):
        raise UserError(f"{path} names a file twice: get it anew")
    return Listed(FileList.of(folder, images.values()), _labels(path, categories, images))


def _say(error: Exception) -> str:
    return f"it has no {error}" if isinstance(error, KeyError) else str(error)


def _is_inside(name: Any) -> bool:
    """Whether it is the name of a file that stays below the folder, on any system."""
    if not isinstance(name, str) or "\\" in name or "\0" in name:
        return False
    return not {"", ".", ".."} & set(name.split("/"))  # a Path would keep each part for the process's life


def _labels(path: Path, categories: Mapping[Any, Any], images: Mapping[Any, str]) -> Tensor:
    numbers = [categories[image] for image in images]
    wrong = [number for number in numbers if type(number) is not int or not 0 <= number < len(numbers)]
    if wrong:
        raise UserError(f"{path} has the category {wrong[0]!r}: they are counted from 0 on, get it anew")
    return torch.tensor(numbers)
