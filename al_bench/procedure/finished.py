"""What a person is shown of a run that was finished before, here or in an exported cell."""

import logging
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from al_bench.active.metric import Metric
from al_bench.errors import UserError
from al_bench.procedure.terminal import outcome, say_more
from al_bench.storage.record import Record

logger = logging.getLogger(__name__)


def tell_finished(
    folder: Path, cell: Path | None, stored: Sequence[Record], shown: Sequence[Record], reason: str,
    metrics: Sequence[Metric],
) -> None:  # fmt: skip
    """Says what was found and where samples of its last cycle are. cell: the exported one that it is read from, None
    where that is the run's folder; stored, shown: its records, and those to where the stop rules hold, for `reason`;
    metrics: declared ones."""
    logger.info(f"finished before: {reason}{say_more(stored, shown)}\n{outcome(shown, metrics)}")
    samples = folder / "samples.png"
    if cell is not None:
        logger.info(f"read from {cell}; paths.cells=none computes it here")
        has_samples = _draw_samples(cell, len(shown) - 1, samples)
    else:
        has_samples = len(shown) == len(stored) and samples.is_file()  # else they are of a later cycle
    if has_samples:
        logger.info(f"samples: {samples}")


def _draw_samples(cell: Path, cycle: int, path: Path) -> bool:
    """Writes those that an exported cell carries, a row a class, where they are of this cycle; returns whether it could
    be done."""
    import torch  # here, for a finished run is shown without it

    from al_bench.analysis.checking import UnreadableError
    from al_bench.analysis.samples import samples_of
    from al_bench.analysis.selection import stored_at
    from al_bench.procedure.samples import save_grid

    found = stored_at([str(cell)], path.parent, cell.parent)
    for problem in found.problems:
        logger.warning(f"{problem.place}: {problem.sentence}")
    try:
        by_cycle = samples_of(found.runs[0]) if found.runs else {}
    except UnreadableError as error:
        logger.warning(f"{cell}: {error}")
        return False
    if cycle not in by_cycle:
        return False
    samples = torch.from_numpy(by_cycle[cycle])
    with suppress(OSError, UserError):  # a folder that can only be read, a full disk
        save_grid(samples.flatten(0, 1), path, columns=samples.shape[1])
        return True
    return False
