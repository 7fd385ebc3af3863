"""What a person is shown of a run that was finished before, here or in an exported cell."""

import logging
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import torch

from al_bench.active.metric import Metric
from al_bench.procedure.terminal import outcome, say_more
from al_bench.storage.record import Record

logger = logging.getLogger(__name__)


def tell_finished(
    folder: Path, cell: Path | None, stored: Sequence[Record], shown: Sequence[Record], reason: str,
    metrics: Sequence[Metric],
) -> None:  # fmt: skip
    """Says what was found and where its samples are. cell: the exported one that it is read from, None where that is
    the run's folder; stored, shown: its records, and those to where the stop rules hold, for `reason`; metrics:
    declared ones."""
    logger.info(f"finished before: {reason}{say_more(stored, shown)}\n{outcome(shown, metrics)}")
    if cell is not None:
        logger.info(f"read from {cell}; paths.cells=none computes it here")
        _draw_samples(cell, folder)
    if (samples := folder / "samples.png").is_file():
        logger.info(f"samples: {samples}")


def _draw_samples(cell: Path, folder: Path) -> None:
    """Writes those of the last cycle that an exported cell carries, a row a class, where they are not yet there."""
    if (path := folder / "samples.png").exists():
        return
    from al_bench.analysis.checking import UnreadableError  # here, for every start of a run reads this file
    from al_bench.analysis.samples import samples_of
    from al_bench.analysis.selection import stored_at
    from al_bench.procedure.samples import save_grid

    try:
        found = [samples_of(run) for run in stored_at([str(cell)], folder, cell.parent).runs]
    except UnreadableError as error:
        logger.warning(f"{cell}: {error}")
        return
    for samples in (torch.from_numpy(by_cycle[max(by_cycle)]) for by_cycle in found if by_cycle):
        with suppress(OSError):  # a folder that can only be read
            save_grid(samples.flatten(0, 1), path, columns=samples.shape[1])
