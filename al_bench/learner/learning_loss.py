"""A classifier with a second head that learns to predict its loss (Yoo and Kweon 2019, "Learning Loss for Active
Learning", CVPR). ASAL names it in Tab. 2 alone, for its run time, and gives no setting of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from al_bench import seeding
from al_bench.active.part import declare
from al_bench.active.pool import Pool
from al_bench.config.ranges import Fraction, ModerateOrZero, Width
from al_bench.errors import UserError
from al_bench.learner import Learner
from al_bench.network import Network, NetworkFactory, Wrapped, pooled
from al_bench.network.predict import evaluating
from al_bench.training import losses
from al_bench.training.loss_record import Losses
from al_bench.training.module import Module
from al_bench.training.observation import Observer
from al_bench.training.plan import LabeledPlan


class LossPredicting(Wrapped):
    """A network, and a head that predicts the loss of an input from the network's features and embedding.

    The original reads four maps, one after each stage of a ResNet, each averaged over positions, brought to `width`
    units and rectified; then all are joined and brought to one. Here it reads the two that every network has. For a
    linear model both are the input.
    """

    def __init__(self, network: Network, widths: Sequence[int], width: int) -> None:
        super().__init__(network)
        self.readers = nn.ModuleList(nn.Sequential(nn.Linear(size, width), nn.ReLU()) for size in widths)
        self.joined = nn.Linear(width * len(widths), 1)

    def predicted_loss(self, inputs: Tensor) -> Tensor:
        """(B, ...) float inputs to (B,): higher where the classifier is likelier to be wrong."""
        return self.both(inputs, detached=True)[1]

    def both(self, inputs: Tensor, detached: bool) -> tuple[Tensor, Tensor]:
        """(B, K[, H, W]) logits and (B,) predicted losses, of one pass and so of the same dropout.

        detached: whether predictions send no gradient into the network.
        """
        features = self.network.features(inputs)
        embedding: Tensor = self.network.neck(features)
        read = [pooled(part.detach() if detached else part) for part in (features, embedding)]
        seen = [reader(part) for reader, part in zip(self.readers, read, strict=True)]
        predicted: Tensor = self.joined(torch.cat(seen, dim=1))
        logits: Tensor = self.network.head(embedding)
        return logits, predicted.squeeze(1)


@declare("learner/learning_loss")
@dataclass(frozen=True, kw_only=True)
class LearningLoss(LabeledPlan, Learner):
    """Minimises cross entropy plus `weight` times the ranking loss of the predicted ones, on the pairs of each batch.

    weight: lambda, and margin: xi, of Sec. 3.3. detach_at: fraction of the training after which predictions send no
    gradient into the network. width: units that each of the two inputs of the head is brought to. One optimizer moves
    both.
    """

    network: NetworkFactory
    weight: ModerateOrZero
    margin: ModerateOrZero
    detach_at: Fraction
    width: Width
    provides: ClassVar[frozenset[str]] = frozenset({"predicted_loss"})

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.batch_size < 2:
            raise UserError(f"learner.batch_size={self.batch_size} has no pairs to rank: use at least 2")

    @property
    def begins_anew(self) -> bool:
        """As `Learner` says it."""
        return True

    def empty(self, pool: Pool, seed: int) -> Network:
        shape = tuple(pool.inputs.shape[1:])
        with seeding.fork(seeding.seed_for(seed, 0, "weights")):
            network = self.network(input_shape=shape, num_classes=pool.num_classes)
            with evaluating(network), torch.no_grad():
                features = network.features(torch.zeros(1, *shape))
                widths = [pooled(features).shape[1], pooled(network.neck(features)).shape[1]]
            return LossPredicting(network, widths, self.width)

    def fit(
        self,
        pool: Pool,
        previous: Network | None,
        seed: int,
        scratch: Path | None = None,
        observe: Observer | None = None,
    ) -> Network:
        model = self.empty(pool, seed)
        assert isinstance(model, LossPredicting)
        batches = self.labeled_batches(pool, model, seed)
        name = "loss predicting classifier"
        module = Ranked(model, self)
        self.train(module, batches, model, pool, seed=seed, name=name, scratch=scratch, observe=observe)
        return model


class Ranked(Module):
    """The classifier's loss and that of its prediction (Yoo and Kweon 2019, Sec. 3.3)."""

    def __init__(self, model: LossPredicting, settings: LearningLoss) -> None:
        super().__init__()
        self.model, self.settings, self.schedule = model, settings, settings.schedule
        self.detached = False

    def step(self, batch: tuple[Tensor, Tensor], optimizers: Sequence[Optimizer]) -> Losses:
        inputs, labels = batch
        logits, predicted = self.model.both(inputs, self.detached)
        each = losses.cross_entropy_each(logits, labels)
        ranking = losses.ranking(predicted, each, self.settings.margin)
        loss = each.mean() if labels.dim() == 1 else losses.cross_entropy(logits, labels)  # a mean over pixels
        self.update(optimizers[0], loss + self.settings.weight * ranking)
        return {"cross_entropy": loss.detach(), "ranking": ranking.detach()}

    def set_rates(self, fraction: float, optimizers: Sequence[Any]) -> None:
        """Learning rates, and whether predictions still move the network."""
        super().set_rates(fraction, optimizers)
        self.detached = fraction >= self.settings.detach_at

    def configure_optimizers(self) -> list[Optimizer]:
        return [self.optimizer_of(self.settings.optimizer, self.model)]
