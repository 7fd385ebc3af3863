"""Distributions that are uniform on a few intervals of the line, and how far two of them are apart (WAAL Sec. 2.3)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from al_bench.active.part import declare
from al_bench.config.ranges import Signed
from al_bench.errors import UserError

Array = NDArray[np.float64]

_ENOUGH = 1e-9  # that masses may miss 1 by


@declare("procedure/toy/intervals")
@dataclass(frozen=True)
class Intervals:
    """A mixture of uniform distributions. lows, highs: of its I intervals, ascending, which may touch; masses: of each.

    Raises UserError where they are no distribution.
    """

    lows: Sequence[Signed]
    highs: Sequence[Signed]
    masses: Sequence[Signed]

    def __post_init__(self) -> None:
        if not len(self.lows) == len(self.highs) == len(self.masses) > 0:
            raise UserError("as many lows as highs and masses are needed, and at least one")
        if (np.diff(self.ends) < 0).any() or any(low >= high for low, high in zip(self.lows, self.highs, strict=True)):
            raise UserError(f"intervals from {list(self.lows)} to {list(self.highs)} have to ascend and not overlap")
        if min(self.masses) <= 0 or abs(sum(self.masses) - 1) > _ENOUGH:
            raise UserError(f"masses {list(self.masses)} have to be positive and sum to 1")

    @property
    def ends(self) -> Array:
        """(2I,) low and high of each interval."""
        return np.array([end for both in zip(self.lows, self.highs, strict=True) for end in both], dtype=np.float64)

    @property
    def levels(self) -> Array:
        """(2I,) values of the distribution function at `ends`, between which it is linear."""
        sums = np.concatenate([[0.0], np.cumsum(self.masses)])
        levels: Array = np.repeat(sums, 2)[1:-1] / sums[-1]
        return levels

    def cdf(self, points: Array) -> Array:
        """The mass at or left of each point."""
        return np.asarray(np.interp(points, self.ends, self.levels))

    def quantile(self, levels: Array) -> Array:
        """A point with that much mass at or left of it, for levels in [0, 1]; between two intervals any of them."""
        return np.asarray(np.interp(levels, self.levels, self.ends))

    def interval_of(self, points: Array) -> NDArray[np.intp]:
        """The number, from 0, of the interval that each of some points of the support is in."""
        return np.searchsorted(self.lows, points, side="right") - 1

    def draw(self, count: int, rng: torch.Generator) -> Array:
        """(count,) points, ascending."""
        levels = torch.rand(count, generator=rng, dtype=torch.float64).numpy()
        return np.sort(self.quantile(levels))


def wasserstein(first: Intervals, second: Intervals) -> float:
    """W1, exactly: the area between the distribution functions, piece by piece between all ends.

    WAAL C.2 takes the same from the quantile functions.
    """
    ends = np.union1d(first.ends, second.ends)
    apart = first.cdf(ends) - second.cdf(ends)  # linear between ends
    left, right, widths = apart[:-1], apart[1:], np.diff(ends)
    sums = np.abs(left) + np.abs(right)
    crossing = left * right < 0  # two triangles in place of a trapezoid
    heights = np.divide(left**2 + right**2, sums, out=sums.copy(), where=crossing)
    return float((widths * heights / 2).sum())


def threshold_error(first: Intervals, second: Intervals, fraction: float, both_ways: bool = False) -> float:
    """The least error of a threshold classifier that tells where an observation comes from.

    fraction: of the observations that come from `first`; the others come from `second`, which is predicted at x >= p
    (WAAL Sec. 2.3: f(x) = 1{x >= p}); both_ways: or at x < p. Exact: the error is linear in p between ends.
    """
    ends = np.union1d(first.ends, second.ends)
    errors = fraction * (1 - first.cdf(ends)) + (1 - fraction) * second.cdf(ends)
    found = min(errors.min(), 1 - errors.max()) if both_ways else errors.min()
    return float(found)


def h_divergence(first: Intervals, second: Intervals, fraction: float, both_ways: bool = False) -> float:
    """d_H = 1 - 2 error of the best threshold classifier (WAAL Sec. 2.3), see `threshold_error`."""
    return 1 - 2 * threshold_error(first, second, fraction, both_ways)
