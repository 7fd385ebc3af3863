"""What is known of decoded pictures, and whether the array of them is still what was decoded."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import torch
from pydantic import BaseModel, Field, PositiveInt

from al_bench.active.inputs import fingerprint_of
from al_bench.errors import UserError
from al_bench.files import digest, write_json
from al_bench.sources.decoding import AnyDecoder, Pixels

_WHOLLY = 1 << 28  # bytes that are hashed whenever they are opened
_PART_BYTES = 1 << 26  # hashed at a time


class _Known(BaseModel):
    shape: Annotated[list[PositiveInt], Field(min_length=3, max_length=4)]
    fingerprint: str
    values: Annotated[list[int], Field(min_length=256, max_length=256)] | None = None


def checked_record(record: Any, count: int, decoder: AnyDecoder) -> dict[str, Any]:
    """The same values. Raises ValueError or KeyError where they are not what is known of so many pictures, or have not
    the sum that they state, which older ones do not."""
    known = _Known.model_validate(record, strict=True)
    if record.get("sha256", own := _sum(record)) != own:
        raise ValueError("another record")
    if known.shape[0] != count or decoder.shape not in (None, tuple(known.shape[1:])):
        raise ValueError("other pictures")
    if decoder.counts_values and known.values is None:
        raise KeyError("values")
    return dict(record)


def _sum(record: dict[str, Any]) -> str:
    """Of all else in a record."""
    return digest(json.dumps({key: record[key] for key in record if key != "sha256"}, sort_keys=True).encode())


def hold_against(known: dict[str, Any], array: Pixels, path: Path) -> None:
    """Raises ValueError for pictures that have not the fingerprint that is known of them."""
    large, now = array.nbytes > _WHOLLY, stamp(path)
    if large and known.get("checked") == now:
        return
    rows = max(1, _PART_BYTES * len(array) // max(1, array.nbytes))
    parts = (array[first : first + rows].tobytes() for first in range(0, len(array), rows))
    if fingerprint_of(array.shape, torch.uint8, parts) != known["fingerprint"]:
        raise ValueError("other pictures")
    if large:
        with suppress(OSError, UserError):  # a folder that is only read from, a full disk
            write_record(path, {**known, "checked": now})


def write_record(path: Path, record: dict[str, Any]) -> None:
    """With its sum, beside the pictures of the same name. Raises UserError where the disk does not take it."""
    write_json(path.with_suffix(".json"), {**record, "sha256": _sum(record)})


def stamp(path: Path) -> list[int]:
    """What is another after the file of pictures was written to, copied or put back."""
    found = path.with_suffix(".npy").stat()
    return [found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino]
