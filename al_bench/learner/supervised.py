"""Supervised learning on what is labeled, from new weights in every cycle (ASAL Sec. 4.2, WAAL Sec. 4)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import torch

from al_bench import seeding
from al_bench.active.part import declare, describe, hash_of
from al_bench.active.pool import Pool
from al_bench.errors import UserError
from al_bench.learner import Learner
from al_bench.network import Network, NetworkFactory
from al_bench.network.dry_run import dry_run
from al_bench.training import losses
from al_bench.training.classification import Classification, Loss
from al_bench.training.cut_mix import CutMix, refuse_no_images
from al_bench.training.labeled_batches import LabeledBatches
from al_bench.training.observation import Observer
from al_bench.training.pack import ask, in_pack, say_once
from al_bench.training.plan import LabeledPlan
from al_bench.training.stacked import StackedFit, reason_alone


@declare("learner/supervised")
@dataclass(frozen=True, kw_only=True)
class Supervised(LabeledPlan, Learner):
    """Minimises the `loss` of `network` over the passes of its plan.

    loss: of (B, K[, H, W]) logits and their labels, a function of `al_bench.training.losses`. mixing: of the images of
    a batch with each other. stacked: where cells run in one process, see `training.pack`, it is trained in one stack
    with theirs if it can be.
    """

    divisible: ClassVar[bool] = True
    network: NetworkFactory
    loss: Loss = losses.cross_entropy
    mixing: CutMix | None = None
    stacked: bool = field(default=False, metadata={"label": True})

    @property
    def begins_anew(self) -> bool:
        """As `Learner` says it."""
        return True

    def empty(self, pool: Pool, seed: int) -> Network:
        with seeding.fork(seeding.seed_for(seed, 0, "weights")):
            return self.network(input_shape=tuple(pool.inputs.shape[1:]), num_classes=pool.num_classes)

    def check_batches(
        self, model: Network, input_shape: Sequence[int], labeled: float, unlabeled: float, on_maps: bool
    ) -> None:
        """As `Learner` says it; that what is mixed is an image, and of label maps, that nothing is mixed and that the
        loss is one of them."""
        super().check_batches(model, input_shape, labeled, unlabeled, on_maps)
        if self.mixing is not None:
            refuse_no_images(1, *input_shape)
        if on_maps and self.mixing is not None:
            raise UserError(
                "learner.mixing weighs two labels by their shares of an image, and a label map says itself what each "
                "pixel is: use learner.mixing=null"
            )
        if on_maps:
            _refuse_no_loss_of_maps(self.loss, dry_run(model, input_shape))

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
        if self.stacked and observe is None and self._fit_together(module, batches, seed, scratch):
            return model
        self.train(module, batches, model, pool, seed=seed, name="classifier", scratch=scratch, observe=observe)
        return model

    def _fit_together(self, module: Classification, batches: LabeledBatches, seed: int, scratch: Path | None) -> bool:
        """Trains it in a stack with those of other cells of a pack; returns whether that was done. A training that was
        begun alone goes on alone."""
        if not in_pack():
            return False
        if (reason := reason_alone(self, module, batches)) is not None:
            say_once(f"models are trained alone, for {reason}")
            return False
        if scratch is not None and any(scratch.glob("*")):
            return False
        fit = StackedFit(hash_of(describe(self)), module.to(batches.inputs.device), batches, seed)
        if done := ask(fit):
            say_once("models are trained in stacks with those of other cells")
            fit.finish()
        return done


def _refuse_no_loss_of_maps(loss: Loss, shape: Sequence[int]) -> None:
    """Raises UserError where a loss cannot be taken of a label map. shape: (K, H, W) of the logits of one image."""
    try:
        loss(torch.zeros(1, *shape), torch.zeros(1, *shape[1:], dtype=torch.uint8))
    except (RuntimeError, ValueError, IndexError) as error:
        name = getattr(loss, "__name__", type(loss).__name__)
        raise UserError(
            f"learner.loss={name} is no loss of label maps: use al_bench.training.losses.cross_entropy or hinge"
        ) from error
