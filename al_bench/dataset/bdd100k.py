"""BDD100K: frames of drives in the United States with maps of 19 classes (Yu et al. 2020)."""

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
SOURCE = MapFolder(
    Place("images/10k/{split}", ".jpg"),
    Place("labels/sem_seg/masks/{split}", ".png"),
    {"train": "train", "test": "val"},  # the published test split has no maps
    CLASS_NAMES,
    {**{label: label for label in range(len(CLASS_NAMES))}, IGNORED: IGNORED},
    "unpack bdd100k_images_10k.zip and bdd100k_sem_seg_labels_trainval.zip there whole",
)


@declare("dataset/bdd100k", beside=("root", "cache", "decoded", "counts"))
def bdd100k(
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
    """(N, 3, H, W) images and maps of 19 classes: 7,000 for training, 1,000 test (the published validation split).

    root: has images/10k and labels/sem_seg/masks, each with train and val. image_size, crop, cache, decoded, counts,
    files: see `map_folder.read`. max_images: of the training split; max_held_out: of the test split; max_test: of the
    test split alone. Raises UserError naming what is missing or wrong.
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
