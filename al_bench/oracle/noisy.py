"""An annotator who errs and passes, each at a known rate."""

import torch
from torch import Tensor

from al_bench import seeding
from al_bench.active.part import declare
from al_bench.active.pool import UNKNOWN
from al_bench.active.query import Query, SyntheticQuery
from al_bench.config.ranges import Fraction, NotAll, Seed
from al_bench.dataset import Dataset
from al_bench.errors import UserError
from al_bench.oracle import Oracle
from al_bench.storage.artifacts import Artifacts


@declare("oracle/noisy")
class Noisy(Oracle):
    """Gives each image one answer for good: strategies of one seed meet the same wrong labels.

    flip: probability of a wrong class, uniform over the others. abstain: probability of no answer, whatever it would
    have been. seed: of both draws; a higher rate adds to the images that a lower one hit. Class labels only.
    """

    answers: Tensor

    def __init__(self, flip: Fraction, abstain: NotAll, seed: Seed) -> None:
        self.flip, self.abstain, self.seed = flip, abstain, seed

    def check(self, dataset: Dataset) -> None:
        """Raises UserError for label maps."""
        if dataset.map_shape:
            raise UserError("oracle=noisy flips classes and these labels are maps: use oracle=ground_truth")

    def prepare(self, dataset: Dataset, artifacts: Artifacts) -> None:
        """Draws all answers. Raises UserError for label maps."""
        self.check(dataset)
        labels, count = dataset.train.classes, len(dataset.train)
        rng = seeding.generator(seeding.seed_for(self.seed, 0, "noise"))
        flipped, silent = (torch.rand(count, generator=rng) < rate for rate in (self.flip, self.abstain))
        steps = torch.randint(1, dataset.num_classes, (count,), generator=rng)  # to another class
        answers = torch.where(flipped, (labels.cpu() + steps) % dataset.num_classes, labels.cpu())
        self.answers = answers.masked_fill(silent, UNKNOWN).to(labels.device)

    def label(self, query: Query) -> Tensor:
        if isinstance(query, SyntheticQuery):
            raise TypeError("a noisy annotator has no labels for synthetic inputs")
        return self.answers[query.indices.to(self.answers.device, torch.int64)]
