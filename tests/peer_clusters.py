"""A clustering that is given to another library's strategies, so that they pick from our clusters."""

import numpy as np


class Given:
    """A clustering for the peer that is ours."""

    labels: np.ndarray

    def __init__(self, n_clusters: int) -> None:
        self.n_clusters = n_clusters

    def fit_predict(self, _: np.ndarray) -> np.ndarray:
        return self.labels
