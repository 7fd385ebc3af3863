"""Finished runs that travel: which are written under `results/cells`, and which of them a sweep counts."""

import json
import logging
from collections.abc import Callable
from pathlib import Path
from statistics import fmean
from typing import Any

from omegaconf import DictConfig
from safetensors.numpy import load

from al_bench.active.metric import Metric
from al_bench.active.part import hash_of
from al_bench.active.stopping import Stopping
from al_bench.config.identity import identify, metrics_of
from al_bench.config.values import plain
from al_bench.files import digest, read_json, set_aside, written_whole
from al_bench.storage.cell import SUFFIX, CellError, pack, read_cell

logger = logging.getLogger(__name__)

Record = dict[str, Any]

MOST_BYTES = 900_000  # of an exported file, which is committed: hosts refuse or warn from a MiB on
_MEASURED = ("scores", "entropies")  # of a query: what a thinned cycle has of its first rows alone, as of its trace
_OF_FILES = ("sha256", "sha256_model", "sha256_record")  # sums of files that stay behind, and that of the record


def export(outputs: Path, cells: Path, images_of: Callable[[Path], list[Record]] | None = None) -> list[Path]:
    """Writes each finished run under `outputs` as `<label>-<id>.cell.xz` under `cells`; returns the files.

    A run is finished when its own stored stop rules hold. An exported cell with more cycles is left alone. images_of:
    gives some images of a run's folder as plain values, which travel with it.
    """
    written = []
    for config_path in sorted(outputs.glob("**/config.json")):
        folder = config_path.parent
        cell = _finished(folder)
        if cell is None:
            continue
        path = cells / f"{'-'.join(folder.relative_to(outputs).parts)}{SUFFIX}"
        if len(_exported_cycles(path)) < len(cell["cycles"]):
            if images_of and (images := images_of(folder)):
                cell["images"] = images
            with written_whole(path) as file:
                file.write(pack(thinned(cell)))
            written.append(path)
    return written


def _finished(folder: Path) -> Record | None:
    """The cell of a run's folder; None, said in the log, where it is not finished or cannot be read."""
    try:
        stored, records = read_json(folder / "config.json"), stored_cycles(folder)
        cycles = [_portable_cycle(record, folder) for record in records]
    except (ValueError, OSError):
        logger.warning(f"left out, corrupted: {folder}")
        return None
    metrics = [Metric.stored(metric) for metric in stored["metrics"]]
    reason = Stopping.stored(stored["config"]["loop"], metrics).reason(records[-1] if records else None)
    if reason is None:
        logger.info(f"left out, not finished: {folder}")
        return None
    return {**portable(stored), "finished": reason, "cycles": cycles}


def _portable_cycle(record: Record, folder: Path) -> Record:
    """A cycle without the sums of files that stay behind, and with what of them travels: a bit for each test image, 1
    where the model had it right, eight to a byte."""
    kept = {key: value for key, value in record.items() if key not in _OF_FILES}
    if "test_images" in record:
        tensors = load((folder / "cycles" / f"{record['index']:03d}.safetensors").read_bytes())
        kept["correct"] = tensors["correct"].tolist()
    return kept


def _exported_cycles(path: Path) -> list[Record]:
    """The cycles of a cell that is there whole; one that is not is set aside and named."""
    if not path.exists():
        return []
    try:
        return list(read_cell(path)["cycles"])
    except CellError as error:
        logger.warning(f"{path} {error}: kept as {set_aside(path).name}")
        return []


def portable(stored: Record) -> Record:
    """What `config.json` holds without where this machine keeps things: each of its `paths` as "<name>"."""
    places = sorted(stored["config"].get("paths", {}).items(), key=lambda item: -len(item[1]))

    def without(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: without(item) for key, item in value.items()}
        if isinstance(value, list):
            return [without(item) for item in value]
        for name, place in places:
            if isinstance(value, str) and (value == place or value.startswith(f"{place}/")):
                return f"<{name}>{value[len(place) :]}"
        return value

    return {**stored, "config": without(stored["config"])}


def thinned(cell: Record, most: int = MOST_BYTES) -> Record:
    """The cell in at most `most` bytes, where it takes that: each cycle with fewer rows of what was measured per
    annotation, halved until it fits, their means over all rows beside them.

    What was selected and how it was labeled stays whole, but for a cycle 0 that holds the whole pool.
    """
    rows = max((len(_rows(record)) for record in cell["cycles"]), default=0)
    while rows and _size(cell) > most:
        rows //= 2
        cell = {**cell, "cycles": [_with_rows(record, rows) for record in cell["cycles"]]}
    first, *others = cell["cycles"] or [{}]
    if first.get("unlabeled") == 0 and _size(cell) > most:
        all_of_it = {**first["query"], "indices": None, "labels": None, "ranks": None}
        cell = {**cell, "cycles": [{**first, "query": all_of_it}, *others]}
    return cell


def record_sum(record: Record) -> str:
    """The SHA-256 that a cycle's record states of all else in it."""
    stated = {key: value for key, value in record.items() if key != "sha256_record"}
    return digest(json.dumps(stated, sort_keys=True).encode())


def _size(cell: Record) -> int:
    return len(pack(cell))


def _rows(record: Record) -> list[Any]:
    """The longest of what was measured per annotation."""
    measured = [record["query"].get(key) for key in _MEASURED] if record.get("query") else []
    return max((rows for rows in [*measured, *record.get("trace", {}).values()] if rows), key=len, default=[])


def _with_rows(record: Record, rows: int) -> Record:
    if len(_rows(record)) <= rows:
        return record
    query = record["query"]
    cut = {key: query[key][:rows] for key in _MEASURED if query.get(key) is not None}
    trace = record.get("trace", {})
    finite = {name: [value for value in values if value is not None] for name, values in trace.items()}
    means = {name: fmean(values) for name, values in finite.items() if values}
    first = {name: values[:rows] for name, values in trace.items()}
    known = record.get("trace_mean", {})  # of more rows than are left, where this is not the first halving
    return {**record, "query": {**query, **cut}, "trace": first, "trace_mean": {**means, **known}}


def stored_cycles(folder: Path) -> list[Record]:
    """The records of a run's folder, in order, as they stand."""
    paths = sorted(folder.glob("cycles/[0-9]*.json"), key=lambda path: int(path.stem))
    return [read_json(path) for path in paths]


def finished_cell(cells: Path, wanted: Record, stopping: Stopping) -> list[Record]:
    """The records of the exported run of an identity where the stop rules hold for it, else an empty list."""
    for path in cells.glob(f"*{hash_of(wanted)}{SUFFIX}"):
        records = _exported_cycles(path)
        if records and stopping.reason(records[-1]) is not None:
            return records
        logger.info(f"{path} ends before these stop rules do: the run is done anew")
    return []


def finished_reason(config: DictConfig, folder: Path) -> str | None:
    """Why the run of a composed configuration is finished, here in its folder or in an exported cell; else None."""
    records = known_cycles(config, folder)
    return _stopping(config).reason(records[-1] if records else None)


def known_cycles(config: DictConfig, folder: Path) -> list[Record]:
    """The stored cycles of a composed configuration: an exported finished run's where the folder's is not finished.

    A folder that cannot be read has none: the run itself says what is wrong with it.
    """
    stopping = _stopping(config)
    try:
        records = stored_cycles(folder)
    except ValueError:
        return []
    if records and stopping.reason(records[-1]) is not None:
        return records
    return finished_cell(Path(config.paths.cells), identify(config), stopping) or records


def _stopping(config: DictConfig) -> Stopping:
    return Stopping.stored(plain(config.loop), metrics_of(config))
