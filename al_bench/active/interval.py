"""How far a share of a few images can be trusted: Wilson's interval of a binomial share."""

from math import sqrt
from statistics import NormalDist


def wilson_interval(correct: int, count: int, confidence: float = 0.95) -> tuple[float, float]:
    """The shares from which `correct` of `count` would be no surprise, both in [0, 1] (Wilson 1927, without continuity
    correction; as `scipy.stats.binomtest(...).proportion_ci(method="wilson")`).

    confidence: in (0, 1), of both sides together. Raises ValueError for nothing that was counted and for more right
    than there are.
    """
    if not 0 <= correct <= count or count < 1:
        raise ValueError(f"{correct} of {count} images is no share: use at least one image, and at most all of them")
    if not 0 < confidence < 1:
        raise ValueError(f"a confidence of {confidence} is none: use one between 0 and 1, such as 0.95")
    spread = NormalDist().inv_cdf((1 + confidence) / 2) ** 2
    middle = (correct + spread / 2) / (count + spread)
    half = sqrt(spread * (correct * (count - correct) / count + spread / 4)) / (count + spread)
    return (0.0 if correct == 0 else middle - half), (1.0 if correct == count else middle + half)


def surely_above(correct: int, count: int, certainty: float = 0.95) -> float:
    """The share that one is `certainty` certain to be above: the lower end of Wilson's interval, all doubt below it.

    Of one look: who looks again at every cycle until it is high enough is less certain than that, by how much depends
    on how alike the cycles' models are. certainty: in (0.5, 1). Raises ValueError as `wilson_interval` does.
    """
    if not 0.5 < certainty < 1:
        raise ValueError(f"a certainty of {certainty} is none: use one between 0.5 and 1, such as 0.95")
    return wilson_interval(correct, count, 2 * certainty - 1)[0]
