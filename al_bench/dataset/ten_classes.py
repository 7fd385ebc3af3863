"""What data sets of ten numbered classes check: the classes that are asked for, and the labels that a file holds."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from al_bench.errors import UserError


def choose_classes(classes: Sequence[int] | None) -> list[int]:
    """The numbers of the classes to keep, of ten; None: all. Raises UserError for some that cannot be."""
    chosen = list(range(10)) if classes is None else list(classes)
    if len(set(chosen)) < max(2, len(chosen)) or not set(chosen) <= set(range(10)):
        raise UserError(f"dataset.classes={chosen} cannot be: give two or more different numbers from 0 to 9")
    return chosen


def check_ten_labels(path: Path, labels: NDArray[np.integer]) -> None:
    """Raises UserError, naming their file, for labels that are not 1 to 10, as some publishers count."""
    if not ((labels >= 1) & (labels <= 10)).all():
        raise UserError(f"{path} holds labels from {labels.min()} to {labels.max()}, not 1 to 10: get it anew")
