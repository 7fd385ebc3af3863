"""Labeled inputs are dark and unlabeled ones bright, so a critic can tell them apart."""

from dataclasses import replace
from functools import partial
from typing import Any

import pytest
import torch
from composing import compose, part
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim import SGD, Adam, Optimizer

from al_bench import seeding
from al_bench.active.inputs import read_all
from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.errors import UserError
from al_bench.learner import Learner
from al_bench.learner.h_divergence import HDivergence
from al_bench.learner.learning_loss import LearningLoss
from al_bench.learner.supervised import Supervised
from al_bench.learner.waal import Criticized, MinMax, Waal
from al_bench.network import Network
from al_bench.network.linear import Linear
from al_bench.training import losses
from al_bench.training.cost import measure_cost
from al_bench.training.loss_record import Losses

LABELED, UNLABELED = 20, 50


class Small(Network):
    """Eight features of two inputs."""

    def __init__(self, input_shape: tuple[int, ...], num_classes: int) -> None:
        super().__init__(nn.Sequential(nn.Linear(2, 8), nn.Tanh()), nn.Identity(), nn.Linear(8, num_classes))


def made_pool(labeled: int = LABELED, unlabeled: int = UNLABELED) -> Pool:
    inputs = 0.3 * torch.randn(labeled + unlabeled, 2, generator=seeding.generator(0))
    inputs[labeled:, 0] += 2
    labels = (inputs[:labeled, 1] > 0).long()
    return Pool.unlabeled_from(inputs, 2).with_labels(PoolQuery(torch.arange(labeled)), labels)


AS_PAPER = Waal(
    network=Small,
    epochs=30,
    batch_size=8,
    optimizer=partial(Adam, lr=0.01),
    trade_off=0.01,
    hidden=16,
    query_size=10,
    weighting="eq8",
    pairing="replacement",
    penalty_weight=2.0,
    penalty_at="interpolates",
    reversed_penalty=False,
    fresh_features=False,
)


def made_game(settings: Waal, bias: float = 0.5) -> MinMax:
    """Untrained, in eval mode: without dropout a loss is a number to compare."""
    model = settings.empty(made_pool(), seed=0)
    assert isinstance(model, Criticized)
    return MinMax(model, settings, settings.trade_off, bias).eval()  # type: ignore[no-any-return]


def batch() -> tuple[Tensor, Tensor, Tensor]:
    pool = made_pool()
    inputs, labels = pool.training_set()
    return read_all(inputs), labels, pool.inputs[pool.unlabeled[:LABELED]]


def step(game: MinMax, optimizers: list[Optimizer]) -> Losses:
    """One step, as `Fitter.fit` makes it but for the mode."""
    _, *driven = Fabric(accelerator="cpu").setup(game, *optimizers)
    return game.step(batch(), driven)


def distance(game: MinMax) -> float:
    inputs, _, others = batch()
    with torch.no_grad():
        return float(game.distance(game.model.features(torch.cat([inputs, others])), len(inputs)))


def rates(game: MinMax, network: float, critic: float) -> list[Optimizer]:
    return [SGD(game.model.network.parameters(), network), SGD(game.model.critic.parameters(), critic)]


def test_the_critic_raises_the_distance_and_the_features_lower_it() -> None:
    """Each half of a step alone, by giving the other's optimizer a rate of 0."""
    settings = replace(AS_PAPER, trade_off=10.0, penalty_weight=0.0)
    by_critic = made_game(settings)
    before = distance(by_critic)
    step(by_critic, rates(by_critic, 0.0, 0.01))
    by_features = made_game(settings)
    step(by_features, rates(by_features, 0.01, 0.0))
    assert distance(by_features) < before < distance(by_critic)


def test_one_step_is_algorithm_1_by_hand() -> None:
    """Gradients of Alg. 1's lines 4 to 6, all of them at the features before the step."""
    settings, rate, bias, trade_off = replace(AS_PAPER, penalty_weight=0.0), 0.1, 0.3, 0.7
    game = made_game(replace(settings, trade_off=trade_off), bias)
    inputs, labels, others = batch()
    network, critic = game.model.network, game.model.critic
    features, unlabeled = network.features(inputs), network.features(others)
    values = critic(unlabeled).mean() - bias * critic(features).mean()
    loss = losses.cross_entropy(network.classify(features), labels) + trade_off * values
    for_network = torch.autograd.grad(loss, list(network.parameters()), retain_graph=True)
    for_critic = torch.autograd.grad(trade_off * values, list(critic.parameters()))
    expected = [(p - rate * g).detach() for p, g in zip(network.parameters(), for_network, strict=True)]
    expected += [(p + rate * g).detach() for p, g in zip(critic.parameters(), for_critic, strict=True)]
    step(game, rates(game, rate, rate))
    for parameter, value in zip([*network.parameters(), *critic.parameters()], expected, strict=True):
        assert torch.allclose(parameter, value, atol=1e-6)


@pytest.mark.parametrize("reversed_penalty", [False, True])
def test_the_penalty_falls_and_the_sign_of_the_published_code_makes_it_rise(reversed_penalty: bool) -> None:
    """The same inputs on both sides, so that their distance is 0 and stays so: only the penalty moves the critic."""
    settings = replace(AS_PAPER, penalty_weight=1.0, reversed_penalty=reversed_penalty, trade_off=1.0)
    game, constant = made_game(settings, bias=1.0), made_pool().inputs[:LABELED]
    points = game.model.features(constant).detach()

    def penalty() -> float:
        return losses.gradient_penalty(game.model.critique, points).item()

    before = penalty()
    _, *driven = Fabric(accelerator="cpu").setup(game, *rates(game, 0.0, 0.05))
    for _ in range(200):
        game.step((constant, batch()[1], constant), driven)
    assert 0.5 < before < 1, "an untrained critic is nearly flat"
    assert (penalty() > before) if reversed_penalty else (penalty() < 0.8 * before)


@pytest.mark.parametrize(("penalty_at", "count"), [("interpolates", LABELED), ("all", 3 * LABELED)])
def test_where_the_penalty_is_taken(penalty_at: str, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def penalty(critic: object, points: Tensor) -> Tensor:
        seen.append(points)
        return points.sum() * 0

    monkeypatch.setattr(losses, "gradient_penalty", penalty)
    game = made_game(replace(AS_PAPER, penalty_at=penalty_at))  # type: ignore[arg-type]
    step(game, rates(game, 0.0, 0.0))
    assert seen[0].shape == (count, 8)


@pytest.mark.parametrize("fresh", [False, True])
def test_the_critic_reads_the_features_before_or_after_the_networks_step(
    fresh: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = []
    game = made_game(replace(AS_PAPER, fresh_features=fresh))
    terms = game.critic_terms
    monkeypatch.setattr(
        game, "critic_terms", lambda features, count: (read.append(features), terms(features, count))[1]
    )
    inputs, _, others = batch()
    both = torch.cat([inputs, others])
    before = game.model.features(both).detach()
    step(game, rates(game, 0.5, 0.0))
    after = game.model.features(both).detach()
    assert not torch.equal(before, after)
    assert torch.equal(read[0], after if fresh else before)


def test_the_critic_drops_half_of_its_hidden_units_in_training() -> None:
    """App. G.2. With hidden units and weights of 1, the sum is twice the number of those kept: binomial."""
    model = replace(AS_PAPER, hidden=1000).empty(made_pool(), seed=0)
    assert isinstance(model, Criticized)
    hidden, *_, last, _ = model.critic
    for values, constant in ((hidden.weight, 0.0), (hidden.bias, 1.0), (last.weight, 1.0), (last.bias, 0.0)):
        nn.init.constant_(values, constant)
    torch.manual_seed(0)
    with torch.no_grad():
        trained, evaluated = (model.critic[:-1].train(mode)(torch.zeros(50, 8)) for mode in (True, False))
    assert float(trained.mean()) / 2 == pytest.approx(500, abs=10)
    assert float(trained.std()) / 2 == pytest.approx(250**0.5, abs=5), "each unit for itself"
    assert (evaluated == 1000).all()


def test_the_weights_of_eq_8_and_of_the_published_code() -> None:
    paper, c0 = AS_PAPER.weights(1000, 9000)
    assert paper == pytest.approx(0.009)
    assert c0 == losses.bias_coefficient(1000, 9000, 10)
    assert replace(AS_PAPER, weighting="ratio").weights(1000, 9000) == (0.01, pytest.approx(1 / 9))
    assert AS_PAPER.weights(1000, 0) == (0.0, 0.0)


def test_a_training_has_the_weights_of_its_own_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    """mu' and C0 of 20 labeled and 50 unlabeled inputs, gamma = 2.5 and alpha = 0.5, by hand."""
    games: list[MinMax] = []
    monkeypatch.setattr(Waal, "train", lambda self, module, *args, **options: games.append(module))
    AS_PAPER.fit(made_pool(), None, seed=0)
    replace(AS_PAPER, weighting="ratio").fit(made_pool(), None, seed=0)
    found = [(game.trade_off, game.bias) for game in games]
    assert found == [pytest.approx((0.01 * 2.5 / 3.5, 2 / (2.5**2 * 1.5))), pytest.approx((0.01, 0.4))]


def test_without_a_trade_off_the_network_learns_as_if_alone() -> None:
    alone, beside = (made_game(replace(AS_PAPER, trade_off=0.0)) for _ in range(2))
    step(beside, rates(beside, 0.1, 0.1))
    inputs, labels, _ = batch()
    optimizer = SGD(alone.model.network.parameters(), 0.1)
    losses.cross_entropy(alone.model.network(inputs), labels).backward()
    optimizer.step()
    for one, other in zip(alone.model.network.parameters(), beside.model.network.parameters(), strict=True):
        assert torch.allclose(one, other, atol=1e-7)


def test_training_hides_the_difference() -> None:
    """The features of both kinds come nearer than supervised learning leaves them."""

    def gap(trade_off: float) -> float:
        settings = replace(AS_PAPER, trade_off=trade_off, penalty_weight=0.1, epochs=60)
        pool = made_pool()
        model = settings.fit(pool, None, seed=0)
        with torch.no_grad():
            features = model.features(pool.inputs)
        return float((features[:LABELED].mean(0) - features[LABELED:].mean(0)).norm())

    assert gap(20.0) < 0.7 * gap(0.0)


def test_a_network_without_a_feature_extractor_is_refused() -> None:
    with pytest.raises(UserError, match=r"network=linear .*network=lenet5"):
        replace(AS_PAPER, network=Linear).empty(made_pool(), 0)


@pytest.mark.parametrize("key", ["weighting", "pairing", "penalty_at", "passes"])
def test_an_unknown_choice_is_refused(key: str) -> None:
    with pytest.raises(UserError, match=rf"learner\.{key}=other "):
        replace(AS_PAPER, **{key: "other"})


def test_the_paper_and_its_code_compose() -> None:
    paper: Waal = part("learner", "dataset=fashion_mnist", "strategy=waal")
    code: Waal = part("learner", "dataset=fashion_mnist", "strategy=waal", "preset=as_code")
    assert (paper.trade_off, paper.weighting, paper.pairing, paper.penalty_at) == (
        0.01,
        "eq8",
        "replacement",
        "interpolates",
    )
    assert (code.trade_off, code.weighting, code.pairing, code.penalty_at) == (0.002, "ratio", "modulo", "all")
    assert (paper.fresh_features, code.fresh_features) == (False, True)
    assert (paper.reversed_penalty, code.reversed_penalty) == (False, True)
    assert (paper.passes, code.passes, paper.idle_pass, code.idle_pass) == ("joint", "separate", False, True)
    assert (paper.query_size, paper.epochs, paper.batch_size) == (500, 80, 64)
    assert compose("dataset=fashion_mnist", "strategy=waal", "preset=as_code").strategy.coefficient == 10


PLAN: dict[str, Any] = {"network": Small, "epochs": 3, "batch_size": 8, "optimizer": partial(SGD, lr=0.01)}
MATCHED: list[tuple[Learner, int]] = [
    (Supervised(**PLAN, match_steps=True), 1),
    (LearningLoss(**PLAN, weight=1.0, margin=1.0, detach_at=0.6, width=4, match_steps=True), 1),
    (HDivergence(**PLAN, trade_off=0.01, hidden=4, match_steps=True), 2),
]  # and the optimizer steps that each takes in a training step; WAAL's are two


def optimizer_steps(learner: Learner, labeled: int, unlabeled: int) -> int:
    with measure_cost() as cost:
        learner.fit(made_pool(labeled, unlabeled), None, seed=0)
    return cost.optimizer_steps


@pytest.mark.parametrize(("learner", "networks"), MATCHED, ids=["supervised", "learning_loss", "h_divergence"])
@pytest.mark.parametrize(("labeled", "unlabeled", "steps"), [(20, 50, 21), (50, 20, 21), (20, 3, 9)])
def test_with_matched_steps_each_learner_trains_for_as_many(
    learner: Learner, networks: int, labeled: int, unlabeled: int, steps: int
) -> None:
    """Three epochs of ceil(max(L, U) / 8) steps (docs/papers/waal.md, Training steps)."""
    assert optimizer_steps(replace(AS_PAPER, epochs=3), labeled, unlabeled) == 2 * steps
    assert optimizer_steps(learner, labeled, unlabeled) == networks * steps


@pytest.mark.parametrize("labeled", [3, 20, 50])
def test_with_fixed_steps_the_labels_do_not_matter(labeled: int) -> None:
    learners = [replace(learner, match_steps=False, steps=17) for learner, _ in MATCHED]
    for learner, (_, networks) in zip(learners, MATCHED, strict=True):
        assert optimizer_steps(learner, labeled, 30) == 17 * networks


def test_two_lengths_at_once_are_refused() -> None:
    with pytest.raises(UserError, match=r"learner.steps=17 and learner.match_steps=true both say how long"):
        replace(MATCHED[0][0], steps=17)


class Normalized(Small):
    """Its batch norm cannot take a batch of one."""

    def __init__(self, input_shape: tuple[int, ...], num_classes: int) -> None:
        super().__init__(input_shape, num_classes)
        self.backbone = nn.Sequential(nn.Linear(2, 8), nn.BatchNorm1d(8), nn.Tanh())


@pytest.mark.parametrize(("learner", "networks"), MATCHED, ids=["supervised", "learning_loss", "h_divergence"])
@pytest.mark.parametrize(("labeled", "unlabeled", "steps"), [(20, 49, 18), (49, 20, 18), (20, 50, 21), (4, 9, 3)])
def test_with_batch_norm_too_where_the_pool_leaves_a_batch_of_one(
    learner: Learner, networks: int, labeled: int, unlabeled: int, steps: int
) -> None:
    """49 inputs in batches of 8 are six, since the seventh would be of one."""
    normalized: Learner = replace(learner, network=Normalized)  # type: ignore[type-var]
    assert optimizer_steps(replace(AS_PAPER, network=Normalized, epochs=3), labeled, unlabeled) == 2 * steps
    assert optimizer_steps(normalized, labeled, unlabeled) == networks * steps


def test_without_them_an_epoch_of_the_others_passes_over_the_labels() -> None:
    assert optimizer_steps(Supervised(**PLAN), 20, 50) == 9
