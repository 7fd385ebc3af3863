"""K-means of a pool's points by scikit-learn."""

import numpy as np
import torch
from sklearn.cluster import KMeans, MiniBatchKMeans, kmeans_plusplus
from threadpoolctl import threadpool_limits

_ROWS = 2**12  # points among which different ones are counted at once


def cluster(points: np.ndarray, count: int, seed: int, n_init: int = 1, batch_size: int | None = None) -> np.ndarray:
    """(N,) numbers of the clusters of (N, D) points, from 0 to `count` - 1.

    There are fewer where fewer points differ. n_init: starts, of which the best counts. batch_size: points that a step
    sees; None: all.
    """
    count = count_different(points, count)
    if batch_size is None:
        found = KMeans(count, n_init=n_init, random_state=seed)
    else:
        found = MiniBatchKMeans(count, init=first_centers, n_init=n_init, batch_size=batch_size, random_state=seed)
    with torchs_threads():
        return np.asarray(found.fit(points).labels_)


def torchs_threads() -> threadpool_limits:
    """A context in which scikit-learn has as many threads as torch: a run on one thread is to be one."""
    return threadpool_limits(torch.get_num_threads())


def first_centers(sample: np.ndarray, count: int, random_state: np.random.RandomState) -> np.ndarray:
    """The (count, D) centers that k-means++ draws of a (S, D) sample: scikit-learn's, brought to float64 once instead
    of by each of its thousands of products."""
    centers, _ = kmeans_plusplus(sample.astype(np.float64), count, random_state=random_state)
    return np.asarray(centers, dtype=sample.dtype)


def count_different(points: np.ndarray, most: int) -> int:
    """How many of (N, D) points differ, `most` at most. The first few nearly always do, and no more are sorted then."""
    seen = points[:0]
    for start in range(0, len(points), _ROWS):
        seen = np.unique(np.concatenate([seen, points[start : start + _ROWS]]), axis=0)
        if len(seen) >= most:
            return most
    return len(seen)
