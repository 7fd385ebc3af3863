"""What a part of a run cost: seconds, optimizer steps, images, memory."""

import resource
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

import torch


@dataclass
class Cost:
    """seconds of wall time; optimizer_steps of all optimizers; images_seen in training; peak_memory in bytes.

    apart: what was done inside and is in none of these numbers, by part, see `measure_apart`. losses: of each training
    inside, by its name, see `LossRecord.summarize`.
    """

    seconds: float = 0.0
    optimizer_steps: int = 0
    images_seen: int = 0
    peak_memory: int = 0
    apart: dict[str, "Cost"] = field(default_factory=dict)
    losses: dict[str, dict[str, list[float]]] = field(default_factory=dict)

    def plain(self) -> dict[str, float]:
        """The numbers, without what is apart and the losses."""
        return {name: value for name, value in vars(self).items() if name not in ("apart", "losses")}

    def add(self, other: "Cost") -> None:
        """Takes in what another block cost."""
        self.seconds += other.seconds
        self.optimizer_steps += other.optimizer_steps
        self.images_seen += other.images_seen
        self.peak_memory = max(self.peak_memory, other.peak_memory)


_meters: ContextVar[tuple[Cost, ...]] = ContextVar("meters", default=())


@contextmanager
def measure_cost() -> Iterator[Cost]:
    """Yields a Cost that is complete once the block ends; blocks may be nested.

    peak_memory is the GPU's peak inside the block where there is a GPU, else the process's peak so far.
    """
    cost, around = Cost(), _meters.get()
    _note_memory(around)
    token = _meters.set((*around, cost))
    start = time.perf_counter()
    try:
        yield cost
    finally:
        _note_memory((*around, cost))
        cost.seconds += time.perf_counter() - start
        _meters.reset(token)


@contextmanager
def measure_apart(part: str) -> Iterator[None]:
    """Does what is recorded for a reader and what the method itself has no need of: its cost is in no block around it,
    whose `apart` has it under the name of `part`."""
    around = _meters.get()
    _note_memory(around)
    token, start = _meters.set(()), time.perf_counter()
    try:
        with measure_cost() as own:
            yield
    finally:
        _meters.reset(token)
        _set_apart(part, around, own, time.perf_counter() - start)


def add_apart(part: str, seconds: float) -> None:
    """Tells every block that is being measured which of its seconds, `earlier_seconds` included, were spent apart."""
    _set_apart(part, _meters.get(), Cost(seconds), seconds)


def _set_apart(part: str, around: Sequence[Cost], own: Cost, seconds: float) -> None:
    for cost in around:
        cost.seconds -= seconds
        cost.apart.setdefault(part, Cost()).add(own)


def _note_memory(costs: tuple[Cost, ...]) -> None:
    """Waits for the GPU, where there is one, and begins a new peak of memory; the last one is of `costs`."""
    if torch.cuda.is_initialized():
        torch.cuda.synchronize()
        peak = torch.cuda.max_memory_allocated()
        torch.cuda.reset_peak_memory_stats()
    else:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    for cost in costs:
        cost.peak_memory = max(cost.peak_memory, peak)


def add_cost(optimizer_steps: int, images_seen: int, earlier_seconds: float = 0.0) -> None:
    """Adds to every block that is being measured.

    earlier_seconds: what the same work took before it was stopped and taken up again.
    """
    for cost in _meters.get():
        cost.seconds += earlier_seconds
        cost.optimizer_steps += optimizer_steps
        cost.images_seen += images_seen


def add_losses(name: str, losses: dict[str, list[float]]) -> None:
    """Tells every block that is being measured the losses of a training; of two of one name the second is numbered."""
    for cost in _meters.get():
        alike = sum(known == name or known.startswith(f"{name} (") for known in cost.losses)
        cost.losses[f"{name} ({alike + 1})" if alike else name] = losses
