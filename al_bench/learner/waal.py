"""Wasserstein adversarial training on what is labeled and what is not (WAAL Sec. 3.3, Alg. 1; App. G.2)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

import pytorch_lightning as pl
import torch
from pydantic import NonNegativeFloat, PositiveInt
from torch import Tensor, nn
from torch.optim import Optimizer

from al_bench import seeding
from al_bench.active.inputs import to_float
from al_bench.active.part import declare
from al_bench.active.pool import Pool
from al_bench.config.ranges import Precision
from al_bench.errors import UserError
from al_bench.learner import Learner
from al_bench.network import Network, NetworkFactory, Wrapped, pooled
from al_bench.network.predict import evaluating
from al_bench.training import losses
from al_bench.training.batches import Augmentation, Batches, EpochSampler, least_batch
from al_bench.training.early_stopping import EarlyStopping, callback_of
from al_bench.training.fit import fit
from al_bench.training.loss_record import Losses
from al_bench.training.module import Module, frozen

Batch = tuple[Tensor, Tensor, Tensor]


class Criticized(Wrapped):
    """A network, and a critic of its features: F-hidden-ReLU-dropout-1-sigmoid (App. G.2)."""

    def __init__(self, network: Network, num_features: int, hidden: int) -> None:
        super().__init__(network)
        self.critic = nn.Sequential(
            nn.Linear(num_features, hidden), nn.ReLU(), nn.Dropout(0.5), nn.Linear(hidden, 1), nn.Sigmoid()
        )

    def critique(self, features: Tensor) -> Tensor:
        """(B, F[, h, w]) features to g in [0, 1], (B,): towards 1 for what looks unlabeled."""
        values: Tensor = self.critic(pooled(features))
        return values.squeeze(1)


@declare("learner/waal")
@dataclass(frozen=True)
class Waal(Learner):
    """Minimises cross entropy plus mu' times the critic's distance (Eqs. 7 and 8), which the critic maximises.

    An epoch is one pass over what is unlabeled, or over what is labeled once that is more. trade_off: mu; hidden: units
    of the critic. query_size: B of the next query, which C0 knows. weighting: "eq8", C0 and mu' = mu U / (L + U), or
    "ratio", L / U and mu as they are. pairing: of the smaller set, "replacement", drawn with replacement (redundancy
    trick), or "modulo", the larger one's position modulo its size. penalty_weight: of the gradient penalty beside the
    distance; penalty_at: "interpolates" of both batches, or "all", the batches themselves too. reversed_penalty:
    subtract it, which rewards gradients far from 1. fresh_features: the critic's step reads the features of the moved
    network. The other fields are those of supervised learning.
    """

    network: NetworkFactory
    epochs: PositiveInt
    batch_size: PositiveInt
    optimizer: Callable[..., Optimizer]
    trade_off: NonNegativeFloat
    hidden: PositiveInt
    query_size: PositiveInt
    weighting: Literal["eq8", "ratio"]
    pairing: Literal["replacement", "modulo"]
    penalty_weight: NonNegativeFloat
    penalty_at: Literal["interpolates", "all"]
    reversed_penalty: bool
    fresh_features: bool
    schedule: Callable[[float], float] | None = None
    augmentation: Augmentation | None = None
    early_stopping: EarlyStopping | None = None
    precision: Precision = "32-true"
    trainer: Callable[..., pl.Trainer] | None = field(default=None, metadata={"identity": False})
    provides: ClassVar[frozenset[str]] = frozenset({"critic"})

    def __post_init__(self) -> None:
        choices = {
            "weighting": ("eq8", "ratio"),
            "pairing": ("replacement", "modulo"),
            "penalty_at": ("interpolates", "all"),
        }
        for name, known in choices.items():
            if getattr(self, name) not in known:
                raise UserError(f"learner.{name}={getattr(self, name)} is not known: use {' or '.join(known)}")

    @property
    def validates(self) -> bool:
        return self.early_stopping is not None

    def empty(self, pool: Pool, seed: int) -> Network:
        shape = tuple(pool.inputs.shape[1:])
        with seeding.fork(seeding.seed_for(seed, 0, "weights")):
            network = self.network(input_shape=shape, num_classes=pool.num_classes)
            if not any(True for _ in network.backbone.parameters()):
                raise UserError(
                    f"learner=waal trains a feature extractor against a critic, and {type(network).__name__} has none: "
                    "use network=lenet5, vgg16_bn or small_cnn"
                )
            with evaluating(network), torch.no_grad():
                num_features = pooled(network.features(torch.zeros(1, *shape))).shape[1]
            return Criticized(network, num_features, self.hidden)

    def fit(self, pool: Pool, previous: Network | None, seed: int, scratch: Path | None = None) -> Network:
        model = self.empty(pool, seed)
        assert isinstance(model, Criticized)
        least = least_batch(model, max(len(pool.training_labels()), len(pool.unlabeled)))
        batches = UnlabeledWithLabeled(pool, self, seeding.seed_for(seed, 0, "batches"), least)
        fit(
            MinMax(model, self, *self.weights(len(batches.labels), len(pool.unlabeled))),
            batches,
            seed=seeding.seed_for(seed, 0, "training"),
            device=pool.device,
            name="Wasserstein classifier",
            precision=self.precision,
            trainer=self.trainer,
            scratch=scratch,
            callback=callback_of(self.early_stopping, model, pool, len(batches), self.epochs),
        )
        return model

    def weights(self, labeled: int, unlabeled: int) -> tuple[float, float]:
        """mu' and C0 of Eq. 8, or what `weighting` has in their place."""
        if unlabeled == 0:
            return 0.0, 0.0
        if self.weighting == "ratio":
            return self.trade_off, labeled / unlabeled
        gamma = unlabeled / labeled
        return self.trade_off * gamma / (1 + gamma), losses.bias_coefficient(labeled, unlabeled, self.query_size)


class MinMax(Module):
    """One mini-batch of Alg. 1: classifier and features together, the critic on their old features after them.

    trade_off: mu'; bias: C0.
    """

    def __init__(self, model: Criticized, settings: Waal, trade_off: float, bias: float) -> None:
        super().__init__()
        self.model, self.settings, self.schedule = model, settings, settings.schedule
        self.trade_off, self.bias = trade_off, bias

    def step(self, batch: Batch, optimizers: Sequence[Optimizer]) -> Losses:
        inputs, labels, others = batch
        network_optimizer, critic_optimizer = optimizers
        # One forward for both, so that batch norm cannot tell them apart before the critic does.
        both = torch.cat([inputs, others])
        features = self.model.features(both)
        loss = losses.cross_entropy(self.model.classify(features[: len(inputs)]), labels)
        if len(others) == 0:  # full supervision: nobody is left to tell apart
            self.update(network_optimizer, loss)
            return {"cross_entropy": loss.detach(), "distance": loss.new_zeros(()), "penalty": loss.new_zeros(())}
        with frozen(self.model.critic):
            self.update(network_optimizer, loss + self.trade_off * self.distance(features, len(inputs)))
        if self.settings.fresh_features:
            with torch.no_grad():
                features = self.model.features(both)
        distance, penalty = self.critic_terms(pooled(features.detach()), len(inputs))
        sign = -1 if self.settings.reversed_penalty else 1
        objective = distance - sign * self.settings.penalty_weight * penalty
        self.update(critic_optimizer, -self.trade_off * objective)
        return {"cross_entropy": loss.detach(), "distance": distance.detach(), "penalty": penalty.detach()}

    def distance(self, features: Tensor, num_labeled: int) -> Tensor:
        """Eq. 8 without mu' of a joint batch, labeled inputs first."""
        values = self.model.critique(features)
        return losses.wasserstein(values[num_labeled:], values[:num_labeled], self.bias)

    def critic_terms(self, features: Tensor, num_labeled: int) -> tuple[Tensor, Tensor]:
        """What the critic raises, and the penalty that keeps it 1-Lipschitz (Sec. 3.5); features: (B, F), fixed."""
        points = losses.interpolates(features[:num_labeled], features[num_labeled:])
        if self.settings.penalty_at == "all":
            points = torch.cat([points, features])
        return self.distance(features, num_labeled), losses.gradient_penalty(self.model.critique, points)

    def configure_optimizers(self) -> list[Optimizer]:
        """The network's first."""
        settings = self.settings
        return [settings.optimizer(self.model.network.parameters()), settings.optimizer(self.model.critic.parameters())]


class UnlabeledWithLabeled(Batches):
    """Labeled inputs, their labels, and as many unlabeled inputs, all float; without the last where all is labeled.

    The larger of both sets is passed over once an epoch.
    """

    def __init__(self, pool: Pool, settings: Waal, seed: int, least: int) -> None:
        (self.inputs, self.labels), self.pool, self.settings, self.seed = pool.training_set(), pool, settings, seed
        self.sizes = len(self.labels), len(pool.unlabeled)
        self.order = EpochSampler(max(self.sizes), settings.batch_size, seed, pool.device, least=least)
        self._epoch, self._drawn = -1, torch.empty(0)

    def __len__(self) -> int:
        return self.settings.epochs * self.order.per_epoch

    def __getitem__(self, step: int) -> Batch:
        chosen = self.order[step]
        labeled, unlabeled = (self._positions(chosen, size, step) for size in self.sizes)
        places = self.pool.unlabeled[unlabeled]
        inputs, labels, others = self.inputs[labeled], self.labels[labeled], self.pool.inputs[places]
        if self.settings.augmentation is not None:
            inputs, labels = self.settings.augmentation(inputs, labels)
            others, _ = self.settings.augmentation(others, places)
        return to_float(inputs), labels, to_float(others)

    @property
    def images_per_step(self) -> float:
        return (2 if min(self.sizes) else 1) * self.order.num_items / self.order.per_epoch

    def _positions(self, chosen: Tensor, size: int, step: int) -> Tensor:
        """(B,) positions in one of the sets, (0,) where it is empty."""
        if size == self.order.num_items or size == 0:
            return chosen[:size]
        if self.settings.pairing == "modulo":
            return chosen % size
        epoch, number = divmod(step, self.order.per_epoch)
        if epoch != self._epoch:  # drawn for a whole epoch at once
            rng = seeding.generator(seeding.seed_for(self.seed, epoch, "with replacement"))
            drawn = torch.randint(size, (self.order.num_items,), generator=rng)
            self._epoch, self._drawn = epoch, drawn.to(self.pool.device)
        first = number * self.order.batch_size
        return self._drawn[first : first + len(chosen)]
