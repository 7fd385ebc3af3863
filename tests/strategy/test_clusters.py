import numpy as np
import pytest
import torch
from sklearn.cluster import MiniBatchKMeans
from threadpoolctl import threadpool_info, threadpool_limits

from al_bench.strategy.clusters import cluster, count_different, first_centers


@pytest.mark.parametrize("batch_size", [None, 500])
def test_no_more_clusters_than_points_that_differ(batch_size: int | None) -> None:
    points = np.repeat(np.eye(3, dtype=np.float32), 3000, axis=0)
    assert sorted(np.bincount(cluster(points, 60, 0, batch_size=batch_size)).tolist()) == [3000, 3000, 3000]
    many = np.random.default_rng(0).normal(size=(700, 4))
    assert len(set(cluster(many, 60, 0, batch_size=batch_size))) > 50


def test_points_are_counted_up_to_a_number() -> None:
    points = np.arange(9000.0)[:, None] // 3
    assert [count_different(points, most) for most in (1, 100, 2999, 3000, 4000)] == [1, 100, 2999, 3000, 3000]
    assert count_different(points[:0], 5) == 0


def test_first_centers_are_points_of_every_group() -> None:
    """Forty groups far apart: k-means++ draws from each, in the type of the points."""
    rng = np.random.default_rng(0)
    groups = np.arange(40).repeat(50)
    points = (100 * rng.normal(size=(40, 8))[groups] + rng.normal(size=(2000, 8))).astype(np.float32)
    centers = first_centers(points, 40, np.random.RandomState(0))
    rows = [int(np.flatnonzero((points == center).all(1))[0]) for center in centers]
    assert centers.dtype == np.float32
    assert sorted(groups[rows]) == list(range(40))


def test_it_has_the_threads_of_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []

    def fit(self: MiniBatchKMeans, points: np.ndarray) -> MiniBatchKMeans:
        seen.extend(pool["num_threads"] for pool in threadpool_info())
        self.labels_ = np.zeros(len(points), int)
        return self

    monkeypatch.setattr(MiniBatchKMeans, "fit", fit)
    before, threads = threadpool_info(), torch.get_num_threads()
    with threadpool_limits(2):
        torch.set_num_threads(1)
        try:
            cluster(np.eye(5), 2, 0, batch_size=5)
        finally:
            torch.set_num_threads(threads)
    assert set(seen) == {1}
    assert threadpool_info() == before
