"""CIFAR-10, 50k / 10k (ASAL Sec. 4.1), all ten classes or some: the published batches, or a folder of pictures."""

import io
import pickle
import tarfile
from collections.abc import Mapping, Sequence
from http.client import HTTPException
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from filelock import FileLock
from torchvision.datasets import CIFAR10

from al_bench.dataset import Dataset, Split, limited, of_classes
from al_bench.dataset.image_folder import image_folder
from al_bench.errors import InputError
from al_bench.fetching import fetched, md5
from al_bench.files import written_whole

CLASS_NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
CHECKSUMS = {str(name): str(checksum) for name, checksum in [*CIFAR10.train_list, *CIFAR10.test_list]}
FOLDER = "cifar10_jpeg"


def cifar10(
    root: str | Path,
    format: Literal["torchvision", "folder"],  # noqa: A002  (the key that every data set of several formats has)
    decoded: str | Path,
    classes: Sequence[int] | None = None,
    max_images: int | None = None,
    checksums: Mapping[str, str] = CHECKSUMS,
    source: str = CIFAR10.url,
) -> Dataset:
    """(N, 3, 32, 32) images.

    root: the folder of cifar-10-batches-py (format `torchvision`) or of cifar10_jpeg (format `folder`), which holds
    train/<class>/*.jpg and test/<class>/*.jpg. decoded: where decoded pictures are kept. classes: the numbers of those
    to keep, labeled 0, 1, ... in this order; None: all ten. max_images: of the training split. checksums: name of each
    batch to its MD5, training batches first, the test batch last; source: URL of the archive that holds them.

    Raises InputError for files that are absent and cannot be fetched, or garbled, and for values that cannot be.
    """
    chosen = list(range(10)) if classes is None else list(classes)
    if len(set(chosen)) < max(2, len(chosen)) or not set(chosen) <= set(range(10)):
        raise InputError(f"dataset.classes={chosen} cannot be: give two or more different numbers from 0 to 9")
    names = tuple(CLASS_NAMES[label] for label in chosen)
    if format == "folder":
        return _from_folder(Path(root).expanduser() / FOLDER, decoded, names, max_images)
    if format != "torchvision":
        raise InputError(f"dataset.format={format} is not known: use torchvision or folder")
    train, test = _from_batches(Path(root).expanduser(), checksums, source)
    kept = None if classes is None else chosen
    return Dataset(limited(of_classes(train, kept), max_images), None, of_classes(test, kept), len(names), names)


def _from_folder(folder: Path, decoded: str | Path, names: Sequence[str], max_images: int | None) -> Dataset:
    if not folder.is_dir():
        raise InputError(
            f"{folder} is missing: unpack {FOLDER}.tar.xz into {folder.parent} by scripts/prepare_data.py, set "
            "paths.data to where it lies, or use dataset.format=torchvision"
        )
    return image_folder(
        folder,
        image_size=32,
        crop="none",
        mode="rgb",
        test_share=0.0,  # there is a test folder
        split_seed=0,
        cache="auto",
        decoded=decoded,
        classes=names,
        max_images=max_images,
    )


def _from_batches(root: Path, checksums: Mapping[str, str], source: str) -> tuple[Split, Split]:
    folder = root / CIFAR10.base_folder
    if any(not (folder / name).exists() for name in checksums):
        _complete(folder, checksums, source)
    *train, test = (_batch(folder / name, checksum) for name, checksum in checksums.items())
    images, labels = (torch.cat(parts) for parts in zip(*train, strict=True))
    return Split(images, labels), Split(*test)


def _batch(path: Path, checksum: str) -> tuple[torch.Tensor, torch.Tensor]:
    """(B, 3, 32, 32) images and (B,) labels. The MD5 comes first: unpickling may run whatever a file says."""
    content = path.read_bytes()
    if md5(content) != checksum:
        raise InputError(f"{path} is garbled or truncated: remove it, and it is fetched again")
    batch: dict[str, Any] = pickle.loads(content, encoding="latin1")
    images = np.asarray(batch["data"], dtype=np.uint8).reshape(-1, 3, 32, 32)
    return torch.from_numpy(images), torch.tensor(batch["labels"])


def _complete(folder: Path, checksums: Mapping[str, str], source: str) -> None:
    """Puts every absent batch in place, from the archive beside the folder or from `source`."""
    archive = folder.parent / source.rsplit("/", 1)[-1]
    remedy = f"put {archive.name} into {archive.parent}, or set paths.data to where it lies"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / ".lock"):
            absent = [name for name in checksums if not (folder / name).exists()]
            if absent:
                _put(folder, archive.read_bytes() if archive.exists() else fetched(source), absent, checksums)
    except (OSError, EOFError, KeyError, tarfile.TarError, HTTPException) as error:
        raise InputError(f"{folder} lacks batches that could not be had ({error}): {remedy}") from error


def _put(folder: Path, archive: bytes, names: Sequence[str], checksums: Mapping[str, str]) -> None:
    """Puts batches of a packed archive in place. Raises KeyError or OSError for one that is not in it as published."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        for name in names:
            member = opened.extractfile(f"{folder.name}/{name}")
            content = member.read() if member else b""
            if md5(content) != checksums[name]:
                raise OSError(f"{name} in the archive is garbled")
            with written_whole(folder / name) as file:
                file.write(content)
