"""How numbers are written: their names in words, their units."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from al_bench.active.metric import Metric, Unit
from al_bench.analysis.curves import Point

_SHARES = ("accuracy", "iou", "error", "risk", "share")  # ends of names of fractions of one, written in percent
_NATS = ("likelihood", "entropy")
_SIZES = ("B", "KiB", "MiB", "GiB", "TiB")


@dataclass(frozen=True)
class Measure:
    """A metric as a person reads it. words: its name; unit: "%", "nats", ... or ""; factor: from stored to written;
    digits: behind the point, or, where it is `significant`, from the first that is no zero; less_is_better: of a metric
    that declares it."""

    words: str
    unit: str
    factor: float
    digits: int
    less_is_better: bool = False
    significant: bool = False

    @property
    def axis(self) -> str:
        """For the axis of a plot."""
        return f"{self.words}, {self.unit}" if self.unit else self.words

    @property
    def unit_of_differences(self) -> str:
        """Of 80 % minus 76 % are 4 points, and no percent."""
        return "points" if self.unit == "%" else self.unit

    @property
    def difference(self) -> str:
        """Heads a column of differences."""
        return f"difference, {self.unit_of_differences}" if self.unit else "difference"

    def written(self, value: float | None) -> str:
        """A stored value with its unit; a dash for None."""
        if value is None:
            return "-"
        return self.text(value) + (f" {self.unit}" if self.unit else "")

    def text(self, value: float) -> str:
        """A stored value without its unit."""
        return f"{value * self.factor:.{self.digits}{'g' if self.significant else 'f'}}"

    def number(self, value: float | None) -> float | None:
        """A stored value as it is written, unrounded."""
        return None if value is None else value * self.factor

    def spread(self, found: Point) -> str:
        """Lowest to highest of the seeds."""
        return f"{self.text(found.minimum)} to {self.text(found.maximum)}"


_AS_DECLARED: Mapping[Unit, Measure] = {
    "fraction": Measure("", "%", 100.0, 1),
    "nats": Measure("", "nats", 1.0, 3),
    "score": Measure("", "", 1.0, 3),
    "distance": Measure("", "", 1.0, 4, significant=True),
    "classes": Measure("", "classes", 1.0, 1),
    "images": Measure("", "images", 1.0, 0),
}


def measure(name: str, declared: Iterable[Metric] = ()) -> Measure:
    """How a number is written: as its metric declares, else in the unit that the last word of its name says. declared:
    a run's metrics."""
    for metric in declared:
        if metric.name == name:
            return replace(_AS_DECLARED[metric.unit], words=metric.heading, less_is_better=not metric.higher_is_better)
    words = name.replace("_", " ")
    if name.endswith(_SHARES):
        return Measure(words, "%", 100.0, 1)
    return Measure(words, "nats" if name.endswith(_NATS) else "", 1.0, 3)


def factor_of(name: str, declared: Iterable[Metric] = ()) -> float:
    """From the stored unit to the written one, see `measure`."""
    return measure(name, declared).factor


def size(count: float) -> str:
    """Bytes for a person."""
    for unit in _SIZES:
        if count < 1024 or unit == _SIZES[-1]:
            break
        count /= 1024
    return f"{count:.0f} {unit}"


def listed(words: Sequence[object]) -> str:
    """ "a, b and c"."""
    texts = [str(word) for word in words]
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}" if texts else "none"
