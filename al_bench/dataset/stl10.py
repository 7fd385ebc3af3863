"""STL10 in WAAL's variant: all that is labeled, split anew, 8K / 1K / 4K of ten kinds of things (WAAL Tab. 2)."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from pydantic import NonNegativeInt, PositiveInt
from torchvision.datasets import STL10

from al_bench.active.part import declare
from al_bench.dataset import Dataset, Split
from al_bench.dataset.index_file import read
from al_bench.dataset.splits import draw, join, take
from al_bench.dataset.subset import limit_splits
from al_bench.dataset.ten_classes import check_ten_labels
from al_bench.errors import UserError
from al_bench.sources.archive_download import complete_from_archive
from al_bench.sources.download import read_checked

CLASS_NAMES = ("airplane", "bird", "car", "cat", "deer", "dog", "horse", "monkey", "ship", "truck")
CHECKSUMS = {
    str(name): str(checksum)
    for name, checksum in [*STL10.train_list, *STL10.test_list]
    if name != "unlabeled_X.bin"  # 100,000 images, which WAAL leaves out
}
_SHAPE = (3, 96, 96)


@declare("dataset/stl10", beside=("root",), files=("split",))
def stl10(
    root: str | Path,
    validation_size: NonNegativeInt,
    test_size: PositiveInt,
    split_seed: int,
    max_images: PositiveInt | None = None,
    max_held_out: PositiveInt | None = None,
    max_test: PositiveInt | None = None,
    split: str | Path | None = None,
    checksums: Mapping[str, str] = CHECKSUMS,
    source: str = STL10.url,
) -> Dataset:
    """(N, 3, 96, 96) images. The 5,000 published for training and the 8,000 for the test are one, split anew.

    root: the folder of stl10_binary. validation_size, test_size: of those splits, as many of each class, drawn by
    split_seed; all others are the pool. max_images: of the pool; max_held_out: of the validation and of the test split
    each; max_test: of the test split alone. split: an index file of another division, see `index_file.read`. checksums:
    name of each file to its MD5; source: URL of the archive that holds them.

    Raises UserError for files that are absent and cannot be fetched, or corrupted, and for values that cannot be.
    """
    folder = Path(root).expanduser() / STL10.base_folder
    complete_from_archive(folder, checksums, source)
    published = join(*(_read(folder, part, checksums) for part in ("train", "test")))
    if split is None:
        positions = draw(published.classes, len(CLASS_NAMES), validation_size, test_size, split_seed)
    else:
        positions = read(split, published.classes)
    train, validation, test = take(published, positions)
    dataset = Dataset(train, validation, test, len(CLASS_NAMES), CLASS_NAMES)
    return limit_splits(dataset, max_images, max_held_out, max_test)


def _read(folder: Path, part: str, checksums: Mapping[str, str]) -> Split:
    """The images of one pair of files, which hold them column by column, and their labels, which count from 1."""
    names = (f"{part}_X.bin", f"{part}_y.bin")
    pixels, labels = (np.frombuffer(read_checked(folder / name, checksums[name]), np.uint8) for name in names)
    if pixels.size != labels.size * np.prod(_SHAPE):
        raise UserError(
            f"{folder / part}_X.bin holds {pixels.size:,} bytes, which are not {labels.size:,} images: get it anew"
        )
    check_ten_labels(folder / f"{part}_y.bin", labels)
    rows_first = np.ascontiguousarray(pixels.reshape(-1, *_SHAPE).transpose(0, 1, 3, 2))
    return Split(torch.from_numpy(rows_first), torch.from_numpy(labels.astype(np.int64) - 1))
