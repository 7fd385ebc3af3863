"""STL10: ten kinds of things, 5K / 8K as published, or all that is labeled split anew, 8K / 1K / 4K (WAAL Tab. 2)."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from al_bench.active.part import declare
from al_bench.config.ranges import NoneToAll, Seed, Side, UpToAll
from al_bench.dataset import Dataset, Split
from al_bench.dataset.imbalance import Imbalance
from al_bench.dataset.splits import Splits, divide, draw, join, last_of_each, take
from al_bench.dataset.subset import limit_splits
from al_bench.dataset.ten_classes import check_ten_labels
from al_bench.errors import UserError, amount
from al_bench.sources.archive_download import complete_from_archive
from al_bench.sources.decoding import resize
from al_bench.sources.download import read_checked

CLASS_NAMES = ("airplane", "bird", "car", "cat", "deer", "dog", "horse", "monkey", "ship", "truck")
CHECKSUMS = {  # and where to fetch them: as torchvision has these, whose import takes long; all but the 100,000 images
    "train_X.bin": "918c2871b30a85fa023e0c44e0bee87f",  # without a label, which WAAL leaves out
    "train_y.bin": "5a34089d4802c674881badbb80307741",
    "test_X.bin": "7f263ba9f9e0b06b93213547f721ac82",
    "test_y.bin": "36f9794fa4beb8a2c72628de14fa638e",
}
SOURCE = "http://ai.stanford.edu/~acoates/stl10/stl10_binary.tar.gz"
FOLDER = "stl10_binary"
_SHAPE = (3, 96, 96)


@declare("dataset/stl10", beside=("root",), files=("split",), places=(FOLDER, "stl10_binary.tar.gz"), fetched=True)
def stl10(
    root: str | Path,
    validation_size: NoneToAll,
    test_size: UpToAll | None,
    split_seed: Seed,
    max_images: UpToAll | None = None,
    max_held_out: UpToAll | None = None,
    max_test: UpToAll | None = None,
    split: str | Path | None = None,
    checksums: Mapping[str, str] = CHECKSUMS,
    source: str = SOURCE,
    image_size: Side | None = None,
    imbalance: Imbalance | None = None,
) -> Dataset:
    """(N, 3, 96, 96) images. The 5,000 published for training and the 8,000 for the test are one, split anew, or are as
    they were published.

    root: the folder of stl10_binary. validation_size, test_size: of those splits, as many of each class, drawn by
    split_seed; all others are the pool. Without test_size the test split is the published one, and the last images of
    each class for training are the validation split. image_size: (N, 3, image_size, image_size) images, by bilinear
    means; None: as they are. max_images: of the pool; max_held_out: of the validation and of the test split
    each; max_test: of the test split alone. split: an index file of another division, see `index_file.read`,
    whatever `imbalance` says, which is what is kept of the pool. checksums:
    name of each file to its MD5; source: URL of the archive that holds them.

    Raises UserError for files that are absent and cannot be fetched, or corrupted, and for values that cannot be.
    """
    folder = Path(root).expanduser() / FOLDER
    complete_from_archive(folder, checksums, source)
    published = [_read(folder, part, checksums, image_size) for part in ("train", "test")]
    train, validation, test = _divided(published[0], published[1], validation_size, test_size, split_seed, split)
    dataset = Dataset(train, validation, test, len(CLASS_NAMES), CLASS_NAMES)
    return limit_splits(dataset, max_images, max_held_out, max_test, imbalance if split is None else None)


def _divided(
    train: Split, test: Split, validation_size: int, test_size: int | None, split_seed: int, file: str | Path | None
) -> Splits:
    if file is not None or test_size is None:
        size = validation_size if file is None else 0
        return divide(train, test, last_of_each(train.classes, len(CLASS_NAMES), size), file)
    both = join(train, test)
    return take(both, draw(both.classes, len(CLASS_NAMES), validation_size, test_size, split_seed))


def _read(folder: Path, part: str, checksums: Mapping[str, str], image_size: int | None) -> Split:
    """The images of one pair of files, which hold them column by column, and their labels, which count from 1."""
    names = (f"{part}_X.bin", f"{part}_y.bin")
    pixels, labels = (np.frombuffer(read_checked(folder / name, checksums[name]), np.uint8) for name in names)
    if pixels.size != labels.size * np.prod(_SHAPE):
        raise UserError(
            f"{folder / part}_X.bin holds {pixels.size:,} bytes, which are not {amount(labels.size, 'image')}: get it "
            "anew"
        )
    check_ten_labels(folder / f"{part}_y.bin", labels)
    images = _resized(pixels.reshape(-1, *_SHAPE).transpose(0, 1, 3, 2), image_size)
    return Split(torch.from_numpy(images), torch.from_numpy(labels.astype(np.int64) - 1))


def _resized(images: NDArray[np.uint8], side: int | None) -> NDArray[np.uint8]:
    """(N, 3, side, side) of (N, 3, 96, 96), as pictures of folders are made smaller."""
    size = None if side is None else (side, side)
    pictures = (
        resize(Image.fromarray(one.transpose(1, 2, 0)), size, "none", Image.Resampling.BILINEAR) for one in images
    )
    return np.stack([np.asarray(picture).transpose(2, 0, 1) for picture in pictures]) if size else images.copy("C")
