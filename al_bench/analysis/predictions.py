"""Label maps that a run's last model gave the first test images: read from its folder or from an exported cell, which
carries those of its last cycle; beside them the images and their truth, where the data set is here."""

import base64
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from al_bench.analysis.checking import UnreadableError
from al_bench.analysis.pairs import pixels, png
from al_bench.analysis.reading import Run
from al_bench.analysis.rebuilding import Rebuilder
from al_bench.analysis.selection import stored_at
from al_bench.storage.stored import Plain

IGNORED = 255  # in a true map: `training.losses.IGNORED`, which would import torch
MOST_BYTES = 200_000  # of the maps that travel with a run, as text


@dataclass(frozen=True)
class Scenes:
    """The first test images of a data set. images: (M, C, H, W) uint8; truths: (M, H, W) uint8, IGNORED where no class
    is known."""

    images: np.ndarray
    truths: np.ndarray


def predicted_maps(run: Run) -> np.ndarray | None:
    """(M, H, W) uint8 label maps of the last cycle, of the first M test images; None where none are kept.

    Raises UnreadableError where they are corrupted.
    """
    if not run.cycles:
        return None
    if run.has_tensors:
        found = run.tensors(run.cycles[-1].index).get("predicted")
        return found if found is not None and found.ndim == 3 and found.dtype == np.uint8 else None
    maps = [one["predicted_map"] for one in run.about.get("predicted", []) if one["cycle"] == run.cycles[-1].index]
    try:
        return np.stack([_read_map(text) for text in maps]) if maps else None
    except ValueError as error:
        raise UnreadableError("the predicted label maps are corrupted: none is shown") from error


def kept_predictions(folder: Path) -> list[Plain]:
    """What an exported cell carries of a run's predicted label maps, as many as MOST_BYTES hold: of each its cycle and
    a PNG in base64, in the order of the test images. Empty where there are none."""
    found = stored_at([str(folder)], folder, folder)
    try:
        maps = predicted_maps(found.runs[0]) if found.runs else None
    except UnreadableError:
        return []
    if maps is None:
        return []
    texts = [base64.b64encode(png(one[None])).decode() for one in maps]
    while sum(map(len, texts)) > MOST_BYTES:
        texts.pop()
    return [{"cycle": found.runs[0].cycles[-1].index, "predicted_map": text} for text in texts]


def scenes_of(run: Run, count: int, rebuilder: Rebuilder) -> Scenes | None:
    """The first `count` test images of a run's data set; None where it cannot be had here or has fewer."""
    dataset = rebuilder.dataset(run)
    test = getattr(dataset, "test", None)
    if test is None or len(test) < count:
        return None
    import torch

    first = torch.arange(count)
    return Scenes(np.asarray(test.images[first].cpu()), np.asarray(test.labels[first].cpu()))


def mean_iou(truth: np.ndarray, predicted: np.ndarray) -> float | None:
    """Intersection over union of one image, the mean over the classes of its truth; None where all of it is IGNORED.

    truth, predicted: (H, W) uint8 label maps.
    """
    known = truth != IGNORED
    both = [(truth[known] == label, predicted[known] == label) for label in np.unique(truth[known])]
    shares = [(true & found).sum() / (true | found).sum() for true, found in both]
    return float(np.mean(shares)) if shares else None


def _read_map(text: str) -> np.ndarray:
    """(H, W) uint8. Raises ValueError where it is no map."""
    found = pixels(text)
    if len(found) != 1:
        raise ValueError("no label map")
    return np.asarray(found[0])
