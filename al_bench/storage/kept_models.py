"""Models of a run's cycles that are asked for and are not kept."""

import logging
from collections.abc import Sequence
from pathlib import Path

from al_bench.errors import amount
from al_bench.storage.folder import cycle_file
from al_bench.storage.record import Record, cycles_of

logger = logging.getLogger(__name__)


def warn_of_gone(folder: Path, records: Sequence[Record], keep_weights: str) -> None:
    """Says of how many stored cycles `keep_weights=all` comes too late, which is in no id. records: of a run; one that
    is exported has no models at all, and a cycle that never had one lacks none."""
    if keep_weights != "all":
        return
    had = [record.index for record in cycles_of(records) if record.sha256_model or not record.sha256]
    if gone := [index for index in had if not cycle_file(folder, index, ".model.safetensors").is_file()]:
        logger.warning(
            f"keep_weights=all comes too late for {amount(len(gone), 'cycle')} of {len(records)}, whose models are not "
            "here: with another paths.outputs and paths.cells the run is made anew"
        )
