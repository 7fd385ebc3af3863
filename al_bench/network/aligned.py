"""What MAL trains: a task model, and beside it the features, prototypes and discriminator that its query asks."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from al_bench.errors import UserError
from al_bench.network import Network, Wrapped, name_network
from al_bench.network.dropout_passes import drops
from al_bench.network.dry_run import dry_run
from al_bench.network.labeledness import LabelednessDiscriminator
from al_bench.network.predict import evaluating
from al_bench.network.prototypes import Normalization, Prototypes, UnitLength
from al_bench.network.upsampling import BilinearUpsampling

_LARGER = 64  # a multiple of the strides that there are


class Aligned(Wrapped):
    """M, the task model that is evaluated (`network`), beside what strategies ask: F and C, whose backbone, neck and
    head are F, C's first layer and the prototypes (`classifier`), and D (`discriminator`), None where there is none."""

    def __init__(self, network: Network, classifier: Network, discriminator: LabelednessDiscriminator | None) -> None:
        super().__init__(network)
        self.classifier, self.discriminator = classifier, discriminator
        # What else a network provides is said of M alone; of F and C, which strategies ask, it may not hold.
        dropout = {"dropout"} if drops(classifier) else set()
        self.provides = network.provides & {"embedding", *dropout}  # type: ignore[misc]

    def acquisition_logits(self, inputs: Tensor) -> Tensor:
        logits: Tensor = self.classifier(inputs)
        return logits

    def labeledness(self, inputs: Tensor) -> Tensor:
        """(B, ...) float inputs to (B,) logits of being labeled: the lowest is least like what is labeled."""
        return self.logits_and_labeledness(inputs)[1]

    def logits_and_labeledness(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Both of one pass: (B, K[, H, W]) logits of C and (B,) logits of being labeled."""
        assert self.discriminator is not None  # its learner says so by what it provides
        features = self.classifier.features(inputs)
        return self.classifier.classify(features), self.discriminator(features)


@dataclass(frozen=True)
class FeatureShape:
    """What a backbone gives of one input, as C and D need it.

    channels: F; positions: (h, w), () of vectors; image: (H, W) of label maps, () where labels are classes; stride:
    pixels from position to position, read off a larger image, as a small one is not a multiple of it; 0: unknown.
    """

    channels: int
    positions: tuple[int, ...]
    image: tuple[int, ...]
    stride: int = 0

    @classmethod
    def of(cls, network: Network, input_shape: tuple[int, ...], on_maps: bool) -> "FeatureShape":
        """input_shape: (C, H, W) or (D,); on_maps: whether labels are maps."""
        with evaluating(network), torch.no_grad():
            features = network.features(torch.zeros(1, *input_shape))
        positions, image = tuple(features.shape[2:]), tuple(input_shape[1:]) if on_maps else ()
        return cls(features.shape[1], positions, image, _stride(network, input_shape) if image and positions else 0)

    @property
    def upsampling(self) -> BilinearUpsampling:
        """To the size of the label maps: by the stride, or by the smallest factor that reaches it where that is larger.
        Raises UserError for vectors."""
        if not self.positions:
            raise UserError("learner=mal needs features for each position of a label map: use network=drn or small_fcn")
        ratio = max(-(-large // small) for large, small in zip(self.image, self.positions, strict=True))
        return BilinearUpsampling(max(ratio, self.stride), self.image)


def _stride(network: Network, input_shape: Sequence[int]) -> int:
    """Of a backbone's features on an image that is larger by a whole factor."""
    channels, *sides = input_shape
    large = [side * _LARGER for side in sides]
    positions = dry_run(network.backbone, (channels, *large), name_network(network))[1:]
    return max(round(pixels / found) for pixels, found in zip(large, positions, strict=True))


def add_prototypes(
    network: Network,
    shape: FeatureShape,
    num_classes: int,
    *,
    hidden: int,
    temperature: float,
    normalize: Normalization,
) -> Network:
    """F and C: a copy of the network's backbone, C's first layer of `hidden` units with bias, and prototypes.

    Label maps have no first layer (Sec. 3.2). Feature maps of inputs with one class are averaged over positions.
    """
    before: list[nn.Module] = [UnitLength()] if normalize == "features" else []
    backbone, after = copy.deepcopy(network.backbone), normalize == "embedding"
    if shape.image:
        head = Prototypes.of_maps(shape.channels, num_classes, temperature, shape.upsampling, after)
        return Network(backbone, nn.Sequential(*before), head)
    if shape.positions:
        before = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), *before]
    first = nn.Linear(shape.channels, hidden)
    return Network(
        backbone, nn.Sequential(*before, first), Prototypes.of_vectors(hidden, num_classes, temperature, after)
    )


def exchange_head(
    network: Network, input_shape: tuple[int, ...], shape: FeatureShape, num_classes: int, temperature: float
) -> None:
    """Puts prototypes in the place of the network's head: the cosine classifier of Eq. 1.

    input_shape: of one input; shape: of its features.
    """
    with evaluating(network), torch.no_grad():
        embedding = network.neck(network.features(torch.zeros(1, *input_shape)))
    if shape.image:
        positions = tuple(embedding.shape[2:])
        stride = shape.stride if positions == shape.positions else 0
        of_embedding = FeatureShape(embedding.shape[1], positions, shape.image, stride)
        network.head = Prototypes.of_maps(of_embedding.channels, num_classes, temperature, of_embedding.upsampling)
    else:
        network.head = Prototypes.of_vectors(embedding.shape[1], num_classes, temperature)
