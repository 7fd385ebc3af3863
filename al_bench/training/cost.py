"""What a part of a run cost: seconds, optimizer steps, images, memory."""

import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import torch


@dataclass
class Cost:
    """seconds of wall time; optimizer_steps of all optimizers; images_seen in training; peak_memory in bytes."""

    seconds: float = 0.0
    optimizer_steps: int = 0
    images_seen: int = 0
    peak_memory: int = 0


_meters: ContextVar[tuple[Cost, ...]] = ContextVar("meters", default=())


@contextmanager
def measure_cost() -> Iterator[Cost]:
    """Yields an Cost that is complete once the block ends; blocks may be nested.

    peak_memory is the GPU's peak inside the block where there is a GPU, else the process's peak so far.
    """
    cost = Cost()
    token = _meters.set((*_meters.get(), cost))
    gpu = torch.cuda.is_initialized()
    if gpu:
        torch.cuda.reset_peak_memory_stats()
    start = time.perf_counter()
    try:
        yield cost
    finally:
        if gpu:
            torch.cuda.synchronize()
        cost.seconds += time.perf_counter() - start
        process = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        cost.peak_memory = torch.cuda.max_memory_allocated() if gpu else process
        _meters.reset(token)


def add_cost(optimizer_steps: int, images_seen: int, earlier_seconds: float = 0.0) -> None:
    """Adds to every block that is being measured.

    earlier_seconds: what the same work took before it was stopped and taken up again.
    """
    for cost in _meters.get():
        cost.seconds += earlier_seconds
        cost.optimizer_steps += optimizer_steps
        cost.images_seen += images_seen
