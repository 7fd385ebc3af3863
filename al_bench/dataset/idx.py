"""Data sets in MNIST's four files: found, or fetched from where torchvision fetches them, and checked before use."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from al_bench.dataset import Split
from al_bench.dataset.splits import Splits, divide, last
from al_bench.sources.download import check, complete, fetch

MIRRORS: dict[str, Sequence[str]] = {  # as torchvision has them, whose import takes long
    "MNIST": ("https://ossci-datasets.s3.amazonaws.com/mnist/", "http://yann.lecun.com/exdb/mnist/"),
    "FashionMNIST": ("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",),
}


def idx_splits(
    source: str,
    root: str | Path,
    checksums: Mapping[str, str],
    validation_size: int,
    split: str | Path | None = None,
) -> Splits:
    """Training, validation and test split: (N, 1, H, W) images and (N,) labels.

    source: the folder's name, a key of MIRRORS. root: the folder of <source>/raw. checksums: name of each file to the
    MD5 of its content. validation_size: the last images of those published for training, which are
    the validation split (0: None). split: an index file in its place, see `index_file.read`. Files that are absent are
    unpacked from <name>.gz, or fetched.

    Raises UserError naming a file that can neither be found nor fetched, or that is not what was published, and for a
    validation_size that leaves nothing to train on.
    """
    folder = Path(root).expanduser().resolve() / source / "raw"
    remedy = f"put {', '.join(checksums)} into {folder}, as they are or as .gz, or set paths.data to where they lie"
    complete(folder, checksums, partial(_get, MIRRORS[source]), remedy)
    for name, checksum in checksums.items():
        check(folder / name, checksum)
    train, test = (Split(*_read(folder, name)) for name in ("train", "t10k"))
    return divide(train, test, last(len(train), validation_size), split)


def _read(folder: Path, name: str) -> tuple[Tensor, Tensor]:
    images = read_idx(folder / f"{name}-images-idx3-ubyte")
    return images[:, None], read_idx(folder / f"{name}-labels-idx1-ubyte").long()


def read_idx(path: Path) -> Tensor:
    """The bytes of a file that was checked, in the shape that its head says: two zeros, 8 for bytes, how many numbers
    the shape has, and these, big-endian. torchvision reads them, too, but its import takes longer than they do.
    """
    content = np.fromfile(path, np.uint8)
    begin = 4 + 4 * int(content[3])
    return torch.from_numpy(content[begin:]).view(content[4:begin].view(">i4").tolist())


def _get(mirrors: Sequence[str], folder: Path, absent: Mapping[str, str]) -> None:
    """Puts files in place, each from the archive beside it or the first mirror that has it. Raises OSError."""
    for name, checksum in absent.items():
        archive = folder / f"{name}.gz"
        urls = [archive.as_uri()] if archive.exists() else [f"{mirror}{archive.name}" for mirror in mirrors]
        fetch(urls, folder / name, checksum)
