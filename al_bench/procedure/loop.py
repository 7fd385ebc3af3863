"""The active learning loop (ASAL Alg. 1, WAAL Alg. 1): query, label, train, measure, store."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from al_bench import seeding
from al_bench.active.pool import Pool
from al_bench.active.query import Query
from al_bench.active.stopping import Stopping
from al_bench.dataset import Dataset
from al_bench.errors import UserError
from al_bench.evaluator import Evaluator
from al_bench.learner import Learner
from al_bench.network import Network
from al_bench.oracle import Oracle
from al_bench.procedure.record import answered, chosen_entropies, record_cycle, tensors_of
from al_bench.storage.model_file import Reads
from al_bench.storage.record import CycleRecord
from al_bench.storage.store import Cycle, RunStore
from al_bench.strategy import Strategy
from al_bench.training.cost import measure_cost
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
    oracle: Oracle
    evaluator: Evaluator
    first_query: Callable[[], Query]
    free_validation: bool = False
    observe_every: int | None = None

    @property
    def validation_labels(self) -> int:
        """How many labels of the validation split the learner looks at."""
        validation = self.dataset.validation
        return len(validation) if self.learner.validates and validation is not None else 0

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


def run_loop(
    parts: Parts, stopping: Stopping, query_size: int, seed: int, store: RunStore, tell: Callable[[CycleRecord], None]
) -> str:
    """Goes on from the last stored cycle until a stop rule holds; returns that rule in words.

    query_size: annotations per cycle; seed: the run's; tell: called with each new cycle's record.
    """
    pool, model = restore(store, parts, seed)
    while (reason := stopping.reason(store.last)) is None:
        cycle = len(store.records)
        with measure_cost() as for_query, finite(f"cycle {cycle}, seed {seed}"):
            if model is None:
                query = parts.first_query()
            else:
                size = stopping.next_size(query_size, pool.annotations, len(pool.unlabeled))
                rng = seeding.generator(seeding.seed_for(seed, cycle, "query"))
                query = parts.strategy.query(model, pool, size, rng)
        entropies = chosen_entropies(model, pool, query)
        labels = parts.oracle.label(query)
        pool = pool.with_labels(query, labels)
        with measure_cost() as for_fit, finite(f"cycle {cycle}, seed {seed}"):
            observe = parts.observer(seeding.seed_for(seed, cycle, "observe"))
            model = fit_model(parts, pool, model, seed, cycle, store, observe)
        with measure_cost() as for_evaluation:
            evaluation = parts.evaluator.evaluate(model, parts.dataset)
        apart = {**for_query.apart, **for_fit.apart, **for_evaluation.apart}
        costs = {"query": for_query, "fit": for_fit, "evaluate": for_evaluation, **apart}
        observed = observe.trace if observe else {}
        counted = parts.validation_labels
        skipped = parts.dataset.skipped
        record = record_cycle(cycle, pool, query, labels, entropies, evaluation, costs, counted, observed, skipped)
        kept = tensors_of(query, None if parts.oracle.is_truth else labels, evaluation)
        store.write(Cycle(record, kept, model.state_dict(), parts.reads(model)))
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


def restore(store: RunStore, parts: Parts, seed: int) -> tuple[Pool, Network | None]:
    """The pool after the last stored cycle and the model trained in it, None where no cycle is stored."""
    dataset = parts.dataset
    pool = Pool.unlabeled_from(dataset.train.images, dataset.num_classes, dataset.map_shape)
    pool = replace(pool, annotations=0 if parts.free_validation else parts.validation_labels)
    for record in store.cycle_records:
        pool = pool.with_labels(*answered(record, store.tensors(record.index), pool.device, parts.oracle))
    if store.last is None:
        return pool, None
    model = parts.learner.empty(pool, seed)
    model.load_state_dict(store.weights(store.last.index))
    return pool, model.to(pool.device).eval()
