"""Learners: how the evaluated model is trained in a cycle."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from al_bench.active.pool import Pool
from al_bench.dataset import Dataset
from al_bench.network import Network
from al_bench.storage.artifacts import Artifacts
from al_bench.training.observation import Observer


class Learner(ABC):
    """Trains a model on what is labeled, and on unlabeled inputs where it uses them."""

    provides: ClassVar[frozenset[str]] = frozenset()
    """What its models offer to a strategy beyond what their network does: "labeledness", "critic"."""
    switched_by: ClassVar[Mapping[str, str]] = {}
    """The setting on a command line that switches on what an instance does not provide though its class does."""
    trains_network: ClassVar[bool] = True
    """Whether its models are the `network` that is chosen, and not others of its own."""

    @property
    def validates(self) -> bool:
        """Whether it looks at the validation split while it trains."""
        return False

    @property
    def begins_anew(self) -> bool:
        """Whether `fit` does not look at `previous`, so that a cycle's model can be trained again from its labels."""
        return False

    def check(self, pool: Pool) -> None:  # noqa: B027  (most train on any)
        """Raises UserError where it cannot be trained on the first labels, those of the pool, whose inputs may still
        be images that a representation replaces; trains nothing."""

    def check_batches(  # noqa: B027  (some train on all at once)
        self, model: Network, input_shape: Sequence[int], labeled: float, unlabeled: float, on_maps: bool
    ) -> None:
        """Raises UserError where `model`, as `empty` makes it, cannot be trained on batches of that size, or of so few
        inputs; trains nothing.

        input_shape: of one input; labeled, unlabeled: how many inputs at first, infinity where nobody knows yet;
        on_maps: whether labels are maps.
        """

    def prepare(self, dataset: Dataset, artifacts: Artifacts) -> None:  # noqa: B027  (most need nothing)
        """Trains or loads what it needs before the first cycle; `dataset` is blind."""

    @abstractmethod
    def empty(self, pool: Pool, seed: int) -> Network:
        """An untrained model for the pool's inputs and classes, its weights drawn by `seed`: what `fit` begins with
        and what stored weights are loaded into."""

    @abstractmethod
    def fit(
        self,
        pool: Pool,
        previous: Network | None,
        seed: int,
        scratch: Path | None = None,
        observe: Observer | None = None,
    ) -> Network:
        """A model trained on `pool`, in eval mode, on the pool's device.

        previous: the last cycle's model, not to be changed, None in cycle 0. seed: of everything that is drawn.
        scratch: a folder for the checkpoint of a long training. observe: looks at the model that is evaluated while its
        training goes on, every so many steps of the training's module; of several trainings at the last one alone. The
        same arguments give the same model, whether it is looked at or not.
        """
