import numpy as np
import pytest
import torch
from torch import nn

from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.errors import UserError
from al_bench.network import Network
from al_bench.seeding import generator
from al_bench.strategy.kmeans import KMeans, Library, nearest_to_centers

CENTERS = torch.tensor([[0.0, 0.0], [50.0, 0.0], [0.0, 50.0]])


def made_pool() -> tuple[Network, Pool]:
    """Three clusters of ten around centers that are themselves images 0, 10 and 20, and one labeled image far away."""
    ring = torch.randn(3, 9, 2, generator=generator(0))
    ring = ring - ring.mean(1, keepdim=True)
    clusters = torch.cat([CENTERS[:, None], CENTERS[:, None] + ring], dim=1).flatten(0, 1)
    inputs = torch.cat([clusters, torch.tensor([[500.0, 500.0]])])
    network = Network(nn.Identity(), nn.Identity(), nn.Linear(2, 2))
    pool = Pool.unlabeled_from(inputs, 2).with_labels(PoolQuery(torch.tensor([30])), torch.tensor([0]))
    return network, pool


def test_takes_the_image_in_the_middle_of_each_cluster() -> None:
    query = KMeans().query(*made_pool(), 3, generator(0))
    assert sorted(query.indices.tolist()) == [0, 10, 20]


def test_each_choice_is_the_nearest_of_its_cluster() -> None:
    points = np.random.default_rng(0).normal(size=(300, 5)).astype(np.float32)
    chosen = nearest_to_centers(points, 40, generator(1))
    assert len(set(chosen.tolist())) == 40
    spread = np.linalg.norm(points[:, None] - points[chosen][None], axis=2).min(1).mean()
    alike = np.linalg.norm(points[:, None] - points[:40][None], axis=2).min(1).mean()
    assert spread < alike, "cluster centers cover the points better than the first forty do"


def test_nearest_is_meant_in_euclidean_distance() -> None:
    """Around a mean of 0 the second point is at 2.8 in L2 and 4 in L1, the first at 3 in both."""
    points = np.array([[3.0, 0.0], [2.0, 2.0], [-5.0, -2.0]], dtype=np.float32)
    assert nearest_to_centers(points, 1, generator(0)).tolist() == [1]


def test_fewer_different_points_than_asked_for() -> None:
    points = np.repeat(np.array([[0.0, 0.0], [5.0, 5.0]], dtype=np.float32), 4, axis=0)
    assert sorted(nearest_to_centers(points, 6, generator(0))[:2] // 4) == [0, 1]
    assert sorted(nearest_to_centers(points, 8, generator(0)).tolist()) == list(range(8))


@pytest.mark.parametrize("library", ["scikit-learn", "faiss"])
def test_both_libraries_find_clusters_that_are_there(library: Library) -> None:
    """Two hundred points around each of three centers; the picks are near the middle of each."""
    around = torch.randn(3, 200, 2, generator=generator(0))
    points = (CENTERS[:, None] + around).flatten(0, 1)
    chosen = nearest_to_centers(points.numpy(), 3, generator(0), library)
    assert sorted(chosen // 200) == [0, 1, 2]
    assert (points[chosen] - CENTERS[chosen // 200]).norm(dim=1).max() < 0.5


def test_of_a_subset_as_many_are_asked_for() -> None:
    query = KMeans(subset=5).query(*made_pool(), 8, generator(0))
    assert len(set(query.indices.tolist())) == 8


def test_a_library_that_is_not_known_is_refused() -> None:
    with pytest.raises(UserError, match=r"strategy.library=sklearn is not known: use scikit-learn or faiss"):
        KMeans("sklearn")


@pytest.mark.parametrize("library", ["scikit-learn", "faiss"])
def test_of_two_points_that_are_a_cluster_a_draw_takes_one(library: Library) -> None:
    """Each is as far from their mean as the other, and rounding says another thing."""
    points = (
        100 * torch.randn(40, 1, 7, generator=generator(0)) + torch.randn(40, 2, 7, generator=generator(1))
    ).flatten(0, 1)
    chosen = np.stack([np.sort(nearest_to_centers(points.numpy(), 40, generator(seed), library)) for seed in range(12)])
    pairs = (chosen // 2 == np.arange(40)).all(1)
    assert pairs.sum() >= 4, "seeds whose clusters are the pairs"
    taken = (chosen[pairs] % 2).mean(0)
    assert ((taken > 0) & (taken < 1)).mean() > 0.7
