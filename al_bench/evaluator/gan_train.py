"""GAN-train: what a classifier knows of real images that was trained on generated ones alone (Shmelkov et al. 2018)."""

import logging
from collections.abc import Sequence
from typing import Protocol

import torch

from al_bench import seeding
from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.dataset import Dataset
from al_bench.errors import UserError
from al_bench.evaluator.made_images import MadeImages
from al_bench.evaluator.real_images import accuracy_of
from al_bench.network import Network

logger = logging.getLogger(__name__)


class ClassifierLearner(Protocol):
    """Trains a classifier: a learner."""

    @property
    def validates(self) -> bool:
        """See `Learner.validates`."""

    def empty(self, pool: Pool, seed: int) -> Network:
        """See `Learner.empty`."""

    def check_batches(
        self, model: Network, input_shape: Sequence[int], labeled: float, unlabeled: float, on_maps: bool
    ) -> None:
        """See `Learner.check_batches`."""

    def fit(self, pool: Pool, previous: Network | None, seed: int) -> Network:
        """See `Learner.fit`."""


def check_training(learner: ClassifierLearner, dataset: Dataset, samples: int, seed: int) -> None:
    """Raises UserError where it cannot be trained on so many samples, images like those of the data set."""
    if learner.validates:
        raise UserError("evaluator.gan_train.early_stopping needs a validation split, and samples have none: use null")
    shape = dataset.train.images.shape[1:]
    model = learner.empty(Pool.unlabeled_from(torch.empty((0, *shape)), dataset.num_classes), seed)
    try:
        learner.check_batches(model, shape, samples, 0, on_maps=False)
    except UserError as error:
        raise UserError(f"evaluator.gan_train cannot be trained: {error}") from error


def train_on(made: MadeImages, dataset: Dataset, learner: ClassifierLearner, seed: int) -> float:
    """The accuracy on the test images of a classifier that is trained on the samples alone; NaN where their pixels, or
    a loss of its training, are no finite numbers."""
    if not made.finite:
        return float("nan")
    pool = Pool.unlabeled_from(made.images, dataset.num_classes)
    whole = pool.with_labels(PoolQuery(torch.arange(len(made.images))), made.classes)
    try:
        with seeding.fork(seed):
            model = learner.fit(whole, None, seeding.seed_for(seed, 0, "gan_train"))
    except FloatingPointError as error:
        logger.warning(f"GAN-train is nan: its classifier could not be trained on the samples, {error}")
        return float("nan")
    with torch.no_grad():
        return accuracy_of(model, dataset.test)
