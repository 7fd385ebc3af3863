"""Folders of small pictures for tests."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

CLASSES = ("cat", "dog", "owl")


def noise(seed: int, height: int = 8, width: int = 8, channels: int = 3) -> np.ndarray:
    """(height, width, channels) of bytes, other ones for every seed."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels), dtype=np.uint8)


def save(path: Path, pixels: np.ndarray, **options: object) -> Path:
    """Writes (H, W, 3), (H, W, 1) or (H, W) pixels in the format of the path's ending."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels.squeeze(2) if pixels.shape[2:] == (1,) else pixels).save(path, **options)
    return path


def fill(
    root: Path, splits: Mapping[str, int], classes: Sequence[str] = CLASSES, side: int = 8, ending: str = "png"
) -> Path:
    """root/<split>/<class>/<number>.<ending>, as many of each class as `splits` says; "" is the root itself."""
    seed = 0
    for split, count in splits.items():
        for name in classes:
            for number in range(count):
                save(root / split / name / f"{number}.{ending}", noise(seed, side, side))
                seed += 1
    return root
