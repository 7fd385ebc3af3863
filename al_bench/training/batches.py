"""What a training reads, step by step."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from typing import Any

import torch
from torch import Tensor

from al_bench import seeding
from al_bench.sources.decoding import ahead

Augmentation = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]

_READERS = 2  # threads: one begins a batch while the other waits for the last rows of its own


def try_on_zeros(augmentation: Augmentation, input_shape: Sequence[int], on_maps: bool = False) -> None:
    """Has an augmentation move one input of zeros, and its label map where labels are maps, so that it raises its
    UserError before any training. What is drawn otherwise stays as it is."""
    labels = torch.zeros((1, *input_shape[1:]) if on_maps else 1, dtype=torch.int64)
    with seeding.fork(0):
        augmentation(torch.zeros((1, *input_shape), dtype=torch.uint8), labels)


class Batches(ABC):
    """Batches as a pure function of the step and the global generators, so that a training can be taken up anywhere.

    A batch comes in two halves: `load` reads, in whatever thread and however early; `augment` draws, on the thread that
    trains and in the order of the steps.
    """

    per_epoch: int | None = None
    """Steps of an epoch, where a training need not have as many steps as its plan has epochs of them."""

    @abstractmethod
    def __len__(self) -> int:
        """The number of steps of the whole training."""

    @abstractmethod
    def load(self, step: int) -> Any:
        """What a step reads, as it is stored, on the device that trains. Pure: it draws from no global generator, and
        several threads may call it at once."""

    def augment(self, loaded: Any) -> Any:
        """What `Module.step` takes, of what `load` gave. May draw from the global generators."""
        return loaded

    def __getitem__(self, step: int) -> Any:
        return self.augment(self.load(step))

    @property
    @abstractmethod
    def images_per_step(self) -> float:
        """How many images one step reads, on average."""

    @property
    def waits(self) -> bool:
        """Whether `load` waits for a disk or a decoder. Where it gathers rows of tensors a thread would only cost."""
        return False

    def loads(self, steps: Iterable[int], early: bool = True) -> Generator[Any, None, None]:
        """What `load` gives for each step, in order; where it `waits`, a few steps `early` in threads, which end when
        this is closed. What `load` raises is raised when its step is asked for."""
        if early and self.waits:
            return ahead(self.load, steps, _READERS)
        return (self.load(step) for step in steps)

    def __iter__(self) -> Iterator[Any]:
        with closing(self.loads(range(len(self)))) as loads:
            yield from map(self.augment, loads)
