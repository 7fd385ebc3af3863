"""Whether a GAN counts: a classifier of real images is sure of its samples, and finds every class in its proportion."""

import logging
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from al_bench.active.inputs import as_stored
from al_bench.active.part import declare
from al_bench.config.ranges import Fraction, Moderate, Samples, Seed
from al_bench.dataset import Dataset
from al_bench.errors import UserError
from al_bench.evaluator import Evaluator
from al_bench.evaluator.judging import Judge, classify, measure_judge, refuse_for_judge
from al_bench.gan import Gan
from al_bench.procedure import Procedure
from al_bench.procedure.record import record_measurement
from al_bench.procedure.samples import draw_samples, save_grid
from al_bench.procedure.terminal import outcome
from al_bench.storage.artifacts import Artifacts
from al_bench.storage.store import RunStore
from al_bench.training.cost import measure_cost
from al_bench.training.device import chosen_device

logger = logging.getLogger(__name__)

_SHOWN, _COLUMNS = 64, 8  # of the sample grid


@declare(
    "procedure/gan_quality",
    beside=(
        "artifacts",
        "device",
    ),
)
class GanQuality(Procedure):
    """Draws `samples` images of the stored GAN of a data set and lets a classifier judge them.

    judge: trained on all real training images and labels; it is sure from its `min_confidence` on. enough: the
    fraction of samples it has to be sure of. factor: how many times its fraction in the data, or which part of it, a
    class may have among the samples, each taken for its most likely class. seed: of the draw.
    """

    def __init__(
        self,
        dataset: Dataset,
        gan: Gan | None,
        judge: Judge,
        evaluator: Evaluator,
        samples: Samples,
        enough: Fraction,
        factor: Moderate,
        artifacts: str,
        device: str,
        seed: Seed,
    ) -> None:
        if gan is None:
            raise UserError("procedure=gan_quality looks at a GAN and gan=none: choose another gan")
        refuse_for_judge(evaluator)
        self.dataset, self.gan, self.judge, self.evaluator = dataset, gan, judge, evaluator
        self.samples, self.enough, self.factor = samples, enough, factor
        self.artifacts, self.device, self.seed = Artifacts(Path(artifacts)), device, seed

    def run(self, store: RunStore) -> None:
        dataset = self.dataset.to(chosen_device(self.device))
        self.judge.check(dataset)
        self.gan.check(dataset.train.images.shape[1:])
        with measure_cost() as for_fit:
            self.judge.prepare(dataset, self.artifacts)
            networks = self.gan.trained(dataset.blind(), self.artifacts)
        with measure_cost() as for_query:
            images = as_stored(draw_samples(networks, self.samples, self.seed), torch.uint8)
        with measure_cost() as for_evaluation:
            answers, sure = classify(self.judge, images)
            table = class_table(answers, sure, dataset)
            metrics = self.metrics(sure, table, dataset)
        finished = self.verdict(metrics)
        costs = {"fit": for_fit, "query": for_query, "evaluate": for_evaluation}
        record = record_measurement(finished, metrics, {"classes": table}, costs, dataset.skipped)
        save_grid(images[:_SHOWN], store.folder / "samples.png", _COLUMNS)
        store.write_measurement(record, {"samples": images[:_SHOWN]})
        logger.info(f"finished: {finished}\n{outcome(store.records)}\nsamples: {store.folder / 'samples.png'}")

    def metrics(self, sure: Tensor, table: dict[str, Any], dataset: Dataset) -> dict[str, float | bool]:
        """`counts` is the verdict; the judge's own accuracy, and the fraction of real test images that it is sure of,
        say how much that is worth."""
        ratios = [row[3] for row in table["rows"] if row[3] is not None]
        shares_hold = all(1 / self.factor <= ratio <= self.factor for ratio in ratios)
        confident = float(sure.float().mean())
        return {
            "confident_share": confident,
            "counts": confident >= self.enough and shares_hold,
            "smallest_ratio": min(ratios),
            "largest_ratio": max(ratios),
            **measure_judge(self.judge, self.evaluator, dataset),
            "real_confident_share": float(classify(self.judge, dataset.test.images)[1].float().mean()),
        }

    def verdict(self, metrics: dict[str, float | bool]) -> str:
        """The result in a sentence."""
        return (
            f"the GAN {'counts' if metrics['counts'] else 'does not count'}: the judge is sure "
            f"({self.judge.min_confidence} or more) of {metrics['confident_share']:.1%} of {self.samples:,} samples, "
            f"where {self.enough:.0%} are asked for; classes have {metrics['smallest_ratio']:.2f} to "
            f"{metrics['largest_ratio']:.2f} times their fraction, where {1 / self.factor:.2g} to {self.factor:.2g} are"
        )


def class_table(answers: Tensor, sure: Tensor, dataset: Dataset) -> dict[str, Any]:
    """Each class's fraction of the training data, of all samples, and of those that the judge is sure of.

    answers: (N,) classes; sure: (N,) bool. The ratio is None for a class that the data do not have.
    """
    real = _shares(dataset.train.classes.cpu(), dataset.num_classes)
    samples, of_sure = _shares(answers, dataset.num_classes), _shares(answers[sure], dataset.num_classes)
    rows = [
        [name, *shares[:2], shares[1] / shares[0] if shares[0] else None, shares[2]]
        for name, *shares in zip(dataset.class_names, real, samples, of_sure, strict=True)
    ]
    columns = ["class", "share of the data", "share of the samples", "ratio", "share of the sure samples"]
    return {"about": "Classes of the samples, by the judge's most likely class", "columns": columns, "rows": rows}


def _shares(labels: Tensor, num_classes: int) -> list[float]:
    counts = torch.bincount(labels, minlength=num_classes).double()
    shares: list[float] = (counts / counts.sum().clamp(min=1)).tolist()
    return shares
