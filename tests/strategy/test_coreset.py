import pytest
import torch
from torch import Tensor, nn

from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.network import Network
from al_bench.seeding import generator
from al_bench.strategy.coreset import CoreSet, furthest_first


def made_pool() -> tuple[Network, Pool]:
    """Points on a line, embedded as they are; the first is labeled."""
    inputs = torch.tensor([[0.0], [1.0], [10.0], [6.0], [9.5], [3.0]])
    network = Network(nn.Identity(), nn.Identity(), nn.Linear(1, 2))
    pool = Pool.unlabeled_from(inputs, 2).with_labels(PoolQuery(torch.tensor([0])), torch.tensor([0]))
    return network, pool


def test_takes_the_farthest_from_all_taken_before() -> None:
    query = CoreSet().query(*made_pool(), 5, generator(0))
    assert query.scores is not None
    assert query.indices.tolist() == [2, 3, 5, 1, 4]
    assert torch.allclose(query.scores, torch.tensor([10.0, 4.0, 3.0, 1.0, 0.5]), atol=1e-5)


def straight(points: Tensor, centers: Tensor, size: int) -> list[int]:
    """The definition, anew for each pick."""
    picks: list[int] = []
    for _ in range(size):
        taken = torch.cat([centers, points[picks]])
        nearest = (points[:, None] - taken[None]).double().norm(dim=2).amin(1)
        nearest[picks] = -1
        picks.append(int(nearest.argmax()))
    return picks


@pytest.mark.parametrize("num_centers", [1, 40])
def test_agrees_with_the_definition(num_centers: int) -> None:
    points = torch.randn(200 + num_centers, 8, generator=generator(1)) + 100
    chosen, distances = furthest_first(points[num_centers:], points[:num_centers], 60)
    assert chosen.tolist() == straight(points[num_centers:], points[:num_centers], 60)
    assert (distances.diff() <= 1e-4).all(), "each pick is at most as far as the one before"


def test_the_distances_to_many_centers_are_taken_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    points = torch.randn(150, 4, generator=generator(2))
    whole, _ = furthest_first(points[50:], points[:50], 20)
    monkeypatch.setattr("al_bench.strategy.coreset._CHUNK", 7 * 50)
    assert torch.equal(whole, furthest_first(points[50:], points[:50], 20)[0])


def test_duplicates_are_taken_once_each() -> None:
    chosen, distances = furthest_first(torch.ones(6, 3), torch.ones(2, 3), 6)
    assert chosen.tolist() == list(range(6))
    assert (distances == 0).all()


def test_refuses_embeddings_that_are_not_finite() -> None:
    with pytest.raises(ValueError, match="not finite"):
        furthest_first(torch.tensor([[0.0], [torch.nan]]), torch.zeros(1, 1), 1)
