"""Two classes have one decision value, which an optimizer moves by its own rate."""

from collections.abc import Callable, Sequence
from functools import partial

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, relu

from al_bench import seeding
from al_bench.network import Network
from al_bench.network.celeba_cnn import CelebaCnn
from al_bench.network.last_layer import last_layer
from al_bench.network.linear import Linear
from al_bench.training.losses import cross_entropy, hinge

RATE = 1e-3
LABELS = torch.tensor([0, 1, 1, 0, 1, 1, 1])


def svm(values: Tensor, labels: Tensor) -> Tensor:
    """A linear SVM's loss of (B,) decision values."""
    return relu(1 - values * (2 * labels - 1)).mean()


def logistic(values: Tensor, labels: Tensor) -> Tensor:
    return binary_cross_entropy_with_logits(values, labels.float())


@pytest.mark.parametrize(("ours", "by_hand"), [(cross_entropy, logistic), (hinge, svm)])
def test_an_adam_step_moves_the_decision_value_as_one_output_does(
    ours: Callable[[Tensor, Tensor], Tensor], by_hand: Callable[[Tensor, Tensor], Tensor]
) -> None:
    """h(x) = w x + b of ASAL Sec. 4.2, written by hand: two rows would have moved twice as far."""
    images = torch.rand(len(LABELS), 1, 5, 4, generator=seeding.generator(0))
    with seeding.fork(0):
        network, plain = Linear((1, 5, 4), 2), nn.Linear(20, 1)
    plain.load_state_dict({name.removeprefix("head.0."): value for name, value in network.state_dict().items()})
    before = value_of(network(images)).detach()
    for _ in range(3):
        step(network, lambda: ours(network(images), LABELS))
        step(plain, lambda: by_hand(plain(images.flatten(1))[:, 0], LABELS))
    after = value_of(network(images)).detach()
    torch.testing.assert_close(after, plain(images.flatten(1))[:, 0].detach())
    assert 0 < (after - before).abs().max() <= 3.1 * RATE * float(images.flatten(1).sum(1).max() + 1)


@pytest.mark.parametrize(("network", "shape"), [(Linear, (3, 8, 8)), (CelebaCnn, (3, 8, 8))])
def test_probabilities_are_the_sigmoid_of_the_value(
    network: Callable[[Sequence[int], int], Network], shape: tuple[int, ...]
) -> None:
    with seeding.fork(0):
        made = network(shape, 2).eval()
        images = torch.rand(6, *shape)
    logits = made(images)
    torch.testing.assert_close(logits.sum(1), torch.zeros(6))
    torch.testing.assert_close(logits.softmax(1)[:, 1], value_of(logits).sigmoid())
    last = next(part for part in made.head.modules() if isinstance(part, nn.Linear))
    torch.testing.assert_close(value_of(logits), last(made.embed(images))[:, 0])


def test_more_classes_have_a_row_each() -> None:
    layer = last_layer(5, 3)
    assert isinstance(layer, nn.Linear)
    assert layer.weight.shape == (3, 5)


def value_of(logits: Tensor) -> Tensor:
    """(B,) decision values of (B, 2) logits."""
    return logits[:, 1] - logits[:, 0]


def step(network: nn.Module, loss: Callable[[], Tensor]) -> None:
    """One of a fresh Adam, which moves every weight by its rate."""
    optimizer = partial(torch.optim.Adam, lr=RATE)(network.parameters())
    loss().backward()
    optimizer.step()
    network.zero_grad()
