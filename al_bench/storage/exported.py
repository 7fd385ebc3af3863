"""Runs that travel: which are written under `results/cells`, and what of them."""

import logging
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from safetensors import SafetensorError
from safetensors.numpy import load

from al_bench.active.metric import Metric
from al_bench.active.part import hash_of
from al_bench.active.stopping import Stopping
from al_bench.errors import amount
from al_bench.files import read_json, set_aside, written_whole
from al_bench.storage.about import checked_about
from al_bench.storage.cell import SUFFIX, Cell, CellError, OtherFormatError, pack
from al_bench.storage.folder import run_folders, strays
from al_bench.storage.known import exported_cycles, reach
from al_bench.storage.query_record import QueryRecord
from al_bench.storage.record import (
    CorruptedError,
    CycleRecord,
    Record,
    RecordError,
    find_end,
    read_record,
    without_sums,
)
from al_bench.storage.stored import Plain
from al_bench.storage.whole import is_anothers, run_of, whole_cycles

logger = logging.getLogger(__name__)

_OF_PERSON = ("who", "labels")  # of an oracle's arguments
MOST_BYTES = 900_000  # of an exported file, which is committed: hosts refuse or warn from a MiB on


def export(
    outputs: Path, cells: Path, pictures_of: Callable[[Path], Plain] | None = None, unfinished: bool = False
) -> list[Path]:
    """Writes each finished run under `outputs` as `<label>-<id>.cell.xz` under `cells`; returns the files.

    A run is finished when its own stored stop rules hold; unfinished: others too, as far as they are, which count as
    finished for who asks for no more. An exported cell that comes as far, or farther, is left alone.
    pictures_of: gives some pictures of a run's folder as plain values by what they are, which travel with it.
    """
    written = []
    for folder in run_folders(outputs):
        if not (folder / "config.json").exists():
            continue
        cell = _cell(folder, unfinished)
        if cell is None:
            continue
        run, parts = hash_of(cell["identity"]), folder.relative_to(outputs).parts
        named = parts if folder.name == run else (*str(cell["label"]).split("/"), run)  # by its id it is found
        path = cells / f"{'-'.join(named)}{SUFFIX}"
        if _reach_exported(path) < reach([read_record(values) for values in cell["cycles"]]):
            if pictures_of:
                cell |= pictures_of(folder)
            with written_whole(path) as file:
                file.write(pack(thinned(cell)))
            written.append(path)
    return written


def _cell(folder: Path, unfinished: bool) -> Cell | None:
    """The cell of a run's folder; None, said in the log, where it cannot be read or is not to be exported yet."""
    try:
        if is_anothers(folder, run := run_of(folder)):
            raise CorruptedError(f"holds run {run}, which is not its name")
        stored, records = checked_about(read_json(folder / "config.json")), whole_cycles(folder, run)
        cycles = [_portable_cycle(record, folder, record is records[-1]).plain() for record in records]
        metrics = [Metric.stored(metric) for metric in stored["metrics"]]
        reason = find_end(records[-1] if records else None, Stopping.stored(stored["config"]["loop"], metrics))
    except (ValueError, KeyError, OSError, SafetensorError) as error:
        logger.warning(f"left out, corrupted: {folder} ({error})")
        return None
    if passed := strays(folder):
        logger.warning(f"passed over in {folder}: {', '.join(path.name for path in passed)}")
    if reason is None and not (unfinished and records):
        remedy = ", --unfinished exports it as far as it is" if records else ""
        logger.info(f"left out, not finished: {folder} ({amount(len(records), 'cycle')}{remedy})")
        return None
    return {**portable(stored), "finished": reason, "cycles": cycles}


def _portable_cycle(record: Record, folder: Path, is_last: bool) -> Record:
    """A cycle without the sums of files that stay behind, and with what of them travels: a bit for each test image, 1
    where the model had it right, eight to a byte. Losses do of the last cycle alone."""
    kept = without_sums(record)
    if not isinstance(kept, CycleRecord):
        return kept
    kept = kept if is_last else kept.model_copy(update={"losses": {}})
    if kept.test_images is None:
        return kept
    tensors = load((folder / "cycles" / f"{kept.index:03d}.safetensors").read_bytes())
    return kept.model_copy(update={"correct": tensors["correct"].tolist()})


def _reach_exported(path: Path) -> tuple[int, int]:
    """How far a cell that may be written anew comes already. One that is not whole is set aside and named; one of
    another version is left alone, as if no run came farther."""
    if not path.exists():
        return 0, 0
    try:
        return reach(exported_cycles(path))
    except OtherFormatError as error:
        logger.warning(f"{path} {error}: it is left alone, move it away to have it written anew")
        return sys.maxsize, 0
    except (CellError, RecordError) as error:
        logger.warning(f"{path} {error}: kept as {set_aside(path).name}")
        return 0, 0


def portable(stored: Plain) -> Plain:
    """What `config.json` holds without where this machine keeps things: each of its `paths` as "<name>", a folder of
    pictures elsewhere as one in "<data>"; and without the name and the file of answers of a person who labels."""
    config = stored["config"]
    places = {place: f"<{name}>" for name, place in sorted(config.get("paths", {}).items())}
    root = (config.get("dataset") or {}).get("root")
    if isinstance(root, str) and Path(root).is_absolute() and not any(_lies_in(root, place) for place in places):
        places[root] = f"<data>/{Path(root).name}"
    longest_first = sorted(places.items(), key=lambda item: -len(item[0]))

    def without(value: Any) -> Any:
        if isinstance(value, dict):
            own = _OF_PERSON if str(value.get("_target_")).startswith("al_bench.oracle.") else ()
            return {key: without(item) for key, item in value.items() if key not in own}
        if isinstance(value, list):
            return [without(item) for item in value]
        for place, name in longest_first:
            if isinstance(value, str) and _lies_in(value, place):
                return f"{name}{value[len(place) :]}"
        return value

    return {**stored, "config": without(config)}


def _lies_in(path: str, place: str) -> bool:
    return path == place or path.startswith(f"{place}/")


def thinned(cell: Cell, most: int = MOST_BYTES) -> Cell:
    """The cell in at most `most` bytes, where it takes that: without its predicted label maps, then without its
    samples; then each cycle with fewer rows of what was measured per annotation, halved until it fits, their means over
    all rows beside them.

    What was selected and how it was labeled stays whole, but for a cycle 0 that holds the whole pool.
    """
    for pictures in ("predicted", "samples"):
        if pictures in cell and _size(cell) > most:
            cell = {key: value for key, value in cell.items() if key != pictures}
    records = [read_record(values) for values in cell["cycles"]]
    rows = max((_count_rows(record) for record in records), default=0)
    while rows and _size(cell) > most:
        rows //= 2
        records = [_with_rows(record, rows) for record in records]
        cell = _with_records(cell, records)
    if records and isinstance(first := records[0], CycleRecord) and first.unlabeled == 0 and _size(cell) > most:
        all_of_it = first.query.model_copy(update=dict.fromkeys(("indices", "labels", "ranks")))
        cell = _with_records(cell, [first.model_copy(update={"query": all_of_it}), *records[1:]])
    return cell


def _with_records(cell: Cell, records: Sequence[Record]) -> Cell:
    return {**cell, "cycles": [record.plain() for record in records]}


def _size(cell: Cell) -> int:
    return len(pack(cell))


def _count_rows(record: Record) -> int:
    """Of the longest of what was measured per annotation."""
    if not isinstance(record, CycleRecord):
        return 0
    measured = [*_measured(record.query).values(), *(record.trace or {}).values()]
    return max(map(len, measured), default=0)


def _measured(query: QueryRecord) -> dict[str, list[Any]]:
    """What was measured of its rows, by name."""
    return {name: rows for name in query.measured if (rows := getattr(query, name)) is not None}


def _with_rows(record: Record, rows: int) -> Record:
    if not isinstance(record, CycleRecord) or _count_rows(record) <= rows:
        return record
    query, trace = record.query, record.trace or {}
    cut = {name: values[:rows] for name, values in _measured(query).items()}
    finite = {name: [value for value in values if value is not None] for name, values in trace.items()}
    means = {name: fmean(values) for name, values in finite.items() if values}
    known = record.trace_mean or {}  # of more rows than are left, where this is not the first halving
    thin = {
        "query": query.model_copy(update=cut),
        "trace": {name: values[:rows] for name, values in trace.items()},
        "trace_mean": {**means, **known},
    }
    return record.model_copy(update=thin)
