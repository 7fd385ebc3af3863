"""The labels that the data set came with."""

import torch
from torch import Tensor

from al_bench.active.part import declare
from al_bench.active.query import Query
from al_bench.dataset import Dataset
from al_bench.oracle import Oracle
from al_bench.storage.artifacts import Artifacts


@declare("oracle/ground_truth")
class GroundTruth(Oracle):
    """Answers every query of indices with the true label; cannot label synthetic inputs."""

    labels: Tensor

    def prepare(self, dataset: Dataset, artifacts: Artifacts) -> None:
        self.labels = dataset.train.labels

    def label(self, query: Query) -> Tensor:
        if query.indices is None:
            raise ValueError("the ground truth has no labels for synthetic inputs")
        return self.labels[query.indices.to(self.labels.device, torch.int64)]
