"""The labels that the data set came with."""

import torch
from torch import Tensor

from al_bench.active.inputs import Inputs
from al_bench.active.part import declare
from al_bench.active.query import Query, SyntheticQuery
from al_bench.dataset import Dataset
from al_bench.oracle import Oracle
from al_bench.storage.artifacts import Artifacts


@declare("oracle/ground_truth")
class GroundTruth(Oracle):
    """Answers every query of indices with the true label; cannot label synthetic inputs."""

    is_truth = True
    labels: Inputs

    def prepare(self, dataset: Dataset, artifacts: Artifacts) -> None:
        self.labels = dataset.train.labels

    def label(self, query: Query) -> Tensor:
        if isinstance(query, SyntheticQuery):
            raise TypeError("the ground truth has no labels for synthetic inputs")
        return self.labels[query.indices.to(self.labels.device, torch.int64)]
