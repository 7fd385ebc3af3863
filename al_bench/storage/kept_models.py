"""Models of a run's cycles that are asked for and are not kept."""

import logging
from collections.abc import Sequence
from pathlib import Path

from al_bench.errors import amount
from al_bench.storage.folder import cycle_file
from al_bench.storage.record import Record, cycles_of

logger = logging.getLogger(__name__)


def warn_of_gone(folder: Path, records: Sequence[Record], keep_weights: str) -> None:
    """Says of how many stored cycles `keep_weights=all` comes too late, which is in no id. records: of a run; what is
    exported, or was gone on from, has no models, and a learner that has none lacks none."""
    cycles = cycles_of(records)
    if keep_weights != "all" or all(one.sha256 and not one.sha256_model for one in cycles):
        return
    if gone := [one for one in cycles if not cycle_file(folder, one.index, ".model.safetensors").is_file()]:
        logger.warning(
            f"keep_weights=all comes too late for {amount(len(gone), 'cycle')} of {len(cycles)} of {folder}, whose "
            "models are not there: with another paths.outputs and paths.cells the run is made anew"
        )
