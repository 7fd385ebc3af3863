"""Dropout passes: what a network computes before its first dropout is the same in each, and is computed once."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

from torch import Tensor, nn
from torch.nn.modules.dropout import _DropoutNd


@contextmanager
def dropout_on(module: nn.Module) -> Iterator[None]:
    """Train mode for dropout layers alone inside the block."""
    layers = _dropout_layers(module)
    modes = [layer.training for layer in layers]
    for layer in layers:
        layer.train()
    try:
        yield
    finally:
        for layer, mode in zip(layers, modes, strict=True):
            layer.train(mode)


def dropout_passes(
    module: nn.Module, forward: Callable[[Tensor], Tensor], batch: Tensor, passes: int, whole: bool = False
) -> Iterator[Tensor]:
    """Yields what `forward` gives for the batch, `passes` times, with the dropout inside of `module` on.

    The later passes take from the first what the parts without dropout gave before one was reached, and compute the
    rest, with the masks of passes that compute everything. How `forward` is written does not matter, as long as nothing
    in it is random but dropout layers. whole: every pass computes everything, to the same numbers.
    """
    start = _Start()
    with dropout_on(module), ExitStack() as hooked:
        for part in () if whole else _steady_parts(module):
            hooked.enter_context(_given_by(start, part))
        for layer in _dropout_layers(module):
            hooked.callback(layer.register_forward_pre_hook(start.end).remove)
        for _ in range(passes):
            start.begin()
            yield forward(batch)


class _Start:
    """The calls of a pass until its first dropout, which are the same in every pass, and what they gave."""

    def __init__(self) -> None:
        self.given: list[tuple[Tensor, int]] = []
        self.number, self.ended = 0, False

    def begin(self) -> None:
        """Begins a pass."""
        self.number, self.ended = 0, False

    def end(self, *_: Any) -> None:
        """Is called by a dropout layer: what follows is random."""
        self.ended = True

    def call(self, compute: Callable[..., Tensor], *inputs: Any, **named: Any) -> Tensor:
        """What a part gave in the first pass, unless something has been written over it since; or computes it."""
        if self.ended:
            return compute(*inputs, **named)
        if self.number == len(self.given):
            value = compute(*inputs, **named)
            self.given.append((value, value._version))
        value, version = self.given[self.number]
        self.number += 1
        return value if value._version == version else compute(*inputs, **named)


def drops(module: nn.Module) -> bool:
    """Whether something inside of it is ever dropped: at a rate of 0 every pass is the same."""
    return any(layer.p > 0 for layer in _dropout_layers(module))


def _dropout_layers(module: nn.Module) -> list[_DropoutNd]:
    return [part for part in module.modules() if isinstance(part, _DropoutNd)]


def _steady_parts(module: nn.Module) -> set[nn.Module]:
    """The largest parts that are called and hold no dropout."""
    steady: set[nn.Module] = set()
    for part in module.children():
        if _dropout_layers(part) or isinstance(part, nn.ModuleList | nn.ModuleDict):
            steady |= _steady_parts(part)
        else:
            steady.add(part)
    return steady


@contextmanager
def _given_by(start: _Start, part: nn.Module) -> Iterator[None]:
    """Inside the block `start` answers in the part's place."""
    own = vars(part).get("forward")  # of an object whose forward somebody has replaced already
    part.forward = partial(start.call, part.forward)
    try:
        yield
    finally:
        del part.forward
        if own is not None:
            part.forward = own
