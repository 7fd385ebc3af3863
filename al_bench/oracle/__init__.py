"""Oracles: who labels, and how well."""

from abc import ABC, abstractmethod
from typing import ClassVar

from torch import Tensor

from al_bench.active.query import Query
from al_bench.dataset import Dataset
from al_bench.storage.artifacts import Artifacts


class Oracle(ABC):
    """Answers queries; besides the evaluator the only part that may read hidden labels."""

    labels_synthetic: ClassVar[bool] = False
    """Whether it can label inputs that are not of the pool."""

    is_truth: ClassVar[bool] = False
    """Whether its answers are the data set's own labels, which are then asked for again and not stored."""

    def check(self, dataset: Dataset) -> None:  # noqa: B027  (most need nothing)
        """Raises UserError where it cannot answer for such images and labels; trains nothing."""

    @abstractmethod
    def prepare(self, dataset: Dataset, artifacts: Artifacts) -> None:
        """Takes what it needs to answer; here hidden labels may be read.

        dataset: of images, as an annotator sees them, whatever represents them to the learner.
        """

    @abstractmethod
    def label(self, query: Query) -> Tensor:
        """The labels of a query: (Q,) int64 or (Q, H, W) uint8 for indices, (Q, V, ...) for synthetic inputs.

        -1 where it cannot tell a class, 255 in a label map. Every row costs one annotation, answered or not.
        """
