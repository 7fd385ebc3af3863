"""What a stored file has to be so that it can be reported."""

from pathlib import Path
from typing import Any

from al_bench.files import read_json
from al_bench.storage.record import CycleRecord, Plain, Record, RecordError, read_record, read_whole_record

_ABOUT = ("identity", "label", "metrics", "records", "config", "choices", "commit", "hardware")
_INSIDE = {
    "identity": ("part", "seed"),
    "config": ("dataset", "loop"),
    "choices": ("dataset", "recipe", "strategy", "learner", "representation"),
}
_OF_AN_ARTIFACT = ("kind", "sha256", "effort", "spec", "losses")


class UnreadableError(ValueError):
    """Something stored cannot be reported; the message says why, as the end of a sentence that names it."""


def checked_about(about: Any) -> Plain:
    """What `config.json` says of a run. Raises UnreadableError where it is another's or another version's."""
    if not isinstance(about, dict) or not all(isinstance(about.get(key), dict) for key in ("identity", "config")):
        raise UnreadableError("is not a run of al_bench")
    missing = [key for key in _ABOUT if not isinstance(about.get(key), dict | str | list)]
    missing += [f"{part}.{key}" for part, keys in _INSIDE.items() for key in keys if key not in (about.get(part) or {})]
    if missing:
        raise UnreadableError(f"was written by another version, without {', '.join(missing)}")
    return about


def checked_cycle(source: Any, index: int) -> Record:
    """A whole cycle. source: its file, its record, or None where it is missing. Raises UnreadableError."""
    if source is None:
        raise UnreadableError("is missing")
    try:
        record = read_whole_record(content(source)) if isinstance(source, Path) else read_record(source)
    except RecordError as error:
        raise UnreadableError(str(error)) from error
    place = record.index if isinstance(record, CycleRecord) else 0
    if place != index or not record.metrics:
        raise UnreadableError(f"says that it is cycle {place} with {len(record.metrics)} metrics")
    return record


def checked_artifact(record: Any) -> Plain:
    """The record of an artifact. Raises UnreadableError where it is none."""
    if not isinstance(record, dict) or any(key not in record for key in _OF_AN_ARTIFACT):
        raise UnreadableError("is not the record of an artifact")
    return record


def content(path: Path) -> Any:
    """The value in a JSON file. Raises UnreadableError where it is not whole."""
    try:
        return read_json(path)
    except (ValueError, OSError) as error:
        raise UnreadableError("cannot be read, it is not whole JSON") from error
