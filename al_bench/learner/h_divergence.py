"""Adversarial training by the H-divergence between labeled and unlabeled features (WAAL App. H)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import pytorch_lightning as pl
import torch
from pydantic import NonNegativeFloat, PositiveInt
from torch import Tensor, nn
from torch.optim import Optimizer

from al_bench import seeding
from al_bench.active.inputs import Inputs, to_float
from al_bench.active.part import declare
from al_bench.active.pool import Pool
from al_bench.config.ranges import Precision
from al_bench.learner import Learner
from al_bench.network import Network, NetworkFactory, Wrapped, pooled
from al_bench.network.predict import evaluating
from al_bench.training import losses
from al_bench.training.batches import Augmentation, Batches, EpochSampler, LabeledBatches, least_batch, steps_of_a_pass
from al_bench.training.early_stopping import EarlyStopping, callback_of
from al_bench.training.fit import fit
from al_bench.training.loss_record import Losses
from al_bench.training.module import Module, frozen

Batch = tuple[Tensor, Tensor, Tensor]


class Discriminated(Wrapped):
    """A network, and a discriminator that tells unlabeled from labeled inputs by the network's features."""

    def __init__(self, network: Network, num_features: int, hidden: int) -> None:
        super().__init__(network)
        self.discriminator = nn.Sequential(
            nn.Linear(num_features, hidden), nn.ReLU(), nn.Dropout(0.5), nn.Linear(hidden, 1)
        )

    def discriminate(self, features: Tensor) -> Tensor:
        """(B, F) or (B, F, h, w) features to (B,) logits: above 0 for "unlabeled"."""
        answers: Tensor = self.discriminator(pooled(features))
        return answers.squeeze(1)

    def labeledness(self, inputs: Tensor) -> Tensor:
        """(B, ...) float inputs to (B,) logits of being labeled: the lowest is least like what is labeled.

        MAL's and VAAL's direction; the discriminator itself answers in WAAL's, the other one (facts 5).
        """
        return -self.discriminate(self.features(inputs))


@declare("learner/h_divergence")
@dataclass(frozen=True)
class HDivergence(Learner):
    """Minimises cross entropy on labeled inputs minus trade_off times the discriminator's loss.

    trade_off: mu of Eq. 20. hidden: units of the discriminator, F-hidden-ReLU-dropout-1. The other fields are those of
    supervised learning. An epoch is one pass over the labeled inputs, each batch with as many unlabeled ones.
    """

    network: NetworkFactory
    epochs: PositiveInt
    batch_size: PositiveInt
    optimizer: Callable[..., Optimizer]
    trade_off: NonNegativeFloat
    hidden: PositiveInt
    schedule: Callable[[float], float] | None = None
    augmentation: Augmentation | None = None
    early_stopping: EarlyStopping | None = None
    match_steps: bool = field(default=False, metadata={"label": True})
    precision: Precision = "32-true"
    trainer: Callable[..., pl.Trainer] | None = field(default=None, metadata={"identity": False})
    provides: ClassVar[frozenset[str]] = frozenset({"labeledness"})

    @property
    def validates(self) -> bool:
        return self.early_stopping is not None

    def empty(self, pool: Pool, seed: int) -> Network:
        shape = tuple(pool.inputs.shape[1:])
        with seeding.fork(seeding.seed_for(seed, 0, "weights")):
            network = self.network(input_shape=shape, num_classes=pool.num_classes)
            with evaluating(network), torch.no_grad():
                num_features = pooled(network.features(torch.zeros(1, *shape))).shape[1]
            return Discriminated(network, num_features, self.hidden)

    def fit(self, pool: Pool, previous: Network | None, seed: int, scratch: Path | None = None) -> Network:
        model = self.empty(pool, seed)
        assert isinstance(model, Discriminated)
        inputs, labels = pool.training_set()
        labeled = LabeledBatches(
            inputs,
            labels,
            batch_size=self.batch_size,
            epochs=self.epochs,
            seed=seeding.seed_for(seed, 0, "batches"),
            augmentation=self.augmentation,
            least=least_batch(model, len(labels)),
            per_epoch=steps_of_a_pass(max(len(labels), len(pool.unlabeled)), self.batch_size)
            if self.match_steps
            else None,
        )
        fit(
            Adversarial(model, self.optimizer, self.trade_off, self.schedule),
            PairedBatches(labeled, pool.inputs, pool.unlabeled, seeding.seed_for(seed, 0, "unlabeled batches")),
            seed=seeding.seed_for(seed, 0, "training"),
            device=pool.device,
            name="adversarial classifier",
            precision=self.precision,
            trainer=self.trainer,
            scratch=scratch,
            callback=callback_of(self.early_stopping, model, pool, len(labeled), self.epochs),
        )
        return model


class Adversarial(Module):
    """WAAL Eq. 20 as its text describes it; the printed sign trains the discriminator to be wrong (facts 2.4)."""

    def __init__(
        self,
        model: Discriminated,
        optimizer: Callable[..., Optimizer],
        trade_off: float,
        schedule: Callable[[float], float] | None,
    ) -> None:
        super().__init__()
        self.model, self.optimizer, self.trade_off, self.schedule = model, optimizer, trade_off, schedule

    def step(self, batch: Batch, optimizers: Sequence[Optimizer]) -> Losses:
        """Features and classifier first, the discriminator on their old features second."""
        inputs, labels, others = batch
        network_optimizer, discriminator_optimizer = optimizers
        # One forward for both, so that batch norm cannot tell them apart before the discriminator does.
        features = self.model.features(torch.cat([inputs, others]))
        labeled, unlabeled = features[: len(inputs)], features[len(inputs) :]
        loss = losses.cross_entropy(self.model.classify(labeled), labels)
        if len(others) == 0:  # full supervision: nobody is left to tell apart
            self.update(network_optimizer, loss)
            return {"cross_entropy": loss.detach(), "domain_loss": loss.new_zeros(())}
        with frozen(self.model.discriminator):
            fooled = self.domain_loss(labeled, unlabeled)
            self.update(network_optimizer, loss - self.trade_off * fooled)
        domain_loss = self.domain_loss(labeled.detach(), unlabeled.detach())
        self.update(discriminator_optimizer, domain_loss)
        return {"cross_entropy": loss.detach(), "domain_loss": domain_loss.detach()}

    def domain_loss(self, labeled: Tensor, unlabeled: Tensor) -> Tensor:
        """The discriminator's binary cross entropy on two batches of features."""
        return losses.domain_loss(self.model.discriminate(unlabeled), self.model.discriminate(labeled))

    def configure_optimizers(self) -> list[Optimizer]:
        """The network's first."""
        return [
            self.optimizer(self.model.network.parameters()),
            self.optimizer(self.model.discriminator.parameters()),
        ]


class PairedBatches(Batches):
    """Labeled batches, each with as many float unlabeled inputs (as there are, at most)."""

    def __init__(self, labeled: LabeledBatches, inputs: Inputs, unlabeled: Tensor, seed: int) -> None:
        self.labeled, self.inputs, self.unlabeled = labeled, inputs, unlabeled
        size = labeled.order.batch_size
        self.order = EpochSampler(len(unlabeled), size, seed, inputs.device) if len(unlabeled) else None

    def __len__(self) -> int:
        return len(self.labeled)

    def __getitem__(self, step: int) -> Batch:
        inputs, labels = self.labeled[step]
        chosen = self.unlabeled if self.order is None else self.unlabeled[self.order[step]]
        others = self.inputs[chosen[: len(inputs)]]
        if self.labeled.augmentation is not None:
            others, _ = self.labeled.augmentation(others, chosen)
        return inputs, labels, to_float(others)

    @property
    def images_per_step(self) -> float:
        return 2 * self.labeled.images_per_step
