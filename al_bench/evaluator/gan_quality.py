"""How good the images are that a model makes of each class, beside real ones (ALCG Sec. 4)."""

import logging
from typing import ClassVar, Literal, cast

import torch

from al_bench import seeding
from al_bench.active.metric import Metric, Recorded
from al_bench.active.part import declare
from al_bench.config.ranges import NoneToAll, NumpySeed, ProperFraction, Repeats, Rounds, TwoOrMore, UpToAll
from al_bench.dataset import Dataset, Split
from al_bench.errors import UserError
from al_bench.evaluator import Evaluation, Evaluator, Metrics
from al_bench.evaluator.extractor import Extract, extract_by, extract_by_inception, load_inception
from al_bench.evaluator.gan_train import ClassifierLearner, check_training, train_on
from al_bench.evaluator.generation import (
    count_modes,
    fraction_by_class,
    fractions_of,
    frechet_distance,
    inception_score,
    kernel_distance,
    precision_and_recall,
)
from al_bench.evaluator.judging import Judge
from al_bench.evaluator.made_images import Judged, MadeImages, make_images
from al_bench.evaluator.real_images import Real, know_real
from al_bench.network import Network
from al_bench.network.generating import Generating
from al_bench.storage.artifacts import Artifacts
from al_bench.training.cost import measure_apart

logger = logging.getLogger(__name__)

_MOST_KEPT = 1000  # samples that a cycle stores, but one of each class


@declare("evaluator/gan_quality", beside=("columns",), files=("inception",))
class GanQuality(Evaluator):
    """Measures `samples` images, as many of each class, from latents that are the same in every cycle and run.

    judge: a classifier of real images, trained on all of the training split and its labels, whose answers GAN-test
    (Shmelkov et al. 2018) and `modes` count. inception: a file of FID's Inception network; where it is None, the
    judge's embeddings and logits stand in for its, which the names of the scores then say (`fid_own`), and no number is
    to be compared with one of a paper.

    real: the split that samples are compared with, whole for FID; KID, precision and recall take as many of it as there
    are samples, drawn by `seed`. splits: of the Inception score. kid_subsets, kid_subset_size: see `kernel_distance`.
    neighbors: of precision and recall. mode_share: a class is a mode with a larger fraction of the samples than this.
    gan_train: trains a classifier on the samples alone, which is then measured on the test images; None: it is not
    measured. columns: of a grid of samples that is kept for a reader, a row a class; fewer where that are more than
    1,000 samples. seed: of latents and draws.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"sample"})
    scalars: ClassVar[tuple[Metric, ...]] = (
        Metric("gan_test", "fraction", higher_is_better=True, words="GAN-test"),
        Metric("inception_score", "score", higher_is_better=True, words="Inception score"),
        Metric("fid", "distance", higher_is_better=False, words="FID"),
        Metric("kid", "distance", higher_is_better=False, words="KID"),
        Metric("inception_score_own", "score", higher_is_better=True, words="IS-own"),
        Metric("fid_own", "distance", higher_is_better=False, words="FID-own"),
        Metric("kid_own", "distance", higher_is_better=False, words="KID-own"),
        Metric("gan_train", "fraction", higher_is_better=True, words="GAN-train"),
        Metric("precision", "fraction", higher_is_better=True),
        Metric("recall", "fraction", higher_is_better=True),
        Metric("modes", "classes", higher_is_better=True),
        Metric("judge_accuracy", "fraction", higher_is_better=True),
        Metric("num_samples", "images", higher_is_better=True, words="samples"),
        Metric("num_real", "images", higher_is_better=True, words="real images"),
    )
    records: ClassVar[tuple[Recorded, ...]] = (
        Recorded("class_drawn", "fraction of the fakes that trained the discriminator"),
    )
    real: Real
    extract: Extract
    judged: Judged | None

    def __init__(
        self,
        judge: Judge,
        samples: TwoOrMore,
        real: Literal["train", "test"],
        splits: Repeats,
        kid_subsets: Rounds,
        kid_subset_size: TwoOrMore,
        neighbors: UpToAll,
        mode_share: ProperFraction,
        columns: NoneToAll,
        seed: NumpySeed,
        gan_train: ClassifierLearner | None = None,
        inception: str | None = None,
    ) -> None:
        self.judge, self.gan_train, self.inception = judge, gan_train, inception
        self.samples, self.split, self.splits = samples, real, splits
        self.kid_subsets, self.kid_subset_size, self.neighbors = kid_subsets, kid_subset_size, neighbors
        self.mode_share, self.columns, self.seed = mode_share, columns, seed
        left_out = {name if inception is None else f"{name}_own" for name in ("inception_score", "fid", "kid")}
        left_out |= set() if gan_train else {"gan_train"}
        kept = [metric for metric in type(self).scalars if metric.name not in left_out]
        self.scalars = tuple(kept)  # type: ignore[misc]  # of this one, as it is configured

    def prepare(self, dataset: Dataset, artifacts: Artifacts) -> None:
        """Trains the judge and looks at the real images, where no run has yet. Raises UserError as `check` does, and
        for a file that is no Inception network."""
        self.check(dataset)
        device = dataset.train.images.device
        network = None if self.inception is None else load_inception(self.inception, device)
        self.judge.prepare(dataset, artifacts)
        own = extract_by(self.judge.model)
        self.extract = extract_by_inception(network) if network else own
        self.judged = (lambda images: own(images)[1].argmax(1)) if network else None
        images = self._real(dataset).images
        self.real = know_real(images, dataset.test, self.judge.model, network, self.samples, self.seed, artifacts)
        if uneven := _say_uneven(self._real(dataset), dataset.num_classes):
            logger.warning(uneven)
        if min(self.samples, len(images)) <= (size := len(self.real.moments.mean)):
            logger.warning(
                f"FID is of {self.samples:,} samples and {len(images):,} real images, of which one is no more than its "
                f"{size:,} features: it is higher than of many, compare runs of as many alone"
            )

    def evaluate(self, model: Network, dataset: Dataset) -> Evaluation:
        num_classes = dataset.num_classes
        columns = min(self.columns, self.samples // num_classes, max(1, _MOST_KEPT // num_classes))
        kept = self.samples if self.gan_train else columns * num_classes
        with seeding.fork(self.seed), torch.no_grad():
            made = self._make(model, num_classes, kept)
            metrics = {**self._compare(made, num_classes), **self._neighborhoods(made), **self._beside()}
        metrics["class_drawn"] = fractions_of(cast(Generating, model).drawn)
        if self.gan_train:
            with measure_apart("gan_train"):
                metrics["gan_train"] = train_on(made, dataset, self.gan_train, self.seed)
        ordered = {metric.name: metrics[metric.name] for metric in self.scalars}
        grid = made.images[: columns * num_classes].unflatten(0, (columns, num_classes)) if columns else None
        samples = None if grid is None else grid.transpose(0, 1).cpu()
        return Evaluation({**metrics, **ordered}, samples=samples, measured_by=self.real.measured_by)

    def look(self, model: Network, dataset: Dataset) -> Metrics:
        """Without GAN-train, precision and recall, which take the longest, and what is the same every time."""
        with seeding.fork(self.seed), torch.no_grad():
            return self._compare(self._make(model, dataset.num_classes, 0), dataset.num_classes)

    def check(self, dataset: Dataset) -> None:
        """Raises UserError for label maps, inputs that are no images, and numbers of images that are too small."""
        if dataset.map_shape:
            raise UserError("evaluator=gan_quality needs classes and this data set has label maps: use mean_iou")
        if len(dataset.train.images.shape) != 4:
            raise UserError(
                "evaluator=gan_quality compares images, and here they are replaced by features: use representation=none"
            )
        if dataset.unlabeled is not None:
            raise UserError(
                "evaluator=gan_quality trains a judge on known labels, which nobody has of the pictures of "
                f"dataset.root={dataset.unlabeled.root}: use a learner of classifiers and evaluator=accuracy, or leave "
                "out dataset.class_names for a folder of pictures for each class"
            )
        if self.mode_share * dataset.num_classes >= 1:
            raise UserError(
                f"evaluator.mode_share={self.mode_share} is no share that each of {dataset.num_classes} classes can "
                f"exceed: use {0.2 / dataset.num_classes:.2g}, a fifth of an even share"
            )
        least = {
            "classes of the data set": dataset.num_classes,
            "evaluator.splits": self.splits,
            "evaluator.neighbors and 1": self.neighbors + 1,
        }
        for name, number in least.items():
            if self.samples < number:
                raise UserError(
                    f"evaluator.samples={self.samples} is smaller than the {number:,} of {name}: use more samples"
                )
        if len(self._real(dataset)) <= self.neighbors:
            raise UserError(
                f"evaluator.neighbors={self.neighbors} needs more real images than the {len(self._real(dataset)):,} of "
                f"evaluator.real={self.split}: use fewer neighbors"
            )
        self.judge.check(dataset)
        if self.judge.min_confidence > 0:
            raise UserError(
                f"evaluator.judge.min_confidence={self.judge.min_confidence} withholds answers, and GAN-test asks for "
                "all: leave it at 0"
            )
        if self.gan_train is not None:
            check_training(self.gan_train, dataset, self.samples, self.seed)

    def _real(self, dataset: Dataset) -> Split:
        return dataset.train if self.split == "train" else dataset.test

    def _make(self, model: Network, num_classes: int, kept: int) -> MadeImages:
        return make_images(model, self.samples, num_classes, self.seed, kept, self.extract, self.judged)

    def _compare(self, made: MadeImages, num_classes: int) -> Metrics:
        """What is soon measured; NaN where the model makes pixels that are no finite numbers."""
        real, own = self.real, "_own" if self.inception is None else ""
        rng = seeding.generator(seeding.seed_for(self.seed, 0, "subsets"))
        size = self.kid_subset_size
        measured: Metrics = {
            "gan_test": float(made.hits.double().mean()),
            f"inception_score{own}": inception_score(made.logits, self.splits, self.seed),
            f"fid{own}": frechet_distance(real.moments, made.moments),
            f"kid{own}": kernel_distance(made.features, real.features, self.kid_subsets, size, rng),
            "modes": float(count_modes(made.answers, num_classes, self.mode_share)),
            "class_gan_test": fraction_by_class(made.hits, made.classes, num_classes),
        }
        return measured if made.finite else _without_value(measured)

    def _beside(self) -> Metrics:
        """What every evaluation has in common."""
        return {
            "judge_accuracy": self.real.judge_accuracy,
            "num_samples": float(self.samples),
            "num_real": float(self.real.moments.count),
        }

    def _neighborhoods(self, made: MadeImages) -> Metrics:
        precision, recall = precision_and_recall(made.features, self.real.features, self.neighbors)
        measured: Metrics = {"precision": precision, "recall": recall}
        return measured if made.finite else _without_value(measured)


def _say_uneven(real: Split, num_classes: int) -> str:
    """That classes are not as many each among real images as among samples, "" where they are, to a tenth."""
    counts = real.classes.bincount(minlength=num_classes)
    if int(counts.max()) * 10 <= int(counts.min()) * 11:
        return ""
    return (
        f"real images have {int(counts.min()):,} to {int(counts.max()):,} of a class, samples as many of each: FID, "
        "KID, precision and recall count that against them, whatever the samples look like"
    )


def _without_value(metrics: Metrics) -> Metrics:
    nan = float("nan")
    return {name: [nan] * len(value) if isinstance(value, list) else nan for name, value in metrics.items()}
