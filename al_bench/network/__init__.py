"""Architectures: what a network is to everything else.

A network is made by a `_partial_` node with `input_shape` and `num_classes`, which come from the pool at run time.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar

from torch import Tensor, nn

from al_bench.config.groups import name_chosen
from al_bench.network.memory_format import channels_last

NetworkFactory = Callable[..., "Network"]  # (input_shape, num_classes) -> Network


class Network(nn.Module):
    """A classifier in three parts: backbone, neck and head, its last layer.

    backbone: inputs (B, C, H, W) or (B, D) to features (B, F) or (B, F, h, w), what adversarial learners align.
    neck: features to embeddings (B, E), or (B, E, h, w) where labels are maps.
    head: embeddings to logits (B, K) or (B, K, H, W), with K at least 2.

    Inputs are float: images in [0, 1].
    """

    provides: ClassVar[frozenset[str]] = frozenset()
    """What a strategy can ask of the model beyond logits: "embedding", "dropout" (a layer to sample with),
    "hyperplane" (two classes, logits linear in the inputs), "sample" (see `generating.Generating`)."""
    of_maps: ClassVar[bool] = False
    """Whether it answers for each pixel, and not once for an image."""
    prefix: ClassVar[str] = ""
    """What the names of the weights of the network that is evaluated begin with, among those of this model."""

    def __init__(self, backbone: nn.Module, neck: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.backbone, self.neck, self.head = backbone, neck, head
        self.convolves = any(isinstance(part, nn.Conv2d) for part in backbone.modules())

    def features(self, inputs: Tensor) -> Tensor:
        """(B, ...) float inputs to (B, F) or (B, F, h, w)."""
        features: Tensor = self.backbone(channels_last(inputs) if self.convolves else inputs)
        return features

    def classify(self, features: Tensor) -> Tensor:
        """(B, F[, h, w]) features to (B, K[, H, W]) logits."""
        logits: Tensor = self.head(self.neck(features))
        return logits

    def embed(self, inputs: Tensor) -> Tensor:
        """(B, ...) float inputs to (B, E), the input of the last layer; the mean over positions of a map."""
        embedding: Tensor = self.neck(self.features(inputs))
        return pooled(embedding)

    def embed_and_classify(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """What `embed` and `forward` give, of one pass."""
        embedding = self.neck(self.features(inputs))
        return pooled(embedding), self.head(embedding)

    def forward(self, inputs: Tensor) -> Tensor:
        """(B, ...) float inputs to the (B, K[, H, W]) logits that are evaluated."""
        return self.classify(self.features(inputs))

    def acquisition_logits(self, inputs: Tensor) -> Tensor:
        """(B, ...) float inputs to the (B, K[, H, W]) logits that strategies score; `forward` unless a learner
        trains another classifier for it (MAL's C beside its task model M)."""
        logits: Tensor = self(inputs)
        return logits


class Wrapped(Network):
    """A network and, in a subclass, what a learner adds to it; it does what the network does."""

    prefix = "network."

    def __init__(self, network: Network) -> None:
        nn.Module.__init__(self)  # the three parts are the network's, and are stored once
        self.network = network
        self.provides = network.provides  # type: ignore[misc]  # of one network, not of every one that is wrapped

    def features(self, inputs: Tensor) -> Tensor:
        return self.network.features(inputs)

    def classify(self, features: Tensor) -> Tensor:
        return self.network.classify(features)

    def embed(self, inputs: Tensor) -> Tensor:
        return self.network.embed(inputs)

    def embed_and_classify(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        return self.network.embed_and_classify(inputs)


def name_network(model: nn.Module) -> str:
    """What a user chose the network of a model by, "network=drn", whatever a learner adds to it."""
    return name_chosen(model.network if isinstance(model, Wrapped) else model)


def pooled(features: Tensor) -> Tensor:
    """(B, F[, h, w]) features to (B, F): the mean over positions of a map."""
    return features.flatten(2).mean(2) if features.dim() > 2 else features


class AutoencoderNetwork(nn.Module, ABC):
    """An encoder and its decoder; made by a `_partial_` node with `image_shape`."""

    @abstractmethod
    def encode(self, images: Tensor) -> Tensor:
        """(B, C, H, W) float images to (B, D) codes."""

    @abstractmethod
    def forward(self, images: Tensor) -> Tensor:
        """(B, C, H, W) float images to their reconstructions, float too."""
