"""Classification: accuracy, overall and per class, negative log-likelihood and calibration error."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch.nn import functional

from al_bench.active.metric import Metric
from al_bench.active.part import declare
from al_bench.config.ranges import Bins
from al_bench.dataset import Dataset
from al_bench.errors import UserError
from al_bench.evaluator import Evaluation, Evaluator, Metrics
from al_bench.network import Network
from al_bench.network.predict import stream
from al_bench.storage.artifacts import Artifacts


@declare("evaluator/accuracy")
@dataclass(frozen=True)
class Accuracy(Evaluator):
    """Measures on the test split; calibration_bins: of the expected calibration error (L1)."""

    scalars: ClassVar[tuple[Metric, ...]] = (
        Metric("accuracy", "fraction", higher_is_better=True),
        Metric("negative_log_likelihood", "nats", higher_is_better=False),
        Metric("calibration_error", "fraction", higher_is_better=False),
    )
    calibration_bins: Bins = 15

    def check(self, dataset: Dataset) -> None:
        if dataset.map_shape:
            raise UserError("evaluator=accuracy needs classes and this data set has label maps: use mean_iou")

    def prepare(self, dataset: Dataset, artifacts: Artifacts) -> None:
        self.check(dataset)

    def evaluate(self, model: Network, dataset: Dataset) -> Evaluation:
        from torchmetrics.classification import BinaryCalibrationError  # two seconds, of what measures nothing too

        test, num_classes = dataset.test, dataset.num_classes
        # of the largest probability alone: the one for many classes first looks whether all of them lie in [0, 1]
        calibration = BinaryCalibrationError(n_bins=self.calibration_bins, norm="l1")
        correct, count = torch.zeros(num_classes), torch.zeros(num_classes)
        likelihood, first = 0.0, 0
        right = torch.empty(len(test), dtype=torch.bool)  # one: a part for each batch would lie where its logits were
        for batch in stream(model, model, test.images):
            logits = batch.float().cpu()
            rows = slice(first, first + len(logits))
            labels, first = test.classes[rows].cpu(), rows.stop
            likelihood += float(functional.cross_entropy(logits, labels, reduction="sum"))
            confidences, predicted = logits.softmax(1).max(1)
            calibration.update(confidences, predicted == labels)
            right[rows] = labels == logits.argmax(1)
            count += torch.bincount(labels, minlength=num_classes)
            correct += torch.bincount(labels[right[rows]], minlength=num_classes)
        metrics: Metrics = {
            "accuracy": float(correct.sum() / count.sum()),
            "negative_log_likelihood": likelihood / first,
            "calibration_error": float(calibration.compute()),
            "class_accuracy": (correct / count).tolist(),
        }
        return Evaluation(metrics, right)
