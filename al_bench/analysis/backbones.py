"""Frozen networks by the names that a user gives: of torchvision and timm, or one of ours by the file of its model."""

import math
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from al_bench.analysis.stored_network import reads_pictures, stored_network
from al_bench.errors import UserError
from al_bench.network import Network
from al_bench.network.frozen_backbone import FrozenBackbone, Reading, normalized
from al_bench.network.published_backbone import timm_backbone, torchvision_backbone
from al_bench.storage.model_file import Featured

_MOST_PIXELS = 1 << 26  # of an image, so that a small file cannot fill the memory
_LIBRARIES = {"torchvision": torchvision_backbone, "timm": timm_backbone}


class Embedding(nn.Module):
    """The embeddings (B, E) of a network of ours, which are the inputs of its last layer."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        return self.network.embed(images)


def backbone_of(
    network: str | None, weights: str, folder: Path, image_size: int | None = None, half: bool = False
) -> FrozenBackbone:
    """The network that gives features, with its weights, on the CPU.

    network: `torchvision/NAME` or `timm/NAME`; None: the one that the file says it is of, which is the model of a run
    or a copy of it. weights: a file, as safetensors or tensors that torch wrote, or the name of published ones, fetched
    into `folder`. image_size: see `Backbone`; half: in bfloat16.

    Raises UserError where either is unknown or cannot be had, and for weights of another network.
    """
    if network is None:
        body, reading = _own(weights)
    else:
        library, _, name = network.partition("/")
        if library not in _LIBRARIES or not name:
            raise UserError(
                f"representation.network={network} says not whose it is: use torchvision/resnet18, timm/resnet18 or "
                "another name of theirs, or null for the network of a run's model"
            )
        body, reading = _LIBRARIES[library](name, weights, folder)
    if image_size is not None:
        reading = replace(reading, size=(image_size, image_size))
    return FrozenBackbone(body, reading, half)


class Featuring(nn.Module):
    """(B, C, H, W) float images to the normalized features (B, D) that a stored model reads.

    backbone: frozen; featured: what the model's file says of it.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, backbone: FrozenBackbone, featured: Featured) -> None:
        super().__init__()
        self.backbone, self.how = backbone, featured.normalize
        self.register_buffer("mean", torch.tensor(featured.mean), persistent=False)
        self.register_buffer("scale", torch.tensor(featured.scale), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        return normalized(self.backbone(images), self.how, self.mean, self.scale)


def stored_backbone(featured: Featured, size: int, weights: str | None, folder: Path) -> Featuring:
    """What stood before a stored model.

    featured: of the model's file. size: D, how many numbers the model reads. weights, folder: see `backbone_of`; None:
    what was named where it was trained. Raises UserError where they cannot be had or are others.
    """
    named = weights or featured.weights
    try:
        found = backbone_of(featured.network, named, folder)
    except UserError as error:
        raise UserError(f"its frozen network: {error}; here they are given by --weights FILE") from error
    if found.sum != featured.sum:
        raise UserError(f"weights {named} are not those that its features were made with: give these by --weights FILE")
    reading = Reading(
        featured.size, found.reading.num_channels, featured.pixel_mean, featured.pixel_std, featured.interpolation
    )
    if math.prod(featured.size) > _MOST_PIXELS or math.prod(featured.image_shape) > _MOST_PIXELS:
        raise UserError(f"it reads images of {featured.size} made of {featured.image_shape}, which are no pictures")
    featuring = Featuring(FrozenBackbone(found.body, reading), featured)
    numbers = {len(featured.mean), len(featured.scale)} if featured.normalize == "standardize" else {size}
    if featuring.backbone.size_of(featured.image_shape) != size or numbers != {size}:
        raise UserError(f"its features are not the {size} numbers that the model reads")
    return featuring


def _own(weights: str) -> tuple[nn.Module, Reading]:
    path = Path(weights).expanduser()
    if not path.is_file():
        raise UserError(
            f"representation.weights={weights} is no file that is there: name the model of a run, "
            "cycles/NNN.model.safetensors, or a network by representation.network=torchvision/NAME or timm/NAME"
        )
    try:
        network, head = stored_network(path)
    except UserError as error:
        raise UserError(
            f"representation.weights={weights} names no network ({error}): give it by "
            "representation.network=torchvision/NAME or timm/NAME"
        ) from error
    if not reads_pictures(head):
        raise UserError(
            f"representation.weights={weights} is a model of inputs {head.shape}, which are no pictures: give one of a "
            "run without representation"
        )
    return Embedding(network), Reading((head.shape[1], head.shape[2]), head.shape[0])
