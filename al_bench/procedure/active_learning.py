"""The active learning run: its parts checked and prepared, the loop turned, the cycles told."""

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import torch

from al_bench.active.initial_labels import Rule, initial_query
from al_bench.active.metric import Metric
from al_bench.active.part import declare
from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.active.stopping import Stopping
from al_bench.config.ranges import Certainty, CountOrAll, Iterations, NoneToAll, NotAll, Seed, Signed, UpToAll
from al_bench.config.top_level import refuse_small_budget
from al_bench.dataset import Dataset
from al_bench.errors import UserError
from al_bench.evaluator import Evaluator
from al_bench.learner import Learner
from al_bench.oracle import Annotator, Person
from al_bench.procedure import Procedure
from al_bench.procedure.compatibility import refuse_misfits, refuse_other_labels, refuse_unmeasurable
from al_bench.procedure.labeling.asking import Asking
from al_bench.procedure.labeling.session import Session, refuse_file
from al_bench.procedure.labeling.source import FromPerson
from al_bench.procedure.loop import finite, run_loop
from al_bench.procedure.parts import Parts
from al_bench.procedure.promises import refuse_dataset
from al_bench.procedure.samples import save_grid
from al_bench.procedure.terminal import cycle_line, cycle_table
from al_bench.representation import Representation
from al_bench.storage.artifacts import Artifacts
from al_bench.storage.record import CycleRecord
from al_bench.storage.store import RunStore
from al_bench.strategy import Strategy
from al_bench.tracking import Tracking
from al_bench.training.allocator import give_memory_back
from al_bench.training.device import chosen_device

logger = logging.getLogger(__name__)


@declare("procedure/loop")
@dataclass(frozen=True)
class Settings:
    """The `loop` node.

    initial: rule of the first labels (`initial_labels.initial_indices`); every_class: whether they hold every class;
    initial_size, query_size, budget: annotations; free_validation: labels that early stopping looks at are none of
    them; max_cycles, stop_at, certain_above, confidence: see `Stopping`; observe_every: iterations of a cycle's
    training from look to look at the model, None for none. It counts though no model depends on it: who asks for a
    trace is not shown a run that was stored without one. A size may be infinite: all.
    """

    initial: Rule
    every_class: bool
    initial_size: CountOrAll
    query_size: UpToAll
    budget: CountOrAll = field(metadata={"identity": False})
    free_validation: bool = False
    observe_every: Iterations | None = None
    max_cycles: NoneToAll | None = field(default=None, metadata={"identity": False})
    stop_at: Mapping[str, Signed] | None = field(default=None, metadata={"identity": False})
    certain_above: NotAll | None = field(default=None, metadata={"identity": False})
    confidence: Certainty = field(default=0.95, metadata={"identity": False})

    def stopping(self, metrics: Sequence[Metric]) -> Stopping:
        """The stop rules among them. metrics: those that are measured."""
        return Stopping(self.budget, self.max_cycles, self.stop_at, metrics, self.certain_above, self.confidence)

    def check(self, num_images: float, evaluator: Evaluator, paid: int = 0) -> None:
        """Raises UserError where the numbers contradict each other, the pool or the evaluator.

        paid: labels of the validation split that count as annotations.
        """
        first, images = min(self.initial_size, num_images), f"the {num_images:,} images of the training split"
        all_of_them = self.initial_size == float("inf")
        if self.initial_size > num_images and not all_of_them:
            raise UserError(
                f"loop.initial_size={self.initial_size} is larger than {images}: use fewer, or strategy=full for all"
            )
        if self.query_size > num_images:
            raise UserError(f"loop.query_size={self.query_size} is larger than {images}: use fewer")
        refuse_small_budget({"initial_size": self.initial_size, "budget": self.budget})
        if first > self.budget:
            raise UserError(
                f"loop.budget={self.budget} is smaller than {images}, all of which are labeled at first: use "
                "loop.budget=inf, or another strategy"
            )
        if paid + first > self.budget:
            raise UserError(
                f"loop.budget={self.budget} does not hold {paid:,} validation labels beside {first} initial ones: use "
                "a larger budget, or loop.free_validation=true"
            )
        self.stopping(evaluator.scalars).refuse_unmeasured()


def tell_cycle(show: Callable[[], None], metrics: Sequence[Metric], record: CycleRecord) -> None:
    """Says a new cycle in the terminal and shows it wherever else cycles are shown. metrics: those declared."""
    logger.info(cycle_line(record, metrics))
    show()
    give_memory_back()


def show_samples(store: RunStore) -> None:
    """Writes the samples of the last cycle, where there are some, as a picture beside it, and says where."""
    last = len(store.records) - 1
    samples = store.tensors(last).get("samples") if last >= 0 else None
    if samples is not None:
        path = store.folder / "samples.png"
        save_grid(samples.flatten(0, 1), path, columns=samples.shape[1])
        logger.info(f"samples of the last cycle, a row a class: {path}")


@declare(
    "procedure/active_learning",
    beside=(
        "artifacts",
        "tracking",
        "device",
    ),
)
class ActiveLearning(Procedure):
    """What `python run.py` does: one strategy on one data set with one seed."""

    def __init__(
        self,
        dataset: Dataset,
        representation: Representation,
        strategy: Strategy,
        learner: Learner,
        oracle: Annotator,
        evaluator: Evaluator,
        settings: Settings,
        tracking: Tracking,
        artifacts: str,
        device: str,
        seed: Seed,
    ) -> None:
        self.dataset, self.representation, self.strategy = dataset, representation, strategy
        self.learner, self.oracle, self.evaluator = learner, oracle, evaluator
        self.settings, self.tracking, self.artifacts = settings, tracking, Artifacts(Path(artifacts))
        self.device, self.seed = device, seed

    def run(self, store: RunStore) -> None:
        device = chosen_device(self.device)
        self.check_parts(self.dataset)
        session = self._session(store)
        images = (session.dataset(self.dataset) if session else self.dataset).to(device)
        with finite(f"before cycle 0, seed {self.seed}"):
            dataset = self.representation.apply(images, self.artifacts)
            self.prepare(images, dataset)
        if session is not None and not self.representation.gives_images:
            session.leave_out_away()
        parts = Parts(
            dataset,
            self.strategy,
            self.learner,
            self.oracle,
            self.evaluator,
            partial(self.first_query, dataset),
            self.settings.free_validation,
            self.settings.observe_every,
        )
        if store.last is not None:
            logger.info(f"going on after cycle {store.last.index} ({store.last.annotations:,} annotations)")
        metrics, settings = self.evaluator.scalars, self.settings
        stopping, query_size = settings.stopping(metrics), settings.query_size
        person = None
        if session is not None and isinstance(self.oracle, Person):
            asking = Asking(parts, self.oracle, session, store, query_size, settings.initial_size, self.seed)
            person = FromPerson(asking)
        with self.tracking.following(store, images.train.images) as show:
            tell = partial(tell_cycle, show, metrics)
            reason = run_loop(parts, stopping, query_size, self.seed, store, tell, person)
        if person is not None:
            person.asking.say_finished(reason)
        logger.info(f"finished: {reason}; stored in {store.folder}\n{cycle_table(store.cycle_records, metrics)}")
        show_samples(store)

    def _session(self, store: RunStore) -> Session | None:
        """What a labeling run knows before it asks; None where the labels are known."""
        if not isinstance(self.oracle, Person) or self.dataset.unlabeled is None:
            return None
        pictures, class_names = self.dataset.unlabeled, self.dataset.class_names
        labels = None if self.oracle.labels is None else Path(self.oracle.labels).expanduser()
        if labels is not None:
            refuse_file(labels, store.folder, pictures, class_names)
        session = Session(store.folder, pictures, class_names)
        session.draw_audit(session.look(), self.oracle, self.seed)
        if labels is not None:
            session.take_file(labels)
        return session

    def check_parts(self, dataset: Dataset) -> None:
        """Refuses parts that do not fit together; a network that cannot read such inputs refuses itself."""
        refuse_dataset(dataset)
        if self.learner.validates and dataset.validation is None:
            raise UserError("learner.early_stopping needs a validation split, which this data set has not: use null")
        counted = dataset.validation if self.learner.validates and not self.settings.free_validation else None
        num_images = len(dataset.train) if dataset.unlabeled is None else math.inf  # of a folder as many as there are
        self.settings.check(num_images, self.evaluator, len(counted) if counted else 0)
        shape = self.representation.shape(dataset.train.images.shape[1:])
        pool = Pool.unlabeled_from(torch.empty((0, *shape)), dataset.num_classes, dataset.map_shape)
        network = self.learner.empty(pool, self.seed)
        refuse_other_labels(network, shape, dataset.map_shape)
        on_maps, labeled = bool(dataset.map_shape), min(self.settings.initial_size, num_images)
        unlabeled = num_images - labeled if labeled < num_images else 0
        self.learner.check_batches(network, shape, labeled, unlabeled, on_maps)
        refuse_misfits(self.strategy, self.learner, network, self.oracle, self.representation, on_maps)
        refuse_unmeasurable(self.evaluator, self.learner, network, on_maps)
        self.oracle.check(dataset)
        if isinstance(self.oracle, Person) and self.oracle.audit_size == 0 and self.settings.certain_above is not None:
            raise UserError(
                f"loop.certain_above={self.settings.certain_above} is never reached with oracle.audit_size=0, which "
                "measures no accuracy: use an audit set, such as oracle.audit_size=100, or leave loop.certain_above out"
            )
        if not isinstance(self.oracle, Person):
            dataset.refuse_unlabeled(asks=True)
        first = self.first_query(dataset)
        if self.oracle.is_truth and not on_maps:  # maps would be read for it
            self.learner.check(
                Pool.unlabeled_from(dataset.train.images, dataset.num_classes).with_labels(
                    first, dataset.train.labels[first.indices]
                )
            )
        if self.representation.gives_images:
            self.evaluator.check(dataset)
        self.strategy.check(pool, labeled)

    def first_query(self, dataset: Dataset) -> PoolQuery:
        """The initial labels, the same for every strategy of a seed."""
        settings = self.settings
        size = int(min(settings.initial_size, len(dataset.train)))
        labels, num_classes = dataset.train.labels, dataset.num_classes
        return initial_query(labels, num_classes, size, settings.initial, settings.every_class, self.seed)

    def prepare(self, images: Dataset, dataset: Dataset) -> None:
        """Oracle and evaluator see everything; learner and strategy no label and no test image.

        images: what an annotator looks at; dataset: what represents it to all others.
        """
        self.oracle.prepare(images, self.artifacts)
        self.evaluator.prepare(dataset, self.artifacts)
        self.learner.prepare(dataset.blind(), self.artifacts)
        self.strategy.prepare(dataset.blind(), self.artifacts)
