"""Images replaced by the features of a network that learned elsewhere and is trained no more: for few labels."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from al_bench.active.inputs import Inputs, fingerprint, to_float
from al_bench.active.part import declare, describe
from al_bench.analysis.backbones import backbone_of
from al_bench.config.ranges import BackbonePrecision, Normalizing, Side
from al_bench.dataset import Dataset, Split
from al_bench.errors import UserError
from al_bench.network.frozen_backbone import FrozenBackbone
from al_bench.progress import progress
from al_bench.representation import Representation
from al_bench.representation.normalized import Normalization
from al_bench.sources.decoding import ahead
from al_bench.storage.artifacts import Artifacts
from al_bench.storage.model_file import Featured


@declare("representation/backbone", beside=("weights_folder",), files=("weights",))
@dataclass(frozen=True)
class Backbone(Representation):
    """(N, C, H, W) images to (N, D) float32 features, computed once for each split and stored.

    network, weights, weights_folder: see `backbone_of`. image_size: side in pixels that images are scaled to, whose
    rest is cut off evenly; None: the network's own. normalize: `standardize`, each of the D to mean 0 and deviation 1
    on the training split; `l2`, each image's to length 1; `none`. precision: `auto` is bfloat16 on a GPU and float32 on
    a CPU. Features are known by the images of their split, the network and what the file of its weights holds; in a
    folder that a person labels, those of pictures that are as they were are taken from before.
    """

    network: str | None
    weights: str | None
    weights_folder: str | Path = field(default="data/weights", metadata={"identity": False})
    image_size: Side | None = None
    normalize: Normalizing = "standardize"
    precision: BackbonePrecision = "auto"
    gives_images: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if self.weights is None:
            raise UserError(
                "representation=backbone needs weights, which representation.weights names: a file, such as the model "
                "of a run, or published ones of representation.network; without any, representation=none trains a "
                "network from scratch"
            )

    def shape(self, image_shape: Sequence[int]) -> tuple[int, ...]:
        return (self._network(torch.device("cpu")).size_of(image_shape),)

    def apply(self, dataset: Dataset, artifacts: Artifacts) -> Dataset:
        device = dataset.train.images.device
        network = self._network(device)
        found = {
            name: self._features(network, split.images, artifacts, name)
            for name, split in {"train": dataset.train, "validation": dataset.validation, "test": dataset.test}.items()
            if split is not None
        }
        normalization = Normalization.of(found["train"], self.normalize)
        splits: dict[str, Any] = {
            name: replace(_split(dataset, name), images=normalization.applied(features).to(device))
            for name, features in found.items()
        }
        return replace(dataset, **splits, featured=self._featured(network, dataset.train.images, normalization))

    def _network(self, device: torch.device) -> FrozenBackbone:
        assert self.weights is not None  # `__post_init__`
        half = self.precision == "bf16-mixed" or (self.precision == "auto" and device.type == "cuda")
        folder = Path(self.weights_folder).expanduser()
        return backbone_of(self.network, self.weights, folder, self.image_size, half).to(device)

    def _features(self, network: FrozenBackbone, images: Inputs, artifacts: Artifacts, split: str) -> Tensor:
        """(N, D) of one split, mapped from where they are stored."""
        rows = network.rows(images.device)
        plain = replace(self, normalize="standardize", precision="auto")
        spec = {
            "backbone": describe(plain),
            "weights": network.sum,
            "half_precision": network.half_precision,
            "images": fingerprint(images),
        }

        def compute(parts: Sequence[Tensor]) -> Iterator[Tensor]:
            asked = [part.to(images.device) for part in parts]
            there = len(images) - sum(map(len, asked))
            with (
                progress(f"features of {split}", len(images), "pictures", start=there) as bar,
                closing(ahead(images.__getitem__, asked, workers=1)) as batches,
                torch.no_grad(),
            ):
                for batch in batches:
                    features = network(to_float(batch))
                    if not features.isfinite().all():
                        raise UserError(self._say_lost(split, network.half_precision))
                    yield features
                    bar.advance(len(batch))

        shape = (len(images), network.size_of(images.shape[1:]))
        lost = partial(getattr, images, "away", ())  # of which a batch had nothing
        return artifacts.rows("backbone", spec, shape, rows, compute, getattr(images, "row_ids", None), lost)

    def _say_lost(self, split: str, half_precision: bool) -> str:
        use = "representation.precision=32-true, or other weights" if half_precision else "other weights"
        return f"representation.weights={self.weights} makes features of {split} that are not finite: use {use}"

    def _featured(self, network: FrozenBackbone, images: Inputs, normalization: Normalization) -> Featured:
        """What a model's file says of it, so that other pictures go the same way."""
        channels, height, width = images.shape[1:]
        return Featured(
            image_shape=(channels, height, width),
            network=self.network,
            weights=str(self.weights),
            sum=network.sum,
            size=network.reading.size,
            pixel_mean=network.reading.mean,
            pixel_std=network.reading.std,
            interpolation=network.reading.interpolation,
            normalize=self.normalize,
            mean=tuple(normalization.mean.tolist()),
            scale=tuple(normalization.scale.tolist()),
        )


def _split(dataset: Dataset, name: str) -> Split:
    split: Split = getattr(dataset, name)
    return split
