"""SVHN, cropped digits: training and extra images are the pool, 604k (ASAL Sec. 4.1), or some of the first (WAAL)."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np
import torch
from scipy.io import loadmat
from torch import Tensor

from al_bench.active.part import declare
from al_bench.config.ranges import NoneToAll, UpToAll
from al_bench.dataset import Dataset, Split
from al_bench.dataset.imbalance import Imbalance
from al_bench.dataset.splits import divide, join, last
from al_bench.dataset.subset import limit_splits
from al_bench.dataset.ten_classes import check_ten_labels
from al_bench.errors import UserError
from al_bench.sources.download import check, complete, fetch

SPLITS = ("train", "extra", "test")
CHECKSUMS = {  # and where to fetch them: as torchvision has these, whose import takes long
    "train": "e26dedcc434d2e4c54c9b2d4a06d8373",
    "extra": "a93ce644f1a588dc4d68dda5feec44a7",
    "test": "eb5a983be6a315427106f1b164d9cef3",
}
SOURCE = "http://ufldl.stanford.edu/housenumbers"


@declare("dataset/svhn", beside=("root",), files=("split",), fetched=True)
def svhn(
    root: str | Path,
    max_images: UpToAll | None = None,
    max_held_out: UpToAll | None = None,
    max_test: UpToAll | None = None,
    extra: bool = True,
    validation_size: NoneToAll = 0,
    split: str | Path | None = None,
    checksums: Mapping[str, str] = CHECKSUMS,
    source: str = SOURCE,
    imbalance: Imbalance | None = None,
) -> Dataset:
    """(N, 3, 32, 32) images of digits from house numbers: 73,257 + 531,131 for training, 26,032 for the test.

    root: the folder of train_32x32.mat, extra_32x32.mat and test_32x32.mat. max_images: of the training split;
    max_held_out: of the validation and of the test split each; max_test: of the test split alone. extra: whether the
    extra images are read. validation_size: the last images of all these, which are the validation split (0: none).
    split: an index file of another division, see `index_file.read`, whatever `imbalance` says, which is what is kept of
    the training split. checksums: `train`, `extra` and `test` to the MD5
    of their files; source: URL of the folder to fetch these from. Reading takes up to 4 GB of memory for a while.

    Raises UserError naming a file that can neither be found nor fetched, or that is not what was published, and for
    values that cannot be.
    """
    folder = Path(root).expanduser()
    files = {f"{name}_32x32.mat": checksums[name] for name in SPLITS if extra or name != "extra"}
    remedy = f"put {', '.join(files)} into {folder}, or set paths.data to where its folder {folder.name} lies"
    complete(folder, files, partial(_get, source), remedy)
    *pool, held_out = (Split(*_read(folder / name, checksum)) for name, checksum in files.items())
    published = join(*pool)
    train, validation, test = divide(published, held_out, last(len(published), validation_size), split)
    digits = tuple(str(digit) for digit in range(10))
    dataset, drawn = Dataset(train, validation, test, len(digits), digits), imbalance if split is None else None
    return limit_splits(dataset, max_images, max_held_out, max_test, drawn)


def _read(path: Path, checksum: str) -> tuple[Tensor, Tensor]:
    """The images and labels of one file, whose label 10 is the digit 0."""
    check(path, checksum)
    found = loadmat(path, variable_names=["X", "y"])
    images, labels = found["X"], found["y"].astype(np.int64).flatten()
    if images.shape != (32, 32, 3, len(labels)):
        raise UserError(f"{path} holds images of shape {images.shape} and {len(labels):,} labels: get it anew")
    check_ten_labels(path, labels)
    rows_first = np.ascontiguousarray(images.transpose(3, 2, 0, 1))  # (H, W, C, N) -> (N, C, H, W)
    return torch.from_numpy(rows_first), torch.from_numpy(labels % 10)


def _get(source: str, folder: Path, absent: Mapping[str, str]) -> None:
    for name, checksum in absent.items():
        fetch([f"{source}/{name}"], folder / name, checksum)
