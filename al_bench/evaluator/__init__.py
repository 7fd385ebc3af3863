"""Evaluators: how good a model is."""

from abc import ABC, abstractmethod
from typing import ClassVar

from al_bench.dataset import Dataset
from al_bench.network import Network
from al_bench.storage.artifacts import Artifacts

Metrics = dict[str, float | list[float]]


class Evaluator(ABC):
    """Measures a model on the test split."""

    scalars: ClassVar[tuple[str, ...]]
    """The metrics that are one number, the one that stands in the line of a cycle first."""

    def prepare(self, dataset: Dataset, artifacts: Artifacts) -> None:  # noqa: B027  (most need nothing)
        """Trains or loads what it needs; here hidden labels may be read."""

    @abstractmethod
    def evaluate(self, model: Network, dataset: Dataset) -> Metrics:
        """Names to numbers; a list has one number per class. NaN where a class has no test image."""
