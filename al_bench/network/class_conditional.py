"""A class-conditional GAN as one model: a generator that is told a class, and a discriminator D and a classifier C that
share all layers but their last (AC-GAN; ALCG Sec. 3.1 and 4.1)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from al_bench.active.part import declare
from al_bench.config.ranges import Width
from al_bench.errors import UserError
from al_bench.network import Network
from al_bench.network.critic import Critic
from al_bench.network.generating import Generating
from al_bench.network.initialization import Initialization, initialize


class OneHot(nn.Module):
    """(B,) int64 classes to (B, K) float codes."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.num_classes = num_classes

    def forward(self, classes: Tensor) -> Tensor:
        """A 1 at the class and 0 elsewhere."""
        every = torch.arange(self.num_classes, device=classes.device)
        return (classes.unsqueeze(1) == every).float()


class ClassConditionalGan(Network, Generating):
    """What a strategy scores and an evaluator of classes measures is C; what an evaluator of generation measures is the
    generator.

    backbone: D and the layers that C shares with it. head: C's last layer. generator: (B, Z + code) to images; code:
    (B,) classes to (B, code). drawn: (K,) int64, how many generated images of each class D was trained on.
    """

    drawn: Tensor

    def __init__(
        self, generator: nn.Module, code: nn.Module, critic: Critic, head: nn.Linear, latent_size: int, num_classes: int
    ) -> None:
        super().__init__(critic, nn.Identity(), head)
        self.generator, self.code, self.latent_size, self.num_classes = generator, code, latent_size, num_classes
        self.register_buffer("drawn", torch.zeros(num_classes, dtype=torch.int64))
        self.provides = frozenset({"embedding", "sample"})  # type: ignore[misc]  # no network of this name can be chosen

    @property
    def critic(self) -> Critic:
        """D."""
        assert isinstance(self.backbone, Critic)
        return self.backbone

    def features(self, inputs: Tensor) -> Tensor:
        """(B, C, H, W) float images to (B, F): what both heads read."""
        return self.critic.features(inputs)

    def generate(self, latents: Tensor, classes: Tensor) -> Tensor:
        """(B, Z) latents and (B,) int64 classes to (B, C, H, W) float images in [0, 1]."""
        images: Tensor = self.generator(torch.cat([latents, self.code(classes)], dim=1))
        return images.float()  # so that losses and interpolates are float32 in any precision

    def judge(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """(B,) values of D and (B, K) logits of C, by one pass through what they share."""
        features = self.features(images)
        return self.critic.score(features), self.classify(features).float()


@declare("network/class_heads")
@dataclass(frozen=True)
class ClassHeads:
    """How a GAN is told a class, and how it tells one.

    class_input: beside the latent the generator reads the class as "one_hot", or as a learned "embedding" of
    `embedding_size` numbers. spectral_head: whether C's last layer is spectrally normalized, too. initialization: of
    C's last layer, see `initialize`.
    """

    class_input: Literal["one_hot", "embedding"]
    embedding_size: Width
    spectral_head: bool
    initialization: Initialization

    def build(
        self,
        generator: Callable[..., nn.Module],
        discriminator: Callable[..., Critic],
        latent_size: int,
        image_shape: Sequence[int],
        num_classes: int,
    ) -> ClassConditionalGan:
        """Untrained networks for (C, H, W) images, drawn one after the other by the global generators: with another
        code, norm of the discriminator or `spectral_head` the generator begins elsewhere, too. Raises UserError for
        more classes than an embedding can tell apart.

        generator: makes one of (latent_size, image_shape); discriminator: of (image_shape).
        """
        code = self._code(num_classes)
        read = latent_size + (num_classes if isinstance(code, OneHot) else self.embedding_size)
        critic = discriminator(image_shape=tuple(image_shape))
        head = nn.Linear(critic.head.in_features, num_classes)
        initialize(head, self.initialization)
        if self.spectral_head:
            spectral_norm(head)
        made = generator(latent_size=read, image_shape=tuple(image_shape))
        return ClassConditionalGan(made, code, critic, head, latent_size, num_classes)

    def _code(self, num_classes: int) -> nn.Module:
        if self.class_input == "one_hot":
            return OneHot(num_classes)
        if num_classes > self.embedding_size:
            raise UserError(
                f"gan.conditional.embedding_size={self.embedding_size} is smaller than the {num_classes} classes, "
                f"whose codes are then not independent: use {num_classes} or more, or class_input=one_hot"
            )
        return nn.Embedding(num_classes, self.embedding_size)
