"""The 1,797 handwritten digits of 8 x 8 pixels that scikit-learn carries: no download."""

import math
from collections.abc import Sequence

import numpy as np
import torch

from al_bench.active.part import declare
from al_bench.config.ranges import NumpySeed, ProperFraction, UpToAll
from al_bench.dataset import Dataset, Split
from al_bench.dataset.imbalance import Imbalance
from al_bench.dataset.subset import limit_splits, of_classes
from al_bench.dataset.ten_classes import choose_classes
from al_bench.errors import UserError


@declare("dataset/digits")
def digits(
    test_share: ProperFraction,
    split_seed: NumpySeed,
    max_images: UpToAll | None = None,
    max_held_out: UpToAll | None = None,
    max_test: UpToAll | None = None,
    classes: Sequence[int] | None = None,
    imbalance: Imbalance | None = None,
) -> Dataset:
    """Ten classes; (N, 1, 8, 8) images whose 17 gray levels are spread over 0 to 255.

    test_share: of the images, the same fraction of each class, drawn by split_seed. max_images: of the training split;
    max_held_out, max_test: of the test split. classes: the digits to keep, labeled 0, 1, ... in this order.
    imbalance: what is kept of the training split. Raises UserError for classes that cannot be, and a test_share that
    leaves a split without an image of a class.
    """
    from sklearn.datasets import load_digits  # takes a second, for which a plan has no use
    from sklearn.model_selection import train_test_split

    kept = choose_classes(classes)
    bunch = load_digits()
    images = np.rint(bunch.images / 16 * 255).astype(np.uint8)[:, None]
    held_out = math.ceil(test_share * len(images))  # as is drawn
    if min(held_out, len(images) - held_out) < len(bunch.target_names):
        raise UserError(
            f"dataset.test_share={test_share} leaves {len(images) - held_out:,} images for training, {held_out:,} for "
            f"test: each needs {len(bunch.target_names)}, such as by 0.2"
        )
    rows = train_test_split(
        np.arange(len(images)), test_size=test_share, random_state=split_seed, stratify=bunch.target
    )
    splits = (Split(torch.from_numpy(images[row]), torch.from_numpy(bunch.target[row]).long()) for row in rows)
    train, test = (of_classes(split, None if classes is None else kept) for split in splits)
    dataset = Dataset(train, None, test, len(kept), tuple(str(digit) for digit in kept))
    return limit_splits(dataset, max_images, max_held_out, max_test, imbalance)
