"""Index files, which say of each split which of the published images are in it: written, read and checked."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from al_bench.dataset import Dataset
from al_bench.errors import UserError
from al_bench.files import output_file, read_json, write_json


class Positions(NamedTuple):
    """(P,) of the images of each split among all that are published; those for validation may be none."""

    train: Tensor
    validation: Tensor
    test: Tensor


def write(path: Path, dataset: Dataset) -> None:
    """Writes an index file: the positions of each split, and a mark of their labels by which other images show.

    Raises UserError for a data set that does not know its positions.
    """
    splits = [dataset.train, dataset.validation, dataset.test]
    present = {name: split for name, split in zip(Positions._fields, splits, strict=True) if split is not None}
    positions = {name: split.positions.tolist() for name, split in present.items() if split.positions is not None}
    if len(positions) < len(present):
        raise UserError(
            "this data set does not say which of the published images it holds, so there is no index file of it: name "
            "one of published files, such as dataset=fashion_mnist"
        )
    mark = _mark([split.classes for split in present.values()])
    write_json(output_file(path), {"labels": mark, **{name: positions.get(name, []) for name in Positions._fields}})


def read(file: str | Path, labels: Tensor) -> Positions:
    """The positions that an index file holds: JSON with the lists train, validation and test, the second perhaps empty,
    and the mark of `write`, which a file of your own may leave out.

    labels: (N,) of all published images. Raises UserError for a file that is missing, is no such one, or was made of
    other images.
    """
    name = f"dataset.split={file}"
    try:
        found = read_json(Path(file).expanduser())
    except OSError as error:
        raise UserError(f"{name} cannot be read ({error.strerror}): scripts/split.py makes such a file") from error
    except ValueError as error:
        raise UserError(f"{name} is corrupted or truncated: get it anew") from error
    lists: list[Any] = [found.get(part) for part in Positions._fields] if isinstance(found, dict) else [None]
    if not all(_is_index(part) for part in lists):
        raise UserError(f"{name} is no index file: that is JSON with whole numbers in train, validation and test")
    _check(name, lists, len(labels))
    positions = Positions(*(torch.tensor(part, dtype=torch.int64) for part in lists))
    mark = found.get("labels")
    if mark is not None and mark != _mark([labels[part] for part in positions if len(part)]):
        raise UserError(
            f"{name} was made of other images, of these in another order or format, or was changed since: make it anew "
            "by scripts/split.py"
        )
    return positions


def _is_index(part: Any) -> bool:
    return isinstance(part, list) and all(type(position) is int for position in part)


def _check(name: str, lists: Sequence[list[int]], count: int) -> None:
    empty = [part for part, positions in zip(Positions._fields, lists, strict=True) if not positions]
    if empty and empty != ["validation"]:
        raise UserError(f"{name} holds no images for {empty[0]}: every data set needs some")
    times = Counter(position for positions in lists for position in positions)
    outside = [position for position in times if not 0 <= position < count]
    if outside:
        raise UserError(f"{name} names image {outside[0]:,} and there are {count:,} from 0 on: get another")
    twice = [position for position, found in times.items() if found > 1]
    if twice:
        raise UserError(f"{name} names image {twice[0]:,} twice: an image is in one split")


def _mark(parts: Sequence[Tensor]) -> str:
    """Sixteen hexadecimal digits of the labels of each split, in order."""
    state = hashlib.sha256()
    for labels in parts:
        state.update(f"{tuple(labels.shape)}".encode())
        state.update(labels.to(torch.int64).contiguous().numpy().tobytes())
    return state.hexdigest()[:16]
