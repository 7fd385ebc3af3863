"""Rows of an earlier table, taken over into a new one: of a folder that grows only what is new is computed."""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from al_bench.active.part import hash_of
from al_bench.files import open_file, read_json, written_whole
from al_bench.storage.about import checked_artifact
from al_bench.storage.row_file import Reused, read_rows

logger = logging.getLogger(__name__)

RowIds = NDArray[np.uint64]  # (N,), of each row what it is of: equal ones have equal rows

_OF_NOTHING = np.uint64(0)  # no file has this id but by a chance of one in 2^64
_OF_ROWS = "images"  # of a spec, that says which rows there are and in which order


def write_ids(path: Path, ids: RowIds) -> str:
    """Writes what the rows of a table are of, beside it; returns the sum of the file. path: of the table."""
    with written_whole(_beside(path), lasting=False) as file:
        np.save(file, ids, allow_pickle=False)
    with open_file(_beside(path)) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def find_rows(folder: Path, spec: Mapping[str, Any], ids: RowIds) -> Reused | None:
    """The table of `folder` that has the most of some rows; None where none has any.

    spec: of the new table, from which an earlier one's differs in its `images` alone. ids: of the new rows. A table
    that is corrupted is passed over.
    """
    wanted, found = _without_rows(spec), None
    for record in sorted(folder.glob("*.json")):
        try:
            known = checked_artifact(read_json(record), record.stem)
            there = _places(ids, _read_ids(record, known)) if _without_rows(known["spec"]) == wanted else None
        except (ValueError, KeyError, OSError):  # that of whoever asks for this one
            continue
        if there is not None and (count := int((there >= 0).sum())) > (found[0] if found else 0):
            found = count, record, known["sha256"], there
    if found is None:
        return None
    count, record, sha256, places = found
    try:
        rows = read_rows(record.with_suffix(".safetensors"), sha256)
    except (ValueError, KeyError, OSError):
        return None
    logger.info(f"{count:,} of {len(ids):,} are as they were, and are taken from {record.stem}")
    return Reused(rows, torch.from_numpy(places))


def but_for_lost(
    spec: Mapping[str, Any], ids: RowIds | None, lost: Sequence[int]
) -> tuple[dict[str, Any], RowIds | None]:
    """What a table is of some of whose rows are of nothing, which nobody asks for, and what its other rows are of."""
    about = {**spec, _OF_ROWS: f"{spec[_OF_ROWS]} without {hash_of({'rows': [*lost]})}"}
    if ids is None:
        return about, None
    known = ids.copy()
    known[[*lost]] = _OF_NOTHING
    return about, known


def _without_rows(spec: Mapping[str, Any]) -> str:
    return hash_of({key: value for key, value in spec.items() if key != _OF_ROWS})


def _read_ids(path: Path, known: Mapping[str, Any]) -> RowIds:
    """Raises ValueError, KeyError or OSError where there are none, or others than the record says."""
    with open_file(_beside(path)) as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != known["sha256_ids"]:
            raise ValueError("another content")
        file.seek(0)
        found = np.load(file, allow_pickle=False)
    if found.ndim != 1 or found.dtype != np.uint64:
        raise ValueError("other values")
    return np.asarray(found)


def _places(ids: RowIds, others: RowIds) -> NDArray[np.int64]:
    """(N,) where each of the ids is among the others, -1 for nowhere."""
    if not len(others):
        return np.full(len(ids), -1)
    order = np.argsort(others, kind="stable")
    at = np.searchsorted(others, ids, sorter=order).clip(max=len(others) - 1)
    return np.where(others[order[at]] == ids, order[at], -1)


def _beside(path: Path) -> Path:
    return path.with_suffix(".ids.npy")
