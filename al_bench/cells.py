"""Finished runs that travel: one small JSON each, without weights, under `results/cells/`."""

import logging
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from al_bench.compose import hash_of, identity, plain
from al_bench.files import read_json, write_json
from al_bench.stopping import Stopping

logger = logging.getLogger(__name__)

Record = dict[str, Any]


def export(outputs: Path, cells: Path) -> list[Path]:
    """Writes each finished run under `outputs` as `<label>-<id>.json` under `cells`; returns the files.

    A run is finished when its own stored stop rules hold. An exported cell with more cycles is left alone.
    """
    written = []
    for config_path in sorted(outputs.glob("**/config.json")):
        folder = config_path.parent
        try:
            stored, records = read_json(config_path), stored_cycles(folder)
        except ValueError:
            logger.warning(f"left out, garbled: {folder}")
            continue
        reason = Stopping.stored(stored["config"]["loop"]).reason(records[-1] if records else None)
        if reason is None:
            logger.info(f"left out, not finished: {folder}")
            continue
        path = cells / f"{'-'.join(folder.relative_to(outputs).parts)}.json"
        if not path.exists() or len(read_json(path)["cycles"]) < len(records):
            write_json(path, {**portable(stored), "finished": reason, "cycles": records})
            written.append(path)
    return written


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


def stored_cycles(folder: Path) -> list[Record]:
    """The records of a run's folder, in order, as they stand."""
    paths = sorted(folder.glob("cycles/[0-9]*.json"), key=lambda path: int(path.stem))
    return [read_json(path) for path in paths]


def finished_cell(cells: Path, wanted: Record, stopping: Stopping) -> list[Record]:
    """The records of the exported run of an identity where the stop rules hold for it, else an empty list."""
    for path in cells.glob(f"*{hash_of(wanted)}.json"):
        records: list[Record] = read_json(path)["cycles"]
        if records and stopping.reason(records[-1]) is not None:
            return records
        logger.info(f"{path} ends before these stop rules do: the run is done anew")
    return []


def finished_reason(config: DictConfig, folder: Path) -> str | None:
    """Why the run of a composed configuration is finished, here in its folder or in an exported cell; else None."""
    records = known_cycles(config, folder)
    return Stopping.stored(plain(config.loop)).reason(records[-1] if records else None)


def known_cycles(config: DictConfig, folder: Path) -> list[Record]:
    """The stored cycles of a composed configuration: an exported finished run's where the folder's is not finished.

    A folder that cannot be read has none: the run itself says what is wrong with it.
    """
    stopping = Stopping.stored(plain(config.loop))
    try:
        records = stored_cycles(folder)
    except ValueError:
        return []
    if records and stopping.reason(records[-1]) is not None:
        return records
    return finished_cell(Path(config.paths.cells), identity(config), stopping) or records
