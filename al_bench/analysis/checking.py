"""What a stored file has to be so that it can be reported."""

from pathlib import Path
from typing import Any

from al_bench.errors import WordedError
from al_bench.files import read_json
from al_bench.storage.record import CycleRecord, Record, RecordError, read_record, read_whole_record


class UnreadableError(WordedError):
    """Something stored cannot be reported; the message says why, as the end of a sentence that names it."""


def checked_cycle(source: Any, index: int, run: str) -> Record:
    """A whole cycle of the run of this id. source: its file, its record, or None where it is missing. Raises
    UnreadableError."""
    if source is None:
        raise UnreadableError("is missing")
    try:
        record = read_whole_record(content(source), run) if isinstance(source, Path) else read_record(source)
    except RecordError as error:
        raise UnreadableError(str(error)) from error
    place = record.index if isinstance(record, CycleRecord) else 0
    if place != index or not record.metrics:
        raise UnreadableError(f"says that it is cycle {place} with {len(record.metrics)} metrics")
    return record


def content(path: Path) -> Any:
    """The value in a JSON file. Raises UnreadableError where it is not whole."""
    try:
        return read_json(path)
    except (ValueError, OSError) as error:
        raise UnreadableError("cannot be read, it is not whole JSON") from error
