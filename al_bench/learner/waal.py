"""Wasserstein adversarial training on what is labeled and what is not (WAAL Sec. 3.3, Alg. 1; App. G.2)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.optim import Optimizer

from al_bench import seeding
from al_bench.active.part import declare
from al_bench.active.pool import Pool
from al_bench.config.groups import name_chosen
from al_bench.config.ranges import ModerateOrZero, UpToAll, Width
from al_bench.errors import UserError
from al_bench.learner import Learner
from al_bench.network import Network, NetworkFactory, Wrapped, pooled
from al_bench.network.predict import evaluating
from al_bench.training import losses
from al_bench.training.labeled_batches import least_batch
from al_bench.training.loss_record import Losses
from al_bench.training.module import Module, frozen
from al_bench.training.observation import Observer
from al_bench.training.paired_batches import Batch, Pairing, UnlabeledWithLabeled
from al_bench.training.plan import Plan


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
@dataclass(frozen=True, kw_only=True)
class Waal(Plan, Learner):
    """Minimises cross entropy plus mu' times the critic's distance (Eqs. 7 and 8), which the critic maximises.

    An epoch is one pass over what is unlabeled, or over what is labeled once that is more. trade_off: mu; hidden: units
    of the critic. query_size: B of the next query, which C0 knows. weighting: "eq8", C0 and mu' = mu U / (L + U), or
    "ratio", L / U and mu as they are. pairing: of the smaller set, "replacement", drawn with replacement (redundancy
    trick), or "modulo", the larger one's position modulo its size. penalty_weight: of the gradient penalty beside the
    distance; penalty_at: "interpolates" of both batches, or "all", the batches themselves too. reversed_penalty:
    subtract it, which rewards gradients far from 1. fresh_features: the critic's step reads the features of the moved
    network. passes: "joint", both batches go through the network as one, so that batch norm cannot tell them apart
    before the critic does, or "separate", labeled inputs first and batch norm sees each alone. idle_pass: one more pass
    before the network's update, of which nothing is used; only batch norm's running statistics remember it, so that it
    is left out where there are none.
    """

    network: NetworkFactory
    trade_off: ModerateOrZero
    hidden: Width
    query_size: UpToAll
    weighting: Literal["eq8", "ratio"]
    pairing: Pairing
    penalty_weight: ModerateOrZero
    penalty_at: Literal["interpolates", "all"]
    reversed_penalty: bool
    fresh_features: bool
    passes: Literal["joint", "separate"] = "joint"
    idle_pass: bool = False
    provides: ClassVar[frozenset[str]] = frozenset({"critic"})

    def __post_init__(self) -> None:
        choices = {
            "weighting": ("eq8", "ratio"),
            "pairing": ("replacement", "modulo"),
            "penalty_at": ("interpolates", "all"),
            "passes": ("joint", "separate"),
        }
        for name, known in choices.items():
            if getattr(self, name) not in known:
                raise UserError(f"learner.{name}={getattr(self, name)} is not known: use {' or '.join(known)}")

    @property
    def begins_anew(self) -> bool:
        """As `Learner` says it."""
        return True

    def empty(self, pool: Pool, seed: int) -> Network:
        shape = tuple(pool.inputs.shape[1:])
        with seeding.fork(seeding.seed_for(seed, 0, "weights")):
            network = self.network(input_shape=shape, num_classes=pool.num_classes)
            if not any(True for _ in network.backbone.parameters()):
                raise UserError(
                    f"learner=waal trains a feature extractor against a critic, and {name_chosen(network)} has none: "
                    "use network=lenet5, vgg16_bn or small_cnn"
                )
            with evaluating(network), torch.no_grad():
                num_features = pooled(network.features(torch.zeros(1, *shape))).shape[1]
            return Criticized(network, num_features, self.hidden)

    def check_batches(
        self, model: Network, input_shape: Sequence[int], labeled: float, unlabeled: float, on_maps: bool
    ) -> None:
        """As of the larger set, of which a batch has as many as of the other."""
        super().check_batches(model, input_shape, max(labeled, unlabeled), unlabeled, on_maps)

    def fit(
        self,
        pool: Pool,
        previous: Network | None,
        seed: int,
        scratch: Path | None = None,
        observe: Observer | None = None,
    ) -> Network:
        model = self.empty(pool, seed)
        assert isinstance(model, Criticized)
        most = max(len(pool.training_labels()), len(pool.unlabeled))
        least = least_batch(model, most, self.batch_size, pool.inputs.shape[1:], on_maps=pool.labels.dim() > 1)
        batches = UnlabeledWithLabeled(
            pool,
            batch_size=self.batch_size,
            epochs=self.epochs,
            pairing=self.pairing,
            seed=seeding.seed_for(seed, 0, "batches"),
            augmentation=self.augmentation,
            last_batch=self.last_batch,
            least=least,
        )
        module = MinMax(model, self, *self.weights(len(batches.labels), len(pool.unlabeled)))
        name = "Wasserstein classifier"
        self.train(module, batches, model, pool, seed=seed, name=name, scratch=scratch, observe=observe)
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
        self.idles = settings.idle_pass and any(isinstance(part, _BatchNorm) for part in model.modules())

    def step(self, batch: Batch, optimizers: Sequence[Optimizer]) -> Losses:
        inputs, labels, others = batch
        network_optimizer, critic_optimizer = optimizers
        features = self.features(inputs, others)
        loss = losses.cross_entropy(self.model.classify(features[: len(inputs)]), labels)
        if len(others) == 0:  # full supervision: nobody is left to tell apart
            self.update(network_optimizer, loss)
            return {"cross_entropy": loss.detach(), "distance": loss.new_zeros(()), "penalty": loss.new_zeros(())}
        if self.idles:
            with torch.no_grad():
                self.features(inputs, others)
        with frozen(self.model.critic):
            self.update(network_optimizer, loss + self.trade_off * self.distance(features, len(inputs)))
        if self.settings.fresh_features:
            with torch.no_grad():
                features = self.features(inputs, others)
        distance, penalty = self.critic_terms(pooled(features.detach()), len(inputs))
        sign = -1 if self.settings.reversed_penalty else 1
        objective = distance - sign * self.settings.penalty_weight * penalty
        self.update(critic_optimizer, -self.trade_off * objective)
        return {"cross_entropy": loss.detach(), "distance": distance.detach(), "penalty": penalty.detach()}

    def features(self, inputs: Tensor, others: Tensor) -> Tensor:
        """(B + B', F[, h, w]) features of (B, ...) labeled and (B', ...) unlabeled inputs, in that order; no input is
        passed where there is none."""
        parts = [part for part in (inputs, others) if len(part)]
        if self.settings.passes == "joint":
            parts = [torch.cat(parts)]
        return torch.cat([self.model.features(part) for part in parts])

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
        parts = (self.model.network, self.model.critic)
        return [self.optimizer_of(self.settings.optimizer, part) for part in parts]
