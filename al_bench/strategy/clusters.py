"""K-means of a pool's points by scikit-learn."""

import numpy as np
from sklearn.cluster import KMeans, MiniBatchKMeans

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
        found = MiniBatchKMeans(count, n_init=n_init, batch_size=batch_size, random_state=seed)
    return np.asarray(found.fit(points).labels_)


def count_different(points: np.ndarray, most: int) -> int:
    """How many of (N, D) points differ, `most` at most. The first few nearly always do, and no more are sorted then."""
    seen = points[:0]
    for start in range(0, len(points), _ROWS):
        seen = np.unique(np.concatenate([seen, points[start : start + _ROWS]]), axis=0)
        if len(seen) >= most:
            return most
    return len(seen)
