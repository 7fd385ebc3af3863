import numpy as np
import pytest

from al_bench.strategy.clusters import cluster, count_different


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
