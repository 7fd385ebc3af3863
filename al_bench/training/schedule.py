"""Learning rates over a training: the fraction done to a factor."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import PositiveFloat

from al_bench.active.part import declare


@declare("schedule/step_decay")
@dataclass(frozen=True)
class StepDecay:
    """Multiplies the learning rates by `factor` at each of the given fractions of the training."""

    at: Sequence[float] = ()
    factor: PositiveFloat = 0.1

    def __call__(self, fraction: float) -> float:
        return self.factor ** sum(fraction >= point for point in self.at)


@declare("schedule/linear_decay")
@dataclass(frozen=True)
class LinearDecay:
    """Takes the learning rates to 0 in a straight line over the whole training."""

    def __call__(self, fraction: float) -> float:
        return 1 - fraction
