"""Tiny-ImageNet, some of its classes: 500 / 50 pictures of 64 x 64 pixels of each."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import PositiveInt

from al_bench.active.part import declare
from al_bench.dataset import Dataset
from al_bench.dataset.image_folder import image_folder
from al_bench.dataset.imbalance import Imbalance
from al_bench.errors import UserError


@declare("dataset/tiny_imagenet", beside=("root", "cache", "decoded"))
def tiny_imagenet(
    root: str | Path,
    image_size: PositiveInt,
    cache: Literal["auto", "never"],
    decoded: str | Path,
    classes: Sequence[str] | None = None,
    imbalance: Imbalance | None = None,
    max_images: PositiveInt | None = None,
    max_held_out: PositiveInt | None = None,
    max_test: PositiveInt | None = None,
    files: str | None = None,
) -> Dataset:
    """(N, 3, image_size, image_size) images; the test split is the published val.

    root: the folder that holds train/<class>/*.JPEG and val/<class>/*.JPEG. classes: those to keep, by the names of
    their folders, labeled in this order; None: all. The other arguments are those of `image_folder`.

    Raises UserError for a folder that is absent or half there, and as `image_folder` does.
    """
    folder = Path(root).expanduser()
    missing = [str(folder / split) for split in ("train", "val") if not (folder / split).is_dir()]
    if missing:
        raise UserError(
            f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing: unpack {folder.name}.tar.xz into "
            f"{folder.parent} by scripts/prepare_data.py, or set paths.data to where {folder.name} lies"
        )
    return image_folder(
        folder,
        image_size=image_size,
        crop="none",  # pictures are square
        mode="rgb",
        test_share=0.5,  # of no use: there is a folder of it
        split_seed=0,
        cache=cache,
        decoded=decoded,
        classes=classes,
        imbalance=imbalance,
        max_images=max_images,
        max_held_out=max_held_out,
        max_test=max_test,
        files=files,
    )
