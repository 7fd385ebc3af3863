"""The one way to score a pool: streaming, without augmentation, in eval mode, under no_grad.

Dropout passes switch on dropout alone, never batch norm. Logits of a whole pool never exist: `reduce` maps a batch's
logits to what is kept. A batch has as many images as their pixels, and the numbers that the model makes of them, allow.
"""

import math
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from al_bench import seeding
from al_bench.active.inputs import Inputs, to_float
from al_bench.active.view import in_memory
from al_bench.network import Network
from al_bench.network.dropout_passes import dropout_passes
from al_bench.sources.decoding import ahead

BATCH_SIZE = 1024
_ON_CPU = 128  # a larger batch's activations leave the caches
_PIXELS = 64 * 64  # of an image up to which a batch is as large as that
_ROWS = 1 << 16  # of embeddings looked through at once
_MOST_NUMBERS = 1 << 26  # given by one forward on larger images: 256 MiB in float32, and a score makes a few copies

Output = TypeVar("Output", Tensor, tuple[Tensor, Tensor])


def stream(
    forward: Callable[[Tensor], Output], module: nn.Module, inputs: Inputs, indices: Tensor | None = None
) -> Iterator[Output]:
    """Yields what `forward` gives for each batch of inputs[indices], in order (all inputs where indices is None).

    forward: takes float inputs (B, ...); module: whose eval mode it runs in, put back afterwards. Of images larger than
    64 x 64 the first comes alone, which tells how many numbers are made of one, such as K H W logits. Inputs that lie
    on a disk are read a batch early, in a thread.
    """
    if indices is None:
        indices = torch.arange(len(inputs), device=inputs.device)
    device = next(module.parameters()).device
    most = most_rows(device)
    size = rows_by_pixels(inputs.shape, most)
    with evaluating(module), torch.no_grad():
        if size < most and len(indices):
            first, indices = indices[:1], indices[1:]
            output = forward(to_float(inputs[first].to(device)))
            size = max(1, min(size, _MOST_NUMBERS // _count_numbers(output)))
            yield output
            del output  # not kept beside the next one
        with closing(_read(inputs, indices.split(size))) as batches:
            for batch in batches:
                yield forward(to_float(batch.to(device)))


def _count_numbers(output: Tensor | tuple[Tensor, ...]) -> int:
    return output.numel() if isinstance(output, Tensor) else sum(part.numel() for part in output)


def _read(inputs: Inputs, parts: Iterable[Tensor]) -> Generator[Tensor, None, None]:
    """inputs[part] of each part, in order."""
    if in_memory(inputs):
        return (inputs[part] for part in parts)
    return ahead(inputs.__getitem__, parts, workers=1)


def most_rows(device: torch.device) -> int:
    """How many small inputs a device computes on at once."""
    return _ON_CPU if device.type == "cpu" else BATCH_SIZE


def rows_by_pixels(shape: Sequence[int], most: int) -> int:
    """How many inputs of (N, C, H, W) are read at once: `most` up to 64 x 64, no more pixels than those of larger ones,
    at least one; `most` of (N, D) features."""
    pixels = math.prod(shape[2:])
    return most if pixels <= _PIXELS else max(1, most * _PIXELS // pixels)


def predict(
    model: Network, inputs: Inputs, indices: Tensor, reduce: Callable[[Tensor], Tensor], passes: int = 0, seed: int = 0,
    whole_passes: bool = False,
) -> Tensor:  # fmt: skip
    """Reduces a model's acquisition logits batch by batch.

    reduce: (B, K[, H, W]) logits, or (T, B, K[, H, W]) with T dropout passes, to (B,) or (B, D). passes: T, or 0 for
    one pass without dropout; seed: of the dropout; whole_passes: see `dropout_passes`. Returns (len(indices), ...) on
    the model's device.
    """

    def repeated(batch: Tensor) -> Tensor:
        logits = torch.empty(0)
        forward = model.acquisition_logits
        for number, given in enumerate(dropout_passes(model, forward, batch, passes, whole_passes)):
            if number == 0:
                logits = given.new_empty((passes, *given.shape))  # filled in place: of maps a copy is gigabytes
            logits[number] = given
        return logits

    forward = repeated if passes else model.acquisition_logits
    with seeding.fork(seed):
        return gather((reduce(logits) for logits in stream(forward, model, inputs, indices)), len(indices))


def embeddings(model: Network, inputs: Inputs, indices: Tensor) -> Tensor:
    """(len(indices), D) inputs of the model's last layer. Raises FloatingPointError where one is not finite."""
    found = gather(stream(model.embed, model, inputs, indices), len(indices))
    if not all(part.isfinite().all() for part in found.split(_ROWS)):
        raise FloatingPointError("an embedding is not finite")
    return found


def embeddings_and(
    reduce: Callable[[Tensor], Tensor], model: Network, inputs: Inputs, indices: Tensor
) -> tuple[Tensor, Tensor]:
    """(len(indices), D) inputs of the model's last layer and what `reduce` makes of its outputs, of one pass.

    reduce: (B, K[, H, W]) logits, those that are evaluated, to (B, ...).
    """
    embedded, reduced = _Gathered(len(indices)), _Gathered(len(indices))
    for embedding, logits in stream(model.embed_and_classify, model, inputs, indices):
        embedded.add(embedding)
        reduced.add(reduce(logits))
    return embedded.rows, reduced.rows


def gather(parts: Iterable[Tensor], count: int) -> Tensor:
    """(count, ...) of parts, one after another."""
    gathered = _Gathered(count)
    for part in parts:
        gathered.add(part)
    return gathered.rows


class _Gathered:
    """(count, ...) rows that come in parts, one after another.

    Each is copied and let go: small ones that stay would lie where a batch's logits were, so that the next batch's take
    new memory, in the end that of a whole pool's logits (13 GB of 437,513 x 8,142).
    """

    def __init__(self, count: int) -> None:
        self.count, self.filled = count, 0
        self.rows = torch.empty(0)

    def add(self, part: Tensor) -> None:
        if self.filled == 0:
            self.rows = part.new_empty((self.count, *part.shape[1:]))
        self.rows[self.filled : self.filled + len(part)] = part
        self.filled += len(part)


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """Eval mode inside the block, each part's own mode after it."""
    modes = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        yield
    finally:
        for part, mode in modes:
            part.training = mode


@contextmanager
def batch_statistics(module: nn.Module) -> Iterator[None]:
    """Inside the block batch norm takes the statistics of its batch and leaves its running ones as they are."""
    layers = [part for part in module.modules() if isinstance(part, _BatchNorm)]
    kept = [(layer.training, layer.track_running_stats) for layer in layers]
    for layer in layers:
        layer.training, layer.track_running_stats = True, False
    try:
        yield
    finally:
        for layer, (training, tracking) in zip(layers, kept, strict=True):
            layer.training, layer.track_running_stats = training, tracking
