"""Segmentation: intersection over union, mean and per class, and pixel accuracy."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from al_bench.active.metric import Metric
from al_bench.active.part import declare
from al_bench.config.ranges import NoneToAll
from al_bench.dataset import Dataset
from al_bench.errors import UserError
from al_bench.evaluator import Evaluation, Evaluator, Metrics
from al_bench.network import Network
from al_bench.network.predict import stream
from al_bench.storage.artifacts import Artifacts
from al_bench.training.losses import IGNORED


@declare("evaluator/mean_iou", beside=("kept_maps",))
@dataclass(frozen=True)
class MeanIou(Evaluator):
    """Counts pixels over the whole test split; those IGNORED do not count, however they are labeled by the model.

    A class without a test pixel is NaN and stays out of the mean. kept_maps: how many test images, from the first on,
    have their predicted label map kept for the report, in every cycle.
    """

    scalars: ClassVar[tuple[Metric, ...]] = (
        Metric("mean_iou", "fraction", higher_is_better=True),
        Metric("pixel_accuracy", "fraction", higher_is_better=True),
    )
    of_maps: ClassVar[bool] = True
    kept_maps: NoneToAll = 4

    def check(self, dataset: Dataset) -> None:
        if not dataset.map_shape:
            raise UserError("evaluator=mean_iou needs label maps and this data set has classes: use accuracy")

    def prepare(self, dataset: Dataset, artifacts: Artifacts) -> None:
        self.check(dataset)

    def evaluate(self, model: Network, dataset: Dataset) -> Evaluation:
        test, num_classes = dataset.test, dataset.num_classes
        counts = torch.zeros(num_classes, num_classes, dtype=torch.int64)  # true classes in rows
        first = 0
        kept: list[Tensor] = []
        for logits in stream(model, model, test.images):
            places = torch.arange(first, first + len(logits), device=test.labels.device)
            found = logits.argmax(1)
            if first < self.kept_maps:
                kept.append(found[: self.kept_maps - first].to(torch.uint8).cpu())
            first += len(logits)
            counts += confusion(found, test.labels[places].to(logits.device), num_classes)
        hits, true_pixels = counts.diagonal(), counts.sum(1)
        iou = hits / (true_pixels + counts.sum(0) - hits)
        iou[true_pixels == 0] = torch.nan
        metrics: Metrics = {
            "mean_iou": float(iou.nanmean()),
            "pixel_accuracy": float(hits.sum() / counts.sum()),
            "iou": iou.tolist(),
        }
        return Evaluation(metrics, predicted=torch.cat(kept) if kept else None)


def confusion(found: Tensor, labels: Tensor, num_classes: int) -> Tensor:
    """(K, K) int64 pixels of each true class (rows) that were given each class (columns), on the CPU.

    found: (B, H, W) int64 classes; labels: (B, H, W) uint8 label maps, whose IGNORED pixels are in no cell.
    """
    known = labels != IGNORED
    cells = labels[known].long() * num_classes + found[known]
    return torch.bincount(cells, minlength=num_classes**2).reshape(num_classes, num_classes).cpu()
