"""Tiny-ImageNet, some of its classes: 500 / 50 pictures of 64 x 64 pixels of each, or 400 / 100 of the 500."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import torch

from al_bench import seeding
from al_bench.active.part import declare
from al_bench.config.ranges import ProperFraction, Seed, Side, TwoOrMore, UpToAll
from al_bench.dataset import Dataset
from al_bench.dataset.image_folder import image_folder
from al_bench.dataset.imbalance import Imbalance
from al_bench.errors import UserError
from al_bench.sources.listing import visible_folders


@declare("dataset/tiny_imagenet", beside=("root", "cache", "decoded"))
def tiny_imagenet(
    root: str | Path,
    image_size: Side,
    cache: Literal["auto", "never"],
    decoded: str | Path,
    classes: Sequence[str] | None = None,
    imbalance: Imbalance | None = None,
    max_images: UpToAll | None = None,
    max_held_out: UpToAll | None = None,
    max_test: UpToAll | None = None,
    files: str | None = None,
    num_classes: TwoOrMore | None = None,
    class_seed: Seed = 0,
    test_share: ProperFraction | None = None,
    split_seed: Seed = 0,
) -> Dataset:
    """(N, 3, image_size, image_size) images; the test split is the published val, or is made of the published train.

    root: the folder that holds train/<class>/*.JPEG and val/<class>/*.JPEG; pictures may lie in folders below those, as
    published. classes: those to keep, by the names of their folders, labeled in this order; None: all. num_classes: as
    many of these, drawn by class_seed, in their order; None: all. test_share: of the pictures for training of each
    class, drawn by split_seed, and val is neither read nor needed; None: val. The other arguments are those of
    `image_folder`.

    Raises UserError for a folder that is absent or half there, for more classes than there are, and as `image_folder`
    does.
    """
    folder = _checked(Path(root).expanduser(), ("train", "val") if test_share is None else ("train",))
    if num_classes is not None:
        classes = draw_classes(
            visible_folders(folder / "train") if classes is None else classes, num_classes, class_seed
        )
    return image_folder(
        folder if test_share is None else folder / "train",
        image_size=image_size,
        crop="none",  # pictures are square
        mode="rgb",
        test_share=0.5 if test_share is None else test_share,  # of no use where there is a folder of it
        split_seed=split_seed,
        cache=cache,
        decoded=decoded,
        classes=classes,
        imbalance=imbalance,
        max_images=max_images,
        max_held_out=max_held_out,
        max_test=max_test,
        files=files,
    )


def draw_classes(names: Sequence[str], count: int, seed: int) -> list[str]:
    """`count` of the names, drawn by a seed, in their order. Raises UserError for fewer than two, and where there are
    fewer."""
    if not 2 <= count <= len(names):
        raise UserError(
            f"dataset.num_classes={count} cannot be: there are {len(names)} classes, give 2 to {len(names)}"
        )
    rng = seeding.generator(seeding.seed_for(seed, 0, "classes"))
    return [names[position] for position in torch.randperm(len(names), generator=rng)[:count].sort().values.tolist()]


def _checked(folder: Path, needed: Sequence[str]) -> Path:
    missing = [str(folder / split) for split in needed if not (folder / split).is_dir()]
    if missing:
        raise UserError(
            f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing: unpack {folder.name}.tar.xz or "
            f".zip into {folder.parent} by scripts/prepare_data.py, or set paths.data to where {folder.name} lies"
        )
    return folder
