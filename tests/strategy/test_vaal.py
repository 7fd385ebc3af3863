"""VAAL: whose loss is whose, the direction of the query, and what is kept of a training."""

import json
import math
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.dataset import Dataset, Split
from al_bench.errors import UserError
from al_bench.network import Network
from al_bench.network.conv_vae import ConvVae
from al_bench.seeding import generator
from al_bench.storage.artifacts import Artifacts
from al_bench.strategy.vaal import Game, Vaal, _discriminator
from al_bench.training.both_kinds import BothKinds
from al_bench.training.cost import measure_cost

ADAM = partial(torch.optim.Adam, lr=5e-4)


def vaal(**changes: Any) -> Vaal:
    usual: dict[str, Any] = {
        "vae": partial(ConvVae, width=4, latent_size=6),
        "optimizer": ADAM,
        "discriminator_optimizer": ADAM,
        "hidden": [16],
        "passes": 100,
        "iterations": 3,
        "batch_size": 8,
        "beta": 1.0,
        "adversarial_weight": 1.0,
        "balance": "code",
        "image_size": 16,
        "query_reads": "eval",
    }
    return Vaal(**{**usual, **changes})


def made_pool(num_labeled: int = 20, size: int = 8) -> Pool:
    """Dark images are labeled, and of the others half are dark, half bright."""
    images = torch.randint(0, 60, (60, 1, size, size), dtype=torch.uint8, generator=generator(0))
    images[40:] += 180
    positions = torch.arange(num_labeled)
    return Pool.unlabeled_from(images, 2).with_labels(PoolQuery(positions), torch.zeros(num_labeled))


def prepared(strategy: Vaal, folder: Path, pool: Pool) -> Vaal:
    split = Split(pool.inputs, torch.zeros(len(pool), dtype=torch.int64))
    strategy.prepare(Dataset(split, None, split, 2, ("a", "b")).blind(), Artifacts(folder))
    return strategy


class Unused(Network):
    """VAAL takes nothing from the model; what it records of it is that the first image is the least certain."""

    def __init__(self) -> None:
        super().__init__(nn.Flatten(), nn.Identity(), nn.Linear(64, 2))

    def acquisition_logits(self, inputs: Tensor) -> Tensor:
        sure = inputs.flatten(1)[:, :1]
        return torch.cat([-sure, sure], 1)


def made_game(**changes: Any) -> Game:
    torch.manual_seed(0)
    return Game(ConvVae((1, 16, 16), 4, 6), _discriminator(6, [16]), vaal(**changes)).train()


def images(seed: int = 0) -> Tensor:
    return torch.rand(8, 1, 16, 16, generator=generator(seed)) * 2 - 1


def test_the_auto_encoder_is_as_large_as_published() -> None:
    """By layers: convolutions of 4 x 4 without bias, batch norms, two linear layers there and one back."""
    size, width, latent = 32, 128, 32
    widths = [width, 2 * width, 4 * width, 8 * width]
    steps = list(zip([3, *widths], widths, strict=False))
    down = sum(16 * a * b + 2 * b for a, b in steps)
    up = sum(16 * b * a + 2 * a for a, b in steps[1:]) + width * 3 + 3
    inner, outer = widths[-1] * (size // 16) ** 2, widths[-1] * (size // 8) ** 2
    by_hand = down + up + 2 * (inner * latent + latent) + latent * outer + outer
    assert sum(value.numel() for value in ConvVae((3, size, size), width, latent).parameters()) == by_hand


def test_the_auto_encoder_gives_images_back_in_their_size() -> None:
    network = ConvVae((3, 32, 32), 4, 5)
    reconstructed, mean, log_variance = network(torch.rand(2, 3, 32, 32))
    assert reconstructed.shape == (2, 3, 32, 32)
    assert mean.shape == log_variance.shape == (2, 5)


def test_latents_are_drawn_by_half_of_the_log_variance() -> None:
    network, read = ConvVae((1, 16, 16), 2, 3).eval(), list[Tensor]()
    network.decoder.register_forward_pre_hook(lambda _, given: read.append(given[0]))
    network.log_variance.weight.data.zero_()
    network.log_variance.bias.data.fill_(2 * math.log(3))
    torch.manual_seed(0)
    _, mean, _ = network(torch.rand(4, 1, 16, 16, generator=generator(0)))
    torch.manual_seed(0)
    assert torch.allclose(read[0], mean + 3 * torch.randn(4, 3))


@pytest.mark.parametrize("shape", [(1, 20, 20), (1, 16, 32)])
def test_refuses_sizes_that_it_cannot_halve(shape: tuple[int, ...]) -> None:
    with pytest.raises(UserError, match="image_size=32"):
        ConvVae(shape, 4, 5)


@pytest.mark.parametrize(("balance", "weights"), [("code", (1 / (8 * 256), 1.0)), ("elbo", (1 / 8, 1 / 8))])
def test_errors_and_divergence_weigh_as_the_code_or_alike(balance: str, weights: tuple[float, float]) -> None:
    game = made_game(balance=balance, beta=3.0)
    real, reconstructed = images(), images(1)
    mean, log_variance = torch.randn(8, 6), torch.randn(8, 6)
    prior = torch.distributions.Normal(0.0, 1.0)
    found = torch.distributions.Normal(mean, (log_variance / 2).exp())
    divergence = torch.distributions.kl_divergence(found, prior).sum()
    expected = weights[0] * (real - reconstructed).square().sum() + 3.0 * weights[1] * divergence
    assert torch.allclose(game.reconstruction(reconstructed, real, mean, log_variance), expected, rtol=1e-4)


@pytest.mark.parametrize("weight", [1.0, 0.3])
def test_the_auto_encoder_wants_both_kinds_called_labeled(weight: float) -> None:
    game = made_game(adversarial_weight=weight).eval()
    both = [images(0), images(1)]
    torch.manual_seed(5)
    loss = game.vae_loss(both)
    torch.manual_seed(5)
    expected = torch.zeros(())
    for kind in both:
        reconstructed, mean, log_variance = game.vae(kind)
        answers = game.discriminator(mean).squeeze(1)
        expected = expected + game.reconstruction(reconstructed, kind, mean, log_variance)
        expected = expected + weight * functional.binary_cross_entropy_with_logits(answers, torch.ones(8))
    assert torch.allclose(loss, expected, rtol=1e-5)


def test_the_discriminator_reads_the_means_of_the_second_pair() -> None:
    """And no draws, nor variances, of latents."""
    game, read = made_game().eval(), list[Tensor]()
    game.discriminator.register_forward_pre_hook(lambda _, given: read.append(given[0]))
    labeled, unlabeled = torch.randint(0, 255, (2, 2, 8, 1, 16, 16), dtype=torch.uint8, generator=generator(0))
    game.step((labeled, unlabeled), game.configure_optimizers())
    with torch.no_grad():
        for seen, images in zip(read[-2:], (labeled[1], unlabeled[1]), strict=True):
            assert torch.allclose(seen, game.vae.mean(game.vae.encoder(game.sized(images.float() / 255))), atol=1e-6)


def test_each_player_moves_itself_alone() -> None:
    game = made_game()
    optimizers = game.configure_optimizers()
    owned = [{id(value) for group in optimizer.param_groups for value in group["params"]} for optimizer in optimizers]
    assert owned[0] == {id(value) for value in game.vae.parameters()}
    assert owned[1] == {id(value) for value in game.discriminator.parameters()}
    before = [value.clone() for value in game.discriminator.parameters()]
    for optimizer in optimizers[1:]:
        optimizer.param_groups[0]["lr"] = 0.0
    stored = torch.randint(0, 255, (2, 8, 1, 16, 16), dtype=torch.uint8)
    game.step((stored, stored), optimizers)
    assert all(torch.equal(now, was) for now, was in zip(game.discriminator.parameters(), before, strict=True))


def test_a_round_is_two_steps_of_the_auto_encoder_and_one_of_the_discriminator() -> None:
    game = made_game()
    stored = torch.randint(0, 255, (2, 8, 1, 16, 16), dtype=torch.uint8)
    game.step((stored, stored), game.configure_optimizers())
    assert game.account.updates == 2 + 1


def test_images_are_seen_small_and_from_minus_one_to_one() -> None:
    halves = torch.cat([torch.zeros(1, 1, 32, 16), torch.ones(1, 1, 32, 16)], dim=3)
    seen = made_game().sized(halves)
    assert seen.shape == (1, 1, 16, 16)
    assert (seen.min(), seen.max()) == (-1, 1)


def test_asks_for_what_is_least_like_the_labeled_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a discriminator that calls dark images labeled, the brightest are asked for."""
    monkeypatch.setattr(Game, "labeledness", lambda game, read: 0.5 - read.flatten(1).mean(1))
    pool = made_pool()
    query = prepared(vaal(), tmp_path, pool).query(Unused(), pool, 15, generator(0))
    brightness = pool.inputs.float().flatten(1).mean(1)
    assert query.indices.tolist() == brightness.argsort(descending=True)[:15].tolist()
    assert (query.trace["labeledness"].diff() >= 0).all(), "the least like them first"
    assert query.trace["labeledness_of_labeled"].min() > query.trace["labeledness_of_pool"].min()
    unsure = pool.inputs[20:, 0, 0, 0].argsort()[:15] + 20
    assert query.trace["by_entropy"].sum() == len(set(unsure.tolist()) & set(query.indices.tolist()))


def test_a_query_reads_each_kind_by_statistics_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In batches of about as many images, drawn from all of a kind; running statistics stay as they were."""
    read: list[Tensor] = []

    def brightness(game: Game, shown: Tensor) -> Tensor:
        norms = [part for part in game.modules() if isinstance(part, nn.BatchNorm2d)]
        assert norms and all(norm.training and not norm.track_running_stats for norm in norms)
        read.append(shown)
        return shown.flatten(1).mean(1)

    monkeypatch.setattr(Game, "answer", brightness)
    pool = made_pool()
    made, _ = vaal(query_reads="train")._answers(pool, 0, tmp_path)
    assert [len(batch) for batch in read] == [7, 7, 6, 8, 8, 8, 8, 8]
    shown = pool.inputs.float().flatten(1).mean(1) / 255 * 2 - 1
    assert torch.allclose(made["answers"], shown, atol=0.02)
    assert 0 < (read[3].flatten(1).mean(1) > 0).sum() < 8, "not by position, of which the later half is bright"


def test_batch_norm_that_sees_one_kind_answers_otherwise_than_running_statistics(tmp_path: Path) -> None:
    pool = made_pool()
    answers = [vaal(query_reads=mode)._answers(pool, 0, tmp_path / mode)[0]["answers"] for mode in ("train", "eval")]
    assert (answers[0] - answers[1]).abs().max() > 1e-3


def test_the_auto_encoder_learns_to_give_images_back() -> None:
    game = made_game(optimizer=partial(torch.optim.Adam, lr=0.01), balance="elbo")
    optimizers = game.configure_optimizers()
    stored = torch.randint(0, 255, (2, 8, 1, 16, 16), dtype=torch.uint8)
    shown = game.sized(stored[1].float() / 255)

    def error() -> float:
        with torch.no_grad():
            return float((game.vae(shown)[0] - shown).square().mean())

    before = error()
    for _ in range(30):
        game.step((stored, stored), optimizers)
    assert error() < 0.7 * before


def test_the_discriminator_learns_which_images_are_labeled() -> None:
    """On an auto-encoder that stands still, in eval mode, so that no batch norm takes the difference away. It is shown
    the second pair of a round, the first of which says the opposite here."""
    game = made_game(discriminator_optimizer=partial(torch.optim.Adam, lr=0.01)).eval()
    optimizers = game.configure_optimizers()
    optimizers[0].param_groups[0]["lr"] = 0.0
    striped, across = torch.zeros(2, 8, 1, 16, 16, dtype=torch.uint8)
    striped[:, :, ::4], across[:, :, :, ::4] = 255, 255
    labeled, unlabeled = torch.stack([across, striped]), torch.stack([striped, across])
    found = [float(game.step((labeled, unlabeled), optimizers)["labeledness"]) for _ in range(60)]
    assert found[-1] < 0.6 * found[0]
    with torch.no_grad():
        answers = [game.labeledness(kind.float() / 255) for kind in (striped, across)]
    assert answers[0].min() > answers[1].max()


def test_a_query_asked_again_is_not_trained_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As after a kill; what differs in labels, seed or settings is another."""
    rounds: list[int] = []
    stepped = Game.step
    monkeypatch.setattr(Game, "step", lambda *given: (rounds.append(1), stepped(*given))[1])
    pool = made_pool()
    first = prepared(vaal(), tmp_path, pool).query(Unused(), pool, 5, generator(0))
    again = prepared(vaal(), tmp_path, pool).query(Unused(), pool, 5, generator(0))
    assert torch.equal(first.indices, again.indices)
    assert len(rounds) == 3
    more = pool.with_labels(PoolQuery(torch.tensor([50])), torch.zeros(1))
    prepared(vaal(), tmp_path, more).query(Unused(), more, 5, generator(0))
    prepared(vaal(), tmp_path, pool).query(Unused(), pool, 5, generator(1))
    prepared(vaal(beta=2.0), tmp_path, pool).query(Unused(), pool, 5, generator(0))
    assert len(rounds) == 12


def test_answers_that_were_made_before_cost_what_making_them_took(tmp_path: Path) -> None:
    """By another run, or before a kill."""
    pool, costs = made_pool(), []
    for _ in range(2):
        with measure_cost() as cost:
            prepared(vaal(), tmp_path, pool).query(Unused(), pool, 5, generator(0))
        costs.append(cost)
    (record,) = (tmp_path / "vaal").glob("*.json")
    made = json.loads(record.read_text())["effort"]
    assert made["optimizer_steps"] == 9 and made["images_seen"] > 0
    for cost in costs:
        assert (cost.optimizer_steps, cost.images_seen) == (made["optimizer_steps"], made["images_seen"])
        assert cost.seconds >= made["seconds"]


def test_answers_are_those_of_labels_in_their_order(tmp_path: Path) -> None:
    pool = made_pool()
    backwards = replace(pool, labeled=pool.labeled.flip(0), labels=pool.labels.flip(0))
    for one in (pool, backwards):
        prepared(vaal(), tmp_path, one).query(Unused(), one, 5, generator(0))
    assert len([*(tmp_path / "vaal").glob("*.json")]) == 2


def test_the_length_follows_the_pool_not_the_labels() -> None:
    assert vaal(iterations=None).rounds(50_000) == 100 * 50_000 // 8
    assert vaal(iterations=500).rounds(50_000) == 500
    assert len(BothKinds(made_pool(20), 7, 8, 0)) == len(BothKinds(made_pool(40), 7, 8, 0)) == 7


def test_batches_are_of_both_kinds_and_differ_within_a_round() -> None:
    pool = made_pool()
    batches = BothKinds(pool, 4, 8, 0)
    labeled, unlabeled = batches[1]
    assert labeled.shape == unlabeled.shape == (2, 8, 1, 8, 8)
    assert labeled.max() < 60
    assert not torch.equal(unlabeled[0], unlabeled[1])
    for kind in range(2):
        assert not torch.equal(batches[0][kind][1], batches[1][kind][0]), "each round has two of its own"
    assert all(torch.equal(first, again) for first, again in zip(batches[1], batches[1], strict=True))


@pytest.mark.parametrize("reads", ["train", "eval"])
@pytest.mark.parametrize(("image_size", "num_labeled", "copies"), [(16, 1, 2), (16, 59, 2), (32, 1, 1), (16, 2, 1)])
def test_one_image_of_a_kind_is_taken_twice_where_batch_norm_sees_one_position(
    tmp_path: Path, image_size: int, num_labeled: int, copies: int, reads: str
) -> None:
    pool = made_pool(num_labeled)
    vae = partial(ConvVae, width=2, latent_size=3)
    strategy = prepared(vaal(image_size=image_size, vae=vae, query_reads=reads), tmp_path, pool)
    query = strategy.query(Unused(), pool, 1, generator(0))
    assert len(query.indices) == 1
    batches = BothKinds(pool, 2, 8, 0, least=strategy._least(strategy._untrained(1, 0), 1))
    fewest = min(num_labeled, 60 - num_labeled)
    assert sorted(kind.shape[1] for kind in batches.load(0))[0] == fewest * copies


def test_batches_of_one_image_are_refused_where_batch_norm_sees_one_position() -> None:
    images = Pool.unlabeled_from(torch.empty((0, 1, 8, 8)), 2)
    with pytest.raises(
        UserError, match=r"^strategy\.batch_size=1 is too small .*strategy\.image_size=16: give 2 or more"
    ):
        vaal(batch_size=1).check(images, 20)
    vaal(batch_size=1, image_size=32).check(images, 20)
