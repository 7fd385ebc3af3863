"""What is known of a run before it begins: its own cycles, and those of an exported cell of the same identity."""

import logging
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from omegaconf import DictConfig

from al_bench.active.metric import Metric
from al_bench.active.part import hash_of
from al_bench.active.stopping import Stopping
from al_bench.config.identity import identify, metrics_of
from al_bench.config.values import plain
from al_bench.storage.about import was_to_go_on
from al_bench.storage.cell import SUFFIX, Cell, read_cell
from al_bench.storage.hardware import name_machine
from al_bench.storage.holding import runner_of
from al_bench.storage.kept_models import warn_of_gone
from al_bench.storage.own_sources import own_sources, warn_of_changed
from al_bench.storage.record import CycleRecord, Record, RecordError, cut_at_end, cycles_of, read_record
from al_bench.storage.stored import Plain
from al_bench.storage.whole import whole_cycles

_PEOPLE = ("oracle/human", "oracle/files")  # who change answers, which a later cycle has again

logger = logging.getLogger(__name__)


def exported_cycles(path: Path) -> list[Record]:
    """The cycles of a cell, each with its machine. Raises CellError or RecordError where it is not whole or
    holds what no loop does."""
    cell = read_cell(path)
    records = [_on_its_machine(read_record(values), cell) for values in cell["cycles"]]
    if [record.index for record in cycles_of(records)] != list(range(len(cycles_of(records)))):
        raise RecordError("lacks a cycle before the last")
    oracle = cell["identity"].get("oracle")
    if str(oracle.get("part") if isinstance(oracle, dict) else None).partition("@")[0] not in _PEOPLE:
        _refuse_other_queries(cycles_of(records))
    return records


def _refuse_other_queries(cycles: Sequence[CycleRecord]) -> None:
    """Raises RecordError for cycles that no loop has: each buys annotations, as many as it asks for images, where it
    tells of these, and no image twice."""
    counts = [record.annotations for record in cycles]
    if any(after <= before for before, after in pairwise(counts)):
        raise RecordError(f"has cycles of {', '.join(map(str, counts))} annotations, which have to grow")
    for before, record in pairwise(cycles):
        asked, bought = record.query.indices, record.annotations - before.annotations
        if asked is not None and len(asked) != bought:
            raise RecordError(f"asks for {len(asked)} images in cycle {record.index} and counts {bought} annotations")
    each = Counter(index for record in cycles for index in record.query.indices or ())
    if each and (most := each.most_common(1)[0])[1] > 1:
        raise RecordError(f"asks {most[1]} times for image {most[0]} of the pool")


def reach(records: Sequence[Record]) -> tuple[int, int]:
    """How far the records of a run come, to be compared: cycles, then annotations, of which a smaller budget has cut
    the last query of some."""
    return len(records), max((record.annotations for record in cycles_of(records[-1:])), default=0)


def _on_its_machine(record: Record, cell: Cell) -> Record:
    """Where it does not say so, the run of the cell does, and one that goes on from it elsewhere says otherwise."""
    known = cell.get("hardware")
    if record.machine is not None or not isinstance(known, dict):
        return record
    return record.model_copy(update={"machine": name_machine(known)})


def finished_cell(cells: Path, wanted: Plain, stopping: Stopping) -> tuple[Path | None, list[Record]]:
    """The exported run of an identity, its file and its records, to where the stop rules hold for it; else None and an
    empty list."""
    for path, records in _exported(cells, wanted):
        own, reason = cut_at_end(records, stopping)
        if reason is not None:
            return path, own
    return None, []


def begun_cell(cells: Path, wanted: Plain) -> list[CycleRecord]:
    """The cycles of the longest exported run of an identity that tell all that was asked for and answered in each, so
    that one whose stop rules hold later can go on from there; else an empty list."""
    whole = [
        cycles_of(records)
        for _, records in _exported(cells, wanted)
        if len(cycles_of(records)) == len(records) > 1 and all(map(_tells_query, cycles_of(records)))
    ]
    return max(whole, key=reach, default=[])


def _tells_query(record: CycleRecord) -> bool:
    """Images that were made are not in a cell, nor all indices where the whole pool was asked for at once."""
    return record.query.indices is not None


def _exported(cells: Path, wanted: Plain) -> Iterator[tuple[Path, list[Record]]]:
    """Each exported run of an identity, its file and its records. A file that is of no use is named and left alone."""
    for path in sorted(cells.glob(f"*{hash_of(wanted)}{SUFFIX}")):
        try:
            yield path, exported_cycles(path)
        except ValueError as error:
            logger.warning(f"{path} {error}: it is left alone and does not count")


def finished_reason(config: DictConfig, folder: Path) -> str | None:
    """Why the run of a composed configuration is finished, here in its folder or in an exported cell; else None, also
    where the run itself has to note it, as of a larger budget that was given up. It says whose source of one's own was
    changed since, and which models are gone: nothing else does where no process is started."""
    stopping = _stopping(config)
    known, own = _known(config, folder, stopping)
    records, reason = cut_at_end(known, stopping)
    if cut_at_end(own, stopping)[1] is not None and _has_to_note(folder, own[-1], metrics_of(config)):
        return None
    if reason is not None:
        warn_of_changed(folder, own_sources(plain(config.procedure)))
        warn_of_gone(folder, records, config.keep_weights)
    return reason


def _has_to_note(folder: Path, last: Record, metrics: Sequence[Metric]) -> bool:
    """Whether a run is to note that it ends, which is nobody's where it runs on or can only be read."""
    return was_to_go_on(folder, last, metrics) and runner_of(folder) is None and os.access(folder, os.W_OK)


def known_cycles(config: DictConfig, folder: Path) -> list[Record]:
    """The stored cycles of a composed configuration, to where its stop rules hold: an exported run's where that is
    finished and the folder's is not, or where the folder has none.

    A folder that cannot be read has none: the run itself says what is wrong with it.
    """
    return _known(config, folder, _stopping(config))[0]


def _known(config: DictConfig, folder: Path, stopping: Stopping) -> tuple[list[Record], list[Record]]:
    """As `known_cycles`, and all cycles of the folder."""
    identity = identify(config)
    try:
        records = whole_cycles(folder, hash_of(identity))
    except OSError:
        records = []
    except ValueError as error:
        logger.warning(f"{folder} {error}: it does not count as finished")
        records = []
    own, reason = cut_at_end(records, stopping)
    if reason is not None:
        return own, records
    cells = Path(config.paths.cells)
    return finished_cell(cells, identity, stopping)[1] or records or [*begun_cell(cells, identity)], records


def _stopping(config: DictConfig) -> Stopping:
    return Stopping.stored(plain(config.loop), metrics_of(config))
