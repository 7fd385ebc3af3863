"""Oracles: who labels, and how well."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from torch import Tensor

from al_bench.active.query import Query
from al_bench.config.groups import name_chosen
from al_bench.dataset import Dataset
from al_bench.errors import UserError
from al_bench.storage.artifacts import Artifacts
from al_bench.strategy import Strategy


class Annotator(ABC):
    """Whoever labels: an oracle, which answers at once, or a person."""

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


class Oracle(Annotator):
    """Answers queries at once; besides the evaluator the only part that may read hidden labels."""

    @abstractmethod
    def label(self, query: Query) -> Tensor:
        """The labels of a query: (Q,) int64 or (Q, H, W) uint8 for indices, (Q, V, ...) for synthetic inputs.

        -1 where it cannot tell a class, 255 in a label map. Every row costs one annotation, answered or not.
        """


class Person(Annotator):
    """Answers when it likes, through the folder of a run: `query.json` there asks, `labels.jsonl` has the answers.

    first: asks for the first pictures, before there is a model, where inputs are features; of pictures they are drawn.
    audit_size: pictures, drawn at random, that are labeled before all others and no model is trained on, so that
    accuracy is measured on them; audit_share: the fraction of all pictures that these are at most. ahead: how many
    pictures stand ready to be labeled while a model is trained. candidates: how many pictures, drawn anew, a query
    looks at, where they are files to be decoded; None: all of them. labels: a file of answers that are known already,
    None: there is none. goal: an accuracy, that a forecast says the labels to.
    """

    first: Strategy
    audit_size: int
    audit_share: float
    ahead: int
    candidates: int | None
    labels: str | None
    goal: float

    def check(self, dataset: Dataset) -> None:
        """Raises UserError for a data set that is no folder of pictures without labels, and without the file of
        labels."""
        if dataset.unlabeled is None:
            raise UserError(
                f"{name_chosen(self)} asks for labels of pictures without: name a folder of them and the "
                "classes, dataset=image_folder dataset.root=DIR dataset.class_names=[cat,dog]"
            )
        if self.labels is not None and not Path(self.labels).expanduser().is_file():
            raise UserError(f"oracle.labels={self.labels} is no file: name one of answers, or leave it out")

    def prepare(self, dataset: Dataset, artifacts: Artifacts) -> None:
        """Needs nothing."""

    @abstractmethod
    def begin(self, folder: Path) -> None:
        """Lets the person begin: `query.json` is in the run's folder from now on."""

    @abstractmethod
    def wait(self, folder: Path) -> None:
        """Called while too few answers are there, again and again; returns a moment later. Raises Pause where the run
        is to end meanwhile."""
