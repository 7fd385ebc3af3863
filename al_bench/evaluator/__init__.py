"""Evaluators: how good a model is."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from al_bench.active.metric import Metric, Recorded
from al_bench.dataset import Dataset
from al_bench.network import Network
from al_bench.storage.artifacts import Artifacts

Metrics = dict[str, float | list[float]]


@dataclass(frozen=True)
class Evaluation:
    """metrics: names to numbers; a list has one number per class, NaN where a class has no test image. correct: (M,)
    bool, which test images the model has right, in their order, for tests of pairs; None where there is no right.
    predicted: (P, H, W) uint8, the model's label maps of the first test images, for a reader; None where there are
    none. samples: (K, S, C, H, W) uint8, images that the model made, S of each class, for a reader; None where it makes
    none. measured_by: the networks whose word the metrics are, by short hashes of their weights: a judge, and what else
    takes features behind a "+"; empty where none are."""

    metrics: Metrics
    correct: Tensor | None = None
    predicted: Tensor | None = None
    samples: Tensor | None = None
    measured_by: str = ""


class Evaluator(ABC):
    """Measures a model on the test split."""

    scalars: ClassVar[tuple[Metric, ...]]
    """The metrics that are one number, the one that stands in the line of a cycle first; where an instance measures
    fewer of them than its class, its own `scalars` are these."""
    records: ClassVar[tuple[Recorded, ...]] = ()
    """What it measures of each class, where it is not "class_" and the name of a metric that is the same of all."""
    needs: ClassVar[frozenset[str]] = frozenset()
    """What it asks of the model beyond logits, in the words of `Network.provides` and `Learner.provides`."""
    of_maps: ClassVar[bool] = False
    """Whether the labels that it reads are maps, and not classes."""

    def check(self, dataset: Dataset) -> None:  # noqa: B027  (most need nothing)
        """Raises UserError where it cannot measure on such images and labels; trains nothing."""

    def prepare(self, dataset: Dataset, artifacts: Artifacts) -> None:  # noqa: B027  (most need nothing)
        """Trains or loads what it needs; here hidden labels may be read."""

    @abstractmethod
    def evaluate(self, model: Network, dataset: Dataset) -> Evaluation:
        """What a model is worth on the test split; neither the global generators nor the model's mode is changed, so
        that a training may be looked into."""

    def look(self, model: Network, dataset: Dataset) -> Metrics:
        """What is measured inside a training, again and again: all of it, unless a part takes too long for that."""
        return self.evaluate(model, dataset).metrics
