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
    chosen, distances = furthest_first(points[num_centers:], points[:num_centers], 60, generator(0))
    assert chosen.tolist() == straight(points[num_centers:], points[:num_centers], 60)
    assert (distances.diff() <= 1e-4).all(), "each pick is at most as far as the one before"


def test_the_distances_to_many_centers_are_taken_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    points = torch.randn(150, 4, generator=generator(2))
    whole, _ = furthest_first(points[50:], points[:50], 20, generator(0))
    monkeypatch.setattr("al_bench.strategy.coreset._CHUNK", 7 * 50)
    assert torch.equal(whole, furthest_first(points[50:], points[:50], 20, generator(0))[0])


def test_duplicates_are_taken_once_each() -> None:
    chosen, distances = furthest_first(torch.ones(6, 3), torch.ones(2, 3), 6, generator(0))
    assert sorted(chosen.tolist()) == list(range(6))
    assert (distances == 0).all()


@pytest.mark.parametrize("copies", [2, 5])
def test_copies_tie_whatever_else_is_in_the_pool(copies: int) -> None:
    """Products round by a row's place in its block, and the mean of the centers is no float32: the copies of a point
    are equally far all the same. One of each is taken evenly, and those that are left, at distance 0, come last."""
    places = torch.randn(60, 33, generator=generator(1)) + 10
    centers = torch.randn(7, 33, generator=generator(2)) + 10
    counts = torch.zeros(copies)
    for seed in range(40):
        chosen, distances = furthest_first(places.repeat(copies, 1), centers, 60 * copies, generator(seed))
        assert sorted(chosen.tolist()) == list(range(60 * copies))
        assert chosen[:60].remainder(60).tolist() == straight(places, centers, 60)
        assert distances[:60].min() > 0.1
        assert (distances[60:] == 0).all()
        counts += torch.bincount(chosen[:60] // 60, minlength=copies)
    share = 1 / copies
    assert (counts / 2400 - share).abs().max() < 4 * (share * (1 - share) / 2400) ** 0.5


def test_points_at_equal_distances_tie_around_centers_whose_mean_is_no_number() -> None:
    """The middle of the three centers is at 1/3 of float32; three corners are sqrt(10) from the nearest center."""
    centers = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    points = torch.tensor([[-1.0, -3.0], [2.0, -3.0], [-3.0, 2.0], [-3.0, -1.0], [1.0, 1.0]])
    draws = [furthest_first(points, centers, 1, generator(seed)) for seed in range(60)]
    assert {int(chosen) for chosen, _ in draws} == {0, 1, 2, 3}
    assert {float(distance) for _, distance in draws} == {torch.tensor(10.0).sqrt().item()}


def test_ties_on_a_grid_are_those_of_whole_numbers() -> None:
    """Each pick is one of the farthest by integer arithmetic, and first of all each of them somewhere."""
    for seed in range(20):
        rng = generator(seed)
        points, centers = torch.randint(-4, 5, (80, 3), generator=rng), torch.randint(-4, 5, (5, 3), generator=rng)
        chosen, distances = furthest_first(points.float(), centers.float(), 80, rng)
        nearest = (points[:, None] - centers[None]).square().sum(2).amin(1)
        for pick, distance in zip(chosen, distances, strict=True):
            assert nearest[pick] == nearest.max()
            assert float(distance) == pytest.approx(float(nearest[pick]) ** 0.5, abs=1e-4)
            nearest = torch.minimum(nearest, (points - points[pick]).square().sum(1))
            nearest[pick] = -1


def test_a_draw_decides_between_ties_alone() -> None:
    points = torch.randn(200, 8, generator=generator(1))
    found = [furthest_first(points[10:], points[:10], 60, generator(seed)) for seed in (0, 1)]
    assert torch.equal(found[0][0], found[1][0])


def test_refuses_embeddings_that_are_not_finite() -> None:
    with pytest.raises(FloatingPointError, match="not finite"):
        furthest_first(torch.tensor([[0.0], [torch.nan]]), torch.zeros(1, 1), 1, generator(0))
