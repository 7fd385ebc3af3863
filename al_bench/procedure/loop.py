"""The active learning loop (ASAL Alg. 1, WAAL Alg. 1): query, label, train, measure, store."""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import Protocol, cast

from torch import Tensor

from al_bench import seeding
from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery, Query
from al_bench.active.stopping import ALL_LABELED, Stopping
from al_bench.dataset import Dataset
from al_bench.errors import UserError
from al_bench.network import Network
from al_bench.oracle import Oracle
from al_bench.procedure.parts import Parts
from al_bench.procedure.promises import fit_held
from al_bench.procedure.record import answered, guess_chosen, record_cycle, tensors_in_cell, tensors_of
from al_bench.storage.cycle import Cycle
from al_bench.storage.record import CycleRecord
from al_bench.storage.store import RunStore
from al_bench.strategy import ask_strategy
from al_bench.training.cost import Cost, measure_cost
from al_bench.training.observation import Observer

logger = logging.getLogger(__name__)


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
        """As `LabelSource.restore` says it. A run that is exported and not stored here goes on from its cell."""
        if cut := self._cut_query(store.cycle_records):
            store.redo_last(cut)
        if not store.records and store.exported:
            self._adopt(store)
        pool = self._pool_of((record, store.tensors(record.index)) for record in store.cycle_records)
        return pool, restore_model(store, self.parts, pool, self.seed)

    def _pool_of(self, stored: Iterable[tuple[CycleRecord, Mapping[str, Tensor]]]) -> Pool:
        """With the labels of these cycles. stored: their records and tensors."""
        parts, dataset = self.parts, self.parts.dataset
        pool = Pool.unlabeled_from(dataset.train.images, dataset.num_classes, dataset.map_shape)
        pool = replace(pool, annotations=0 if parts.free_validation else parts.validation_labels)
        for record, tensors in stored:
            pool = pool.with_labels(*answered(record, tensors, pool.device, self.oracle))
        return pool

    def _cut_query(self, records: Sequence[CycleRecord]) -> str:
        """That a smaller budget had cut the last query of these cycles, in words; "" where none had. It is asked anew:
        a run that goes on has the results of one whose budget was the larger one from the first."""
        if len(records) < 2:
            return ""
        before, last = records[-2:]
        asked = last.annotations - before.annotations
        whole = self.stopping.next_size(self.query_size, before.annotations, before.unlabeled)
        return f"asked for {asked}, to which a smaller budget had cut the {whole} of its query" if asked < whole else ""

    def _asks_alike(self, records: Sequence[CycleRecord]) -> bool:
        """Whether these cycles begin with this run's first labels, ask for images of its pool, each once, and count
        them so."""
        asked = [record.query.indices or [] for record in records]
        each, first = [index for indices in asked for index in indices], self.parts.first_query()
        free = 0 if self.parts.free_validation else self.parts.validation_labels
        return (
            isinstance(first, PoolQuery)
            and first.indices.tolist() == asked[0]
            and len(set(each)) == len(each)
            and max(each) < len(self.parts.dataset.train)
            and [record.annotations - free for record in records] == [*accumulate(map(len, asked))]
        )

    def _adopt(self, store: RunStore) -> None:
        """Makes the cycles of an exported cell, which has no models, this run's. The last one's model is trained again
        where it does not depend on those before, and held against what the cell says of it."""
        if not self._asks_alike(store.exported):
            logger.warning("an exported cell of this run asked for other images than it could: it is left alone")
            return
        known = store.exported[:-1] if self._cut_query(store.exported) else store.exported
        told, parts = [tensors_in_cell(record, self.oracle.is_truth) for record in known], self.parts
        if not parts.learner.begins_anew or None in told:
            logger.info("an exported cell of this run ends before its stop rules do; it holds no model to go on from")
            return
        stored = [(record, tensors) for record, tensors in zip(known, told, strict=True) if tensors is not None]
        last, pool = known[-1], self._pool_of(stored)
        logger.info(f"going on from an exported cell: the model of its cycle {last.index} is trained again")
        with finite(f"cycle {last.index}, seed {self.seed}"):
            model = fit_model(parts, pool, None, self.seed, last.index, store, None)
        name = parts.evaluator.scalars[0].name
        found = parts.evaluate(model).metrics[name]
        logger.info(f"{name} {found} of cycle {last.index}, {last.metrics[name]} in the cell")
        cycles = [Cycle(record.model_copy(update={"correct": None}), tensors) for record, tensors in stored]
        store.adopt([*cycles[:-1], replace(cycles[-1], weights=model.state_dict(), reads=parts.reads(model))])

    def give(self, cycle: int, model: Network | None, pool: Pool) -> Given:
        """As `LabelSource.give` says it."""
        with measure_cost() as cost, finite(f"cycle {cycle}, seed {self.seed}"):
            if model is None:
                query: Query = self.parts.first_query()
            else:
                size = self.stopping.next_size(self.query_size, pool.annotations, len(pool.unlabeled))
                rng = seeding.generator(seeding.seed_for(self.seed, cycle, "query"))
                query = ask_strategy(self.parts.strategy, model, pool, size, rng)
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
    labeled, and for a learner that breaks its promise."""
    if len(pool.training_labels()) == 0:
        raise UserError(f"cycle {cycle}, seed {seed}: the oracle could label none of {pool.annotations} annotations")
    if parts.validation_labels and (split := parts.dataset.validation) is not None:
        pool = replace(pool, validation=(split.images, split.labels))
    fit_seed = seeding.seed_for(seed, cycle, "fit")
    scratch, writes = store.scratch / f"{cycle:03d}-{pool.answers_id}", pool.writes
    return fit_held(parts.learner, parts.learner.fit(pool, model, fit_seed, scratch, observe), pool, writes)


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
