"""F_auto of ASAL (Sec. 3.2): the code of an auto-encoder trained on the pool."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from al_bench import seeding
from al_bench.active.inputs import Inputs, fingerprint, to_float
from al_bench.active.part import declare, describe
from al_bench.config.ranges import BatchSize, Epochs, Iterations, Precision, Seed
from al_bench.dataset import Dataset
from al_bench.errors import UserError
from al_bench.feature import Feature
from al_bench.network import AutoencoderNetwork, Network
from al_bench.storage.artifacts import Artifacts
from al_bench.training.fit import Fitter
from al_bench.training.image_batches import ImageBatches
from al_bench.training.loss_record import Losses, Trace
from al_bench.training.module import Module, TrainerFactory


@declare("feature/autoencoder")
@dataclass(eq=False)
class Autoencoder(Feature):
    """How the auto-encoder is trained and, once prepared, its codes.

    network: factory of (image_shape) -> auto-encoder. optimizer: of (parameters) -> optimizer. epochs: of whole
    batches; None where the length is given by `iterations`, which are batches. seed: of the auto-encoder itself; it is
    trained once and shared by runs of every seed. trained_network is None until `prepare`.
    """

    network: Callable[..., AutoencoderNetwork]
    optimizer: Callable[..., Optimizer]
    epochs: Epochs | None
    batch_size: BatchSize
    iterations: Iterations | None = None
    precision: Precision = "32-true"
    seed: Seed = 0
    trainer: TrainerFactory | None = field(default=None, metadata={"identity": False})
    trained_network: AutoencoderNetwork | None = field(default=None, init=False, metadata={"identity": False})

    def __post_init__(self) -> None:
        if (self.epochs is None) == (self.iterations is None):
            raise UserError(
                f"the auto-encoder's length is given by epochs={self.epochs} and iterations={self.iterations}: set one "
                "of them and the other to null"
            )

    def prepare(self, dataset: Dataset, artifacts: Artifacts) -> None:
        """Trains the auto-encoder on the pool's images, or takes the stored one."""
        self.trained_network = self.trained(dataset, artifacts)

    def size(self, image_shape: Sequence[int]) -> int:
        """Of the code, which the untrained encoder already has."""
        with torch.no_grad():
            return self.untrained(image_shape).encode(torch.zeros(1, *image_shape)).shape[1]

    def extract(self, images: Tensor, model: Network | None) -> Tensor:
        """(B, C, H, W) float images to codes (B, D)."""
        assert self.trained_network is not None, "prepare comes first"
        return self.trained_network.encode(images)

    def untrained(self, image_shape: Sequence[int]) -> AutoencoderNetwork:
        """An auto-encoder of (C, H, W) images, its weights drawn by its own seed."""
        with seeding.fork(seeding.seed_for(self.seed, 0, "autoencoder weights")):
            return self.network(image_shape=tuple(image_shape))

    def fit(self, images: Inputs, scratch: Path | None = None) -> tuple[AutoencoderNetwork, Trace]:
        """Trains on (N, C, H, W) images; returns the auto-encoder and the losses of every 50 steps."""
        network = self.untrained(images.shape[1:])
        batches = ImageBatches(
            images,
            batch_size=self.batch_size,
            steps=self.steps(len(images)),
            seed=seeding.seed_for(self.seed, 0, "autoencoder batches"),
        )
        trace = Fitter(images.device, self.precision, self.trainer).fit(
            Reconstruction(network, self.optimizer),
            batches,
            seed=seeding.seed_for(self.seed, 0, "autoencoder training"),
            name=type(self).__name__,
            scratch=scratch,
        )
        return network, trace

    def steps(self, num_images: int) -> int:
        """Optimizer steps of the whole training."""
        if self.epochs is None:
            assert self.iterations is not None
            return self.iterations
        return self.epochs * max(1, num_images // self.batch_size)

    def trained(self, dataset: Dataset, artifacts: Artifacts) -> AutoencoderNetwork:
        """The auto-encoder of a data set's training images, trained once and stored. It takes no gradient and is in
        eval mode, on the images' device."""
        images = dataset.train.images
        spec = {"autoencoder": describe(self), "images": fingerprint(images)}
        untrained = self.untrained(images.shape[1:])
        return artifacts.train_once("autoencoder", spec, untrained, partial(self.fit, images), images.device)


class Reconstruction(Module):
    """Squared error, summed over pixels, its mean over images (ASAL Sec. 3.2)."""

    def __init__(self, network: nn.Module, optimizer: Callable[..., Optimizer]) -> None:
        super().__init__()
        self.network, self.make_optimizer = network, optimizer

    def step(self, batch: Tensor, optimizers: Sequence[Optimizer]) -> Losses:
        """batch: (1, B, C, H, W) uint8 images."""
        images = to_float(batch[0])
        loss = (self.network(images) - images).square().flatten(1).sum(1).mean()
        self.update(optimizers[0], loss)
        return {"squared_error": loss.detach()}

    def configure_optimizers(self) -> list[Optimizer]:
        """One, of the whole network."""
        return [self.optimizer_of(self.make_optimizer, self.network)]
