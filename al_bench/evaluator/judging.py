"""A classifier that was trained on all labels, in the place of a person: what it says of images and how far it goes."""

from typing import Protocol

import torch
from torch import Tensor

from al_bench.active.inputs import Inputs
from al_bench.active.pool import UNKNOWN
from al_bench.config.groups import name_chosen
from al_bench.dataset import Dataset
from al_bench.errors import UserError
from al_bench.evaluator import Evaluator
from al_bench.network import Network
from al_bench.network.predict import stream
from al_bench.storage.artifacts import Artifacts


class Judge(Protocol):
    """An oracle that answers by a model of its own (`oracle=classifier`).

    min_confidence: the probability of its answer below which it cannot tell.
    """

    min_confidence: float
    model: Network

    def check(self, dataset: Dataset) -> None:
        """Raises UserError for images that the model cannot take; trains nothing."""

    def prepare(self, dataset: Dataset, artifacts: Artifacts) -> None:
        """Trains the model, or takes the stored one."""


def refuse_for_judge(evaluator: Evaluator) -> None:
    """Raises UserError for an evaluator that asks more of a model than a judge's has, which is a plain classifier."""
    if evaluator.needs:
        name, needs = name_chosen(evaluator), ", ".join(sorted(evaluator.needs))
        raise UserError(
            f"{name} needs a model with {needs}, and this procedure measures a classifier by it: use evaluator=accuracy"
        )


def measure_judge(judge: Judge, evaluator: Evaluator, dataset: Dataset) -> dict[str, float]:
    """What the judge's word is worth: its headline metric on the test images, "judge_" before the metric's name."""
    headline = evaluator.scalars[0].name
    found = evaluator.evaluate(judge.model, dataset).metrics[headline]
    return {f"judge_{headline}": found} if isinstance(found, float) else {}


def answer(judge: Judge, images: Inputs) -> Tensor:
    """(N,) classes of (N, C, H, W) images, UNKNOWN where the judge is not sure; on the CPU."""
    classes, sure = classify(judge, images)
    return classes.masked_fill(~sure, UNKNOWN)


def classify(judge: Judge, images: Inputs) -> tuple[Tensor, Tensor]:
    """(N,) most likely classes of (N, C, H, W) images, and whether the judge is sure of them; on the CPU."""
    found = [logits.float().softmax(1).max(1) for logits in stream(judge.model, judge.model, images)]
    confidences = torch.cat([part.values for part in found]).cpu()
    return torch.cat([part.indices for part in found]).cpu(), confidences >= judge.min_confidence
