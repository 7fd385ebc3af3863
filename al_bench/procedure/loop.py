"""The active learning loop (ASAL Alg. 1, WAAL Alg. 1): query, label, train, measure, store."""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Protocol, cast

from torch import Tensor

from al_bench import seeding
from al_bench.active.pool import Pool
from al_bench.active.query import Query
from al_bench.active.stopping import ALL_LABELED, Stopping
from al_bench.dataset import Dataset
from al_bench.errors import UserError
from al_bench.evaluator import Evaluation, Evaluator
from al_bench.learner import Learner
from al_bench.network import Network
from al_bench.oracle import Annotator, Oracle
from al_bench.procedure.record import answered, guess_chosen, record_cycle, tensors_of
from al_bench.storage.cycle import Cycle
from al_bench.storage.model_file import Reads
from al_bench.storage.record import CycleRecord
from al_bench.storage.store import RunStore
from al_bench.strategy import Strategy, refuse_unpromised
from al_bench.training.cost import Cost, measure_cost
from al_bench.training.observation import Observer


@dataclass(frozen=True)
class Parts:
    """What the loop turns; all of it prepared.

    first_query: gives the initial labels' query. free_validation: labels of the validation split, where the learner
    looks at it, are not counted as annotations. observe_every: see `active_learning.Settings`.
    """

    dataset: Dataset
    strategy: Strategy
    learner: Learner
    oracle: Annotator
    evaluator: Evaluator
    first_query: Callable[[], Query]
    free_validation: bool = False
    observe_every: int | None = None

    @property
    def validation_labels(self) -> int:
        """How many labels of the validation split the learner looks at."""
        validation = self.dataset.validation
        return len(validation) if self.learner.validates and validation is not None else 0

    def evaluate(self, model: Network) -> Evaluation:
        """What the model is worth on the test split; no number, where there is no test image."""
        if len(self.dataset.test):
            return self.evaluator.evaluate(model, self.dataset)
        return Evaluation({metric.name: math.nan for metric in self.evaluator.scalars})

    def reads(self, model: Network) -> Reads:
        """What a model reads and answers."""
        dataset = self.dataset
        return Reads(
            shape=tuple(dataset.train.images.shape[1:]),
            class_names=dataset.class_names,
            maps=bool(dataset.map_shape),
            prefix=model.prefix,
            featured=dataset.featured,
        )

    def observer(self, seed: int) -> Observer | None:
        """What looks at a training; None where nobody asks for it."""
        if self.observe_every is None:
            return None
        return Observer(self._scalars, self.observe_every, seed, self.evaluator.scalars)

    def _scalars(self, model: Network) -> dict[str, float]:
        """Those metrics of a look that are one number."""
        found = self.evaluator.look(model, self.dataset)
        named = {metric.name: found.get(metric.name) for metric in self.evaluator.scalars}
        return {name: value for name, value in named.items() if isinstance(value, int | float)}


@dataclass(frozen=True)
class Given:
    """What a cycle is given to train on.

    query, labels: that are new; pool: that holds all; dataset: that the model is measured on; cost: of choosing; kept:
    tensors that the cycle's file has for the next time that the run is started.
    """

    query: Query
    labels: Tensor
    pool: Pool
    dataset: Dataset
    cost: Cost
    kept: Mapping[str, Tensor] = field(default_factory=dict)


class LabelSource(Protocol):
    """Where the labels of a loop come from."""

    @property
    def grows(self) -> bool:
        """Whether images and answers come while it runs, and between starts."""

    def restore(self, store: RunStore) -> tuple[Pool, Network | None]:
        """The pool after the last stored cycle and the model trained in it, None where no cycle is stored."""

    def give(self, cycle: int, model: Network | None, pool: Pool) -> Given | None:
        """What a cycle trains on, None where all is labeled. model: the last one; pool: that it was trained on."""


@dataclass(frozen=True)
class FromOracle:
    """Asks for what the strategy chooses, and the oracle answers at once. Of the others see `run_loop`."""

    parts: Parts
    oracle: Oracle
    stopping: Stopping
    query_size: int
    seed: int
    grows: bool = False

    def restore(self, store: RunStore) -> tuple[Pool, Network | None]:
        """As `LabelSource.restore` says it."""
        self._redo_cut_query(store)
        parts, dataset = self.parts, self.parts.dataset
        pool = Pool.unlabeled_from(dataset.train.images, dataset.num_classes, dataset.map_shape)
        pool = replace(pool, annotations=0 if parts.free_validation else parts.validation_labels)
        for record in store.cycle_records:
            pool = pool.with_labels(*answered(record, store.tensors(record.index), pool.device, self.oracle))
        return pool, restore_model(store, parts, pool, self.seed)

    def _redo_cut_query(self, store: RunStore) -> None:
        """A last query that a smaller budget had cut is asked anew: no result depends on the budgets by which a run
        came to where it is."""
        if len(store.cycle_records) < 2:
            return
        before, last = store.cycle_records[-2:]
        asked = last.annotations - before.annotations
        whole = self.stopping.next_size(self.query_size, before.annotations, before.unlabeled)
        if asked < whole:
            store.redo_last(f"asked for {asked}, to which a smaller budget had cut the {whole} of its query")

    def give(self, cycle: int, model: Network | None, pool: Pool) -> Given:
        """As `LabelSource.give` says it."""
        with measure_cost() as cost, finite(f"cycle {cycle}, seed {self.seed}"):
            if model is None:
                query: Query = self.parts.first_query()
            else:
                size = self.stopping.next_size(self.query_size, pool.annotations, len(pool.unlabeled))
                rng = seeding.generator(seeding.seed_for(self.seed, cycle, "query"))
                query = self.parts.strategy.query(model, pool, size, rng)
        if model is not None:
            refuse_unpromised(query, self.parts.strategy, pool, size)
        labels = self.oracle.label(query)
        return Given(query, labels, pool.with_labels(query, labels), self.parts.dataset, cost)


def run_loop(
    parts: Parts,
    stopping: Stopping,
    query_size: int,
    seed: int,
    store: RunStore,
    tell: Callable[[CycleRecord], None],
    source: LabelSource | None = None,
) -> str:
    """Goes on from the last stored cycle until a stop rule holds; returns that rule in words.

    query_size: annotations per cycle; seed: the run's; tell: called with each new cycle's record; source: of labels,
    None: the strategy asks and the oracle answers.
    """
    if source is None:
        source = FromOracle(parts, cast(Oracle, parts.oracle), stopping, query_size, seed)
    pool, model = source.restore(store)
    while (reason := stopping.reason(store.last, source.grows)) is None:
        cycle = len(store.records)
        if (given := source.give(cycle, model, pool)) is None:
            return ALL_LABELED
        guesses = guess_chosen(model, pool, given.query, given.labels)
        query, pool, parts = given.query, given.pool, replace(parts, dataset=given.dataset)
        with measure_cost() as for_fit, finite(f"cycle {cycle}, seed {seed}"):
            observe = parts.observer(seeding.seed_for(seed, cycle, "observe"))
            model = fit_model(parts, pool, model, seed, cycle, store, observe)
        with measure_cost() as for_evaluation:
            evaluation = parts.evaluate(model)
        apart = {**given.cost.apart, **for_fit.apart, **for_evaluation.apart}
        costs = {"query": given.cost, "fit": for_fit, "evaluate": for_evaluation, **apart}
        observed = observe.trace if observe else {}
        counted = parts.validation_labels
        skipped = parts.dataset.skipped
        record = record_cycle(cycle, pool, query, given.labels, guesses, evaluation, costs, counted, observed, skipped)
        kept = tensors_of(query, None if parts.oracle.is_truth else given.labels, evaluation)
        store.write(Cycle(record, {**kept, **given.kept}, model.state_dict(), parts.reads(model)))
        tell(record)
    return reason


def fit_model(
    parts: Parts,
    pool: Pool,
    model: Network | None,
    seed: int,
    cycle: int,
    store: RunStore,
    observe: Observer | None,
) -> Network:
    """The cycle's model; only its training may look at the validation split. Raises UserError where nothing could be
    labeled."""
    if len(pool.training_labels()) == 0:
        raise UserError(f"cycle {cycle}, seed {seed}: the oracle could label none of {pool.annotations} annotations")
    if parts.validation_labels and (split := parts.dataset.validation) is not None:
        pool = replace(pool, validation=(split.images, split.labels))
    fit_seed = seeding.seed_for(seed, cycle, "fit")
    return parts.learner.fit(pool, model, fit_seed, store.scratch / f"{cycle:03d}", observe)


@contextmanager
def finite(when: str) -> Iterator[None]:
    """Turns a number that is not finite into one sentence that says when it came."""
    try:
        yield
    except FloatingPointError as error:
        raise UserError(f"{when}: {error}; what was finished before is kept, lower the learning rate") from error


def restore_model(store: RunStore, parts: Parts, pool: Pool, seed: int) -> Network | None:
    """The model of the last stored cycle, None where none is stored. pool: of as many classes as that cycle's."""
    if store.last is None:
        return None
    model = parts.learner.empty(pool, seed)
    model.load_state_dict(store.weights(store.last.index))
    return model.to(pool.device).eval()
