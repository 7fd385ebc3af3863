"""Synthetic images and the pool images asked for in their place: read from a run's folder or an exported cell, and the
few that an exported cell carries."""

import base64
import io
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from al_bench.analysis.checking import UnreadableError
from al_bench.analysis.reading import Arrays, Run
from al_bench.analysis.rebuilding import Rebuilder
from al_bench.analysis.selection import stored_at
from al_bench.storage.record import CycleRecord
from al_bench.storage.stored import Plain

MOST_KEPT = 4  # pairs of a cycle that travel, of the first cycle that synthesized and of the last
MOST_BYTES = 200_000  # of all that travel of a run, as text
_MOST_PIXELS = 1 << 24  # of one picture, so that a small file cannot fill the memory


@dataclass(frozen=True)
class Pairs:
    """Rows of one cycle's query. rows: their places in it; synthetic: (R, C, H, W) uint8; matches: as many pool images,
    None where they were not asked for or cannot be had."""

    cycle: int
    rows: Sequence[int]
    synthetic: np.ndarray
    matches: np.ndarray | None


def synthetic_images(tensors: Arrays) -> np.ndarray | None:
    """(Q, C, H, V W) uint8 of a cycle's tensors, the V images of an annotation in a row; None where there are none."""
    found = tensors.get("trace.generated")
    found = tensors.get("shown", tensors.get("synthetic")) if found is None else found[:, None]
    if found is None or found.ndim != 5 or found.dtype != np.uint8:
        return None
    return np.moveaxis(found, 1, 3).reshape(len(found), *found.shape[2:4], -1)


def pairs_of(run: Run, index: int, most: int, rebuilder: Rebuilder) -> Pairs | None:
    """The first rows of a cycle, at most `most`; None where it synthesized nothing that is kept.

    Raises UnreadableError where its tensors or images are corrupted.
    """
    if not run.has_tensors:
        return _read_exported(run, index, most)
    images = synthetic_images(run.tensors(index))
    if images is None:
        return None
    rows = list(range(min(most, len(images))))
    return Pairs(index, rows, images[rows], _matches(run, run.cycles[index], len(rows), rebuilder))


def synthesizing(run: Run) -> list[int]:
    """The cycles of a run that may have images to show: all but the initial one, or those an exported cell carries."""
    if run.has_tensors:
        return [record.index for record in run.cycles[1:]]
    return sorted({cycle for image in run.about.get("images", []) if 0 < (cycle := image["cycle"]) < len(run.cycles)})


def kept_images(folder: Path, rebuilder: Rebuilder) -> list[Plain]:
    """What an exported cell carries of a run's images: see `_plain` for its form. Empty where there are none."""
    found = stored_at([str(folder)], folder, folder)
    if not found.runs or not found.runs[0].is_loop or not (cycles := synthesizing(found.runs[0])):
        return []
    for most in range(MOST_KEPT, 0, -1):
        try:
            pairs = [pairs_of(found.runs[0], index, most, rebuilder) for index in sorted({cycles[0], cycles[-1]})]
        except UnreadableError:
            return []
        kept = [image for one in pairs if one for image in _plain(one)]
        if sum(len(image["synthetic"]) + len(image["match"] or "") for image in kept) <= MOST_BYTES:
            return kept
    return []


def _plain(pairs: Pairs) -> list[Plain]:
    return [
        {
            "cycle": pairs.cycle,
            "row": row,
            "synthetic": base64.b64encode(png(pairs.synthetic[place])).decode(),
            "match": None if pairs.matches is None else base64.b64encode(png(pairs.matches[place])).decode(),
        }
        for place, row in enumerate(pairs.rows)
    ]


def _read_exported(run: Run, index: int, most: int) -> Pairs | None:
    images = [image for image in run.about.get("images", []) if image["cycle"] == index][:most]
    if not images:
        return None
    query = run.cycles[index].query
    rows = [len(known) for known in (query.indices, query.labels, query.ranks) if known is not None]
    try:
        if any(not 0 <= image["row"] < min(rows, default=0) for image in images):
            raise ValueError("a row that the query has not")
        synthetic = np.stack([pixels(image["synthetic"]) for image in images])
        known = all(image["match"] for image in images)
        matches = np.stack([pixels(image["match"]) for image in images]) if known else None
    except ValueError as error:
        raise UnreadableError(f"the images of cycle {index} are corrupted: no pictures of this cycle") from error
    return Pairs(index, [image["row"] for image in images], synthetic, matches)


def _matches(run: Run, record: CycleRecord, count: int, rebuilder: Rebuilder) -> np.ndarray | None:
    if record.query.indices is None:
        return None
    images = [image for image in rebuilder.pool_images(run, record.query.indices[:count]) if image is not None]
    return np.stack(images) if len(images) == count else None


def png(image: np.ndarray, optimize: bool = True) -> bytes:
    """A (C, H, W) uint8 image of 1 or 3 channels, or 2 or 4 with how opaque it is, as a file. optimize: half a percent
    smaller, in nearly twice the time."""
    pixels = image[0] if len(image) == 1 else image.transpose(1, 2, 0)
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, "PNG", optimize=optimize)
    return buffer.getvalue()


def pixels(text: str) -> np.ndarray:
    """The inverse of `png`, of 1 or 3 channels in base64. Raises ValueError where it is none, or of another kind."""
    try:
        image = Image.open(io.BytesIO(base64.b64decode(text, validate=True)), formats=["PNG"])
        if image.mode not in ("L", "RGB") or image.width * image.height > _MOST_PIXELS:
            raise ValueError(f"a picture of mode {image.mode} and {image.size} pixels")
        found = np.asarray(image)
    except (OSError, SyntaxError, EOFError, struct.error, zlib.error, Image.DecompressionBombError) as error:
        raise ValueError("no picture") from error
    return found[None] if found.ndim == 2 else found.transpose(2, 0, 1)
