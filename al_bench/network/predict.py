"""The one way to score a pool: streaming, without augmentation, in eval mode, under no_grad.

Dropout passes switch on dropout alone, never batch norm. Logits of a whole pool never exist: `reduce` maps a batch's
logits to what is kept.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.modules.dropout import _DropoutNd

from al_bench import seeding
from al_bench.active.inputs import Inputs, to_float
from al_bench.network import Network

BATCH_SIZE = 1024
_ON_CPU = 128  # a larger batch's activations leave the caches

Forward = Callable[[Tensor], Tensor]


def stream(forward: Forward, module: nn.Module, inputs: Inputs, indices: Tensor | None = None) -> Iterator[Tensor]:
    """Yields what `forward` gives for each batch of inputs[indices], in order (all inputs where indices is None).

    forward: takes float inputs (B, ...); module: whose eval mode it runs in, put back afterwards.
    """
    if indices is None:
        indices = torch.arange(len(inputs), device=inputs.device)
    device = next(module.parameters()).device
    with evaluating(module), torch.no_grad():
        for part in indices.split(_ON_CPU if device.type == "cpu" else BATCH_SIZE):
            yield forward(to_float(inputs[part].to(device)))


def predict(
    model: Network, inputs: Inputs, indices: Tensor, reduce: Callable[[Tensor], Tensor], passes: int = 0, seed: int = 0
) -> Tensor:
    """Reduces a model's acquisition logits batch by batch.

    reduce: (B, K[, H, W]) logits, or (T, B, K[, H, W]) with T dropout passes, to (B,) or (B, D). passes: T, or 0 for
    one pass without dropout; seed: of the dropout. Returns (len(indices), ...) on the model's device.
    """

    def repeated(batch: Tensor) -> Tensor:
        with dropout_on(model):
            return torch.stack([model.acquisition_logits(batch) for _ in range(passes)])

    forward = repeated if passes else model.acquisition_logits
    with seeding.fork(seed):
        parts = [reduce(logits) for logits in stream(forward, model, inputs, indices)]
    return torch.cat(parts) if parts else torch.empty(0)


def embeddings(model: Network, inputs: Inputs, indices: Tensor) -> Tensor:
    """(len(indices), D) inputs of the model's last layer."""
    return torch.cat(list(stream(model.embed, model, inputs, indices)))


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
def dropout_on(module: nn.Module) -> Iterator[None]:
    """Train mode for dropout layers alone inside the block."""
    layers = [part for part in module.modules() if isinstance(part, _DropoutNd)]
    modes = [layer.training for layer in layers]
    for layer in layers:
        layer.train()
    try:
        yield
    finally:
        for layer, mode in zip(layers, modes, strict=True):
            layer.train(mode)
