"""Tensors and their sums; whether what a run's folder holds is what was written: records, tensors, the form of models.

A record and its tensors are small and read whole. A model is as large as it likes: that its file is as long as its own
head says is all that is asked before somebody loads it.
"""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from safetensors import SafetensorError, safe_open

from al_bench.active.part import hash_of
from al_bench.files import digest, read_json, written_whole
from al_bench.storage.folder import cycle_file, cycle_records
from al_bench.storage.record import CorruptedError, CycleRecord, Record, read_whole_record

if TYPE_CHECKING:  # torch is imported where tensors are
    from torch import Tensor


def write_tensors(path: Path, tensors: "Mapping[str, Tensor]", head: dict[str, str] | None = None) -> str:
    """Writes a file of tensors; returns its sum. head: what else the file says, by name."""
    from safetensors.torch import save

    data = save({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}, head)
    with written_whole(path, lasting=False) as file:
        file.write(data)
    return digest(data)


def read_whole_cycle(folder: Path, index: int, run: str) -> Record:
    """A cycle of the run of this id. Raises CorruptedError where its record or its tensors are not there, or not what
    was written, RecordError where they are another version's."""
    path = cycle_file(folder, index, ".json")
    try:
        values, tensors = read_json(path), path.with_suffix(".safetensors").read_bytes()
    except (FileNotFoundError, IsADirectoryError) as error:
        raise CorruptedError("is missing") from error
    except ValueError as error:
        raise CorruptedError("is not whole JSON") from error
    record = read_whole_record(values, run)
    if isinstance(record, CycleRecord) and record.index != index:
        raise CorruptedError(f"has cycle {record.index} in the place of cycle {index}")
    if digest(tensors) != record.sha256:
        raise CorruptedError("is corrupted, its tensors do not hash to the sum that it states")
    return record


def model_may_be_whole(folder: Path, index: int) -> bool:
    """Whether the file of a cycle's model is as long as its head says, or was removed: the content is not read."""
    path = cycle_file(folder, index, ".model.safetensors")
    if path.is_dir():  # which safetensors has no sentence for
        return False
    try:
        with safe_open(path, "np"):
            return True
    except FileNotFoundError:
        return True
    except SafetensorError:
        return False


def model_is_whole(folder: Path, index: int, stated: str | None) -> bool:
    """Whether the file of a cycle's model has a sum; reads all of it."""
    try:
        with cycle_file(folder, index, ".model.safetensors").open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == stated
    except (FileNotFoundError, IsADirectoryError):
        return False


def run_of(folder: Path) -> str:
    """The id of the run whose configuration lies in a folder. Raises ValueError and OSError as `whole_cycles`."""
    try:
        return hash_of(read_json(folder / "config.json")["identity"])
    except (KeyError, TypeError) as error:
        raise CorruptedError("holds no configuration of a run") from error


def is_anothers(folder: Path, run: str) -> bool:
    """Whether a folder is named by the id of another run than it holds; any other name is somebody's own."""
    return folder.name != run and re.fullmatch(r"[0-9a-f]{12}", folder.name) is not None


def whole_cycles(folder: Path, run: str) -> list[Record]:
    """The records of the run of this id in its folder, in order. Raises ValueError where one is missing or not whole,
    or the folder holds another run, OSError where it cannot be read."""
    found = cycle_records(folder)
    if not found:
        return []
    if (own := run_of(folder)) != run:
        raise CorruptedError(f"holds run {own}")
    records = [read_whole_cycle(folder, index, run) for index in range(max(found) + 1)]
    if not model_may_be_whole(folder, len(records) - 1):
        raise CorruptedError("has a last model that is not whole")
    return records
