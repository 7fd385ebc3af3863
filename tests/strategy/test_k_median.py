import kmedoids
import pytest
import torch
from torch import Tensor, nn

from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.network import Network
from al_bench.seeding import generator
from al_bench.strategy.k_median import (
    KMedian,
    assigned,
    clustered,
    first_centers,
    medians,
    nearest_to_centers,
    swapped,
)

OUTLIER = torch.tensor([0.0, 1.0, 2.0, 3.0, 1000.0])  # median 2, mean 201.2


def made_pool() -> tuple[Network, Pool]:
    """Two clusters on a line, each with a far outlier, embedded as they are: their medians are images 2 and 7, and the
    images nearest to their means would be 3 and 8. Image 10 is labeled."""
    inputs = torch.cat([torch.tensor([0.0, 1, 2, 3, 40]), 1000 + torch.tensor([0.0, 1, 2, 3, 40]), torch.tensor([2.0])])
    network = Network(nn.Identity(), nn.Identity(), nn.Linear(1, 2))
    pool = Pool.unlabeled_from(inputs[:, None], 2)
    return network, pool.with_labels(PoolQuery(torch.tensor([10])), torch.tensor([0]))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("swap_up_to", [0, 100])
def test_takes_the_medians_however_far_the_outliers_are(seed: int, swap_up_to: int) -> None:
    query = KMedian(max_iter=20, tolerance=0.0, swap_up_to=swap_up_to).query(*made_pool(), 2, generator(seed))
    assert query.scores is not None
    assert sorted(query.indices.tolist()) == [2, 7]
    assert query.scores.tolist() == [0.0, 0.0]


def test_an_outlier_moves_the_mean_and_not_the_median() -> None:
    points = torch.stack([OUTLIER, -OUTLIER], 1)
    (center,) = medians(points, torch.zeros(5, dtype=torch.int64), torch.zeros(5), 1)
    assert center.tolist() == [2.0, -2.0]
    assert nearest_to_centers(points, clustered(points, points[4:], 5, 0.0), 1)[0].tolist() == [2]


def test_each_coordinate_has_its_own_median_and_of_two_the_lower() -> None:
    points = torch.tensor([[0.0, 9.0], [1.0, 7.0], [5.0, 8.0], [6.0, 0.0]])
    (center,) = medians(points, torch.zeros(4, dtype=torch.int64), torch.zeros(4), 1)
    assert center.tolist() == [1.0, 7.0]


def test_a_cluster_without_a_point_begins_at_the_farthest() -> None:
    labels, distances = torch.tensor([0, 0, 0, 2, 2]), torch.tensor([0.0, 1.0, 2.0, 1.0, 7.0])
    found = medians(OUTLIER[:, None], labels, distances, 4)
    assert found.squeeze(1).tolist() == [1.0, 1000.0, 3.0, 2.0]


def slow(points: Tensor, centers: Tensor, rounds: int) -> tuple[list[list[float]], float]:
    """Lloyd's alternation with lists: the centers and the sum of all distances."""
    rows, middles = points.tolist(), centers.tolist()

    def away(row: list[float], middle: list[float]) -> float:
        return sum(abs(one - other) for one, other in zip(row, middle, strict=True))

    for _ in range(rounds):
        nearest = [min(range(len(middles)), key=lambda k: away(row, middles[k])) for row in rows]
        for number in range(len(middles)):
            own = [row for row, label in zip(rows, nearest, strict=True) if label == number]
            middles[number] = [sorted(column)[(len(own) - 1) // 2] for column in zip(*own, strict=True)]
    return middles, sum(min(away(row, middle) for middle in middles) for row in rows)


def test_agrees_with_the_definition_and_every_round_lowers_the_sum() -> None:
    points = torch.randn(150, 4, generator=generator(1), dtype=torch.float64)
    centers = first_centers(points, 6, generator(2))
    sums = [float(assigned(points, centers)[1].sum())]
    for rounds in (1, 2, 5, 9):
        found = clustered(points, centers, rounds, 0.0)
        expected, whole = slow(points, centers, rounds)
        assert torch.allclose(found, torch.tensor(expected, dtype=torch.float64))
        assert float(assigned(points, found)[1].sum()) == pytest.approx(whole)
        sums.append(whole)
    assert sums == sorted(sums, reverse=True)
    assert sums[-1] < 0.85 * sums[0]


def test_stops_where_a_round_saves_less_than_it_is_told() -> None:
    points = torch.randn(400, 3, generator=generator(3))
    centers = first_centers(points, 10, generator(4))
    assert torch.equal(clustered(points, centers, 100, 1.0), clustered(points, centers, 1, 0.0))
    assert not torch.equal(clustered(points, centers, 100, 0.0), clustered(points, centers, 1, 0.0))


def test_first_centers_are_drawn_by_distance() -> None:
    """From 0, 1 and 4, after 0: 4 in four of five draws; after each of the others by theirs."""
    points, rng = torch.tensor([[0.0], [1.0], [4.0]]), generator(5)
    draws = [tuple(first_centers(points, 2, rng).squeeze(1).tolist()) for _ in range(3000)]
    for first, second, share in ((0.0, 4.0, 4 / 5), (1.0, 4.0, 3 / 4), (4.0, 0.0, 4 / 7)):
        of_first = [draw for draw in draws if draw[0] == first]
        assert len(of_first) / 3000 == pytest.approx(1 / 3, abs=0.04)
        assert of_first.count((first, second)) / len(of_first) == pytest.approx(share, abs=0.06)


def test_each_choice_is_the_nearest_of_its_cluster() -> None:
    points = torch.randn(300, 5, generator=generator(6))
    centers = clustered(points, first_centers(points, 40, generator(7)), 3, 0.0)
    chosen, distances = nearest_to_centers(points, centers, 40)
    labels, all_distances = assigned(points, centers)
    assert len(set(chosen.tolist())) == 40
    assert torch.equal(distances, all_distances[chosen])
    filled = labels.unique()
    for number in filled:
        assert distances[labels[chosen] == number][0] == all_distances[labels == number].min()
    assert len(labels[chosen].unique()) == len(filled)


def test_the_distances_are_taken_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    points = torch.randn(100, 4, generator=generator(8))
    whole = assigned(points, points[:9])
    monkeypatch.setattr("al_bench.strategy.k_median._CHUNK", 9 * 7)
    for one, other in zip(whole, assigned(points, points[:9]), strict=True):
        assert torch.equal(one, other)


def test_fewer_different_points_than_asked_for() -> None:
    points = torch.tensor([[0.0, 0.0], [5.0, 5.0]]).repeat_interleave(4, 0)
    centers = first_centers(points, 6, generator(9))
    assert sorted(centers[:, 0].tolist()) == [0.0, 5.0]
    chosen, _ = nearest_to_centers(points, clustered(points, centers, 5, 0.0), 8)
    assert sorted((chosen[:2] // 4).tolist()) == [0, 1]
    assert sorted(chosen.tolist()) == list(range(8))


def test_refuses_embeddings_that_are_not_finite() -> None:
    with pytest.raises(FloatingPointError, match="not finite"):
        first_centers(torch.tensor([[0.0], [torch.nan]]), 1, generator(0))


def summed(points: Tensor, chosen: Tensor) -> float:
    """The sum of all distances to the nearest of those chosen."""
    return float(torch.cdist(points, points[chosen], p=1).amin(1).sum())


@pytest.mark.parametrize("seed", range(3))
def test_swapped_picks_cost_as_little_as_those_of_fasterpam(seed: int) -> None:
    """1,500 points in 20 clusters, where picks without swaps cost 8 to 38 % more."""
    rng = generator(seed)
    middles = 3 * torch.randn(20, 16, generator=rng)
    points = middles[torch.randint(20, (1_500,), generator=rng)] + torch.randn(1_500, 16, generator=rng)
    best = kmedoids.fasterpam(torch.cdist(points, points, p=1).numpy(), 20, random_state=0, n_cpu=1).loss
    chosen, _ = nearest_to_centers(points, clustered(points, first_centers(points, 20, rng), 100, 1e-4), 20)
    found, distances = swapped(points, chosen)
    assert summed(points, found) <= 1.03 * best < 1.05 * best < summed(points, chosen)
    assert len(set(found.tolist())) == 20 and distances.isfinite().all()


def test_copies_are_swapped_for_nothing() -> None:
    points = torch.tensor([[0.0, 0.0], [5.0, 5.0]]).repeat_interleave(4, 0)
    chosen, distances = swapped(points, torch.tensor([0, 1, 2, 5]))
    assert len(set(chosen.tolist())) == 4 and summed(points, chosen) == 0
    assert distances.tolist()[0] == 0
