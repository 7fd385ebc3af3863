"""Latents of two dimensions that are decoded to images of one pixel."""

from pathlib import Path

import pytest
import torch
from composing import part
from torch import Tensor, nn

from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.dataset import Dataset, Split
from al_bench.network import Network
from al_bench.seeding import generator
from al_bench.storage.artifacts import Artifacts
from al_bench.strategy.adba import Adba, sphere

LATENTS = torch.tensor([[-4.0, 0.0], [0.5, 0.0], [4.0, 0.0], [1.5, 3.0], [-2.0, -3.0]])  # their mean is 0


def decode(latents: Tensor) -> Tensor:
    """Gray by the first dimension: black at -10, white at 10."""
    return ((latents[:, :1] + 10) / 20)[:, :, None, None]


def made_pool(latents: Tensor = LATENTS) -> tuple[Network, Pool]:
    """The boundary is x = 1: logits 0 and 3 (x - 1)."""
    last = nn.Linear(2, 2)
    last.weight.data, last.bias.data = torch.tensor([[0.0, 0.0], [3.0, 0.0]]), torch.tensor([0.0, -3.0])
    return Network(nn.Flatten(), nn.Identity(), last).eval(), Pool.unlabeled_from(latents, 2)


def made_strategy(pool: Pool, tmp_path: Path, images: int = 11) -> Adba:
    split = Split(pool.inputs, torch.zeros(len(pool)))
    strategy = Adba(images)
    strategy.prepare(Dataset(split, None, split, 2, ("a", "b"), decode).blind(), Artifacts(tmp_path))
    return strategy


def asked(strategy: Adba, model: Network, pool: Pool, size: int) -> list[int]:
    positions: list[int] = strategy.query(model, pool, size, generator(0)).trace["position"].tolist()
    return positions


def test_asks_for_lines_through_the_latents_nearest_the_boundary(tmp_path: Path) -> None:
    """A sign error would ask for 0 and 4 first. Between 1 and 3, and 2 and 4, as near, a draw decides."""
    model, pool = made_pool()
    orders = set()
    for seed in range(20):
        query = made_strategy(pool, tmp_path).query(model, pool, 5, generator(seed))
        assert query.scores is not None
        assert query.scores.tolist() == pytest.approx([0.5, 0.5, 3.0, 3.0, 5.0])
        orders.add(tuple(query.trace["position"].tolist()))
    assert orders == {(*first, *then, 0) for first in ((1, 3), (3, 1)) for then in ((2, 4), (4, 2))}


def test_a_line_is_the_chord_of_the_pools_sphere_across_the_boundary(tmp_path: Path) -> None:
    """The sphere has radius 4: through (0.5, 0) from (-4, 0) to (4, 0), through (1.5, 3) from x = -sqrt(7) to it."""
    model, pool = made_pool()
    query = made_strategy(pool, tmp_path).query(model, pool, 2, generator(0))
    assert query.shown is not None
    first, second = query.synthetic[query.trace["position"].argsort()]
    assert torch.allclose(first, torch.stack([torch.linspace(-4, 4, 11), torch.zeros(11)], 1), atol=1e-5)
    ends = torch.linspace(-(7**0.5), 7**0.5, 11)
    assert torch.allclose(second, torch.stack([ends, torch.full((11,), 3.0)], 1), atol=1e-5)
    assert query.shown.shape == (2, 11, 1, 1, 1)
    assert query.shown.dtype == torch.uint8
    of_first = query.shown[query.trace["position"].argmin()]
    assert of_first.flatten().tolist() == [round((float(x) + 10) / 20 * 255) for x in first[:, 0]]


def test_the_sphere_lies_around_the_mean() -> None:
    _, pool = made_pool(LATENTS + torch.tensor([10.0, -7.0]))
    center, radius = sphere(pool)
    assert torch.allclose(center, torch.tensor([10.0, -7.0]), atol=1e-5)
    assert radius.item() == pytest.approx(4.0)


def test_a_latent_is_not_asked_for_twice_while_others_are_left(tmp_path: Path) -> None:
    model, pool = made_pool()
    strategy = made_strategy(pool, tmp_path)
    pool = pool.with_labels(strategy.query(model, pool, 2, generator(0)), torch.zeros(2, 11))
    # Latents 0 and 2 lie on the line through 1, so both count as asked for with it
    assert asked(strategy, model, pool, 1) == [4]
    first, *nearest, second, third = asked(strategy, model, pool, 5)
    assert (first, sorted(nearest), second, third) == (4, [1, 3], 2, 0)
    assert pool.unlabeled.tolist() == [0, 1, 2, 3, 4]


def test_many_latents_are_told_apart_by_their_lines(tmp_path: Path) -> None:
    """128 dimensions, as ASAL's GANs have: exactly those that were asked for are recognized."""
    latents = torch.randn(300, 128, generator=generator(2))
    last = nn.Linear(128, 2)
    model, pool = Network(nn.Flatten(), nn.Identity(), last).eval(), Pool.unlabeled_from(latents, 2)
    strategy = made_strategy(pool, tmp_path)
    before: list[int] = []
    for _ in range(3):
        query = strategy.query(model, pool, 10, generator(0))
        before += query.trace["position"].tolist()
        pool = pool.with_labels(query, torch.zeros(10, 11))
        last.weight.data += 0.1 * torch.randn(last.weight.shape, generator=generator(len(before)))
    assert len(set(before)) == 30
    assert strategy._asked(pool).nonzero().flatten().tolist() == sorted(before)


def test_a_labeled_latent_has_no_line(tmp_path: Path) -> None:
    model, pool = made_pool()
    pool = pool.with_labels(PoolQuery(torch.tensor([1])), torch.tensor([0]))
    assert asked(made_strategy(pool, tmp_path), model, pool, 1) == [3]


def test_its_file_chooses_what_it_needs() -> None:
    strategy: Adba = part("strategy", "dataset=mnist_two", "strategy=adba")
    assert strategy.n_line_images == 11
    for family, name in (("representation", "Latent"), ("learner", "Boundary"), ("oracle", "Classifier")):
        assert type(part(family, "dataset=mnist_two", "strategy=adba")).__name__ == name
