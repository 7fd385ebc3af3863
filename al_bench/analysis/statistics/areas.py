"""A curve as one number: its mean height over annotations, or over their logarithm."""

from collections.abc import Sequence
from typing import Literal

import numpy as np

Scale = Literal["linear", "log"]


def area_under_curve(annotations: Sequence[float], values: Sequence[float], scale: Scale = "linear") -> float:
    """The area under a curve by trapezoids, over its width: in the unit of the values.

    annotations: (N,) rising; values: (N,); N >= 2. scale: "log" counts each doubling of the annotations alike, so that
    the first queries weigh more. Raises ValueError for a single point, for annotations that do not rise, and for a
    logarithm of none.
    """
    at, heights = np.asarray(annotations, dtype=float), np.asarray(values, dtype=float)
    if at.shape != heights.shape or at.ndim != 1 or len(at) < 2:
        raise ValueError(f"{len(at)} annotations and {len(heights)} values are no curve: use as many of both, and two")
    if (np.diff(at) <= 0).any():
        raise ValueError("the annotations of a curve have to rise")
    if scale == "log":
        if at[0] <= 0:
            raise ValueError("0 annotations have no logarithm: use scale linear")
        at = np.log(at)
    return float(np.trapezoid(heights, at) / (at[-1] - at[0]))
