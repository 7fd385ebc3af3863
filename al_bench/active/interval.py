"""How sure a fraction is that was counted: Wilson's interval."""

import math
from statistics import NormalDist


def wilson_interval(correct: int, count: int, confidence: float = 0.95) -> tuple[float, float]:
    """The two-sided score interval of a binomial fraction (Wilson 1927, JASA 22(158), Eq. 1), from 0 to 1.

    correct: of `count` independent draws. confidence: in (0, 1). (0, 1) where nothing was counted. Its lower end at
    confidence 0.9 is what the fraction lies above with 95 % certainty.
    """
    if not count:
        return 0.0, 1.0
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    fraction, spread = correct / count, z * z / count
    middle = (fraction + spread / 2) / (1 + spread)
    half = z * math.sqrt(fraction * (1 - fraction) / count + spread / (4 * count)) / (1 + spread)
    return max(0.0, middle - half), min(1.0, middle + half)
