"""Labeled inputs are dark and unlabeled ones bright, so a discriminator can tell them apart."""

from functools import partial

import pytest
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim import Optimizer

from al_bench import seeding
from al_bench.active.inputs import read_all
from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.learner.h_divergence import Adversarial, Discriminated, HDivergence
from al_bench.network import Network

NUM_LABELED, NUM_UNLABELED = 20, 50


class Small(Network):
    """Eight features of two inputs."""

    def __init__(self, input_shape: tuple[int, ...], num_classes: int) -> None:
        super().__init__(nn.Sequential(nn.Linear(2, 8), nn.Tanh()), nn.Identity(), nn.Linear(8, num_classes))


def made_pool() -> Pool:
    inputs = 0.3 * torch.randn(NUM_LABELED + NUM_UNLABELED, 2, generator=seeding.generator(0))
    inputs[NUM_LABELED:, 0] += 2
    labels = (inputs[:NUM_LABELED, 1] > 0).long()
    return Pool.unlabeled_from(inputs, 2).with_labels(PoolQuery(torch.arange(NUM_LABELED)), labels)


def learner(trade_off: float = 0.01, epochs: int = 30) -> HDivergence:
    adam = partial(torch.optim.Adam, lr=0.01)
    return HDivergence(network=Small, epochs=epochs, batch_size=8, optimizer=adam, trade_off=trade_off, hidden=16)


def made_game(trade_off: float, optimizer: type[torch.optim.Optimizer] = torch.optim.Adam) -> Adversarial:
    """Untrained, in eval mode: without dropout a loss is a number to compare."""
    model = learner().empty(made_pool(), seed=0)
    assert isinstance(model, Discriminated)
    return Adversarial(model, partial(optimizer, lr=0.01), trade_off, None).eval()  # type: ignore[call-arg]


def batch() -> tuple[Tensor, Tensor, Tensor]:
    pool = made_pool()
    inputs, labels = pool.training_set()
    return read_all(inputs), labels, pool.inputs[pool.unlabeled[:NUM_LABELED]]


def domain_loss(game: Adversarial) -> float:
    inputs, _, others = batch()
    with torch.no_grad():
        return float(game.domain_loss(game.model.features(inputs), game.model.features(others)))


def step(game: Adversarial, optimizers: list[Optimizer]) -> None:
    """One step, as `Fitter.fit` makes it but for the mode."""
    _, *driven = Fabric(accelerator="cpu").setup(game, *optimizers)
    game.step(batch(), driven)


def test_the_discriminator_alone_lowers_its_loss() -> None:
    game = made_game(trade_off=0.0)
    before = domain_loss(game)
    with torch.no_grad():
        labeled, unlabeled = game.model.features(batch()[0]), game.model.features(batch()[2])
    optimizer = game.configure_optimizers()[1]
    for _ in range(100):
        optimizer.zero_grad()
        game.domain_loss(labeled, unlabeled).backward()
        optimizer.step()
    assert before == pytest.approx(2 * torch.log(torch.tensor(2.0)).item(), abs=0.2), "it begins with a guess"
    assert domain_loss(game) < 0.1


def test_the_features_raise_it_and_the_discriminator_lowers_it_in_one_step() -> None:
    """Each half of a step alone, by giving the other's optimizer a rate of 0."""
    rates = {"features": (0.01, 0.0), "discriminator": (0.0, 0.01)}
    change = {}
    for part, (first, second) in rates.items():
        game = made_game(trade_off=1000.0, optimizer=torch.optim.Adam)
        before = domain_loss(game)
        optimizers = game.configure_optimizers()
        for optimizer, rate in zip(optimizers, (first, second), strict=True):
            optimizer.param_groups[0]["lr"] = rate
        step(game, optimizers)
        change[part] = domain_loss(game) - before
    assert change["features"] > 1e-3
    assert change["discriminator"] < -1e-3


@pytest.mark.parametrize("trade_off", [0.01, 0.5])
def test_mu_weighs_the_discriminators_step_too(trade_off: float) -> None:
    """Eq. 20 has it before the whole game: under SGD a step is mu times the gradient, at the features before it."""
    game = made_game(trade_off, optimizer=torch.optim.SGD)
    inputs, _, others = batch()
    labeled, unlabeled = game.model.features(inputs).detach(), game.model.features(others).detach()
    before = [value.clone() for value in game.model.discriminator.parameters()]
    gradients = torch.autograd.grad(game.domain_loss(labeled, unlabeled), list(game.model.discriminator.parameters()))
    step(game, game.configure_optimizers())
    for now, was, gradient in zip(game.model.discriminator.parameters(), before, gradients, strict=True):
        assert gradient.abs().max() > 1e-2
        assert torch.allclose(now, was - 0.01 * trade_off * gradient, atol=1e-7)


def test_without_a_trade_off_the_network_learns_as_if_alone() -> None:
    game = made_game(trade_off=0.0, optimizer=torch.optim.SGD)
    weights = [value.clone() for value in game.model.network.parameters()]
    inputs, labels, _ = batch()
    loss = nn.functional.cross_entropy(game.model(inputs), labels)
    gradients = torch.autograd.grad(loss, list(game.model.network.parameters()))
    step(game, game.configure_optimizers())
    for now, before, gradient in zip(game.model.network.parameters(), weights, gradients, strict=True):
        assert torch.allclose(now, before - 0.01 * gradient, atol=1e-6)


def test_labeledness_is_low_on_what_is_unlike_the_labeled_inputs() -> None:
    pool = made_pool()
    model = learner(trade_off=1e-4, epochs=100).fit(pool, None, seed=0)  # too little for the features to hide
    assert isinstance(model, Discriminated)
    answers = model.labeledness(pool.inputs[torch.arange(len(pool))])
    assert answers.shape == (len(pool),)
    assert (answers[:NUM_LABELED] > 0).all()
    assert (answers[NUM_LABELED:] < 0).all()


def test_training_hides_the_difference() -> None:
    """With a trade-off the features of both kinds become harder to tell apart."""
    pool = made_pool()
    gaps = []
    for trade_off in (0.0, 3.0):
        model = learner(trade_off, epochs=60).fit(pool, None, seed=0)
        features = model.features(pool.inputs[torch.arange(len(pool))]).detach()
        gaps.append(float((features[:NUM_LABELED].mean(0) - features[NUM_LABELED:].mean(0)).norm()))
    assert gaps[1] < 0.5 * gaps[0]
