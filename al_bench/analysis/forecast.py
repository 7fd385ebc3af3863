"""How many labels a given accuracy will take, from the learning curve so far.

The error on n labels is taken for an inverse power law, a + b n^-c, a, b >= 0 (Cortes et al. 1993, "Learning curves:
asymptotic values and rate of convergence"; Figueroa et al. 2012, doi:10.1186/1472-6947-12-8, for labels of texts), and
what is measured of it for that and noise of its own in each cycle. All pairs of an asymptote a and an exponent c on a
grid are weighed by how well they fit, with b and the size of the noise left open, and futures drawn from them: cycle
after cycle, each measured with noise, until one is as good as the goal. So the interval holds what is not known of the
curve, and the luck of single cycles.

Assumed: that the curve is such a law from here on; that every cycle is measured on the same images, which therefore are
no noise between cycles, and whose own deviation from all other images is in no interval (`active.interval` has it);
that noise of cycles is independent, of the variance of a binomial times a factor that the curve itself shows. Two
choices are no part of the law and were made by looking at stored curves (`results/forecast.md` says at which, and how
the others came out): a cycle counts in proportion to its labels, since the steep beginning says little of what follows,
and the fit counts for half as many cycles as it has, since no curve is quite a power law.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from al_bench.storage.record import CycleRecord

CONFIDENCES = (0.8, 0.95)
FEWEST = 4  # cycles, for three unknowns of the curve and one of its noise
_DRAWS = 1000
_MOST_CYCLES = 400  # of a future: further nobody can see
_ASYMPTOTES = np.linspace(0, 1.3, 41)  # over the lowest error so far, which luck may have lowered
_EXPONENTS = np.geomspace(0.1, 3, 30)


@dataclass(frozen=True)
class Fit:
    """How a curve is fitted. recency: the power of its labels by which a cycle counts; temper: of the likelihood, the
    share of the cycles for which all of them count."""

    recency: float = 1.0
    temper: float = 0.5


_USUAL = Fit()


@dataclass(frozen=True)
class MeasuredCycle:
    """A cycle: `correct` of `count` test images right after `annotations` labels."""

    annotations: int
    correct: int
    count: int


@dataclass(frozen=True)
class Forecast:
    """When a measured accuracy is as good as a goal for the first time.

    reason: why there is no forecast, in words; "" where there is one. reached: whether it is as good already. most:
    annotations up to which was looked. annotations: the median of the futures; None where at least half of them are not
    there by `most`. chance: the share that is. intervals: from and to which annotations, for each of CONFIDENCES; the
    end None where it is behind `most`, the beginning too where even that is.
    """

    goal: float
    reason: str = ""
    reached: bool = False
    most: int = 0
    annotations: int | None = None
    chance: float = 0.0
    intervals: Mapping[float, tuple[int | None, int | None]] = field(default_factory=dict)


@dataclass(frozen=True)
class _Laws:
    """Drawn curves: the error a + b (n / first)^-c, measured with `factor` times a binomial's variance; (D,) each."""

    a: np.ndarray
    b: np.ndarray
    c: np.ndarray
    factor: np.ndarray
    first: int


def measured(records: Iterable[CycleRecord]) -> list[MeasuredCycle]:
    """The cycles that measured an accuracy on a known number of test images."""
    return [
        MeasuredCycle(record.annotations, round(accuracy * record.test_images), record.test_images)
        for record in records
        if record.test_images and isinstance(accuracy := record.metrics.get("accuracy"), float | int)
    ]


def forecast(curve: Sequence[MeasuredCycle], goal: float, pool: int, seed: int = 0, fit: Fit = _USUAL) -> Forecast:
    """When the accuracy measured on the same images will be at least `goal` for the first time.

    curve: in order; goal: in (0, 1]; pool: annotations that can be bought in all; seed: of the futures. Cycles to come
    are taken to buy as many as those before, in the median. Raises ValueError for a goal that is no accuracy.
    """
    if not 0 < goal <= 1:
        raise ValueError(f"a goal of {goal} is no accuracy: use one above 0 and up to 1, such as 0.9")
    if reached := [one.annotations for one in curve if one.correct >= goal * one.count - 1e-9]:
        there = dict.fromkeys(CONFIDENCES, (reached[0], reached[0]))
        return Forecast(goal, reached=True, most=reached[0], annotations=reached[0], chance=1.0, intervals=there)
    if len({one.annotations for one in curve}) < FEWEST:
        return Forecast(goal, f"a forecast takes at least {FEWEST} cycles, and there are {len(curve)}")
    last, step = curve[-1], max(1, int(np.median(np.diff([one.annotations for one in curve]))))
    ahead = last.annotations + step * np.arange(1, _MOST_CYCLES + 1)
    ahead = ahead[ahead <= pool]
    if not len(ahead):
        return Forecast(goal, "nothing is left to label")
    rng = np.random.default_rng(seed)
    times = _first_times(_draw_laws(curve, fit, rng), ahead, last.count, goal, rng)
    return _summarize(goal, times, int(ahead[-1]))


def _draw_laws(curve: Sequence[MeasuredCycle], fit: Fit, rng: np.random.Generator) -> _Laws:
    """From the posterior over the grid: uniform in a and log c, flat in b, the factor's prior worth one cycle at 1."""
    labels, count = (np.array([getattr(one, name) for one in curve], float) for name in ("annotations", "count"))
    error = 1 - np.array([one.correct / one.count for one in curve])
    typical = np.clip(error, 0.5 / count, 1 - 0.5 / count)
    weight = count / (typical * (1 - typical)) * (labels / labels[-1]) ** fit.recency
    a = (_ASYMPTOTES * max(error.min(), 1e-3))[:, None, None]  # (A, 1, 1)
    falls = (labels / labels[0]) ** -_EXPONENTS[None, :, None]  # (1, C, M)
    curvature = np.broadcast_to((weight * falls**2).sum(-1), (len(a), len(_EXPONENTS)))
    b = np.maximum((weight * falls * (error - a)).sum(-1) / curvature, 0)  # (A, C)
    misfit = 1 + fit.temper * (weight * (error - a - b[..., None] * falls) ** 2).sum(-1)
    cycles = fit.temper * len(curve)
    fits = -cycles / 2 * np.log(misfit) - np.log(curvature) / 2
    chosen = rng.choice(fits.size, _DRAWS, p=_normalized(fits.ravel()))
    at = np.unravel_index(chosen, fits.shape)
    factor = misfit[at] / rng.chisquare(max(1.0, cycles), _DRAWS)
    around = rng.standard_normal(_DRAWS) * np.sqrt(factor / (fit.temper * curvature[at]))
    return _Laws(a[at[0], 0, 0], np.abs(b[at] + around), _EXPONENTS[at[1]], factor, int(labels[0]))


def _normalized(logs: np.ndarray) -> np.ndarray:
    shares = np.exp(logs - logs.max())
    return np.asarray(shares / shares.sum())


def _first_times(laws: _Laws, ahead: np.ndarray, count: int, goal: float, rng: np.random.Generator) -> np.ndarray:
    """(D,) annotations of the first cycle of each future that measures at least the goal, infinite where none does.

    ahead: (J,) annotations of the cycles to come. What is measured is a whole number of images.
    """
    falls = (ahead / laws.first)[None] ** -laws.c[:, None]
    error = laws.a[:, None] + laws.b[:, None] * falls  # (D, J)
    typical = np.clip(error, 0.5 / count, 1 - 0.5 / count)
    noise = np.sqrt(laws.factor[:, None] * typical * (1 - typical) / count) * rng.standard_normal(error.shape)
    good = np.round((1 - error - noise) * count) >= goal * count - 1e-9
    return np.where(good.any(1), ahead[good.argmax(1)], np.inf)


def _summarize(goal: float, times: np.ndarray, most: int) -> Forecast:
    def at(share: float) -> int | None:
        found = float(np.quantile(times, share, method="inverted_cdf"))
        return int(found) if np.isfinite(found) else None

    intervals = {one: (at((1 - one) / 2), at((1 + one) / 2)) for one in CONFIDENCES}
    chance = float(np.isfinite(times).mean())
    return Forecast(goal, most=most, annotations=at(0.5), chance=chance, intervals=intervals)
