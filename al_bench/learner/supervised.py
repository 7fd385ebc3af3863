"""Supervised learning on what is labeled, from new weights in every cycle (ASAL Sec. 4.2, WAAL Sec. 4)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytorch_lightning as pl
from pydantic import PositiveInt
from torch import Tensor
from torch.optim import Optimizer

from al_bench import seeding
from al_bench.active.part import declare
from al_bench.active.pool import Pool
from al_bench.config.ranges import Precision
from al_bench.learner import Learner
from al_bench.network import Network, NetworkFactory
from al_bench.training import losses
from al_bench.training.batches import Augmentation, LabeledBatches, least_batch, steps_of_a_pass
from al_bench.training.early_stopping import EarlyStopping, callback_of
from al_bench.training.fit import fit
from al_bench.training.loss_record import Losses
from al_bench.training.module import Module

Loss = Callable[[Tensor, Tensor], Tensor]


@declare("learner/supervised")
@dataclass(frozen=True)
class Supervised(Learner):
    """Minimises the `loss` of `network` by `optimizer` over `epochs` passes of the training set.

    loss: of (B, K[, H, W]) logits and their labels, a function of `al_bench.training.losses`. schedule: factor on
    the learning rate by the fraction of the training done. augmentation: of stored batches. early_stopping: by the
    validation split. match_steps: an epoch has as many steps as WAAL's.
    """

    network: NetworkFactory
    epochs: PositiveInt
    batch_size: PositiveInt
    optimizer: Callable[..., Optimizer]
    schedule: Callable[[float], float] | None = None
    augmentation: Augmentation | None = None
    loss: Loss = losses.cross_entropy
    early_stopping: EarlyStopping | None = None
    match_steps: bool = field(default=False, metadata={"label": True})
    precision: Precision = "32-true"
    trainer: Callable[..., pl.Trainer] | None = field(default=None, metadata={"identity": False})

    @property
    def validates(self) -> bool:
        return self.early_stopping is not None

    def empty(self, pool: Pool, seed: int) -> Network:
        with seeding.fork(seeding.seed_for(seed, 0, "weights")):
            return self.network(input_shape=tuple(pool.inputs.shape[1:]), num_classes=pool.num_classes)

    def fit(self, pool: Pool, previous: Network | None, seed: int, scratch: Path | None = None) -> Network:
        module = Classification(self.empty(pool, seed), self.loss, self.optimizer, self.schedule)
        inputs, labels = pool.training_set()
        batches = LabeledBatches(
            inputs,
            labels,
            batch_size=self.batch_size,
            epochs=self.epochs,
            seed=seeding.seed_for(seed, 0, "batches"),
            augmentation=self.augmentation,
            least=least_batch(module.network, len(labels)),
            per_epoch=steps_of_a_pass(max(len(labels), len(pool.unlabeled)), self.batch_size)
            if self.match_steps
            else None,
        )
        fit(
            module,
            batches,
            seed=seeding.seed_for(seed, 0, "training"),
            device=pool.device,
            name="classifier",
            precision=self.precision,
            trainer=self.trainer,
            scratch=scratch,
            callback=callback_of(self.early_stopping, module.network, pool, len(batches), self.epochs),
        )
        return module.network


class Classification(Module):
    """Loss of (B, ...) inputs and their labels."""

    def __init__(
        self,
        network: Network,
        loss: Loss,
        optimizer: Callable[..., Optimizer],
        schedule: Callable[[float], float] | None,
    ) -> None:
        super().__init__()
        self.network, self.loss, self.optimizer, self.schedule = network, loss, optimizer, schedule

    def step(self, batch: tuple[Tensor, Tensor], optimizers: Sequence[Optimizer]) -> Losses:
        inputs, labels = batch
        loss = self.loss(self.network(inputs), labels)
        self.update(optimizers[0], loss)
        return {getattr(self.loss, "__name__", "loss"): loss.detach()}

    def configure_optimizers(self) -> list[Optimizer]:
        return [self.optimizer(self.network.parameters())]
