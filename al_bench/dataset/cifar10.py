"""CIFAR-10, 50k / 10k (ASAL Sec. 4.1), all ten classes or some: the published batches, or a folder of pictures."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Literal

import torch

from al_bench.active.part import declare
from al_bench.config.ranges import NoneToAll, UpToAll
from al_bench.dataset import Dataset, Split
from al_bench.dataset.cifar_batches import read_batch
from al_bench.dataset.image_folder import image_folder
from al_bench.dataset.imbalance import Imbalance
from al_bench.dataset.splits import divide, last, last_of_each
from al_bench.dataset.subset import limit_splits, of_classes
from al_bench.dataset.ten_classes import choose_classes
from al_bench.errors import UserError
from al_bench.sources.archive_download import complete_from_archive

CLASS_NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
CHECKSUMS = {  # and where to fetch them: as torchvision has these, whose import takes long
    "data_batch_1": "c99cafc152244af753f735de768cd75f",
    "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
    "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
    "data_batch_4": "634d18415352ddfa80567beed471001a",
    "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
    "test_batch": "40351d587109b95175f43aff81a1287e",
}
SOURCE = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
BATCHES = "cifar-10-batches-py"
FOLDER = "cifar10_jpeg"


@declare(
    "dataset/cifar10",
    beside=(
        "root",
        "decoded",
    ),
    files=("split",),
    places=(BATCHES, "cifar-10-python.tar.gz", FOLDER),
    fetched=True,
)
def cifar10(
    root: str | Path,
    format: Literal["torchvision", "folder"],  # noqa: A002  (the key that every data set of several formats has)
    decoded: str | Path,
    classes: Sequence[int] | None = None,
    max_images: UpToAll | None = None,
    max_held_out: UpToAll | None = None,
    max_test: UpToAll | None = None,
    validation_size: NoneToAll = 0,
    split: str | Path | None = None,
    imbalance: Imbalance | None = None,
    checksums: Mapping[str, str] = CHECKSUMS,
    source: str = SOURCE,
) -> Dataset:
    """(N, 3, 32, 32) images.

    root: the folder of cifar-10-batches-py (format `torchvision`) or of cifar10_jpeg (format `folder`), which holds
    train/<class>/*.jpg and test/<class>/*.jpg. decoded: where decoded pictures are kept. classes: the numbers of those
    to keep, labeled 0, 1, ... in this order; None: all ten. max_images: of the training split; max_held_out: of the
    validation and of the test split each; max_test: of the test split alone. validation_size: the last images for
    training, or of the folder, which lies by class, the last of each class, are the validation split (0: none). split:
    an index file of another division, see `index_file.read`, whatever the next one says; each format counts in its own
    order. imbalance: what is kept of the training split. checksums: name of each batch to its MD5, training batches
    first, the test batch last; source: URL of the archive that holds them.

    Raises UserError for files that are absent and cannot be fetched, or corrupted, and for values that cannot be.
    """
    chosen = choose_classes(classes)
    names = tuple(CLASS_NAMES[label] for label in chosen)
    place = Path(root).expanduser()
    if format == "folder":
        pictures = _pictures(place / FOLDER, decoded, names)
        if split is None and validation_size == 0:
            return pictures(imbalance=imbalance, max_images=max_images, max_held_out=max_held_out, max_test=max_test)
        whole = pictures()
        validation = last_of_each(whole.train.classes, len(names), validation_size)
        train, held_out, test = divide(whole.train, whole.test, validation, split)
    else:
        kept = None if classes is None else chosen
        train, test = (of_classes(part, kept) for part in _from_batches(place, checksums, source))
        train, held_out, test = divide(train, test, last(len(train), validation_size), split)
    dataset, drawn = Dataset(train, held_out, test, len(names), names), imbalance if split is None else None
    return limit_splits(dataset, max_images, max_held_out, max_test, drawn)


def _pictures(folder: Path, decoded: str | Path, names: Sequence[str]) -> Callable[..., Dataset]:
    """What reads the folder of pictures."""
    if not folder.is_dir():
        raise UserError(
            f"{folder} is missing: unpack {FOLDER}.tar.xz into {folder.parent} by scripts/prepare_data.py, set "
            "paths.data to where it lies, or use dataset.format=torchvision"
        )
    return partial(
        image_folder,
        folder,
        image_size=32,
        crop="none",
        mode="rgb",
        test_share=0.0,  # there is a test folder
        split_seed=0,
        cache="auto",
        decoded=decoded,
        classes=names,
    )


def _from_batches(root: Path, checksums: Mapping[str, str], source: str) -> tuple[Split, Split]:
    folder = root / BATCHES
    try:
        complete_from_archive(folder, checksums, source)
    except UserError as error:
        if (pictures := root / FOLDER).is_dir():
            raise UserError(f"{error}; dataset.format=folder reads {pictures}, which is there") from error
        raise
    *train, test = (read_batch(folder / name, checksum, "labels") for name, checksum in checksums.items())
    images, labels = (torch.cat(parts) for parts in zip(*train, strict=True))
    return Split(images, labels), Split(*test)
