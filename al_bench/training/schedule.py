"""Learning rates over a training: the fraction done to a factor."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from al_bench.active.part import declare
from al_bench.config.ranges import Fraction, Moderate, ModerateOrZero


@declare("schedule/step_decay")
@dataclass(frozen=True)
class StepDecay:
    """Multiplies the learning rates by `factor` at each of the given fractions of the training."""

    at: Sequence[ModerateOrZero] = ()
    factor: Moderate = 0.1

    def __call__(self, fraction: float) -> float:
        return self.factor ** sum(fraction >= point for point in self.at)


@declare("schedule/linear_decay")
@dataclass(frozen=True)
class LinearDecay:
    """Takes the learning rates to 0 in a straight line over the whole training."""

    def __call__(self, fraction: float) -> float:
        return 1 - fraction


@declare("schedule/cosine")
@dataclass(frozen=True)
class Cosine:
    """Raises the learning rates in a straight line over the first `warm_up` of the training, then takes them to 0 along
    half a cosine (Loshchilov and Hutter 2017, without restarts)."""

    warm_up: Fraction = 0.0

    def __call__(self, fraction: float) -> float:
        if fraction < self.warm_up:
            return max(fraction / self.warm_up, 0.001)
        return (1 + math.cos(math.pi * (fraction - self.warm_up) / max(1 - self.warm_up, 1e-9))) / 2
