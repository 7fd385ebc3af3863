"""A classifier in the place of a person: it labels synthetic inputs, which have no true label (GAAL)."""

from pathlib import Path

import torch
from torch import Tensor

from al_bench.active.inputs import fingerprint
from al_bench.active.part import declare, describe
from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery, Query
from al_bench.config.ranges import Fraction, Seed
from al_bench.dataset import Dataset
from al_bench.errors import UserError
from al_bench.evaluator.judging import answer
from al_bench.learner import Learner
from al_bench.network import Network
from al_bench.network.dry_run import dry_run
from al_bench.oracle import Oracle
from al_bench.storage.artifacts import Artifacts
from al_bench.training.loss_record import Trace


@declare("oracle/classifier")
class Classifier(Oracle):
    """Gives real images their true label and synthetic ones that of a model trained on the whole training split.

    learner: trains that model, once for all runs. min_confidence: the probability of its answer below which it cannot
    tell, from 0 (always answers) to 1. seed: of the model, not of the run.
    """

    labels_synthetic = True
    labels: Tensor
    model: Network

    def __init__(self, learner: Learner, min_confidence: Fraction, seed: Seed) -> None:
        self.learner, self.min_confidence, self.seed = learner, min_confidence, seed

    def check(self, dataset: Dataset) -> None:
        """Raises UserError for label maps, for none, and for images that its network, or its training, cannot take."""
        dataset.refuse_unlabeled(asks=True)
        if dataset.map_shape:
            raise UserError("oracle=classifier gives classes and these labels are maps: use oracle=ground_truth")
        if self.learner.validates:
            raise UserError(
                "oracle=classifier trains its model on the whole training split, and its early_stopping needs a "
                "validation split beside it: use null"
            )
        shape = dataset.train.images.shape[1:]
        model = self.learner.empty(Pool.unlabeled_from(torch.empty((0, *shape)), dataset.num_classes), self.seed)
        dry_run(model, shape)
        try:
            self.learner.check_batches(model, shape, len(dataset.train), 0, on_maps=False)
        except UserError as error:
            raise UserError(f"oracle=classifier cannot be trained: {error}") from error

    def prepare(self, dataset: Dataset, artifacts: Artifacts) -> None:
        """Trains the model where no run has yet. Raises UserError as `check` does."""
        self.check(dataset)
        images, self.labels = dataset.train.images, dataset.train.classes
        self.learner.prepare(dataset.blind(), artifacts)
        pool = Pool.unlabeled_from(images, dataset.num_classes)
        whole = pool.with_labels(PoolQuery(torch.arange(len(images))), self.labels)

        def fit(scratch: Path) -> tuple[Network, Trace]:
            return self.learner.fit(whole, None, self.seed, scratch), {}

        spec = {
            "learner": describe(self.learner),
            "seed": self.seed,
            "images": fingerprint(images),
            "labels": fingerprint(self.labels),
        }
        self.model = artifacts.train_once("oracle", spec, self.learner.empty(pool, self.seed), fit, images.device)

    def label(self, query: Query) -> Tensor:
        if isinstance(query, PoolQuery):
            return self.labels[query.indices.to(self.labels.device, torch.int64)]
        seen = query.looked_at
        answers = answer(self, seen.flatten(0, 1))  # (Q, V, ...) -> (Q V, ...)
        return answers.reshape(seen.shape[:2]).to(self.labels.device)
