"""What a stored file has to be so that it can be reported."""

from pathlib import Path
from typing import Any

from al_bench.files import read_json
from al_bench.storage.exported import Record, record_sum

_ABOUT = ("identity", "label", "metrics", "config", "choices", "commit", "hardware")
_INSIDE = {
    "identity": ("part", "seed"),
    "config": ("dataset", "loop"),
    "choices": ("dataset", "recipe", "strategy", "learner", "representation"),
}
_OF_A_CYCLE = ("index", "annotations", "unlabeled", "metrics", "chosen_entropy", "class_counts", "query", "effort")
_OF_A_MEASUREMENT = ("index", "metrics")
_OF_AN_ARTIFACT = ("kind", "sha256", "effort", "spec", "losses")


class UnreadableError(ValueError):
    """Something stored cannot be reported; the message says why, as the end of a sentence that names it."""


def checked_about(about: Any) -> Record:
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
    record = content(source) if isinstance(source, Path) else source
    if not isinstance(record, dict):
        raise UnreadableError("is not a record")
    missing = [key for key in (_OF_A_CYCLE if is_cycle(record) else _OF_A_MEASUREMENT) if key not in record]
    if missing:
        raise UnreadableError(f"was written by another version, without {', '.join(missing)}")
    if isinstance(source, Path) and record.get("sha256_record") != record_sum(record):
        raise UnreadableError("is corrupted, its content does not hash to the sum it states")
    if record["index"] != index or not record["metrics"]:
        raise UnreadableError(f"says that it is cycle {record['index']} with {len(record['metrics'])} metrics")
    return record


def is_cycle(record: Record) -> bool:
    """Whether a record is of a cycle that bought labels, not what a procedure measured once."""
    return record.get("query") is not None


def checked_artifact(record: Any) -> Record:
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
