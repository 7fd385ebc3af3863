"""How numbers are written: their names in words, their units."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from al_bench.active.metric import Metric
from al_bench.analysis.curves import Point

_SHARES = ("accuracy", "iou", "error", "risk", "share")  # ends of names of fractions of one, written in percent
_NATS = ("likelihood", "entropy")
_LESS_IS_BETTER = ("likelihood", "error", "risk")
_SIZES = ("B", "KiB", "MiB", "GiB", "TiB")


@dataclass(frozen=True)
class Measure:
    """A metric as a person reads it. words: its name; unit: "%", "nats" or ""; factor: from stored to written."""

    words: str
    unit: str
    factor: float
    digits: int
    less_is_better: bool

    @property
    def axis(self) -> str:
        """For the axis of a plot."""
        return f"{self.words}, {self.unit}" if self.unit else self.words

    def written(self, value: float | None) -> str:
        """A stored value with its unit; a dash for None."""
        if value is None:
            return "-"
        return f"{value * self.factor:.{self.digits}f}" + (f" {self.unit}" if self.unit else "")

    def number(self, value: float | None) -> float | None:
        """A stored value as it is written, unrounded."""
        return None if value is None else value * self.factor

    def spread(self, found: Point) -> str:
        """Lowest to highest of the seeds."""
        return f"{found.minimum * self.factor:.{self.digits}f} to {found.maximum * self.factor:.{self.digits}f}"


def measure(name: str, declared: Iterable[Metric] = ()) -> Measure:
    """How a number is written: as its metric declares, else by the last word of its name. declared: a run's metrics."""
    words, less = name.replace("_", " "), name.endswith(_LESS_IS_BETTER)
    for metric in declared:
        if metric.name == name:
            of_one = metric.unit == "fraction"
            shown = ("%", 100.0, 1) if of_one else (metric.unit, 1.0, 3)
            return Measure(words, *shown, less_is_better=not metric.higher_is_better)
    if name.endswith(_SHARES):
        return Measure(words, "%", 100.0, 1, less)
    return Measure(words, "nats" if name.endswith(_NATS) else "", 1.0, 3, less)


def size(count: float) -> str:
    """Bytes for a person."""
    for unit in _SIZES:
        if count < 1024 or unit == _SIZES[-1]:
            break
        count /= 1024
    return f"{count:.0f} {unit}"


def duration(seconds: float) -> str:
    """Seconds for a person."""
    if seconds < 100:
        return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.1f} s"
    if seconds < 6000:
        return f"{seconds / 60:.1f} min"
    return f"{seconds / 3600:.1f} h"


def listed(words: Sequence[object]) -> str:
    """ "a, b and c"."""
    texts = [str(word) for word in words]
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}" if texts else "none"


def counted(count: int, word: str) -> str:
    """ "1 seed", "3 seeds"."""
    return f"{count:,} {word}" + ("" if count == 1 else "s")
