"""Samples of the models of a run's cycles, a row a class, where an evaluator kept them: read from a run's folder, or
from an exported cell, which carries those of the last cycle."""

import base64
from pathlib import Path

import numpy as np

from al_bench.analysis.checking import UnreadableError
from al_bench.analysis.pairs import pixels, png
from al_bench.analysis.reading import Run
from al_bench.analysis.selection import stored_at
from al_bench.storage.stored import Plain

NAME = "samples"  # of the tensor
MOST_BYTES = 200_000  # of the samples that travel with a run, as text


def samples_of(run: Run) -> dict[int, np.ndarray]:
    """(K, S, C, H, W) uint8 by cycle, of the same latents in each; empty where the last has none.

    Raises UnreadableError where they are corrupted.
    """
    if not run.has_tensors:
        return _read_exported(run)
    if not run.cycles or NAME not in run.tensors(run.cycles[-1].index):
        return {}
    found = {record.index: run.tensors(record.index).get(NAME) for record in run.cycles}
    return {
        index: kept for index, kept in found.items() if kept is not None and kept.ndim == 5 and kept.dtype == np.uint8
    }


def kept_samples(folder: Path) -> list[Plain]:
    """What an exported cell carries of a run's samples, as many of each class as MOST_BYTES hold: of each class the
    cycle, how many, and these beside each other as a PNG in base64. Empty where there are none."""
    found = stored_at([str(folder)], folder, folder)
    try:
        samples = samples_of(found.runs[0]) if found.runs else {}
    except UnreadableError:
        return []
    if not samples:
        return []
    cycle = max(samples)
    for count in range(samples[cycle].shape[1], 0, -1):
        kept = [_plain(cycle, row[:count]) for row in samples[cycle]]
        if sum(len(one["class_samples"]) for one in kept) <= MOST_BYTES:
            return kept
    return []


def _plain(cycle: int, row: np.ndarray) -> Plain:
    """row: (S, C, H, W)."""
    beside = np.concatenate(list(row), axis=2)
    return {"cycle": cycle, "count": len(row), "class_samples": base64.b64encode(png(beside)).decode()}


def _read_exported(run: Run) -> dict[int, np.ndarray]:
    kept = run.about.get(NAME, [])
    try:
        if kept and (
            any(one["cycle"] != len(run.cycles) - 1 for one in kept) or len(kept) != len(run.cycles[-1].class_counts)
        ):
            raise ValueError("a row has to be of each class, all of the last cycle")
        rows = [np.stack(np.split(pixels(one["class_samples"]), one["count"], axis=2)) for one in kept]
        return {kept[0]["cycle"]: np.stack(rows)} if rows else {}
    except ValueError as error:
        raise UnreadableError("the samples are corrupted: none is shown") from error
