"""Supervised learning on what is labeled, from new weights in every cycle (ASAL Sec. 4.2, WAAL Sec. 4)."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from al_bench import seeding
from al_bench.active.part import declare
from al_bench.active.pool import Pool
from al_bench.learner import Learner
from al_bench.network import Network, NetworkFactory
from al_bench.training import losses
from al_bench.training.classification import Classification, Loss
from al_bench.training.cut_mix import CutMix
from al_bench.training.observation import Observer
from al_bench.training.plan import LabeledPlan


@declare("learner/supervised")
@dataclass(frozen=True, kw_only=True)
class Supervised(LabeledPlan, Learner):
    """Minimises the `loss` of `network` over the passes of its plan.

    loss: of (B, K[, H, W]) logits and their labels, a function of `al_bench.training.losses`. mixing: of the images of
    a batch with each other.
    """

    divisible: ClassVar[bool] = True
    network: NetworkFactory
    loss: Loss = losses.cross_entropy
    mixing: CutMix | None = None

    def empty(self, pool: Pool, seed: int) -> Network:
        with seeding.fork(seeding.seed_for(seed, 0, "weights")):
            return self.network(input_shape=tuple(pool.inputs.shape[1:]), num_classes=pool.num_classes)

    def fit(
        self,
        pool: Pool,
        previous: Network | None,
        seed: int,
        scratch: Path | None = None,
        observe: Observer | None = None,
    ) -> Network:
        model = self.empty(pool, seed)
        module = Classification(model, self.loss, self.optimizer, self.schedule, self.mixing)
        batches = self.labeled_batches(pool, model, seed)
        self.train(module, batches, model, pool, seed=seed, name="classifier", scratch=scratch, observe=observe)
        return model
