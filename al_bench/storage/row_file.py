"""A table of float32 rows that may be larger than memory, in a safetensors file: written batch by batch, then mapped.

While it is written the file grows by whole batches, each of which is on the disk before the next is computed: whoever
goes on after a kill begins behind the last of them.
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from al_bench.errors import UserError, room
from al_bench.files import named, open_file

_NAME = "rows"
_LENGTH = 8  # bytes that say how long a safetensors head is
_NUMBER = 4  # bytes of a float32
_SPARE_BYTES = 1 << 30  # left free on the disk for all else
_IN_MEMORY = 8 << 30  # bytes of a table that is kept nowhere: a larger one lies in a file without a name

Compute = Callable[[Sequence[Tensor]], Iterable[Tensor]]  # positions (B,) of each batch -> its rows (B, D), in order


@dataclass(frozen=True)
class Reused:
    """rows: (M, D) of another table; places: (N,) int64 where each row of a new one is among them, -1 for nowhere."""

    rows: Tensor
    places: Tensor


def write_rows(path: Path, shape: tuple[int, int], batch: int, compute: Compute, reused: Reused | None = None) -> None:
    """Completes a file of (N, D) rows, behind the whole batches that are in it.

    shape: (N, D); batch: rows that are written at a time, but for the last; compute: asked for those of them that are
    not `reused`. Raises UserError where the disk does not take it.
    """
    head = _head(shape)
    path.parent.mkdir(parents=True, exist_ok=True)
    with named(path), path.open("r+b" if path.exists() else "w+b") as file:
        there = _whole_rows(file.read(len(head)) == head, path.stat().st_size - len(head), shape, batch)
        _refuse_no_room(path.parent, (shape[0] - there) * shape[1] * _NUMBER, "paths.outputs")
        if there == 0:
            file.seek(0)
            file.write(head)
        file.seek(len(head) + there * shape[1] * _NUMBER)
        file.truncate()
        for rows in _batches(torch.arange(there, shape[0]).split(batch), compute, reused):
            file.write(rows.detach().float().cpu().contiguous().numpy().tobytes())
            file.flush()
            os.fdatasync(file.fileno())


def _batches(parts: Sequence[Tensor], compute: Compute, reused: Reused | None) -> Iterator[Tensor]:
    """(B, D) rows of each part, in order. parts: (B,) positions."""
    if reused is None:
        yield from compute([part for part in parts if len(part)])
        return
    new = [part[reused.places[part] < 0] for part in parts]
    computed = iter(compute([part for part in new if len(part)]))
    for part, missing in zip(parts, new, strict=True):
        rows = reused.rows[reused.places[part].clamp(min=0)]
        if len(missing):
            rows[reused.places[part] < 0] = next(computed).detach().float().cpu()
        yield rows


def read_rows(path: Path, sha256: str) -> Tensor:
    """(N, D) rows of a file, a private map of which the system keeps in memory what is in use.

    sha256: of the whole file. Raises ValueError where it is another, and FileNotFoundError where there is none.
    """
    with open_file(path) as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != sha256:
            raise ValueError("another content")
        file.seek(0)
        length = int.from_bytes(file.read(_LENGTH), "little")
        shape = tuple(json.loads(file.read(length))[_NAME]["shape"])
    mapped = np.memmap(path, np.float32, "c", _LENGTH + length, shape)  # "c": torch warns of what cannot be written
    return torch.from_numpy(np.asarray(mapped))


def empty_rows(shape: tuple[int, int], device: torch.device) -> Tensor:
    """(N, D) rows to be filled, which end with the process: in memory, or, of more than 8 GiB on the CPU, in a mapped
    file in the folder for temporary ones (TMPDIR). Raises UserError where the disk does not take it."""
    size = shape[0] * shape[1] * _NUMBER
    if device.type != "cpu" or size <= _IN_MEMORY:
        return torch.empty(shape, device=device)
    folder = Path(tempfile.gettempdir())
    _refuse_no_room(folder, size, "TMPDIR")
    with named(folder / "rows"), tempfile.TemporaryFile(dir=folder) as file:
        os.posix_fallocate(file.fileno(), 0, size)  # else a disk that runs full would end the process while it writes
        return torch.from_numpy(np.asarray(np.memmap(file, np.float32, "r+", shape=shape)))


def sum_of(path: Path) -> str:
    """SHA-256 of a file of any size, in hexadecimal."""
    with open_file(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _head(shape: tuple[int, int]) -> bytes:
    """As safetensors has it, a multiple of 8 bytes long."""
    size = shape[0] * shape[1] * _NUMBER
    text = json.dumps({_NAME: {"dtype": "F32", "shape": list(shape), "data_offsets": [0, size]}}).encode()
    text += b" " * (-len(text) % _LENGTH)
    return len(text).to_bytes(_LENGTH, "little") + text


def _whole_rows(is_ours: bool, size: int, shape: tuple[int, int], batch: int) -> int:
    """How many rows of a file that ends somewhere are there in whole batches. size: of its rows, in bytes."""
    rows = max(0, size) // (shape[1] * _NUMBER) if is_ours else 0
    return shape[0] if rows >= shape[0] else rows // batch * batch


def _refuse_no_room(folder: Path, needed: int, key: str) -> None:
    free = shutil.disk_usage(folder).free
    if needed + _SPARE_BYTES > free:
        raise UserError(
            f"{folder} has {room(free)} free and needs {room(needed)} for features, and one more: "
            f"free some, or name a folder on a larger disk by {key}"
        )
