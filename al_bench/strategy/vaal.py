"""VAAL: a variational auto-encoder and a discriminator of its latents, which looks for what is unlike the labeled
images (Sinha et al. 2019), as MAL compares with it."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Optimizer

from al_bench import seeding
from al_bench.active import scores
from al_bench.active.inputs import fingerprint, to_float
from al_bench.active.metric import Recorded
from al_bench.active.part import declare, describe
from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.active.ranking import quantiles, ranks
from al_bench.config.ranges import BatchSize, Iterations, ModerateOrZero, Precision, Side, Width
from al_bench.dataset import Dataset
from al_bench.errors import UserError
from al_bench.network import Network
from al_bench.network.conv_vae import ConvVae
from al_bench.network.dry_run import norms_alone
from al_bench.network.predict import batch_statistics, evaluating, predict, stream
from al_bench.storage.artifacts import Artifacts, Made
from al_bench.strategy import Strategy
from al_bench.strategy.ranking import query_highest
from al_bench.training.batches import Augmentation, try_on_zeros
from al_bench.training.both_kinds import Batch, BothKinds
from al_bench.training.cost import measure_apart
from al_bench.training.fit import Fitter
from al_bench.training.loss_record import Losses
from al_bench.training.losses import labeledness_loss, raised
from al_bench.training.module import Module, TrainerFactory, frozen


@declare("strategy/vaal")
@dataclass(frozen=True)
class Vaal(Strategy):
    """Asks for the unlabeled images that the discriminator is surest are unlabeled. Auto-encoder and discriminator are
    trained anew for each query, apart from the model, which takes nothing from them.

    A round is two steps of the auto-encoder, each on a batch of labeled and one of unlabeled images, and one step of
    the discriminator on the second pair. The auto-encoder lowers the error of both, their divergence from the prior
    times `beta`, and, times `adversarial_weight`, the cross entropy of a discriminator that calls both labeled.

    vae: factory of (image_shape) -> auto-encoder. hidden: units of the discriminator, z-hidden-...-1, of means of
    latents. passes: over the pool, which give the number of rounds; iterations: at most so many, None for no bound.
    balance: "code", squared errors averaged and the divergence summed over the whole batch, or "elbo", both summed over
    what an image has of them and averaged over images. image_size: side that images are resized to. query_reads:
    "train", batch norm takes the statistics of batches of unlabeled images, drawn anew, as the discriminator was
    trained on them, and of labeled ones apart; "eval", running statistics of both.

    What is kept is not the two networks but the discriminator's answers, an artifact of the images, the labeled
    positions in their order, the seed and these settings; what making them took is the query's cost, whoever made them.
    A chosen image's trace: its answer, and whether the model's entropy alone would have chosen it, 1 or 0; beside these
    quantiles of the answers over unlabeled and labeled images.
    """

    vae: Callable[..., ConvVae]
    optimizer: Callable[..., Optimizer]
    discriminator_optimizer: Callable[..., Optimizer]
    hidden: Sequence[Width]
    passes: Iterations
    iterations: Iterations | None
    batch_size: BatchSize
    beta: ModerateOrZero
    adversarial_weight: ModerateOrZero
    balance: Literal["code", "elbo"]
    image_size: Side
    query_reads: Literal["train", "eval"]
    augmentation: Augmentation | None = None
    precision: Precision = "32-true"
    trainer: TrainerFactory | None = field(default=None, metadata={"identity": False})
    needs_images: ClassVar[bool] = True
    order_invariant: ClassVar[bool] = False  # an image's batches follow from its position
    records: ClassVar[tuple[Recorded, ...]] = (
        Recorded("labeledness", "D's logit of being labeled"),
        Recorded("by_entropy", "share that the model's entropy alone would have chosen"),
        Recorded("labeledness_of_pool", "D's logits of unlabeled images"),
        Recorded("labeledness_of_labeled", "D's logits of labeled images"),
    )

    def check(self, pool: Pool, labeled: float) -> None:
        image_shape = pool.inputs.shape[1:]
        if self.augmentation is not None:
            try_on_zeros(self.augmentation, image_shape)
        game = self._untrained(image_shape[0], seed=0)
        if self.batch_size < 2 and self._least(game, image_shape[0]) > 1:
            raise UserError(
                f"strategy.batch_size={self.batch_size} is too small for the batch norm of VAAL's auto-encoder at "
                f"strategy.image_size={self.image_size}: give 2 or more, or strategy.image_size=32"
            )

    def prepare(self, dataset: Dataset, artifacts: Artifacts) -> None:
        """Keeps where the answers of each query are stored."""
        object.__setattr__(self, "_artifacts", artifacts)

    def query(self, model: Network, pool: Pool, size: int, rng: torch.Generator) -> PoolQuery:
        seed = int(torch.randint(2**62, (), generator=rng))
        artifacts: Artifacts = self._artifacts  # type: ignore[attr-defined]
        positions = hashlib.sha256(pool.labeled.cpu().numpy().tobytes()).hexdigest()[:16]  # batches follow their order
        spec = {"vaal": describe(self), "images": fingerprint(pool.inputs), "labeled": positions, "seed": seed}
        if pool.withheld is not None:
            spec["withheld"] = hashlib.sha256(pool.withheld.sort().values.cpu().numpy().tobytes()).hexdigest()[:16]
        made = artifacts.get("vaal", spec, partial(self._answers, pool, seed), charged=True)
        answers = made["answers"].to(pool.device)
        query = query_highest(-answers[pool.unlabeled], pool.unlabeled, size, rng)
        with measure_apart("record"):
            uncertainty = torch.full_like(answers, torch.inf)
            found = predict(model, pool.inputs, pool.unlabeled, scores.entropy)
            uncertainty[pool.unlabeled] = -found.to(uncertainty)
            trace = {
                "labeledness": answers[query.indices],
                "by_entropy": (ranks(uncertainty)[query.indices] < size).float(),
                "labeledness_of_pool": quantiles(answers[pool.unlabeled], size),
                "labeledness_of_labeled": quantiles(answers[pool.labeled], size),
            }
        return replace(query, trace=trace)

    def _answers(self, pool: Pool, seed: int, scratch: Path) -> Made:
        """(N,) logits of being labeled of the whole pool."""
        game = self._untrained(pool.inputs.shape[1], seed)
        least = self._least(game, pool.inputs.shape[1])
        batches = BothKinds(pool, self.rounds(len(pool)), self.batch_size, seed, self.augmentation, least)
        trace = Fitter(pool.device, self.precision, self.trainer).fit(
            game, batches, seed=seeding.seed_for(seed, 0, "training"), name="VAAL", scratch=scratch
        )
        return {"answers": self._read(game, pool, seeding.seed_for(seed, 0, "answers"), least)}, trace

    def _read(self, game: "Game", pool: Pool, seed: int, least: int) -> Tensor:
        """(N,) logits of being labeled; by batches' statistics 0 of images that are neither. least: as of `_least`."""
        if self.query_reads == "eval":
            return torch.cat(list(stream(game.labeledness, game, pool.inputs)))
        rng = seeding.generator(seed)
        answers = torch.zeros(len(pool), device=pool.device)
        for kind in (pool.labeled, pool.unlabeled):
            order = kind[torch.randperm(len(kind), generator=rng).to(kind.device)]
            parts = max(1, -(-len(kind) // self.batch_size))  # of equal sizes: none of a few images
            for part in order.tensor_split(parts):
                images = torch.cat(list(stream(game.sized, game, pool.inputs, part)))
                images = images.repeat(max(1, least // len(part)), 1, 1, 1)
                with evaluating(game), batch_statistics(game), torch.no_grad():
                    answers[part] = game.answer(images)[: len(part)]
        return answers

    def _untrained(self, num_channels: int, seed: int) -> "Game":
        """Raises UserError where the auto-encoder takes no images of that size."""
        with seeding.fork(seeding.seed_for(seed, 0, "weights")):
            vae = self.vae(image_shape=(num_channels, self.image_size, self.image_size))
            return Game(vae, _discriminator(vae.latent_size, self.hidden), self)

    def _least(self, game: "Game", num_channels: int) -> int:
        """Images that a batch needs, for the batch norm that may see one position of each on the way to its code."""
        shape = (num_channels, self.image_size, self.image_size)
        return 1 if norms_alone(game.vae.encoder, shape, "strategy.vae") else 2

    def rounds(self, num_images: int) -> int:
        """Iterations of the whole training, as many whatever the number of labels (sinhasam/vaal, main.py). num_images:
        of the pool."""
        wanted = max(1, self.passes * num_images // self.batch_size)
        return wanted if self.iterations is None else min(wanted, self.iterations)


class Game(Module):
    """The auto-encoder and the discriminator of its latents, trained on batches of (R, B, C, H, W) uint8 labeled images
    and as many unlabeled ones: R steps of the auto-encoder to one of the discriminator (sinhasam/vaal)."""

    def __init__(self, vae: ConvVae, discriminator: nn.Module, settings: Vaal) -> None:
        super().__init__()
        self.vae, self.discriminator, self.settings = vae, discriminator, settings

    def step(self, batch: Batch, optimizers: Sequence[Optimizer]) -> Losses:
        found = {}
        for labeled, unlabeled in zip(*batch, strict=True):
            kinds = [self.sized(to_float(labeled)), self.sized(to_float(unlabeled))]
            with frozen(self.discriminator):
                loss = self.vae_loss(kinds)
                self.update(optimizers[0], loss)
            found["vae"] = loss.detach()
        with torch.no_grad():
            means = [self.vae.encode(images)[0] for images in kinds]
        loss = labeledness_loss(*(self.discriminator(mean).squeeze(1) for mean in means))
        self.update(optimizers[1], loss)
        return {**found, "labeledness": loss.detach()}

    def vae_loss(self, kinds: Sequence[Tensor]) -> Tensor:
        """What the auto-encoder lowers: reconstruction of both kinds, and both taken for labeled (docs/papers/mal.md).
        kinds: labeled and unlabeled images, (B, C, S, S) in [-1, 1] each."""
        loss = kinds[0].new_zeros(())
        for images in kinds:
            reconstructed, mean, log_variance = self.vae(images)
            loss = loss + self.reconstruction(reconstructed, images, mean, log_variance)
            fooled = functional.softplus(-raised(self.discriminator(mean))).mean()  # cross entropy of "labeled"
            loss = loss + self.settings.adversarial_weight * fooled
        return loss

    def reconstruction(self, reconstructed: Tensor, images: Tensor, mean: Tensor, log_variance: Tensor) -> Tensor:
        """Squared error plus beta times the divergence of the latents from N(0, I). reconstructed, images:
        (B, C, S, S); mean, log_variance: (B, z)."""
        reconstructed, mean, log_variance = map(raised, (reconstructed, mean, log_variance))
        divergence = -0.5 * (1 + log_variance - mean.square() - log_variance.exp()).sum()
        squares = (reconstructed - images).square()
        if self.settings.balance == "code":
            return squares.mean() + self.settings.beta * divergence
        return (squares.sum() + self.settings.beta * divergence) / len(images)

    def labeledness(self, images: Tensor) -> Tensor:
        """(B, C, H, W) float images in [0, 1] to (B,) logits of being labeled."""
        return self.answer(self.sized(images))

    def answer(self, images: Tensor) -> Tensor:
        """(B, C, S, S) images in [-1, 1] to (B,) logits of being labeled."""
        mean, _ = self.vae.encode(images)
        answers: Tensor = self.discriminator(mean)
        return answers.squeeze(1)

    def sized(self, images: Tensor) -> Tensor:
        """(B, C, H, W) float images in [0, 1] to (B, C, S, S) in [-1, 1]."""
        size = self.settings.image_size
        if images.shape[2:] != (size, size):
            images = functional.interpolate(images, (size, size), mode="bilinear", antialias=True, align_corners=False)
        return images * 2 - 1

    def configure_optimizers(self) -> list[Optimizer]:
        """The auto-encoder's first."""
        factories = (self.settings.optimizer, self.settings.discriminator_optimizer)
        parts = (self.vae, self.discriminator)
        return [self.optimizer_of(factory, part) for factory, part in zip(factories, parts, strict=True)]


def _discriminator(latent_size: int, hidden: Sequence[int]) -> nn.Sequential:
    """(B, z) latents to (B, 1) logits, Kaiming's weights (sinhasam/vaal, model.py)."""
    layers: list[nn.Module] = []
    for before, after in zip([latent_size, *hidden], [*hidden, 1], strict=True):
        layer = nn.Linear(before, after)
        nn.init.kaiming_normal_(layer.weight)
        nn.init.zeros_(layer.bias)
        layers += [layer, nn.ReLU(inplace=True)]
    return nn.Sequential(*layers[:-1])
