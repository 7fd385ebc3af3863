"""Cityscapes: street scenes of 27 cities with fine maps, of which 19 classes count (Cordts et al. 2016)."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from al_bench.active.part import declare
from al_bench.config.ranges import Side, UpToAll
from al_bench.dataset import Dataset
from al_bench.dataset.map_folder import MapFolder, Place, read
from al_bench.training.losses import IGNORED

CLASS_NAMES = (
    "road", "sidewalk", "building", "wall", "fence", "pole", "traffic light", "traffic sign", "vegetation", "terrain",
    "sky", "person", "rider", "car", "truck", "bus", "train", "motorcycle", "bicycle",
)  # fmt: skip
TRAINED = (7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33)  # ids in the order of the classes
SOURCE = MapFolder(
    Place("leftImg8bit/{split}", "_leftImg8bit.png"),
    Place("gtFine/{split}", "_gtFine_labelIds.png"),
    {"train": "train", "test": "val"},  # the published test split has no maps
    CLASS_NAMES,
    {**dict.fromkeys(range(34), IGNORED), **{number: label for label, number in enumerate(TRAINED)}},
    "unpack leftImg8bit_trainvaltest.zip and gtFine_trainvaltest.zip there whole",
)


@declare("dataset/cityscapes", beside=("root", "cache", "decoded", "counts"))
def cityscapes(
    root: str | Path,
    image_size: Side | Sequence[Side] | None,
    crop: Literal["center", "none"],
    cache: Literal["auto", "never"],
    decoded: str | Path,
    counts: Mapping[str, UpToAll] | None = None,
    max_images: UpToAll | None = None,
    max_held_out: UpToAll | None = None,
    max_test: UpToAll | None = None,
    files: str | None = None,
) -> Dataset:
    """(N, 3, H, W) images and maps of 19 classes: 2,975 for training, 500 test (the published validation split).

    root: has leftImg8bit and gtFine, each with train and val and a folder for each city. image_size, crop, cache,
    decoded, counts, files: see `map_folder.read`. max_images: of the training split; max_held_out: of the test split;
    max_test: of the test split alone. Raises UserError naming what is missing or wrong.
    """
    return read(
        SOURCE,
        root,
        image_size=image_size,
        crop=crop,
        cache=cache,
        decoded=decoded,
        counts=counts,
        max_images=max_images,
        max_held_out=max_held_out,
        max_test=max_test,
        files=files,
    )
