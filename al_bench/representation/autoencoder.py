"""Images replaced by the codes of an auto-encoder that was trained on the pool."""

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

import torch

from al_bench.active.inputs import to_float
from al_bench.active.part import declare
from al_bench.dataset import Dataset, Split
from al_bench.errors import UserError
from al_bench.feature import Feature
from al_bench.network.predict import BATCH_SIZE
from al_bench.representation import Representation
from al_bench.storage.artifacts import Artifacts


@declare("representation/autoencoder")
class Codes(Representation):
    """(N, C, H, W) images to (N, D) codes of `feature`, in every split.

    feature: such as an auto-encoder, trained once on the training images and stored.
    """

    gives_images: ClassVar[bool] = False

    def __init__(self, feature: Feature) -> None:
        if feature.follows_model:
            raise UserError("representation.feature follows the model, which reads what it gives: use autoencoder")
        self.feature = feature

    def shape(self, image_shape: Sequence[int]) -> tuple[int, ...]:
        return (self.feature.size(image_shape),)

    def apply(self, dataset: Dataset, artifacts: Artifacts) -> Dataset:
        self.feature.prepare(dataset.blind(), artifacts)
        validation = self._coded(dataset.validation) if dataset.validation else None
        return replace(dataset, train=self._coded(dataset.train), validation=validation, test=self._coded(dataset.test))

    def _coded(self, split: Split) -> Split:
        places = torch.arange(len(split), device=split.images.device)
        batches = [places[first : first + BATCH_SIZE] for first in range(0, len(split), BATCH_SIZE)]
        with torch.no_grad():
            codes = [self.feature.extract(to_float(split.images[batch]), None) for batch in batches]
        return replace(split, images=torch.cat(codes))
