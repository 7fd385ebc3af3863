"""`preset=as_code` beside a second, slow implementation of the authors' steps, written from what their code does."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
import torch
from composing import compose, part
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules.dropout import _DropoutNd
from torchvision.models.vgg import cfgs

from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.learner.waal import Criticized, MinMax, Waal
from al_bench.seeding import generator
from al_bench.training.paired_batches import Batch, UnlabeledWithLabeled

LABELED, UNLABELED, SIZE, STEPS, QUERY = 6, 16, 2, 8, 6
MOMENTUM = {"fashion_mnist": 0.5, "cifar10_waal": 0.3}
SHAPES = {"fashion_mnist": (1, 28, 28), "cifar10_waal": (3, 32, 32)}
Tensors = dict[str, Tensor]
Extract = Callable[[Tensors, Tensor, bool], Tensor]


def single(values: Any) -> Tensor:
    """In float32, as the statistics of the pixels are held."""
    return torch.tensor(values)


def lenet5(weights: Tensors, images: Tensor, training: bool) -> Tensor:
    """conv5 10, pool, ReLU, conv5 20, pool, ReLU: 320 features."""
    maps = (images - single(0.1307)) / single(0.3081)
    for layer in ("backbone.1", "backbone.4"):
        maps = functional.conv2d(maps, weights[f"{layer}.weight"], weights[f"{layer}.bias"])
        maps = functional.max_pool2d(maps, 2).relu()
    return maps.flatten(1)


def vgg16_bn(weights: Tensors, images: Tensor, training: bool) -> Tensor:
    """Thirteen convolutions with batch norm, its statistics those of the batch in training, the running ones in use."""
    mean, std = single([0.4914, 0.4822, 0.4465]), single([0.2470, 0.2435, 0.2616])
    maps, place = (images - mean[:, None, None]) / std[:, None, None], 1
    for layer in cfgs["D"]:
        if layer == "M":
            maps, place = functional.max_pool2d(maps, 2), place + 1
            continue
        conv, norm, place = f"backbone.{place}", f"backbone.{place + 1}", place + 3
        maps = functional.conv2d(maps, weights[f"{conv}.weight"], weights[f"{conv}.bias"], padding=1)
        maps = normalized(weights, norm, maps, training).relu()
    return maps.flatten(1)


def normalized(weights: Tensors, norm: str, maps: Tensor, training: bool) -> Tensor:
    mean, variance = weights[f"{norm}.running_mean"], weights[f"{norm}.running_var"]
    if training:
        count = maps.numel() / maps.shape[1]
        mean, variance = maps.mean((0, 2, 3)), maps.var((0, 2, 3), unbiased=False)
        for name, value in (("mean", mean), ("var", variance * count / (count - 1))):
            weights[f"{norm}.running_{name}"] = 0.9 * weights[f"{norm}.running_{name}"] + 0.1 * value.detach()
    scaled = (maps - mean[:, None, None]) / (variance + 1e-5).sqrt()[:, None, None]
    return scaled * weights[f"{norm}.weight"][:, None, None] + weights[f"{norm}.bias"][:, None, None]


def two_layers(weights: Tensors, first: str, second: str, features: Tensor) -> Tensor:
    hidden = functional.linear(features, weights[f"{first}.weight"], weights[f"{first}.bias"]).relu()
    return functional.linear(hidden, weights[f"{second}.weight"], weights[f"{second}.bias"])


def classify(weights: Tensors, features: Tensor) -> Tensor:
    return two_layers(weights, "neck.0", "head", features)


def critique(weights: Tensors, features: Tensor) -> Tensor:
    return two_layers(weights, "critic.0", "critic.3", features).sigmoid().squeeze(1)


class Slow:
    """The authors' loop: features and classifier with the critic frozen, then the critic, each by its own SGD.

    Labeled and unlabeled images pass through the network apart, and three times: for the losses, for a penalty that no
    weight takes a gradient of, and, once the network has moved, for the critic.
    """

    def __init__(self, weights: Mapping[str, Tensor], extract: Extract, momentum: float, ratio: float) -> None:
        self.weights = {name: value.clone() for name, value in weights.items()}
        self.extract, self.momentum, self.ratio = extract, momentum, ratio
        self.velocities: Tensors = {}

    def step(self, batch: Batch) -> None:
        inputs, labels, others = batch
        critics = [name for name in self.weights if name.startswith("critic.")]
        trained = [name for name in self.weights if name not in critics and "running" not in name]
        for name in trained:
            self.weights[name] = self.weights[name].detach().requires_grad_(True)
        labeled, unlabeled = self.features(inputs), self.features(others)
        loss = functional.cross_entropy(classify(self.weights, labeled), labels)
        loss = loss + 0.002 * self.distance(labeled, unlabeled)
        with torch.no_grad():
            self.features(inputs), self.features(others)
        self.descend(trained, loss)
        with torch.no_grad():
            labeled, unlabeled = self.features(inputs), self.features(others)
        for name in critics:
            self.weights[name] = self.weights[name].detach().requires_grad_(True)
        objective = -0.002 * self.distance(labeled, unlabeled) - 2 * 0.002 * self.penalty(labeled, unlabeled)
        self.descend(critics, objective)

    def features(self, images: Tensor) -> Tensor:
        return self.extract(self.weights, images, True)

    def distance(self, labeled: Tensor, unlabeled: Tensor) -> Tensor:
        return critique(self.weights, unlabeled).mean() - self.ratio * critique(self.weights, labeled).mean()

    def penalty(self, labeled: Tensor, unlabeled: Tensor) -> Tensor:
        """Between both batches, and at each image of both."""
        between = labeled + torch.rand(len(labeled), 1, dtype=labeled.dtype) * (unlabeled - labeled)
        points = torch.cat([between, labeled, unlabeled]).requires_grad_(True)
        (slopes,) = torch.autograd.grad(critique(self.weights, points).sum(), points, create_graph=True)
        return ((slopes.norm(dim=1) - 1) ** 2).mean()

    def descend(self, names: list[str], loss: Tensor) -> None:
        gradients = torch.autograd.grad(loss, [self.weights[name] for name in names])
        for name, gradient in zip(names, gradients, strict=True):
            before = self.velocities.get(name)
            self.velocities[name] = gradient if before is None else self.momentum * before + gradient
            self.weights[name] = (self.weights[name] - 0.01 * self.velocities[name]).detach()


def made_pool(shape: tuple[int, ...]) -> Pool:
    rng = generator(0)
    images = torch.rand(LABELED + UNLABELED, *shape, generator=rng, dtype=torch.float64)
    labels = torch.randint(10, (LABELED,), generator=rng)
    places = torch.randperm(len(images), generator=rng)[:LABELED]
    return Pool.unlabeled_from(images, 10).with_labels(PoolQuery(places), labels)


def made_game(dataset: str, pool: Pool, *overrides: str) -> MinMax:
    """As composed, in float64, so that what differs is no rounding; in training mode but for dropout."""
    settings: Waal = part("learner", f"dataset={dataset}", "strategy=waal", "preset=as_code", *overrides)
    model = settings.empty(pool, seed=0).double()
    assert isinstance(model, Criticized)
    game = MinMax(model, settings, *settings.weights(LABELED, UNLABELED)).train()
    for module in game.modules():
        if isinstance(module, _DropoutNd):
            module.eval()
    return game


def weights_of(game: MinMax) -> Tensors:
    state = game.model.state_dict()
    plain = {name.removeprefix("network."): value.clone() for name, value in state.items()}
    return {name: value for name, value in plain.items() if name.split(".")[-1] in KEPT}


SAME = 1e-10  # in float64
KEPT = {"weight", "bias", "running_mean", "running_var"}
EXTRACTS: dict[str, Extract] = {"fashion_mnist": lenet5, "cifar10_waal": vgg16_bn}


def trained(dataset: str, *overrides: str, steps: int = STEPS) -> tuple[MinMax, Slow, Pool]:
    """Both after as many steps on the same batches."""
    pool = made_pool(SHAPES[dataset])
    game = made_game(dataset, pool, *overrides)
    slow = Slow(weights_of(game), EXTRACTS[dataset], MOMENTUM[dataset], LABELED / UNLABELED)
    batches = UnlabeledWithLabeled(pool, batch_size=SIZE, epochs=1, pairing=game.settings.pairing, seed=0)
    assert len(batches) == STEPS
    _, *driven = Fabric(accelerator="cpu").setup(game, *game.configure_optimizers())
    torch.manual_seed(0)
    for step in range(steps):
        game.step(batches[step], driven)
    torch.manual_seed(0)
    for step in range(steps):
        slow.step(batches[step])
    return game, slow, pool


def apart(game: MinMax, slow: Slow) -> float:
    """The largest difference of a weight, or of a statistic of batch norm in its own size."""
    own = weights_of(game)
    assert own.keys() == slow.weights.keys()
    return max(float((own[name] - value).abs().max()) for name, value in slow.weights.items())


@pytest.mark.parametrize("dataset", ["fashion_mnist", pytest.param("cifar10_waal", marks=pytest.mark.slow)])
def test_eight_steps_and_the_query_are_the_authors(dataset: str) -> None:
    """Weights and batch norm's statistics, and the same picks in the same order: LeNet5, and VGG16 with batch norm."""
    game, slow, pool = trained(dataset)
    assert apart(game, slow) < SAME
    query = part("strategy", f"dataset={dataset}", "strategy=waal", "preset=as_code").query(
        game.model.eval(), pool, QUERY, generator(0)
    )
    features = EXTRACTS[dataset](slow.weights, pool.inputs[pool.unlabeled], False)
    log_probs = classify(slow.weights, features).softmax(1).log()
    uncertainty = 0.5 * log_probs.square().sum(1).sqrt() + 0.5 * -log_probs.sum(1)
    score = uncertainty - 10 * critique(slow.weights, features)
    assert query.indices.tolist() == pool.unlabeled[score.argsort()[:QUERY]].tolist()


@pytest.mark.parametrize(
    ("dataset", "change"),
    [
        ("fashion_mnist", "reversed_penalty=false"), ("fashion_mnist", "fresh_features=false"),
        ("fashion_mnist", "penalty_at=interpolates"), ("fashion_mnist", "weighting=eq8"),
        pytest.param("cifar10_waal", "passes=joint", marks=pytest.mark.slow),
        pytest.param("cifar10_waal", "idle_pass=false", marks=pytest.mark.slow),
    ],
)  # fmt: skip
def test_each_departure_of_the_preset_is_needed(dataset: str, change: str) -> None:
    game, slow, _ = trained(dataset, f"learner.{change}", steps=1)
    assert apart(game, slow) > 1000 * SAME


@pytest.mark.parametrize("passes", ["joint", "separate"])
def test_batch_norm_sees_both_sets_or_each_alone(passes: str) -> None:
    """One feature that is 0 where labeled and 2 where unlabeled: normalized apart both are alike."""
    game = made_game("fashion_mnist", made_pool(SHAPES["fashion_mnist"]))
    game.settings = replace(game.settings, passes=passes)  # type: ignore[arg-type]
    game.model.network.backbone = nn.Sequential(nn.BatchNorm1d(1, affine=False)).double()
    rows = torch.tensor([[-0.1], [0.1]], dtype=torch.float64)
    found = game.features(rows, rows + 2)
    assert found.shape == (4, 1)
    assert torch.allclose(found[:2], found[2:]) == (passes == "separate")


def test_the_preset_says_all_of_it() -> None:
    config: Any = compose("dataset=cifar10_waal", "strategy=waal", "preset=as_code")
    assert (config.learner.schedule, config.learner.early_stopping, config.strategy.coefficient) == (None, None, 10)
    assert config.learner.penalty_weight == 2
