"""Whether an image's match bears the label that an annotator gives the image (ASAL Fig. 7, B.1)."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from al_bench import seeding
from al_bench.active.inputs import Inputs, as_stored
from al_bench.active.part import declare
from al_bench.active.pool import UNKNOWN
from al_bench.config.ranges import Samples, Seed, Width
from al_bench.dataset import Dataset
from al_bench.evaluator import Evaluator
from al_bench.evaluator.judging import Judge, answer, measure_judge, refuse_for_judge
from al_bench.feature import Feature
from al_bench.feature.pca import fit_pca
from al_bench.gan import Gan, GanNetworks
from al_bench.matcher import Matcher
from al_bench.network.predict import stream
from al_bench.procedure import Procedure
from al_bench.procedure.compatibility import require_fixed
from al_bench.procedure.loop import finite
from al_bench.procedure.record import record_measurement
from al_bench.procedure.samples import draw_samples
from al_bench.procedure.terminal import outcome
from al_bench.storage.artifacts import Artifacts
from al_bench.storage.store import RunStore
from al_bench.training.cost import measure_cost
from al_bench.training.device import chosen_device

logger = logging.getLogger(__name__)


@declare(
    "procedure/agreement",
    beside=(
        "artifacts",
        "device",
    ),
)
class Agreement(Procedure):
    """Labels `samples` synthetic images, and compares each label with that of the image's nearest in the whole pool.

    The images are draws of the prior: B.1 says "generated samples" and names no objective. Nearest is meant with
    replacement, as each image is compared with "the closest match". judge: in the place of the paper's annotators; an
    image that it is not sure of is left out, and counted. pca_size: dimensions that matching takes place in. seed: of
    the draw.
    """

    def __init__(
        self,
        dataset: Dataset,
        gan: Gan | None,
        feature: Feature | None,
        matcher: Matcher,
        judge: Judge,
        evaluator: Evaluator,
        samples: Samples,
        pca_size: Width,
        artifacts: str,
        device: str,
        seed: Seed,
    ) -> None:
        self.gan, self.feature = require_fixed(gan, feature, "procedure=agreement matches synthetic images")
        self.dataset, self.matcher = dataset, matcher
        refuse_for_judge(evaluator)
        self.judge, self.evaluator, self.samples, self.pca_size = judge, evaluator, samples, pca_size
        self.artifacts, self.device, self.seed = Artifacts(Path(artifacts)), device, seed

    def run(self, store: RunStore) -> None:
        dataset = self.dataset.to(chosen_device(self.device))
        self.judge.check(dataset)
        self.gan.check(dataset.train.images.shape[1:])
        self.feature.size(dataset.train.images.shape[1:])
        with measure_cost() as for_fit:
            self.judge.prepare(dataset, self.artifacts)
            networks = self.gan.trained(dataset.blind(), self.artifacts)
            self.feature.prepare(dataset.blind(), self.artifacts)
        with measure_cost() as for_query, finite(f"the matches, seed {self.seed}"):
            images = draw_samples(networks, self.samples, self.seed)
            matches = self.matches(images, networks, dataset.train.images)
        with measure_cost() as for_evaluation:
            answers = answer(self.judge, images)
            table = agreement_table(answers, dataset.train.labels[matches].cpu(), dataset.class_names)
            metrics = self.metrics(table, answers, dataset)
        costs = {"fit": for_fit, "query": for_query, "evaluate": for_evaluation}
        shown = {"generated": as_stored(images, torch.uint8), "answers": answers, "matches": matches}
        verdict, skipped = self.verdict(metrics), dataset.skipped
        store.write_measurement(record_measurement(verdict, metrics, {"classes": table}, costs, skipped), shown)
        logger.info(f"finished: {verdict}\n{outcome(store.records)}")

    def matches(self, images: Tensor, networks: GanNetworks, pool: Inputs) -> Tensor:
        """(M,) positions in the pool, one for each synthetic image."""
        pca = fit_pca(self._features(pool, networks), self.pca_size)
        self.matcher.fit(torch.cat([pca.project(part) for part in self._features(pool, networks)]))
        queries = torch.cat([pca.project(part) for part in self._features(images, networks)])
        none_taken = torch.empty(0, dtype=torch.int64)
        rng = seeding.generator(seeding.seed_for(self.seed, 0, "matches"))
        each = [self.matcher.match(query[None], none_taken, rng).indices for query in queries]
        return torch.cat(each).to(pool.device)

    def _features(self, images: Inputs, networks: GanNetworks) -> Iterator[Tensor]:
        return stream(lambda batch: self.feature.extract(batch, None), networks, images)

    def metrics(self, table: dict[str, Any], answers: Tensor, dataset: Dataset) -> dict[str, float | None]:
        """The score is the mean of the classes' own agreements (B.1), over those that the judge found at all, or
        None."""
        found = [row[3] for row in table["rows"] if row[3] is not None]
        return {
            "agreement_accuracy": sum(found) / len(found) if found else None,
            "rejected_share": float((answers == UNKNOWN).float().mean()),
            **measure_judge(self.judge, self.evaluator, dataset),
        }

    def verdict(self, metrics: dict[str, float | None]) -> str:
        """The result in a sentence."""
        if metrics["agreement_accuracy"] is None:
            return (
                f"no sample counts: the classifier in the place of annotators is sure of none of {self.samples:,} "
                f"images (procedure.judge.min_confidence={self.judge.min_confidence}), so that there is no agreement "
                "to measure; a GAN that is trained longer, or a lower min_confidence, may give one"
            )
        return (
            f"the labels of images and of their matches agree in {metrics['agreement_accuracy']:.1%}, mean of the "
            f"classes, by a classifier in the place of annotators that rejects {metrics['rejected_share']:.1%} of "
            f"{self.samples:,} images"
        )


def agreement_table(answers: Tensor, labels: Tensor, class_names: tuple[str, ...]) -> dict[str, Any]:
    """For each class how many images the annotator found in it, and how many of their matches bear that label.

    answers: (M,) classes, UNKNOWN for a rejected image; labels: (M,) of the matches.
    """
    rows = []
    for number, name in enumerate(class_names):
        matched = labels[answers == number] == number
        agree = int(matched.sum())
        rows.append([name, len(matched), agree, agree / len(matched) if len(matched) else None])
    columns = ["class", "images", "matches of this class", "agreement"]
    about = "Synthetic images by the label of the annotating classifier, and how many of their matches bear it"
    return {"about": about, "columns": columns, "rows": rows}
