"""What watches a training while it goes on."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any


class Callback(ABC):
    """Looks at a training while it goes on, may end it, and may put other weights in place when it is over."""

    @abstractmethod
    def ends(self, steps_done: int) -> bool:
        """Called after every step: whether no other one follows."""

    @abstractmethod
    def finish(self) -> None:
        """Called once, when the training is over."""

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """Plain values and tensors that a checkpoint keeps."""

    @abstractmethod
    def load(self, state: Mapping[str, Any]) -> None:
        """Puts a state back."""
