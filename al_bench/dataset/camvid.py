"""CamVid: street scenes of five drives, 480 x 360, of which eleven classes count (Brostow et al. 2009)."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from al_bench.active.part import declare
from al_bench.config.ranges import Side, UpToAll
from al_bench.dataset import Dataset
from al_bench.dataset.map_folder import MapFolder, Place, read
from al_bench.training.losses import IGNORED

CLASS_NAMES = (
    "sky", "building", "pole", "road", "pavement", "tree", "sign", "fence", "car", "pedestrian", "bicyclist",
)  # fmt: skip
SOURCE = MapFolder(
    Place("{split}/images", ".jpg"),
    Place("{split}/labels", ".png"),
    {"train": "train", "validation": "val", "test": "test"},
    CLASS_NAMES,
    {**{label: label for label in range(len(CLASS_NAMES))}, 11: IGNORED},  # 11 is void
    "unpack camvid.tar.xz there whole by scripts/prepare_data.py",
)


@declare("dataset/camvid", beside=("root", "cache", "decoded", "counts"))
def camvid(
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
    """(N, 3, H, W) images and maps of 11 classes: 367 for training, 101 validation, 233 test (the split
    of the SegNet tutorial).

    root: has train, val and test, each with images/*.jpg and labels/*.png. image_size, crop, cache, decoded, counts,
    files: see `map_folder.read`. max_images: of the training split; max_held_out: of the two others each; max_test: of
    the test split alone. Raises UserError naming what is missing or wrong.
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
