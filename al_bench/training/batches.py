"""What a training reads, step by step."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any

from torch import Tensor

Augmentation = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


class Batches(ABC):
    """Batches as a pure function of the step, so that a training can be taken up anywhere."""

    @abstractmethod
    def __len__(self) -> int:
        """The number of steps of the whole training."""

    @abstractmethod
    def __getitem__(self, step: int) -> Any:
        """What `Module.step` takes, on the device that trains. May draw from the global generators (augmentation)."""

    @property
    @abstractmethod
    def images_per_step(self) -> float:
        """How many images one step reads, on average."""

    def part_of(self, batch: Any, rank: int, world_size: int) -> Any:
        """The part of a batch that one of several devices takes: every world_size-th row of each tensor."""
        return tuple(tensor[rank::world_size] for tensor in batch)

    def __iter__(self) -> Iterator[Any]:
        return (self[step] for step in range(len(self)))
