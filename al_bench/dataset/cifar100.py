"""CIFAR-100, 50k / 10k, its hundred fine classes, balanced or not (MAL Tabs. 3, 4 and 10)."""

from collections.abc import Mapping
from pathlib import Path

from al_bench.active.part import declare
from al_bench.config.ranges import NoneToAll, UpToAll
from al_bench.dataset import Dataset, Split
from al_bench.dataset.cifar_batches import read_batch, read_pickle
from al_bench.dataset.imbalance import Imbalance
from al_bench.dataset.splits import divide, last
from al_bench.dataset.subset import limit_splits
from al_bench.sources.archive_download import complete_from_archive

META = "meta"
CHECKSUMS = {  # and where to fetch them: as torchvision has these, whose import takes long
    "train": "16019d7e3df5f24257cddd939b257f8d",
    "test": "f0ef6b0ae62326f3e7ffdfab6717acfc",
    META: "7973b15100ade9c7d40fb424638fde48",
}
SOURCE = "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz"
FOLDER = "cifar-100-python"


@declare(
    "dataset/cifar100",
    beside=("root",),
    files=("split",),
    places=(FOLDER, "cifar-100-python.tar.gz"),
    fetched=True,
)
def cifar100(
    root: str | Path,
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

    root: the folder of cifar-100-python. max_images: of the training split; max_held_out: of the validation and of the
    test split each; max_test: of the test split alone. validation_size: the last images for training are the validation
    split (0: none). split: an index file of another division, see `index_file.read`, whatever the next two say.
    imbalance: what is kept of the training split. checksums: MD5 of the files train, test and meta; source: URL of the
    archive that holds them.

    Raises UserError for files that are absent and cannot be fetched, or corrupted, and for values that cannot be.
    """
    folder = Path(root).expanduser() / FOLDER
    complete_from_archive(folder, checksums, source)
    names = tuple(read_pickle(folder / META, checksums[META])["fine_label_names"])
    train, test = (Split(*read_batch(folder / name, checksums[name], "fine_labels")) for name in ("train", "test"))
    train, validation, test = divide(train, test, last(len(train), validation_size), split)
    dataset, drawn = Dataset(train, validation, test, len(names), names), imbalance if split is None else None
    return limit_splits(dataset, max_images, max_held_out, max_test, drawn)
