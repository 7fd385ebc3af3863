"""One setting of a learner, tried on a run's first labels: `scripts/tune.py` chooses among many."""

import logging
from dataclasses import dataclass, replace
from math import isnan, nan
from pathlib import Path

import torch

from al_bench import seeding
from al_bench.active.initial_labels import Rule
from al_bench.active.part import declare
from al_bench.active.pool import Pool
from al_bench.config.groups import name_chosen
from al_bench.config.ranges import CountOrAll, Seed, UpToAll
from al_bench.dataset import Dataset, Split
from al_bench.errors import UserError
from al_bench.evaluator import Evaluator
from al_bench.learner import Learner
from al_bench.network import Network
from al_bench.oracle import Annotator
from al_bench.procedure import Procedure
from al_bench.procedure.compatibility import refuse_other_labels, refuse_unmeasurable
from al_bench.procedure.first_labels import label_first
from al_bench.procedure.promises import fit_held, held_evaluation, refuse_dataset
from al_bench.procedure.record import record_measurement
from al_bench.procedure.terminal import outcome
from al_bench.representation import Representation
from al_bench.storage.artifacts import Artifacts
from al_bench.storage.store import RunStore
from al_bench.training.cost import measure_cost
from al_bench.training.device import chosen_device

logger = logging.getLogger(__name__)


@declare(
    "procedure/tuning",
    beside=(
        "oracle",
        "artifacts",
        "device",
    ),
)
@dataclass(frozen=True)
class Tuning(Procedure):
    """Trains the learner as the first cycle of a run of this seed would and measures it on labels that nothing counts.

    initial, every_class, initial_size: of the first labels, see `initial_indices`. validation_size: images whose labels
    the measuring reads, and early stopping where the learner has one: of the validation split, or, where a data set has
    none, of the training images that are not among the first. No test image is read. oracle: the labels are the data
    set's own, and another is refused.
    """

    dataset: Dataset
    representation: Representation
    learner: Learner
    evaluator: Evaluator
    oracle: Annotator
    initial: Rule
    every_class: bool
    initial_size: CountOrAll
    validation_size: UpToAll
    artifacts: str
    device: str
    seed: Seed

    def __post_init__(self) -> None:
        if not self.oracle.is_truth:
            raise UserError(
                f"procedure=tuning reads the data set's own labels, and {name_chosen(self.oracle)} gives others: use "
                "oracle=ground_truth"
            )

    def run(self, store: RunStore) -> None:
        refuse_dataset(replace(self.dataset, test=self.dataset.train))  # of the test nothing is read here
        images = self.dataset.to(chosen_device(self.device))
        images.refuse_unlabeled(asks=False)
        artifacts = Artifacts(Path(self.artifacts))
        dataset = self.representation.apply(images, artifacts)
        pool = self.label_first(dataset)
        held_out = self.hold_out(dataset, pool)
        measured = replace(dataset, test=held_out)
        self.refuse_misfits(measured, pool)
        self.learner.prepare(dataset.blind(), artifacts)
        self.evaluator.prepare(measured, artifacts)
        if self.learner.validates:
            pool = replace(pool, validation=(held_out.images, held_out.labels))
        with measure_cost() as for_fit:
            model = self.train(pool, store.scratch)
        with measure_cost() as for_evaluation:
            metrics = self.measure(model, measured)
        finished = self.say(metrics, pool, len(held_out))
        costs = {"fit": for_fit, "evaluate": for_evaluation}
        store.write_measurement(record_measurement(finished, metrics, {}, costs, dataset.skipped))
        logger.info(f"finished: {finished}\n{outcome(store.records)}")

    def label_first(self, dataset: Dataset) -> Pool:
        """The pool with the initial labels that a run of this seed has."""
        return label_first(dataset, self.initial_size, self.initial, self.every_class, self.seed)

    def hold_out(self, dataset: Dataset, pool: Pool) -> Split:
        """`validation_size` images with their labels, drawn at random. Raises UserError where there are fewer."""
        if dataset.validation is None:
            split, free, which = dataset.train, pool.unlabeled, "not among the first labels"
        else:
            split, which = dataset.validation, "in the validation split"
            free = torch.arange(len(split), device=pool.device)
        if self.validation_size > len(free):
            raise UserError(
                f"procedure.validation_size={self.validation_size} is more than the {len(free):,} images that are "
                f"{which}: use fewer"
            )
        rng = seeding.generator(seeding.seed_for(self.seed, 0, "validation"))
        rows = torch.randperm(len(free), generator=rng)[: self.validation_size]
        return split.subset(free[rows.to(free.device)])

    def refuse_misfits(self, measured: Dataset, pool: Pool) -> None:
        """Raises UserError where the parts do not fit together."""
        network, on_maps = self.learner.empty(pool, self.seed), bool(measured.map_shape)
        refuse_other_labels(network, pool.inputs.shape[1:], measured.map_shape)
        refuse_unmeasurable(self.evaluator, self.learner, network, on_maps)
        sizes = len(pool.labeled), len(pool.unlabeled)
        self.learner.check_batches(network, pool.inputs.shape[1:], *sizes, on_maps)
        self.learner.check(pool)
        self.evaluator.check(measured)

    def train(self, pool: Pool, scratch: Path) -> Network | None:
        """As in a run's first cycle; None, said, where a loss is not finite, which is a result: the setting is none."""
        writes = pool.writes
        try:
            fitted = self.learner.fit(pool, None, seeding.seed_for(self.seed, 0, "fit"), scratch / "setting")
            return fit_held(self.learner, fitted, pool, writes)
        except FloatingPointError as error:
            logger.warning(f"this setting, seed {self.seed}: {error}")
            return None

    def measure(self, model: Network | None, measured: Dataset) -> dict[str, float | list[float]]:
        """NaN of each metric where there is no model."""
        if model is None:
            return {metric.name: nan for metric in self.evaluator.scalars}
        return held_evaluation(self.evaluator, self.evaluator.evaluate(model, measured), len(measured.test)).metrics

    def say(self, metrics: dict[str, float | list[float]], pool: Pool, count: int) -> str:
        """The result in a sentence."""
        name, value = self.evaluator.scalars[0].name, metrics[self.evaluator.scalars[0].name]
        words, training = name.replace("_", " "), f"training on the first {pool.annotations:,}"
        if isinstance(value, float) and isnan(value):
            return f"no {words}: {training} came to a loss that is not finite"
        return f"{words} {value:.4f} on {count:,} validation labels, which are counted nowhere, after {training}"
