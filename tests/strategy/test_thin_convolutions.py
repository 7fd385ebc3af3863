"""The same gradients as torch's own, for whatever convolution; only those of thin ones come another way."""

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from al_bench.seeding import fork, generator
from al_bench.strategy.thin_convolutions import ThinConvolutions

CONVOLUTIONS: Mapping[str, dict[str, Any]] = {
    "LeNet5's": {"in_channels": 1, "kernel_size": 5},
    "VGG16's": {"in_channels": 3, "kernel_size": 3, "padding": 1},
    "stride": {"in_channels": 2, "kernel_size": (4, 3), "stride": (2, 3), "padding": (0, 2), "bias": False},
    "dilated": {"in_channels": 1, "kernel_size": 3, "dilation": 2},
    "same": {"in_channels": 3, "kernel_size": 3, "padding": "same"},
    "reflected": {"in_channels": 3, "kernel_size": 3, "padding": 1, "padding_mode": "reflect"},
    "grouped": {"in_channels": 4, "kernel_size": 3, "groups": 4},
    "wide": {"in_channels": 8, "kernel_size": 3},
}
CHANGED = ("LeNet5's", "VGG16's", "stride", "reflected")


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_gradients_are_torchs_own(name: str) -> None:
    with fork(0):
        network = nn.Sequential(nn.Conv2d(out_channels=8, **CONVOLUTIONS[name]), nn.ReLU(), nn.Conv2d(8, 4, 3))
    images = torch.rand(3, CONVOLUTIONS[name]["in_channels"], 12, 14, generator=generator(1)).requires_grad_()
    expected = network(images)
    with ThinConvolutions():
        found = network(images)
    assert torch.equal(found, expected)
    assert ("_ConvolutionBackward" in functions(found)) == (name in CHANGED)
    own, others = (torch.autograd.grad(logits.square().sum(), images)[0] for logits in (expected, found))
    assert torch.allclose(own, others, rtol=1e-4, atol=1e-5)


def functions(tensor: Tensor) -> str:
    """The names of all that a tensor was computed by."""
    names, waiting = [], [tensor.grad_fn]
    while waiting:
        node = waiting.pop()
        if node is not None:
            names.append(node.name())
            waiting += [before for before, _ in node.next_functions]
    return " ".join(names)
