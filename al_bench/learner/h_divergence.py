"""Adversarial training by the H-divergence between labeled and unlabeled features (WAAL App. H)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from al_bench import seeding
from al_bench.active.part import declare
from al_bench.active.pool import Pool
from al_bench.config.ranges import ModerateOrZero, Width
from al_bench.learner import Learner
from al_bench.network import Network, NetworkFactory, Wrapped, pooled
from al_bench.network.predict import evaluating
from al_bench.training import losses
from al_bench.training.loss_record import Losses
from al_bench.training.module import Module, frozen
from al_bench.training.observation import Observer
from al_bench.training.paired_batches import Batch, PairedBatches
from al_bench.training.plan import LabeledPlan


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

        MAL's and VAAL's direction; the discriminator itself answers in WAAL's, the other one (docs/papers/README.md).
        """
        return self.logits_and_labeledness(inputs)[1]

    def logits_and_labeledness(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Both of one pass: (B, K[, H, W]) logits and (B,) logits of being labeled."""
        features = self.features(inputs)
        return self.classify(features), -self.discriminate(features)


@declare("learner/h_divergence", revision=2)
@dataclass(frozen=True, kw_only=True)
class HDivergence(LabeledPlan, Learner):
    """Minimises cross entropy on labeled inputs minus trade_off times the discriminator's loss, which the discriminator
    minimises times trade_off.

    trade_off: mu of Eq. 20, which weighs both players' steps. hidden: units of the discriminator, F-hidden-ReLU-
    dropout-1. Each labeled batch is read with as many unlabeled inputs.
    """

    network: NetworkFactory
    trade_off: ModerateOrZero
    hidden: Width
    provides: ClassVar[frozenset[str]] = frozenset({"labeledness"})

    @property
    def begins_anew(self) -> bool:
        """As `Learner` says it."""
        return True

    def empty(self, pool: Pool, seed: int) -> Network:
        shape = tuple(pool.inputs.shape[1:])
        with seeding.fork(seeding.seed_for(seed, 0, "weights")):
            network = self.network(input_shape=shape, num_classes=pool.num_classes)
            with evaluating(network), torch.no_grad():
                num_features = pooled(network.features(torch.zeros(1, *shape))).shape[1]
            return Discriminated(network, num_features, self.hidden)

    def fit(
        self,
        pool: Pool,
        previous: Network | None,
        seed: int,
        scratch: Path | None = None,
        observe: Observer | None = None,
    ) -> Network:
        model = self.empty(pool, seed)
        assert isinstance(model, Discriminated)
        labeled = self.labeled_batches(pool, model, seed)
        batches = PairedBatches(labeled, pool.inputs, pool.unlabeled, seeding.seed_for(seed, 0, "unlabeled batches"))
        module = Adversarial(model, self.optimizer, self.trade_off, self.schedule)
        name = "adversarial classifier"
        self.train(module, batches, model, pool, seed=seed, name=name, scratch=scratch, observe=observe)
        return model


class Adversarial(Module):
    """WAAL Eq. 20 as its text describes it; the printed sign trains the discriminator to be wrong (App. H)."""

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
        self.update(discriminator_optimizer, self.trade_off * domain_loss)
        return {"cross_entropy": loss.detach(), "domain_loss": domain_loss.detach()}

    def domain_loss(self, labeled: Tensor, unlabeled: Tensor) -> Tensor:
        """The discriminator's binary cross entropy on two batches of features."""
        return losses.domain_loss(self.model.discriminate(unlabeled), self.model.discriminate(labeled))

    def configure_optimizers(self) -> list[Optimizer]:
        """The network's first."""
        return [self.optimizer_of(self.optimizer, part) for part in (self.model.network, self.model.discriminator)]
