"""MNIST in the split 50k / 10k / 10k (ASAL Sec. 4.1; docs/papers/asal.md, Data), all ten digits or some of them."""

from collections.abc import Sequence
from pathlib import Path

from al_bench.active.part import declare
from al_bench.config.ranges import NoneToAll, UpToAll
from al_bench.dataset import Dataset
from al_bench.dataset.idx import idx_splits
from al_bench.dataset.imbalance import Imbalance
from al_bench.dataset.subset import limit_splits, of_classes
from al_bench.dataset.ten_classes import choose_classes

CHECKSUMS = {
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}


@declare("dataset/mnist", beside=("root",), places=("MNIST/raw",), fetched=True)
def mnist(
    root: str | Path,
    validation_size: NoneToAll,
    classes: Sequence[int] | None = None,
    max_images: UpToAll | None = None,
    max_held_out: UpToAll | None = None,
    max_test: UpToAll | None = None,
    imbalance: Imbalance | None = None,
) -> Dataset:
    """(N, 1, 28, 28) images of handwritten digits.

    root: the folder of MNIST/raw. validation_size: the last images of the published 60,000 for training, which are the
    validation split (0: none). classes: the digits to keep, labeled 0, 1, ... in this order. max_images: of the
    training split; max_held_out: of the two others each; max_test: of the test split alone. imbalance: what is
    kept of the training split. Raises UserError for files that are absent or corrupted and for values that cannot be.
    """
    digits = choose_classes(classes)
    train, validation, test = idx_splits("MNIST", root, CHECKSUMS, validation_size)
    dataset = Dataset(
        train=of_classes(train, digits),
        validation=of_classes(validation, digits) if validation else None,
        test=of_classes(test, digits),
        num_classes=len(digits),
        class_names=tuple(str(digit) for digit in digits),
    )
    return limit_splits(dataset, max_images, max_held_out, max_test, imbalance)
