"""When a run is finished; light, because the driver of a sweep asks it too."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from al_bench.active.interval import surely_above
from al_bench.active.metric import Metric
from al_bench.errors import UserError

ALL_LABELED = "every image is labeled"


class CycleProgress(Protocol):
    """How far a run has come after a cycle. metrics: by name, None where one has no value. test_images: that accuracy
    was measured on, None where that is not known."""

    @property
    def index(self) -> int: ...
    @property
    def annotations(self) -> int: ...
    @property
    def unlabeled(self) -> int: ...
    @property
    def metrics(self) -> Mapping[str, Any]: ...
    @property
    def test_images(self) -> int | None: ...


@dataclass(frozen=True)
class Stopping:
    """The stop rules of a run: whichever holds first.

    budget: annotations in all; max_cycles: queries after the initial one, None for no limit; stop_at: metric names
    and the values that all must reach, from below or, where less is better, from above; None for no such rule.
    metrics: those that are measured. certain_above: an accuracy, which the model's is above with `confidence`, by the
    lower end of Wilson's interval, as one look at the test images has it (looking after every cycle until it holds is
    a little less certain); None for no such rule.
    """

    budget: float
    max_cycles: int | None = None
    stop_at: Mapping[str, float] | None = None
    metrics: Sequence[Metric] = ()
    certain_above: float | None = None
    confidence: float = 0.95

    @classmethod
    def stored(cls, settings: Mapping[str, Any], metrics: Sequence[Metric]) -> "Stopping":
        """From the `loop` node as `values.plain` writes it, where infinity is "all"."""
        budget = float("inf") if settings["budget"] == "all" else settings["budget"]
        sure = {key: settings[key] for key in ("certain_above", "confidence") if key in settings}  # older runs: neither
        return cls(budget, settings["max_cycles"], settings["stop_at"], metrics, **sure)

    def reason(self, cycle: CycleProgress | None, grows: bool = False) -> str | None:
        """Why nothing follows a cycle, in words; None where another cycle does. cycle: None before the first; grows:
        whether images and answers may have come since, so that it does not end with those that it had."""
        if cycle is None:
            return None
        if cycle.unlabeled == 0 and not grows:
            return ALL_LABELED
        if cycle.annotations >= self.budget:
            more = f": {cycle.annotations} are stored, of a larger one" if cycle.annotations > self.budget else ""
            return f"the budget of {self.budget} annotations is spent{more}"
        if self.max_cycles is not None and cycle.index >= self.max_cycles:
            return f"loop.max_cycles={self.max_cycles} is reached"
        return self._reached(cycle.metrics) or self._certain(cycle)

    def _reached(self, metrics: Mapping[str, Any]) -> str | None:
        if not self.stop_at:
            return None
        known = {metric.name: metric for metric in self.metrics}
        reached = all(
            name in known and known[name].reaches(metrics.get(name), goal) for name, goal in self.stop_at.items()
        )
        goals = " and ".join(f"{name} {goal}" for name, goal in self.stop_at.items())
        return f"{goals} is reached" if reached else None

    def _certain(self, cycle: CycleProgress) -> str | None:
        accuracy, images = cycle.metrics.get("accuracy"), cycle.test_images
        if self.certain_above is None or accuracy is None or not images:
            return None
        low = surely_above(round(accuracy * images), images, self.confidence)
        if low <= self.certain_above:
            return None
        return f"accuracy is above {self.certain_above} with {100 * self.confidence:g} % certainty (above {low:.3f})"

    def refuse_unmeasured(self) -> None:
        """Raises UserError for a goal of what is not among the metrics, and for one that cannot be reached."""
        known = {metric.name: metric for metric in self.metrics}
        for name, goal in (self.stop_at or {}).items():
            if name not in known:
                raise UserError(f"loop.stop_at names {name}, which is not measured: use {', '.join(known)}")
            if known[name].unit == "fraction" and not 0 <= goal <= 1:
                raise UserError(f"loop.stop_at.{name}={goal} is never reached: a fraction is from 0 to 1")
        if self.certain_above is not None and "accuracy" not in known:
            raise UserError(
                f"loop.certain_above={self.certain_above} is an accuracy, which is not measured: use loop.stop_at with "
                f"{', '.join(known)}"
            )

    def next_size(self, query_size: int, annotations: int, unlabeled: int) -> int:
        """How many annotations the next query asks for: what the budget and the pool still allow."""
        return int(min(query_size, self.budget - annotations, unlabeled))
