"""Fashion-MNIST in WAAL's split: a pool of 40K, 20K for validation, 10K for the test (WAAL Tab. 2)."""

from pathlib import Path

from al_bench.active.part import declare
from al_bench.config.ranges import NoneToAll, UpToAll
from al_bench.dataset import Dataset
from al_bench.dataset.idx import idx_splits
from al_bench.dataset.imbalance import Imbalance
from al_bench.dataset.subset import limit_splits

CLASS_NAMES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"
)  # fmt: skip
CHECKSUMS = {
    "train-images-idx3-ubyte": "f4a8712d7a061bf5bd6d2ca38dc4d50a",
    "train-labels-idx1-ubyte": "9018921c3c673c538a1fc5bad174d6f9",
    "t10k-images-idx3-ubyte": "8181f5470baa50b63fa0f6fddb340f0a",
    "t10k-labels-idx1-ubyte": "15d484375f8d13e6eb1aabb0c3f46965",
}


@declare("dataset/fashion_mnist", beside=("root",), files=("split",), places=("FashionMNIST/raw",), fetched=True)
def fashion_mnist(
    root: str | Path,
    validation_size: NoneToAll,
    max_images: UpToAll | None = None,
    max_held_out: UpToAll | None = None,
    max_test: UpToAll | None = None,
    split: str | Path | None = None,
    imbalance: Imbalance | None = None,
) -> Dataset:
    """(N, 1, 28, 28) images of ten kinds of clothes.

    root: the folder of FashionMNIST/raw. validation_size: the last images of the published 60,000 for training, which
    are the validation split (0: none). max_images: of the training split; max_held_out: of the validation and of the
    test split each; max_test: of the test split alone. split: an index file of another division, see `index_file.read`,
    whatever the next one says. imbalance: what is kept of the training split.
    Raises UserError for files that are absent or corrupted and for values that cannot be.
    """
    train, validation, test = idx_splits("FashionMNIST", root, CHECKSUMS, validation_size, split)
    dataset = Dataset(train, validation, test, 10, CLASS_NAMES)
    return limit_splits(dataset, max_images, max_held_out, max_test, imbalance if split is None else None)
