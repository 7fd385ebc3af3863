"""Data sets in MNIST's four files: found, or fetched from where torchvision fetches them, and checked before use."""

import gzip
import zlib
from collections.abc import Mapping, Sequence
from http.client import HTTPException
from pathlib import Path

from filelock import FileLock
from torch import Tensor
from torchvision.datasets import MNIST
from torchvision.datasets.mnist import read_image_file, read_label_file

from al_bench.dataset import Split
from al_bench.dataset.splits import Splits, divided, last
from al_bench.errors import UserError
from al_bench.files import written_whole
from al_bench.sources.download import fetched, md5


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
    if any(not (folder / name).exists() for name in checksums):
        _complete(folder, source.mirrors, checksums)
    for name, checksum in checksums.items():
        if md5((folder / name).read_bytes()) != checksum:
            raise UserError(f"{folder / name} is corrupted or truncated: remove it, and it is fetched again")
    train, test = (Split(*_read(folder, name)) for name in ("train", "t10k"))
    return divided(train, test, last(len(train), validation_size), split)


def _read(folder: Path, name: str) -> tuple[Tensor, Tensor]:
    images = read_image_file(str(folder / f"{name}-images-idx3-ubyte"))
    return images[:, None], read_label_file(str(folder / f"{name}-labels-idx1-ubyte"))


def _complete(folder: Path, mirrors: Sequence[str], checksums: Mapping[str, str]) -> None:
    """Puts every absent file in place; a second process waits for the first and finds them."""
    remedy = f"put {', '.join(checksums)} into {folder}, as they are or as .gz, or set paths.data to where they lie"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / ".lock"):
            for path in (folder / name for name in checksums):
                if not path.exists():
                    content = _content(path, mirrors, checksums[path.name])
                    with written_whole(path) as file:
                        file.write(content)
    except OSError as error:
        raise UserError(f"{folder} lacks files that could not be fetched ({error}): {remedy}") from error


def _content(path: Path, mirrors: Sequence[str], checksum: str) -> bytes:
    """What the file should hold, from the archive beside it or the first mirror that has it. Raises OSError."""
    archive = path.with_name(f"{path.name}.gz")
    problems = []
    for url in [archive.as_uri()] if archive.exists() else [f"{mirror}{archive.name}" for mirror in mirrors]:
        try:
            content = gzip.decompress(fetched(url))
        except (OSError, EOFError, zlib.error, HTTPException) as error:
            problems.append(f"{url}: {error}")
            continue
        if md5(content) == checksum:
            return content
        problems.append(f"{url}: its content is corrupted")
    raise OSError("; ".join(problems))
