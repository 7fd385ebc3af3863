"""Images of the page: synthetic ones with their matches, samples of GANs. PNG, pixel for pixel."""

import base64
import io
import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

from al_bench.cells import Record
from al_bench.errors import InputError
from al_bench.report.checking import UnreadableError
from al_bench.report.grouping import Group
from al_bench.report.plots import Picture
from al_bench.report.reading import Arrays, Problem, Run

logger = logging.getLogger(__name__)

Build = Callable[[Record], Any]

_PAIRS = 10  # of one cycle
_SMALLEST = 48  # CSS pixels of an image on the page, made of whole pixels


@dataclass(frozen=True)
class Pair:
    """A synthetic image, the pool image asked for in its place (None where that cannot be shown), what to say."""

    synthetic: Picture
    match: Picture | None
    words: Sequence[str]


@dataclass(frozen=True)
class Asked:
    """What one cycle of one run synthesized. kind: whether matches were asked for or the images themselves."""

    cycle: int
    annotations: int
    pairs: Sequence[Pair]
    more: int

    @property
    def width(self) -> int:
        """CSS pixels that a pair takes, or its words where they are wider."""
        images = [self.pairs[0].synthetic, *([self.pairs[0].match] if self.pairs[0].match else [])]
        return max(96 if len(images) > 1 else 72, sum(image.width for image in images) + 2 * len(images))


@dataclass
class Sources:
    """Objects made from stored configurations, one per node. build: makes one, or raises InputError; None: nothing is
    made. missing: why something is not there, by what it is."""

    build: Build | None
    missing: dict[str, str] = field(default_factory=dict)
    made: dict[str, Any] = field(default_factory=dict)

    def get(self, what: str, node: Record | None) -> Any:
        """The object that a node describes, None where it cannot be made."""
        key = json.dumps(node, sort_keys=True)
        if key not in self.made:
            self.made[key] = self._make(what, node)
        return self.made[key]

    def _make(self, what: str, node: Record | None) -> Any:
        if self.build is None or node is None:
            self.missing[what] = "it was not asked for"
            return None
        try:
            return self.build(node)
        except InputError as error:
            self.missing[what] = str(error)
            return None


def asked_for(group: Group, sources: Sources, problems: list[Problem]) -> tuple[Run, list[Asked]] | None:
    """What the group's first run with tensors synthesized, in its first, its middle and its last cycle."""
    run = next((run for run in group.runs if run.has_tensors), None)
    if run is None or len(run.cycles) < 2:
        return None
    found = []
    for index in sorted({1, len(run.cycles) // 2, len(run.cycles) - 1}):
        try:
            tensors = run.tensors(index)
        except UnreadableError as error:
            problems.append(Problem(run.place, str(error)))
            continue
        images = synthetic_images(tensors)
        if images is None:
            return None
        found.append(
            _asked(run, index, images, tensors, sources.get(f"the data set {group.task}", run.config["dataset"]))
        )
    return (run, found) if found else None


def synthetic_images(tensors: Arrays) -> np.ndarray | None:
    """(Q, C, H, W) uint8 of a cycle's tensors, None where there are none."""
    found = tensors.get("trace.generated")
    if found is None and (own := tensors.get("synthetic")) is not None:
        found = own[:, 0]
    return found if found is not None and found.ndim == 4 and found.dtype == np.uint8 else None


def _asked(run: Run, index: int, images: np.ndarray, tensors: Arrays, dataset: Any) -> Asked:
    record = run.cycles[index]
    indices = record["query"]["indices"]
    matches = None
    if indices is not None and dataset is not None and max(indices) < len(dataset.train):
        matches = np.asarray(dataset.train.images[_positions(indices[:_PAIRS])].cpu())
    names = dataset.class_names if dataset is not None else ()
    pairs = []
    for row, image in enumerate(images[:_PAIRS]):
        words = _words(record, tensors, row, names)
        match = picture(matches[row], f"pool image {indices[row]}, its match") if matches is not None else None
        pairs.append(Pair(picture(image, f"synthetic image {row + 1} of cycle {index}"), match, words))
    return Asked(index, record["annotations"], pairs, max(0, len(images) - _PAIRS))


def _positions(indices: Sequence[int]) -> Any:
    import torch

    return torch.tensor(indices)


def _words(record: Record, tensors: Arrays, row: int, names: Sequence[str]) -> list[str]:
    query = record["query"]
    words = []
    if query["labels"] is not None:
        label = int(np.ravel(query["labels"][row])[0])
        words.append("no label" if label < 0 else f"label {names[label] if label < len(names) else label}")
    if query["ranks"] is not None:
        words.append(f"rank {query['ranks'][row]}")
    if (after := tensors.get("trace.entropy_after")) is not None:
        of_match = tensors.get("trace.entropy_of_match")
        words.append(f"H {after[row]:.2f}" + (f" → {of_match[row]:.2f}" if of_match is not None else ""))
    return words


def picture(image: np.ndarray, alt: str) -> Picture:
    """A (C, H, W) uint8 image of 1 or 3 channels; small ones are shown enlarged by a whole number."""
    channels, height, width = image.shape
    pixels = image[0] if channels == 1 else image.transpose(1, 2, 0)
    times = max(1, -(-_SMALLEST // width))
    return Picture(_png(pixels), alt, width * times, height * times)


def sample_grid(images: np.ndarray, columns: int, alt: str) -> Picture:
    """(M, C, H, W) uint8 images beside and below each other, a pixel apart."""
    count, channels, height, width = images.shape
    rows = -(-count // columns)
    grid = np.zeros((channels + 1, rows * (height + 1) - 1, columns * (width + 1) - 1), dtype=np.uint8)
    for number, image in enumerate(images):
        top, left = (number // columns) * (height + 1), (number % columns) * (width + 1)
        grid[:channels, top : top + height, left : left + width] = image
        grid[channels, top : top + height, left : left + width] = 255  # what is between them is transparent
    pixels = grid.transpose(1, 2, 0)
    times = max(1, round(380 / grid.shape[2]))
    return Picture(_png(pixels), alt, grid.shape[2] * times, grid.shape[1] * times)


def _png(pixels: np.ndarray) -> str:
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def missing_words(sources: Sources) -> list[str]:
    """A sentence for each thing that could not be made."""
    return [f"{what} could not be loaded here: {why}" for what, why in sources.missing.items()]
