"""Windows on a run while it runs; what counts is in the store."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager

from al_bench.active.inputs import Inputs
from al_bench.storage.store import RunStore


class Tracking(ABC):
    """Shows what is stored, cycle by cycle."""

    @abstractmethod
    def following(self, store: RunStore, images: Inputs) -> AbstractContextManager[Callable[[], None]]:
        """Shows what is stored; yields what is to be called whenever a cycle was stored inside the block.

        images: the training split's. Nothing that happens to the tracker ends the block.
        """
