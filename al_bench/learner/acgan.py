"""Auxiliary-classifier GAN, the model that ALCG labels images for, and adversarial sampling of the fakes that train it
(ALCG Secs. 3.1 and 3.4, Alg. 1)."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from al_bench import seeding
from al_bench.active.part import declare
from al_bench.active.pool import Pool
from al_bench.config.ranges import Iterations, ModerateOrZero, Repeats
from al_bench.errors import UserError
from al_bench.gan import Gan
from al_bench.gan.game import to_real
from al_bench.learner import Learner
from al_bench.network import Network
from al_bench.network.class_conditional import ClassConditionalGan
from al_bench.network.warm_start import can_go_on
from al_bench.training import fakes, losses
from al_bench.training.class_batches import Batch, ClassBatches
from al_bench.training.fit import Fitter
from al_bench.training.image_batches import ImageBatches
from al_bench.training.loss_record import Losses
from al_bench.training.module import Module, frozen
from al_bench.training.observation import Observer

logger = logging.getLogger(__name__)


@declare("learner/acgan")
@dataclass(frozen=True, kw_only=True)
class Acgan(Learner):
    """Trains the networks of `gan`, which has class heads, on labeled images. Strategies score its classifier C.

    gan: its losses, networks, optimizers and batches; its seed plays no part. iterations: of the generator, in place of
    the GAN's own. gamma: how many times as many fakes as a batch has are drawn, of which those with the highest D(x)
    train (Sec. 3.4); 1 is regular training. fake_classes: of which fakes are drawn, "even", each that has a label as
    often, or "labeled", as often as it is labeled. select: the candidates of all classes "together", or "per_class", of
    each class as many as a batch without candidates has of it. new_fakes: whether they are drawn and chosen in
    "each_critic_step", the last of them training the generator, or once in "each_iteration". class_weight: of C's loss
    beside D's (Eq. 4); generator_class_weight: of it beside the generator's (Eq. 5). classify_fakes: whether C learns
    from fakes, too. reads: which real images D is shown, the "labeled" ones (Alg. 1, line 11) or all of the "pool".
    warm_start: whether the weights of the cycle before are gone on from; the optimizers begin anew. missing_classes: of
    which no image is labeled, "skip", they are not drawn, or "refuse".
    """

    gan: Gan | None
    iterations: Iterations | None = None
    gamma: Repeats = field(default=1, metadata={"label": True})
    fake_classes: fakes.FakeClasses = field(default="even", metadata={"label": True})
    select: fakes.Select = field(default="together", metadata={"label": True})
    new_fakes: fakes.NewFakes = field(default="each_critic_step", metadata={"label": True})
    class_weight: ModerateOrZero
    generator_class_weight: ModerateOrZero
    classify_fakes: bool
    reads: Literal["labeled", "pool"]
    warm_start: bool
    missing_classes: Literal["skip", "refuse"]
    provides: ClassVar[frozenset[str]] = frozenset({"sample"})
    trains_network: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if self.gan is None or self.gan.conditional is None:
            lacks = "gan=none" if self.gan is None else "this one has no class heads"
            raise UserError(
                f"learner=acgan trains a GAN that is told classes, and {lacks}: use gan=ac_dcgan, ac_sngan or "
                "ac_wgan_gp"
            )
        self.gan.check_told_classes()

    @property
    def trained_gan(self) -> Gan:
        """`gan`."""
        assert self.gan is not None, "`__post_init__` refuses none"
        return self.gan

    def check(self, pool: Pool) -> None:
        """Raises UserError for one label, and where a class has none and `missing_classes` is "refuse"."""
        if len(pool.training_labels()) < 2:
            raise UserError("1 labeled image is too few for batch norm: label at least 2 at first (loop.initial_size)")
        if self.missing_classes == "refuse" and (missing := _missing(pool)):
            raise UserError(
                f"{_say_missing(missing)}: label some at first (loop.initial=balanced, or a larger loop.initial_size), "
                "or use learner.missing_classes=skip"
            )

    @property
    def begins_anew(self) -> bool:
        """As `Learner` says it."""
        return not self.warm_start

    def empty(self, pool: Pool, seed: int) -> ClassConditionalGan:
        if pool.labels.dim() > 1:
            raise UserError("learner=acgan makes images of classes, and these labels are maps: use another data set")
        if len(shape := tuple(pool.inputs.shape[1:])) != 3:
            raise UserError("learner=acgan makes images, and these inputs are features: use representation=none")
        gan = self.trained_gan
        assert gan.conditional is not None, "`__post_init__` refuses none"
        with seeding.fork(seeding.seed_for(seed, 0, "weights")):
            made = gan.conditional.build(gan.generator, gan.discriminator, gan.latent_size, shape, pool.num_classes)
        gan.check_discriminator(made.critic)
        return made

    def fit(
        self,
        pool: Pool,
        previous: Network | None,
        seed: int,
        scratch: Path | None = None,
        observe: Observer | None = None,
    ) -> Network:
        self.check(pool)
        model, classes = self.empty(pool, seed), self._classes(pool)
        if self.warm_start and previous is not None and can_go_on(model, previous):
            model.load_state_dict(previous.state_dict())
            model.drawn.zero_()
        batches = self._batches(pool, seed)
        Fitter(pool.device, self.trained_gan.precision, self.trained_gan.trainer).fit(
            ConditionalGame(model, self, classes),
            batches,
            seed=seeding.seed_for(seed, 0, "training"),
            name="AC-GAN",
            scratch=scratch,
            callback=observe.watching(model, len(batches)) if observe else None,
        )
        return model

    def _classes(self, pool: Pool) -> Tensor:
        """Int64 classes that fakes are drawn of, each as often: those of which an image is labeled."""
        if missing := _missing(pool):
            them = "it" if len(missing) == 1 else "them"
            logger.warning(f"{_say_missing(missing)}: no image of {them} is drawn in this cycle")
        return fakes.classes_to_draw(pool.training_labels(), self.fake_classes)

    def _batches(self, pool: Pool, seed: int) -> ClassBatches:
        inputs, labels = pool.training_set()
        gan = self.trained_gan
        shared = {"batch_size": min(gan.batch_size, len(labels)), "steps": self.iterations or gan.iterations}
        per_step = gan.num_critic
        labeled = ImageBatches(inputs, seed=seeding.seed_for(seed, 0, "batches"), per_step=per_step, **shared)
        if self.reads == "labeled":
            return ClassBatches(labeled, labels)
        others_seed = seeding.seed_for(seed, 0, "pool batches")
        return ClassBatches(labeled, labels, ImageBatches(pool.readable, seed=others_seed, per_step=per_step, **shared))


class ConditionalGame(Module):
    """One iteration of Alg. 1, lines 10 to 15: `num_critic` steps of D and C, each on new images and, unless
    `new_fakes` says otherwise, new fakes, then one of the generator, on the fakes of the last of them.

    classes: int64, those of which fakes are drawn, each entry as often.
    """

    classes: Tensor

    def __init__(self, model: ClassConditionalGan, settings: Acgan, classes: Tensor) -> None:
        super().__init__()
        self.model, self.settings, self.gan = model, settings, settings.trained_gan
        self.schedule, self.capture = self.gan.schedule, self.gan.capture
        self.register_buffer("classes", classes, persistent=False)

    def step(self, batch: Batch, optimizers: Sequence[Optimizer]) -> Losses:
        """batch: see `ClassBatches`; images are uint8."""
        discriminator_optimizer, generator_optimizer = optimizers
        critic_steps, once = list(zip(*batch, strict=True)), self.settings.new_fakes == "each_iteration"
        for number, (images, labels, *others) in enumerate(critic_steps, start=1):
            if number == 1 or not once:
                latents, wanted = self.choose_fakes(len(images), images.device)
                with torch.set_grad_enabled(once or number == len(critic_steps)):  # the last train the generator, too
                    fake = self.model.generate(latents, wanted)
            loss, class_loss = self.losses_of_critic(images, labels, others, fake.detach(), wanted)
            self.update(discriminator_optimizer, loss + self.settings.class_weight * class_loss)
            self.model.drawn.index_add_(0, wanted, torch.ones_like(wanted))
        with frozen(self.model.critic, self.model.head):
            values, logits = self.model.judge(fake)
            generator_loss = self.gan.generator_loss_of(values)
            generator_class_loss = losses.cross_entropy(logits, wanted)
            weighted = self.settings.generator_class_weight * generator_class_loss
            self.update(generator_optimizer, generator_loss + weighted)
        return {
            "discriminator_loss": loss.detach(),
            "class_loss": class_loss.detach(),
            "generator_loss": generator_loss.detach(),
            "generator_class_loss": generator_class_loss.detach(),
        }

    def losses_of_critic(
        self, images: Tensor, labels: Tensor, others: Sequence[Tensor], fake: Tensor, wanted: Tensor
    ) -> tuple[Tensor, Tensor]:
        """What D minimises, and what C does (minus Eq. 1, Eq. 2).

        images, labels: the labeled ones of a step; others: images of the pool that D is shown in their place, if any;
        fake, wanted: (B, C, H, W) generated images and their (B,) classes.
        """
        real = to_real(images, self.gan.dequantize)
        of_real, logits = self.model.judge(real)
        if others:
            real = to_real(others[0], self.gan.dequantize)
            of_real = self.model.critic(real)
        of_fake, fake_logits = self.model.judge(fake)
        loss = self.gan.discriminator_loss_of(of_real, of_fake) + self.gan.penalty(self.model.critic, real, fake)
        class_loss = losses.cross_entropy(logits, labels)
        if self.settings.classify_fakes:
            class_loss = class_loss + losses.cross_entropy(fake_logits, wanted)
        return loss, class_loss

    def choose_fakes(self, count: int, device: torch.device) -> tuple[Tensor, Tensor]:
        """(count, Z) latents and (count,) classes of the fakes that train: of `gamma` times as many candidates those of
        highest D(x), of all classes together or of each class, in the order in which they were drawn (Sec. 3.4)."""
        gamma, per_class = self.settings.gamma, self.settings.select == "per_class"
        latents = torch.randn(count * gamma, self.model.latent_size, device=device)
        drawn = count if per_class else count * gamma
        wanted = self.classes[torch.randint(len(self.classes), (drawn,), device=device)]
        if gamma == 1:
            return latents, wanted
        if per_class:
            wanted = wanted.repeat_interleave(gamma)
        ranked = self.rank(latents, wanted)
        best = fakes.first_of_each_class(ranked, wanted, gamma) if per_class else ranked[:count]
        chosen = best.sort().values
        return latents[chosen], wanted[chosen]

    def rank(self, latents: Tensor, wanted: Tensor) -> Tensor:
        """As `fakes.rank` does it."""
        return fakes.rank(self.model, latents, wanted)

    def configure_optimizers(self) -> list[Optimizer]:
        """That of D and C first."""
        shared = nn.ModuleList([self.model.critic, self.model.head])
        made = nn.ModuleList([self.model.generator, self.model.code])
        return [
            self.optimizer_of(self.gan.discriminator_optimizer, shared),
            self.optimizer_of(self.gan.generator_optimizer, made),
        ]


def _missing(pool: Pool) -> list[int]:
    """The classes of which no image is labeled."""
    return [number for number, count in enumerate(pool.class_counts()) if count == 0]


def _say_missing(classes: Sequence[int]) -> str:
    listed = ", ".join(map(str, classes[:10])) + (f" and {len(classes) - 10} more" if len(classes) > 10 else "")
    return f"no image of {'class' if len(classes) == 1 else 'classes'} {listed} is labeled"
