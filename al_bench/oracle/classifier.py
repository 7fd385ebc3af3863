"""A classifier in the place of a person: it labels synthetic inputs, which have no true label (facts 1.11)."""

from pathlib import Path

import torch
from torch import Tensor

from al_bench.active.inputs import fingerprint
from al_bench.active.part import declare, describe
from al_bench.active.pool import UNKNOWN, Pool
from al_bench.active.query import Query
from al_bench.config.ranges import Fraction
from al_bench.dataset import Dataset
from al_bench.errors import UserError
from al_bench.learner import Learner
from al_bench.network import Network
from al_bench.network.predict import stream
from al_bench.oracle import Oracle
from al_bench.storage.artifacts import Artifacts, Made


@declare("oracle/classifier")
class Classifier(Oracle):
    """Gives real images their true label and synthetic ones that of a model trained on the whole training split.

    learner: trains that model, once for all runs. min_confidence: the probability of its answer below which it cannot
    tell, from 0 (always answers) to 1. seed: of the model, not of the run.
    """

    labels_synthetic = True
    labels: Tensor
    model: Network

    def __init__(self, learner: Learner, min_confidence: Fraction, seed: int) -> None:
        if not 0 <= min_confidence <= 1:
            raise UserError(f"oracle.min_confidence={min_confidence} is no probability: use 0 to 1")
        self.learner, self.min_confidence, self.seed = learner, min_confidence, seed

    def prepare(self, dataset: Dataset, artifacts: Artifacts) -> None:
        """Trains the model where no run has yet. Raises UserError for label maps."""
        if dataset.map_shape:
            raise UserError("oracle=classifier gives classes and these labels are maps: use oracle=ground_truth")
        images, self.labels = dataset.train.images, dataset.train.labels
        self.learner.prepare(dataset.blind(), artifacts)
        pool = Pool.unlabeled_from(images, dataset.num_classes)
        whole = pool.with_labels(Query(indices=torch.arange(len(images))), self.labels)

        def make(scratch: Path) -> Made:
            return self.learner.fit(whole, None, self.seed, scratch).state_dict(), {}

        spec = {
            "learner": describe(self.learner),
            "seed": self.seed,
            "images": fingerprint(images),
            "labels": fingerprint(self.labels),
        }
        self.model = self.learner.empty(pool, self.seed)
        self.model.load_state_dict(artifacts.get("oracle", spec, make))
        self.model.to(images.device).eval().requires_grad_(False)

    def label(self, query: Query) -> Tensor:
        if query.indices is not None:
            return self.labels[query.indices.to(self.labels.device, torch.int64)]
        assert query.synthetic is not None
        seen = query.synthetic if query.shown is None else query.shown
        inputs = seen.flatten(0, 1)  # (Q, V, ...) -> (Q V, ...)
        answers = torch.cat([self._answers(logits) for logits in stream(self.model, self.model, inputs)])
        return answers.reshape(seen.shape[:2]).to(self.labels.device)

    def _answers(self, logits: Tensor) -> Tensor:
        confidence, answers = logits.softmax(1).max(1)
        return answers.masked_fill(confidence < self.min_confidence, UNKNOWN)
