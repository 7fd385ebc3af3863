"""A network as scikit-activeml sees it: what its strategies and ours are compared on."""

from typing import Any

import numpy as np
import torch
from skactiveml.base import SkactivemlClassifier

from al_bench.network import Network


class PeerClassifier(SkactivemlClassifier):
    """Gives a network's probabilities of inputs that are embedded as they are."""

    def __init__(self, network: Network | None = None, classes: Any = None) -> None:
        super().__init__(classes=classes, missing_label=np.nan)
        self.network = network

    def fit(self, *_: Any, **__: Any) -> "PeerClassifier":
        return self

    def predict_proba(self, inputs: np.ndarray) -> np.ndarray:
        assert self.network is not None
        with torch.no_grad():
            logits = self.network(torch.from_numpy(inputs).float())
        return logits.double().softmax(1).numpy()
