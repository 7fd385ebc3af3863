from collections.abc import Mapping
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.learner.supervised import Supervised
from al_bench.network import Network
from al_bench.network.lenet5 import LeNet5
from al_bench.seeding import fork, generator
from al_bench.strategy.deepfool import DeepFool, ThinConvolutions

CENTERS = torch.tensor([[0.0, 2.0], [2.0, -1.0], [-2.0, -1.0], [0.0, 0.0]], dtype=torch.float64)
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


def linear(weights: list[list[float]], biases: list[float]) -> Network:
    last = nn.Linear(len(weights[0]), len(weights))
    last.weight.data, last.bias.data = torch.tensor(weights), torch.tensor(biases)
    return Network(nn.Identity(), nn.Identity(), last).eval()


def made_pool() -> tuple[Network, Pool]:
    """Points on a line with the boundary between the two classes at 0; image 3, which is on it, is labeled."""
    pool = Pool.unlabeled_from(torch.tensor([[3.0], [-0.5], [1.0], [0.0], [-2.0]]), 2)
    return linear([[5.0], [-1.0]], [0.0, 0.0]), pool.with_labels(PoolQuery(torch.tensor([3])), torch.tensor([0]))


def squares(model: Network, inputs: Tensor, strategy: DeepFool) -> tuple[Tensor, Tensor]:
    return strategy.perturbations(model, inputs, torch.arange(len(inputs)))


def test_takes_what_is_nearest_to_the_boundary_first() -> None:
    query = DeepFool(50, 0.02).query(*made_pool(), 3, generator(0))
    assert query.scores is not None
    assert query.indices.tolist() == [1, 2, 4]
    assert torch.allclose(query.scores, -torch.tensor([0.25, 1.0, 4.0]))


@pytest.mark.parametrize("overshoot", [0.02, 0.5])
def test_a_linear_model_is_crossed_in_one_step_at_the_distance_of_its_nearest_boundary(overshoot: float) -> None:
    """|f_k - f_0| / |w_k - w_0|: of (1, 0.2) to the classes 1 and 2 these are 0.8 / sqrt 2 and 2 / 2."""
    model = linear([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]], [0.0, 0.0, 0.0])
    found, taken = squares(model, torch.tensor([[1.0, 0.2]]), DeepFool(50, overshoot))
    assert float(found) == pytest.approx(0.8**2 / 2)
    assert taken.tolist() == [1]
    last, _ = squares(model, torch.tensor([[1.0, 0.2]]), DeepFool(50, overshoot, running_minimum=False))
    assert float(last) == pytest.approx(1.0), "the boundary of the last class"


def test_the_last_class_goes_to_the_one_before_it() -> None:
    model = linear([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]], [0.0, 0.0, 0.0])
    inputs = torch.tensor([[-1.0, 0.9]])  # of class 2; 0.1 / sqrt 2 from class 1, 2 / 2 from class 0
    for running_minimum in (True, False):
        found, _ = squares(model, inputs, DeepFool(50, 0.02, running_minimum))
        assert float(found) == pytest.approx(0.1**2 / 2, rel=1e-5)


def trained() -> Network:
    """Four classes that no line parts, learned by two layers of tanh in double precision."""
    with fork(0):
        backbone = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 16), nn.Tanh())
        model = Network(backbone, nn.Identity(), nn.Linear(16, 4)).double()
    inputs, labels = blobs(400)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    for _ in range(150):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(inputs), labels).backward()
        optimizer.step()
    assert (model(inputs).argmax(1) == labels).double().mean() > 0.9
    model.zero_grad(set_to_none=True)
    return model.eval()


def blobs(count: int) -> tuple[Tensor, Tensor]:
    labels = torch.arange(count) % 4
    return CENTERS[labels] + 0.5 * torch.randn(count, 2, generator=generator(1), dtype=torch.float64), labels


def slow(model: Network, image: Tensor, max_iter: int, overshoot: float) -> tuple[float, int]:
    """One image, logit by logit, as DeepFool is printed: its squared norm and steps."""
    walked = torch.zeros_like(image)
    logits = model(image[None])[0]
    label, steps = int(logits.argmax()), 0
    while int(logits.argmax()) == label and steps < max_iter:
        moved = (image + (1 + overshoot) * walked)[None].requires_grad_()
        logits = model(moved)[0]
        slopes = [torch.autograd.grad(logit, moved, retain_graph=True)[0][0] for logit in logits]
        best, step = float("inf"), torch.zeros_like(image)
        for number in range(len(logits)):
            if number != label:
                gap, slope = abs(logits[number].item() - logits[label].item()), slopes[number] - slopes[label]
                norm = float(slope.norm())
                if gap / norm < best:
                    best, step = gap / norm, gap / norm**2 * slope
        walked, steps = walked + step, steps + 1
        logits = model((image + (1 + overshoot) * walked)[None])[0]
    return float(walked.square().sum()), steps


@pytest.mark.parametrize(("max_iter", "overshoot"), [(50, 0.02), (50, 0.1), (1, 0.02), (2, 0.0)])
def test_equals_one_image_at_a_time(max_iter: int, overshoot: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the steps do not suffice: an image counts as far as it went. In whole batches and in broken ones."""
    model, inputs = trained(), blobs(90)[0]
    expected = [slow(model, image, max_iter, overshoot) for image in inputs]
    strategy = DeepFool(max_iter, overshoot)
    for wave, batch in ((2**24, 128), (2 * 40, 7)):
        monkeypatch.setattr("al_bench.strategy.deepfool._WAVE", wave)
        monkeypatch.setattr("al_bench.strategy.deepfool._ON_CPU", batch)
        found, taken = squares(model, inputs, strategy)
        assert taken.tolist() == [steps for _, steps in expected]
        assert torch.allclose(found, torch.tensor([square for square, _ in expected], dtype=torch.float64), rtol=1e-6)
    if max_iter == 50:
        assert taken.double().mean() > 1.15, "else there is nothing to test"
        assert taken.max() < 50
    assert all(parameter.grad is None for parameter in model.parameters())


def test_equals_one_image_at_a_time_on_a_network_of_the_paper() -> None:
    """A ReLU network's step ends close to the boundary, so that rounding may add one: the norms are the same."""
    images = torch.rand(40, 1, 16, 16, generator=generator(2))
    images[::2, :, :, :8] *= 0.3
    labels = (torch.arange(40) % 2) + 2 * (torch.arange(40) >= 20)
    images[20:, :, :8] *= 0.3
    pool = Pool.unlabeled_from(images, 4).with_labels(PoolQuery(torch.arange(40)), labels)
    network = partial(LeNet5, mean=0.13, std=0.31)
    adam = partial(torch.optim.Adam, lr=0.005)
    model = Supervised(network=network, epochs=20, batch_size=10, optimizer=adam).fit(pool, None, seed=0)
    found, taken = squares(model, images, DeepFool(50, 0.02))
    expected = torch.tensor([slow(model, image, 50, 0.02) for image in images])
    assert torch.allclose(found, expected[:, 0], rtol=1e-3)
    assert (taken == expected[:, 1]).float().mean() > 0.9
    assert taken.float().mean() > 1.2


class Half(Network):
    """Logits (x, -x), but for x below -1, where they are constant."""

    def __init__(self) -> None:
        super().__init__(nn.Identity(), nn.Identity(), nn.Linear(1, 2))

    def forward(self, inputs: Tensor) -> Tensor:
        held = inputs.clamp(min=-1)
        return torch.cat([held, -held], 1)


def test_an_image_without_a_gradient_comes_last_and_no_gradient_at_all_is_said() -> None:
    inputs = torch.tensor([[-5.0], [2.0], [-0.5], [-7.0]])
    pool = Pool.unlabeled_from(inputs, 2)
    query = DeepFool(50, 0.02).query(Half(), pool, 3, generator(0))
    assert query.scores is not None
    assert query.indices.tolist() == [2, 1, 0]
    assert query.scores.tolist() == pytest.approx([-0.25, -4.0, -torch.inf])
    with pytest.raises(FloatingPointError, match="no logit depends"):
        DeepFool(50, 0.02).query(Half(), Pool.unlabeled_from(inputs[[0, 3]], 2), 1, generator(0))


def test_logits_that_are_not_finite_are_said() -> None:
    model, pool = made_pool()
    model.head.bias.data[0] = torch.nan  # type: ignore[operator]
    with pytest.raises(FloatingPointError, match="a logit is not finite"):
        DeepFool(50, 0.02).query(model, pool, 1, generator(0))


class Kinked(Network):
    """Logits (sqrt(x), -1), whose gradient is infinite at 0, and with the mean of all inputs' square roots NaN."""

    def __init__(self) -> None:
        super().__init__(nn.Identity(), nn.Identity(), nn.Linear(1, 2))

    def forward(self, inputs: Tensor) -> Tensor:
        root = (inputs * 0).sqrt() * inputs  # 0, with the derivative inf * 0
        return torch.cat([1 + root, torch.zeros_like(root)], 1)


def test_a_gradient_that_is_no_number_is_not_passed_over() -> None:
    with pytest.raises(ValueError, match="image 0 is NaN"):
        DeepFool(50, 0.02).query(Kinked(), Pool.unlabeled_from(torch.ones(2, 1), 2), 1, generator(0))


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_gradients_through_thin_convolutions_are_torchs_own(name: str) -> None:
    """For whatever convolution; only those of thin ones come another way."""
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
