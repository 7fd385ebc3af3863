"""Passes that share their start are those that compute everything, however a network is written."""

import pytest
import torch
from torch import Tensor, nn

from al_bench import seeding
from al_bench.network.dropout_passes import dropout_on, dropout_passes

PASSES = 4
IMAGES = torch.rand(6, 5, generator=seeding.generator(1))


class Written(nn.Module):
    """Parts called in ways that no list of layers shows."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(5, 5), nn.Linear(5, 5)
        self.several = nn.ModuleList([nn.Linear(5, 5), nn.Tanh()])
        self.inplace, self.dropout, self.last = nn.ReLU(inplace=True), nn.Dropout(0.5), nn.Linear(5, 3)


class Twice(Written):
    """One part before and after the dropout, with a sum past it."""

    def forward(self, inputs: Tensor) -> Tensor:
        start = self.first(self.first(inputs))
        return self.last(self.first(self.dropout(start)) + start)


class Overwriting(Written):
    """What was computed before the dropout is written over, before it and after it."""

    def forward(self, inputs: Tensor) -> Tensor:
        start = self.first(inputs)
        before = start.sin()
        hidden = self.second(self.inplace(start)) + before
        shaken = self.dropout(hidden)
        start += shaken
        return self.last(start)


class Listed(Written):
    """Parts that stand in a list, and functions between parts."""

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = inputs
        for part in self.several:
            hidden = part(hidden).mul(2)
        return self.last(self.dropout(hidden))


class Late(Written):
    """A dropout after which another start follows."""

    def forward(self, inputs: Tensor) -> Tensor:
        return self.last(self.dropout(self.first(inputs)) + self.second(inputs))


class Never(Written):
    """No dropout is reached."""

    def forward(self, inputs: Tensor) -> Tensor:
        return self.last(self.first(inputs))


def whole_passes(module: nn.Module) -> list[Tensor]:
    with torch.no_grad(), dropout_on(module), seeding.fork(3):
        return [module(IMAGES).clone() for _ in range(PASSES)]


def shared_passes(module: nn.Module, whole: bool = False) -> list[Tensor]:
    with torch.no_grad(), seeding.fork(3):
        return [found.clone() for found in dropout_passes(module, module, IMAGES, PASSES, whole)]


@pytest.mark.parametrize("kind", [Twice, Overwriting, Listed, Late, Never])
def test_whatever_the_forward_does_passes_are_whole_ones(kind: type[Written]) -> None:
    with seeding.fork(2):
        module = kind().eval()
    expected, found = whole_passes(module), shared_passes(module)
    assert all(torch.equal(one, other) for one, other in zip(expected, found, strict=True))
    assert all(torch.equal(one, other) for one, other in zip(shared_passes(module, True), found, strict=True))
    assert kind is Never or not torch.equal(found[0], found[1])


@pytest.mark.parametrize(
    ("kind", "whole", "calls"),
    [
        (Twice, False, 2 + PASSES), (Listed, False, 1), (Late, False, 1), (Never, False, 1),
        (Listed, True, PASSES), (Late, True, PASSES),
    ],
)  # fmt: skip
def test_what_lies_before_the_first_dropout_is_computed_once(kind: type[Written], whole: bool, calls: int) -> None:
    """Or in each pass, where that is what is to be timed."""
    module, counted = kind().eval(), []
    for layer in (module.first, module.several[0]):
        compute = layer.forward
        layer.forward = lambda inputs, compute=compute: counted.append(1) or compute(inputs)  # type: ignore[method-assign]
    shared_passes(module, whole)
    assert len(counted) == calls
    module.first(IMAGES)
    assert len(counted) == calls + 1, "the forward that somebody had put there is there again"


def test_the_module_is_as_it_was_when_a_pass_fails() -> None:
    module = Twice().eval()
    with pytest.raises(RuntimeError, match="shapes"):
        list(dropout_passes(module, module, IMAGES[:, :3], PASSES))
    assert not module.dropout.training
    assert all("forward" not in vars(part) and not part._forward_pre_hooks for part in module.modules())
