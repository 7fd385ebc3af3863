"""What is measured, by those who measure it: metrics of a model, and what a strategy records inside its queries."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

Unit = Literal["fraction", "nats", "score", "distance", "classes", "images"]

ITERATION, SECONDS = "iteration", "seconds"  # of a training, beside the metrics that are measured in it


@dataclass(frozen=True)
class Metric:
    """One number that is measured of a model.

    unit: a fraction of one, which a person reads in percent; nats; a score or a distance on a scale of its own, the
    latter of any order of magnitude; a number of classes; a number of images that others were measured on, which says
    nothing of the model and is drawn nowhere. words: as a person reads it; "": as its name has it.
    """

    name: str
    unit: Unit
    higher_is_better: bool
    words: str = ""

    @property
    def heading(self) -> str:
        """For a column or an axis, without the unit."""
        return self.words or self.name.replace("_", " ")

    def reaches(self, value: float | None, goal: float) -> bool:
        """Whether a value is as good as a goal or better; what has no value (NaN is stored as None) never is."""
        return value is not None and (value >= goal if self.higher_is_better else value <= goal)

    def plain(self) -> dict[str, Any]:
        """As a run's configuration file holds it."""
        return {key: value for key, value in asdict(self).items() if key != "words" or value}

    @classmethod
    def stored(cls, value: Mapping[str, Any]) -> "Metric":
        """The inverse of `plain`."""
        return cls(value["name"], value["unit"], value["higher_is_better"], value.get("words", ""))


def words_of(name: str, metrics: Sequence[Metric]) -> str:
    """What a line says in a metric's place: the words that are declared for it, or its name."""
    return next((metric.words for metric in metrics if metric.name == name and metric.words), name)


@dataclass(frozen=True)
class Recorded:
    """What a strategy records of each annotation that it asks for, one tensor of its query's trace, or an evaluator of
    each class, one list among its metrics.

    words: as a person reads it; unit: "nats", or "" where it has none.
    """

    name: str
    words: str
    unit: str = ""

    @property
    def heading(self) -> str:
        """For a column."""
        return f"{self.words}, {self.unit}" if self.unit else self.words

    def plain(self) -> dict[str, Any]:
        """As a run's configuration file holds it."""
        return asdict(self)

    @classmethod
    def stored(cls, value: Mapping[str, Any]) -> "Recorded":
        """The inverse of `plain`."""
        return cls(value["name"], value["words"], value["unit"])
