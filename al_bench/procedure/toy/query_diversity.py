"""A diverse and a biased query against the data on the line: W1 tells them apart, d_H does not (WAAL Fig. 2, App. C).

    D1, the data       uniform on [-2a, -a] and [a, 2a]
    D2, diverse        uniform on an interval of length b around -x0 and one around x0
    D3, biased         uniform on [x0 - b, x0 + b]

Both queries lie within the data. The appendix is wrong in places; what it prints is kept beside what is right.
"""

from dataclasses import dataclass

import numpy as np

from al_bench.active.part import declare
from al_bench.config.ranges import Signed, TwoOrMore
from al_bench.errors import UserError
from al_bench.procedure.toy.intervals import Array, Intervals, h_divergence, wasserstein

_DIGITS = 12  # of a position, so that those of both ranges meet


def data(a: float) -> Intervals:
    """D1."""
    return Intervals((-2 * a, a), (-a, 2 * a), (0.5, 0.5))


def diverse(b: float, x0: float) -> Intervals:
    """D2."""
    return Intervals((-x0 - b / 2, x0 - b / 2), (-x0 + b / 2, x0 + b / 2), (0.5, 0.5))


def biased(b: float, x0: float) -> Intervals:
    """D3."""
    return Intervals((x0 - b,), (x0 + b,), (1.0,))


def diverse_distance(a: float, b: float, x0: float) -> float:
    """W1(D1, D2) for x0 in [a + b/2, 2a - b/2]: (a - b)/2 at both ends, half of that at 3a/2.

    With k = a - b and c = x0 - 3b/2 in [k, 2k] each half of the quantiles gives c^2/(2k) - 3c/2 + 5k/4, by symmetry.
    App. C.2 has the sign of x0 + b/2 wrong in one half and 3k/4 for 5k/4 in the other.
    """
    k, c = a - b, x0 - 1.5 * b
    return c**2 / k - 3 * c + 2.5 * k


def printed_diverse_distance(a: float, b: float, x0: float) -> float:
    """What App. C.2 prints for W1(D1, D2)."""
    return (x0 - 1.5 * b) ** 2 / (2 * (a - b)) - x0 + 2 * b + 1.5 * a


def biased_distance(a: float, b: float, x0: float) -> float:
    """W1(D1, D3) for x0 in [a + b, 2a - b], as App. C.2 prints it; it grows with x0."""
    return (x0 - b) ** 2 / (2 * (a - b)) - x0 + 2 * a


def most_of_diverse(a: float, b: float) -> float:
    """The maximum of W1(D1, D2) over x0."""
    return (a - b) / 2


def printed_most_of_diverse(a: float, b: float) -> float:
    """What App. C.2 prints for it. Its own formula comes to 3a/2 + b/2 at that x0, 2a - b/2."""
    return 1.5 * a - b / 2


def least_of_biased(a: float, b: float) -> float:
    """The minimum of W1(D1, D3) over x0, at a + b, as App. C.2 prints it."""
    return a**2 / (2 * (a - b)) + a - b


def divergence(a: float, b: float) -> float:
    """d_H(D1, D2) = d_H(D1, D3) at every x0, where each has observations in proportion to its length (App. C.1).

    The error is b / (a + b): everywhere in a query as many of its observations are found as of the data, so that no
    classifier does better than the one that never predicts the query. By Sec. 2.3, d_H is 1 minus twice that.
    """
    return 1 - 2 * b / (a + b)


def printed_divergence(a: float, b: float) -> float:
    """What App. C.1 prints for d_H: the error itself."""
    return b / (a + b)


@declare("procedure/toy/query_diversity")
@dataclass(frozen=True)
class QueryDiversity:
    """a, b: of the distributions; positions: values of x0 to compute, evenly over the range of D2.

    Raises UserError unless 0 < b <= a/2: the paper asks for a > b, but with less room no D3 lies within D1.
    """

    a: Signed
    b: Signed
    positions: TwoOrMore

    def __post_init__(self) -> None:
        if not 0 < 2 * self.b <= self.a:
            raise UserError(f"a={self.a:g} and b={self.b:g} leave no query within the data: use 0 < b <= a/2")

    @property
    def data_share(self) -> float:
        """Of the observations, where data and query have theirs in proportion to their lengths, 2a and 2b."""
        return self.a / (self.a + self.b)

    @property
    def centers(self) -> Array:
        """Ascending x0 at which D2 lies within D1; the ends of the range in which D3 does, too, are among them."""
        ends = self.a + self.b / 2, 2 * self.a - self.b / 2
        evenly = np.linspace(*ends, self.positions)
        return np.unique(np.round([*evenly, self.a + self.b, 2 * self.a - self.b], _DIGITS))

    def holds_biased(self, x0: float) -> bool:
        """Whether D3 lies within D1."""
        return bool(np.round(self.a + self.b, _DIGITS) <= x0 <= np.round(2 * self.a - self.b, _DIGITS))

    def compute(self) -> dict[str, Array]:
        """Distances by name, each at every one of `centers`; NaN for D3 where it does not lie within D1.

        "equal": d_H where data and query have equally many observations, which the paper does not look at.
        """
        source, fractions = data(self.a), {"d_h": self.data_share, "equal_d_h": 0.5}
        found: dict[str, list[float]] = {}
        for x0 in self.centers:
            queries = {"diverse": diverse(self.b, x0), "biased": biased(self.b, x0) if self.holds_biased(x0) else None}
            for name, query in queries.items():
                found.setdefault(f"w1_{name}", []).append(wasserstein(source, query) if query else np.nan)
                for kind, fraction in fractions.items():
                    value = h_divergence(source, query, fraction) if query else np.nan
                    found.setdefault(f"{kind}_{name}", []).append(value)
        return {name: np.array(values) for name, values in found.items()}
