"""Minimax active learning: the entropy of unlabeled inputs is lowered by features and raised by class prototypes (MAL
Secs. 3.1 and 3.2, Algs. 1 and 3)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

import torch
from torch import Tensor
from torch.optim import Optimizer

from al_bench import seeding
from al_bench.active.part import declare
from al_bench.active.pool import Pool
from al_bench.config.groups import name_chosen
from al_bench.config.ranges import Epochs, Moderate, ModerateOrZero, Width, Widths
from al_bench.errors import UserError
from al_bench.learner import Learner
from al_bench.network import Network, NetworkFactory
from al_bench.network.aligned import Aligned, FeatureShape, add_prototypes, exchange_head
from al_bench.network.labeledness import LabelednessDiscriminator
from al_bench.network.predict import evaluating
from al_bench.network.prototypes import Normalization, Reversal, reverse_gradient
from al_bench.network.warm_start import can_go_on
from al_bench.training import losses
from al_bench.training.batches import Batches
from al_bench.training.classification import Classification
from al_bench.training.fit import Fitter
from al_bench.training.labeled_batches import least_batch
from al_bench.training.loss_record import Losses
from al_bench.training.module import Module
from al_bench.training.observation import Observer
from al_bench.training.paired_batches import PairedBatches
from al_bench.training.plan import LabeledPlan


@declare("learner/mal")
@dataclass(frozen=True, kw_only=True)
class Mal(LabeledPlan, Learner):
    """Trains F and C on labeled inputs by cross entropy and on unlabeled ones by the minimax entropy game, and D to
    tell both apart (Alg. 1); then M, which begins with this F, on all labels (Alg. 3). Strategies see F, C and D, the
    evaluator M; early stopping watches M. Observed is M too: iterations and seconds are those of its own training.

    optimizer: of F; classifier_optimizer: of C; discriminator_optimizer: of D; task_optimizer and task_epochs: of M.
    Both losses of a part share its optimizer, as they share a rate in Alg. 1; a second Adam would undo `weight`.
    minimax: whether unlabeled inputs train F and C. discriminator: whether there is a D. d_to_f: "none", D moves itself
    alone, as Alg. 1, or "adversarial", F takes its gradient with the other sign. discriminator_reads: "train", the
    features of the two steps before it, where batch norm sees labeled and unlabeled inputs apart and so hides from D
    how they differ as a whole, or "eval", features as the query reads them, for one more pass; without `minimax`, where
    no step of F reads unlabeled inputs, "eval" always; "train" alone where D moves F. reversal: where gradients of the
    entropy turn: "inside" C, behind its first layer, or "before" it. normalize: "embedding", what that layer gives, or
    "features", what it reads. On label maps, where C has no first layer, these two and `hidden`, its units, change
    nothing. temperature: T of C; discriminator_temperature: T of Eq. 3. weight: lambda of the entropy.
    discriminator_hidden, discriminator_channels: of D on vectors and on maps. head: of M, "linear", its network's own,
    or "cosine", prototypes (Eq. 1). carry_over: F, C and D begin with what the cycle before had.
    """

    network: NetworkFactory
    task_epochs: Epochs
    classifier_optimizer: Callable[..., Optimizer]
    discriminator_optimizer: Callable[..., Optimizer]
    task_optimizer: Callable[..., Optimizer]
    minimax: bool = field(metadata={"label": True})
    discriminator: bool
    d_to_f: Literal["none", "adversarial"]
    discriminator_reads: Literal["train", "eval"]
    reversal: Reversal
    normalize: Normalization
    temperature: Moderate
    discriminator_temperature: Moderate
    weight: ModerateOrZero
    hidden: Width
    discriminator_hidden: Sequence[Width]
    discriminator_channels: Widths
    head: Literal["linear", "cosine"]
    carry_over: bool
    provides: ClassVar[frozenset[str]] = frozenset({"labeledness"})
    switched_by: ClassVar[Mapping[str, str]] = {"labeledness": "learner.discriminator=true"}

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.precision == "16-mixed":
            raise UserError("learner=mal updates several optimizers at once, which 16-mixed cannot: use bf16-mixed")
        if not self.discriminator:
            if self.d_to_f != "none":
                raise UserError(f"learner.d_to_f={self.d_to_f} has no discriminator: use learner.discriminator=true")
            object.__setattr__(self, "provides", frozenset())
        if (self.d_to_f, self.discriminator_reads) == ("adversarial", "eval"):
            raise UserError(
                "learner.discriminator_reads=eval gives no gradient to learner.d_to_f=adversarial: use train for it"
            )

    @property
    def begins_anew(self) -> bool:
        """As `Learner` says it."""
        return not self.carry_over

    def empty(self, pool: Pool, seed: int) -> Network:
        input_shape, num_classes = tuple(pool.inputs.shape[1:]), pool.num_classes
        with seeding.fork(seeding.seed_for(seed, 0, "weights")):  # as a supervised model begins
            network = self.network(input_shape=input_shape, num_classes=num_classes)
        if not any(True for _ in network.backbone.parameters()):
            raise UserError(
                f"learner=mal trains a feature extractor, and {name_chosen(network)} has none: "
                "use network=resnet18, small_cnn or small_fcn"
            )
        shape = FeatureShape.of(network, input_shape, on_maps=pool.labels.dim() > 1)
        with seeding.fork(seeding.seed_for(seed, 0, "prototypes")):
            classifier = add_prototypes(
                network, shape, num_classes, hidden=self.hidden, temperature=self.temperature, normalize=self.normalize
            )
            if self.head == "cosine":
                exchange_head(network, input_shape, shape, num_classes, self.temperature)
        with seeding.fork(seeding.seed_for(seed, 0, "discriminator")):
            return Aligned(network, classifier, self._discriminator(shape) if self.discriminator else None)

    def _discriminator(self, shape: FeatureShape) -> LabelednessDiscriminator:
        return LabelednessDiscriminator(
            shape.channels,
            self.discriminator_hidden,
            self.discriminator_channels,
            on_maps=bool(shape.image),
            temperature=self.discriminator_temperature,
        )

    def fit(
        self,
        pool: Pool,
        previous: Network | None,
        seed: int,
        scratch: Path | None = None,
        observe: Observer | None = None,
    ) -> Network:
        model = self.empty(pool, seed)
        assert isinstance(model, Aligned)
        if self.carry_over and isinstance(previous, Aligned) and can_go_on(model.classifier, previous.classifier):
            model.classifier.load_state_dict(previous.classifier.state_dict())
            if model.discriminator is not None and previous.discriminator is not None:
                model.discriminator.load_state_dict(previous.discriminator.state_dict())
        self.align(model, pool, seed, scratch)
        model.network.backbone.load_state_dict(model.classifier.backbone.state_dict())
        self._train_task(model, pool, seed, scratch, observe)
        return model.eval()

    def align(self, model: Aligned, pool: Pool, seed: int, scratch: Path | None) -> None:
        """Trains F, C and D in place (Alg. 1). pool, seed, scratch: as of `fit`."""
        fitter = Fitter(pool.device, self.precision, self.trainer)
        training_seed = seeding.seed_for(seed, 0, "alignment")
        batches = self._batches(model, pool, seed)
        name = "features and prototypes"  # kept, so that a stop in the second phase repeats nothing of the first
        fitter.fit(Alignment(model, self), batches, seed=training_seed, name=name, scratch=scratch, keep=True)

    def _batches(self, model: Aligned, pool: Pool, seed: int) -> Batches:
        labeled = self.labeled_batches(pool, model, seed)
        least = least_batch(
            model, len(labeled.labels), self.batch_size, pool.inputs.shape[1:], on_maps=pool.labels.dim() > 1
        )
        if not (self.minimax or self.discriminator) or len(pool.unlabeled) < least:
            return labeled
        order_seed = seeding.seed_for(seed, 0, "unlabeled batches")
        return PairedBatches(labeled, pool.inputs, pool.unlabeled, order_seed, least)

    def _train_task(
        self, model: Aligned, pool: Pool, seed: int, scratch: Path | None, observe: Observer | None
    ) -> None:
        """M (Alg. 3)."""
        module = Classification(model.network, losses.cross_entropy, self.task_optimizer, self.schedule)
        batches = self.labeled_batches(pool, model, seeding.seed_for(seed, 0, "task"), self.task_epochs)
        self.train(
            module,
            batches,
            model.network,
            pool,
            seed=seed,
            name="task model",
            scratch=scratch,
            epochs=self.task_epochs,
            observe=observe,
        )


class Alignment(Module):
    """One round of Alg. 1, on (B, ...) inputs, their labels and, where they are read, (B, ...) unlabeled inputs."""

    def __init__(self, model: Aligned, settings: Mal) -> None:
        super().__init__()
        self.classifier, self.discriminator = model.classifier, model.discriminator
        self.settings, self.schedule = settings, settings.schedule

    def step(self, batch: tuple[Tensor, ...], optimizers: Sequence[Optimizer]) -> Losses:
        inputs, labels, *others = batch
        features = self.classifier.features(inputs)
        loss = losses.cross_entropy(self.classifier.classify(features), labels)
        self.update(optimizers[0], loss, optimizers[1])
        found = {"cross_entropy": loss.detach()}
        if not others:  # nothing is unlabeled, or nobody reads it
            return found
        seen: tuple[Tensor, ...] = (features,)
        if self.settings.minimax:
            unlabeled = self.classifier.features(others[0])
            entropy = losses.smoothed_entropy(self.reversed_logits(unlabeled))
            # C raises the entropy; F takes the gradient with the other sign.
            self.update(optimizers[0], -self.settings.weight * entropy, optimizers[1])
            found["entropy"] = entropy.detach()
            seen = (features, unlabeled)
        if self.discriminator is not None:
            found["labeledness"] = self.discriminate(inputs, others[0], seen, optimizers)
        return found

    def reversed_logits(self, features: Tensor) -> Tensor:
        """(B, K[, H, W]) logits of C, whose gradients change their sign on the way to F."""
        if self.settings.reversal == "before":
            return self.classifier.classify(reverse_gradient(features))
        logits: Tensor = self.classifier.head(reverse_gradient(self.classifier.neck(features)))
        return logits

    def discriminate(
        self, inputs: Tensor, others: Tensor, seen: tuple[Tensor, ...], optimizers: Sequence[Optimizer]
    ) -> Tensor:
        """D's step on (B, F[, h, w]) features of labeled `inputs` and unlabeled `others`, those that the round's passes
        gave (`seen`); its loss.

        Where D shall move F, on new ones. Where unlabeled inputs train nothing else, always on those in eval mode, so
        that batch norm does not see them.
        """
        assert self.discriminator is not None
        if self.settings.d_to_f == "adversarial":
            both = [reverse_gradient(self.classifier.features(part)) for part in (inputs, others)]
            loss = losses.labeledness_loss(*(self.discriminator(part) for part in both))
            self.update(optimizers[2], loss, optimizers[0])
            return loss.detach()
        if self.settings.discriminator_reads == "eval" or len(seen) < 2:
            with evaluating(self.classifier), torch.no_grad():
                seen = tuple(self.classifier.features(part) for part in (inputs, others))
        loss = losses.labeledness_loss(*(self.discriminator(part.detach()) for part in seen))
        self.update(optimizers[2], loss)
        return loss.detach()

    def configure_optimizers(self) -> list[Optimizer]:
        """F's, C's and D's."""
        found = [self.optimizer_of(self.settings.optimizer, self.classifier.backbone)]
        found.append(self.optimizer_of(self.settings.classifier_optimizer, self._prototypes()))
        if self.discriminator is not None:
            found.append(self.optimizer_of(self.settings.discriminator_optimizer, self.discriminator))
        return found

    def _prototypes(self) -> torch.nn.ModuleList:
        """C."""
        return torch.nn.ModuleList([self.classifier.neck, self.classifier.head])
