"""Models of one channel a class, so that an image's pixels are its logits, spread from 0 to SPREAD."""

import math

import pytest
import torch
from torch import Tensor, nn
from torchmetrics.classification import MulticlassCalibrationError

from al_bench.dataset import Dataset, Split
from al_bench.evaluator.accuracy import Accuracy
from al_bench.network import Network
from al_bench.network.predict import stream
from al_bench.seeding import generator

CLASSES = 3
SPREAD = 4.0


def model() -> Network:
    last = nn.Conv2d(CLASSES, CLASSES, 1, bias=False)
    last.weight.data = SPREAD * torch.eye(CLASSES)[:, :, None, None]
    return Network(nn.Identity(), nn.Identity(), nn.Sequential(last, nn.Flatten()))


def dataset_of(pixels: Tensor, labels: Tensor) -> Dataset:
    """pixels: (N, K) uint8."""
    split = Split(pixels[:, :, None, None], labels)
    return Dataset(split, None, split, CLASSES, tuple("abc"))


def random_task() -> Dataset:
    """More images than two batches; three labels of four are drawn from what the model predicts."""
    rng = generator(0)
    pixels = torch.randint(256, (300, CLASSES), generator=rng).to(torch.uint8)
    probs = (SPREAD * pixels / 255).softmax(1)
    labels = torch.multinomial(probs, 1, generator=rng).squeeze(1)
    labels[::4] = torch.randint(CLASSES, (75,), generator=rng)
    return dataset_of(pixels, labels)


def probabilities(dataset: Dataset) -> list[list[float]]:
    probs: list[list[float]] = (SPREAD * dataset.test.images[:].flatten(1).double() / 255).softmax(1).tolist()
    return probs


@pytest.mark.parametrize("bins", [1, 4, 15])
def test_calibration_error_agrees_with_bins_by_hand(bins: int) -> None:
    """Naeini et al. 2015: the share of images in each bin of confidence, times |accuracy - mean confidence| there."""
    dataset = random_task()
    binned: list[list[tuple[float, bool]]] = [[] for _ in range(bins)]
    for probs, label in zip(probabilities(dataset), dataset.test.labels.tolist(), strict=True):
        confidence = max(probs)
        binned[min(int(confidence * bins), bins - 1)].append((confidence, probs.index(confidence) == label))
    expected = 0.0
    for members in filter(None, binned):
        confidence, accuracy = (sum(column) / len(members) for column in zip(*members, strict=True))
        expected += len(members) / len(dataset.test) * abs(accuracy - confidence)
    assert Accuracy(bins).evaluate(model(), dataset).metrics["calibration_error"] == pytest.approx(expected, abs=1e-6)


def test_calibration_error_is_exactly_that_of_all_probabilities() -> None:
    dataset, network = random_task(), model()
    whole = MulticlassCalibrationError(CLASSES, n_bins=15, norm="l1")
    logits = torch.cat(list(stream(network, network, dataset.test.images)))
    whole.update(logits.softmax(1), dataset.test.classes)
    assert Accuracy().evaluate(network, dataset).metrics["calibration_error"] == float(whole.compute())


def test_calibration_error_is_the_mean_gap_of_its_bins() -> None:
    """One bin of images sure and wrong, one of images undecided (p = 1/3 each) and right: gaps of p and 2/3."""
    sure = torch.tensor([[255, 0, 0]]).repeat(2, 1)
    undecided = torch.zeros(6, CLASSES, dtype=torch.int64)
    dataset = dataset_of(torch.cat([sure, undecided]).to(torch.uint8), torch.tensor([1, 1, 0, 0, 0, 0, 0, 0]))
    confidence = math.exp(SPREAD) / (math.exp(SPREAD) + 2)
    expected = 2 / 8 * confidence + 6 / 8 * 2 / 3
    assert Accuracy().evaluate(model(), dataset).metrics["calibration_error"] == pytest.approx(expected)


def test_negative_log_likelihood_is_the_mean_over_images() -> None:
    dataset = random_task()
    each = [-math.log(row[label]) for row, label in zip(probabilities(dataset), dataset.test.labels, strict=True)]
    metrics = Accuracy().evaluate(model(), dataset).metrics
    assert metrics["negative_log_likelihood"] == pytest.approx(sum(each) / 300)


def test_accuracy_of_each_class_and_of_all_agree_with_counting() -> None:
    dataset = random_task()
    labels = dataset.test.labels.tolist()
    right = [row.index(max(row)) == label for row, label in zip(probabilities(dataset), labels, strict=True)]
    of_class = [[hit for hit, label in zip(right, labels, strict=True) if label == k] for k in range(CLASSES)]
    metrics = Accuracy().evaluate(model(), dataset).metrics
    assert metrics["accuracy"] == pytest.approx(sum(right) / 300)
    assert metrics["class_accuracy"] == pytest.approx([sum(hits) / len(hits) for hits in of_class])
