from typing import Any

import numpy as np
import pytest
import torch
from peer_clusters import Given
from skactiveml.pool import TypiClust as Peer
from torch import nn

from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.network import Network
from al_bench.seeding import generator
from al_bench.strategy.typiclust import TypiClust, mean_distances

SIZES = (9, 12, 20, 15, 3)  # of clusters on a line, 100 apart


def strategy(**changes: Any) -> TypiClust:
    settings = {
        "max_clusters": 500, "neighbors": 4, "ignored": 5, "n_init": 1, "normalize": False, "squared": False
    }  # fmt: skip
    return TypiClust(**{**settings, **changes})


def made_points() -> tuple[np.ndarray, np.ndarray]:
    """Points (59, 1) of five clusters, denser towards the middle one of each, and the number of each one's cluster."""
    parts = [100 * number + np.sign(place) * np.abs(place) ** 1.5 for number, place in enumerate(map(spread, SIZES))]
    return np.concatenate(parts)[:, None].astype(np.float32), np.repeat(np.arange(5), SIZES)


def spread(size: int) -> np.ndarray:
    return np.arange(size) - (size - 1) / 2 + 0.01


def made_pool(labeled: list[int]) -> tuple[Network, Pool]:
    points, _ = made_points()
    network = Network(nn.Identity(), nn.Identity(), nn.Linear(1, 2))
    pool = Pool.unlabeled_from(torch.from_numpy(points), 2)
    return network, pool.with_labels(PoolQuery(torch.tensor(labeled)), torch.zeros(len(labeled)))


def clusters_of(rows: Any) -> list[int]:
    return [int(made_points()[1][row]) for row in rows]


def test_asks_the_largest_clusters_without_labels_for_their_densest_point() -> None:
    """A label in the largest and in the fourth; as many clusters as labels and queries, five."""
    query = strategy().query(*made_pool([21, 57]), 3, generator(0))
    assert clusters_of(query.indices) == [3, 1, 0]
    middles = np.array([4, 14.5, 48])[[2, 1, 0]]
    assert np.abs(query.indices.numpy() - middles).max() <= 1
    assert query.scores is not None and (query.scores < 0).all()


def test_labeled_clusters_come_after_those_without_and_rounds_begin_anew() -> None:
    """Cluster 3 has a label and cluster 2 two of them; cluster 4 is too small to be asked while others have images."""
    points, clusters = made_points()
    order = np.r_[[42, 22, 25], np.setdiff1d(np.arange(59), [42, 22, 25])]
    picks, _ = strategy().pick(points[order], clusters[order], 3, 9, generator(0))
    assert clusters_of(order[picks]) == [1, 0, 3, 2, 1, 0, 3, 2, 1]
    assert not set(order[picks]) & {42, 22, 25}


def test_small_clusters_are_asked_once_nothing_else_is_left() -> None:
    picks, _ = strategy().pick(*made_points(), 0, 59, generator(0))
    assert sorted(picks.tolist()) == list(range(59))
    assert clusters_of(picks[-3:]) == [4, 4, 4]
    assert 4 in clusters_of(strategy(ignored=0).pick(*made_points(), 0, 5, generator(0))[0])


def test_a_pick_is_no_neighbor_afterwards() -> None:
    """Two at the same place are each other's nearest; once one is asked for, the other is far from all."""
    points = np.array([[0.0], [0.0], [5.0], [6.0], [7.1], [9.0]], dtype=np.float32)
    picks, distances = strategy(neighbors=1).pick(points, np.zeros(6, int), 0, 3, generator(0))
    assert picks[0] in (0, 1) and distances[0] == 0
    assert picks[1:].tolist() in ([2, 4], [3, 4], [2, 3], [3, 2])
    assert distances[1] == 1


def test_mean_distances_by_hand() -> None:
    points = np.array([[0.0], [1.0], [3.0], [7.0]], dtype=np.float32)
    assert mean_distances(points, 9, squared=False).tolist() == [2, 1.5, 2.5, 5]
    assert mean_distances(points, 9, squared=True).tolist() == [5, 2.5, 6.5, 26]
    assert mean_distances(points, 1, squared=False).tolist() == [1, 1, 2, 4]
    assert mean_distances(points[:1], 9, squared=False).tolist() == [0]


def test_no_more_clusters_than_allowed() -> None:
    points = torch.randn(700, 4, generator=generator(0))
    pool = Pool.unlabeled_from(points, 2)
    network = Network(nn.Identity(), nn.Identity(), nn.Linear(4, 2))
    for most in (2, 60):
        chosen = strategy(max_clusters=most, ignored=0).query(network, pool, 100, generator(0)).indices
        assert len(set(chosen.tolist())) == 100


def test_embeddings_are_compared_by_direction_where_normalized() -> None:
    """Three directions of any length, and many more in the second."""
    angles = torch.tensor([0.0] * 8 + [2.0] * 20 + [4.0] * 9) + 0.01 * torch.randn(37, generator=generator(0))
    lengths = 10 ** (3 * torch.rand(37, 1, generator=generator(1)))
    network = Network(nn.Identity(), nn.Identity(), nn.Linear(2, 2))
    pool = Pool.unlabeled_from(lengths * torch.stack([angles.cos(), angles.sin()], 1), 2)
    query = strategy(normalize=True).query(network, pool, 3, generator(0))
    assert [int(angles[row].round()) for row in query.indices] == [2, 4, 0]


def test_of_equals_one_is_drawn() -> None:
    points = np.zeros((40, 3), dtype=np.float32)
    first = [int(strategy().pick(points, np.zeros(40, int), 0, 1, generator(seed))[0][0]) for seed in range(40)]
    assert len(set(first)) > 15


@pytest.mark.parametrize("seed", range(3))
def test_picks_are_those_of_scikit_activeml(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the same clusters, of different sizes, each more than twice as large as there are neighbors, and no more
    picks than there are clusters without labels: beyond, the peer draws at random. Utilities are typicalities."""
    sizes = np.array([41, 35, 30, 24, 16])
    labels = np.repeat(np.arange(5), sizes)
    points = np.random.default_rng(seed).normal(size=(sizes.sum(), 6)) + 9 * labels[:, None]
    monkeypatch.setattr(Given, "labels", labels, raising=False)
    known = np.full(len(points), np.nan)
    known[:2] = 0  # of the largest
    theirs, utilities = Peer(cluster_algo=Given, k=7, random_state=0).query(
        points, known, batch_size=4, return_utilities=True
    )
    ours, distances = strategy(neighbors=7).pick(points, labels, 2, 4, generator(0))
    assert ours.tolist() == theirs.tolist()
    assert 1 / distances == pytest.approx(utilities[np.arange(4), theirs], rel=1e-5)
