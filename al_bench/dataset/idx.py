"""Data sets in MNIST's four files: found, or fetched from where torchvision fetches them, and checked before use."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from torch import Tensor
from torchvision.datasets import MNIST
from torchvision.datasets.mnist import read_image_file, read_label_file

from al_bench.dataset import Split
from al_bench.dataset.splits import Splits, divide, last
from al_bench.sources.download import check, complete, fetch


def idx_splits(
    source: type[MNIST],
    root: str | Path,
    checksums: Mapping[str, str],
    validation_size: int,
    split: str | Path | None = None,
) -> Splits:
    """Training, validation and test split: (N, 1, H, W) images and (N,) labels.

    source: torchvision's class, which names folder and mirrors. root: the folder of <source>/raw. checksums: name of
    each file to the MD5 of its content. validation_size: the last images of those published for training, which are
    the validation split (0: None). split: an index file in its place, see `index_file.read`. Files that are absent are
    unpacked from <name>.gz, or fetched.

    Raises UserError naming a file that can neither be found nor fetched, or that is not what was published, and for a
    validation_size that leaves nothing to train on.
    """
    folder = Path(root).expanduser().resolve() / source.__name__ / "raw"
    remedy = f"put {', '.join(checksums)} into {folder}, as they are or as .gz, or set paths.data to where they lie"
    complete(folder, checksums, partial(_get, source.mirrors), remedy)
    for name, checksum in checksums.items():
        check(folder / name, checksum)
    train, test = (Split(*_read(folder, name)) for name in ("train", "t10k"))
    return divide(train, test, last(len(train), validation_size), split)


def _read(folder: Path, name: str) -> tuple[Tensor, Tensor]:
    images = read_image_file(str(folder / f"{name}-images-idx3-ubyte"))
    return images[:, None], read_label_file(str(folder / f"{name}-labels-idx1-ubyte"))


def _get(mirrors: Sequence[str], folder: Path, absent: Mapping[str, str]) -> None:
    """Puts files in place, each from the archive beside it or the first mirror that has it. Raises OSError."""
    for name, checksum in absent.items():
        archive = folder / f"{name}.gz"
        urls = [archive.as_uri()] if archive.exists() else [f"{mirror}{archive.name}" for mirror in mirrors]
        fetch(urls, folder / name, checksum)
