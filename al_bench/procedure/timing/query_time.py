"""What a query costs, method beside method in one run on one machine (WAAL Sec. 4.1, Tab. 1)."""

import json
import logging
import statistics
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch
from safetensors.torch import load, save

from al_bench import seeding
from al_bench.active.initial_labels import Rule
from al_bench.active.part import declare, describe
from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery, Query
from al_bench.config.ranges import Repeats, Seed, UpToAll
from al_bench.dataset import Dataset
from al_bench.errors import UserError
from al_bench.files import remembered, written_whole
from al_bench.learner import Learner
from al_bench.network import Network
from al_bench.procedure import Procedure
from al_bench.procedure.compatibility import model_for
from al_bench.procedure.first_labels import label_first
from al_bench.procedure.loop import finite
from al_bench.procedure.record import record_measurement
from al_bench.procedure.terminal import outcome
from al_bench.procedure.timing.timetable import MEASURED, Table, time_calls
from al_bench.storage.artifacts import Artifacts
from al_bench.storage.store import RunStore
from al_bench.strategy import Strategy
from al_bench.training.cost import measure_cost
from al_bench.training.device import timed_device

logger = logging.getLogger(__name__)

_WARM_UP = 8  # images that each method is asked about once before: what it loads is no part of its time


@declare("procedure/query_time/line")
@dataclass(frozen=True)
class Line:
    """A strategy, and the learner whose model it asks."""

    strategy: Strategy
    learner: Learner


@declare(
    "procedure/query_time",
    beside=(
        "artifacts",
        "device",
    ),
)
@dataclass(frozen=True)
class QueryTime(Procedure):
    """Seconds that each of `lines` takes to choose `query_size` images, and how many times those of the line `unit`.

    The models are those of a run's first cycle: trained on its initial labels, because how far DeepFool goes depends on
    the model; lines whose learners are alike share one. The lines take turns, `repeats` times, and medians count.
    initial, every_class, initial_size: of the first labels, see `initial_indices`. timed_on: device and threads where
    these are more than one thread of a CPU, which `resolvers.timed_on` says. Each number is kept as soon as it is
    measured.
    """

    dataset: Dataset
    lines: Mapping[str, Line]
    unit: str
    initial: Rule
    every_class: bool
    initial_size: UpToAll
    query_size: UpToAll
    repeats: Repeats
    artifacts: str
    device: str
    seed: Seed
    timed_on: str = ""

    def __post_init__(self) -> None:
        if self.unit not in self.lines:
            raise UserError(f"procedure.unit={self.unit} is no line: use one of {', '.join(self.lines)}")

    def run(self, store: RunStore) -> None:
        dataset = self.dataset.to(timed_device(self.device))
        dataset.refuse_unlabeled(asks=False)
        pool = self.label_first(dataset)
        if self.query_size >= len(pool.unlabeled):
            raise UserError(
                f"procedure.query_size={self.query_size} has to be less than the {len(pool.unlabeled):,} images that "
                "are unlabeled"
            )
        refused = self.find_refused(pool)
        with measure_cost() as for_fit:
            models = self.models(dataset, pool, refused, store.scratch)
        with measure_cost() as for_query:
            seconds = self.seconds(models, pool, store.scratch)
        unit = statistics.median(seconds[self.unit])
        ratios = {name: statistics.median(of) / unit for name, of in seconds.items()}
        ranked = ", ".join(f"{name} {ratios[name]:.3g}" for name in sorted(ratios, key=lambda name: ratios[name]))
        finished = (
            f"{self.query_size:,} of {len(pool.unlabeled):,} images are chosen, in times of the {unit:.3g} s that "
            f"{self.unit} takes, by {ranked}"
        )
        metrics = {f"{name}_ratio": ratio for name, ratio in ratios.items()}
        tables = {"query_time": self.table(seconds, ratios, refused, len(pool.unlabeled))}
        costs = {"fit": for_fit, "query": for_query}
        store.write_measurement(record_measurement(finished, metrics, tables, costs, dataset.skipped))
        logger.info(f"finished: {finished}\n{outcome(store.records)}")

    def label_first(self, dataset: Dataset) -> Pool:
        """The pool with the initial labels that a run of this seed has, and the validation split to train by."""
        pool = label_first(dataset, self.initial_size, self.initial, self.every_class, self.seed)
        split = dataset.validation
        return replace(pool, validation=(split.images, split.labels)) if split is not None else pool

    def find_refused(self, pool: Pool) -> dict[str, str]:
        """Why lines cannot be measured, by name. Raises UserError where the unit is among them."""
        found = {name: reason for name, line in self.lines.items() if (reason := self._misfit(line, pool))}
        if self.unit in found:
            raise UserError(f"procedure.unit={self.unit} cannot be measured: {found[self.unit]}")
        return found

    def _misfit(self, line: Line, pool: Pool) -> str:
        try:
            model, on_maps = model_for(line.strategy, line.learner, pool, self.seed), pool.labels.dim() > 1
            shape, labeled = pool.inputs.shape[1:], len(pool.labeled)
            line.learner.check_batches(model, shape, labeled, len(pool.unlabeled), on_maps)
            line.strategy.check(pool, labeled)
        except UserError as error:
            return str(error)
        return ""

    def models(self, dataset: Dataset, pool: Pool, refused: Mapping[str, str], scratch: Path) -> dict[str, Network]:
        """Each line's model; trained once for all learners that are alike, and kept until the run is finished."""
        artifacts, trained, found = Artifacts(Path(self.artifacts)), dict[str, Network](), dict[str, Network]()
        for name, line in self.lines.items():
            if name in refused:
                continue
            alike = json.dumps(describe(line.learner), sort_keys=True)
            if alike not in trained:
                with finite(f"the model of {name}, seed {self.seed}"):
                    line.learner.prepare(dataset.blind(), artifacts)
                    trained[alike] = self._train(line.learner, pool, scratch / f"model-{len(trained)}.safetensors")
            with finite(f"what serves {name}, seed {self.seed}"):
                line.strategy.prepare(dataset.blind(), artifacts)
            found[name] = trained[alike]
        return found

    def _train(self, learner: Learner, pool: Pool, kept: Path) -> Network:
        """As in a run's first cycle; taken from `kept` where it is there."""
        if kept.exists():
            model = learner.empty(pool, self.seed)
            model.load_state_dict(load(kept.read_bytes()))
            return model.to(pool.device).eval()
        model = learner.fit(pool, None, seeding.seed_for(self.seed, 0, "fit"), kept.with_suffix(""))
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
        with written_whole(kept) as file:
            file.write(save(tensors))
        return model

    def seconds(self, models: Mapping[str, Network], pool: Pool, scratch: Path) -> dict[str, list[float]]:
        """Of each line as many numbers as there are repeats."""
        few = Pool.unlabeled_from(pool.inputs[pool.unlabeled[:_WARM_UP]], pool.num_classes, pool.labels.shape[1:])
        few = few.with_labels(PoolQuery(torch.arange(1, device=pool.device)), pool.labels[:1])
        found: dict[str, list[float]] = {name: [] for name in models}
        for name, model in models.items():
            self._query(name, model, few, 1, 0)
        for repeat in range(self.repeats):
            for name, model in models.items():
                query = partial(self._query, name, model, pool, self.query_size, repeat)
                found[name].append(remembered(scratch / f"{name}-{repeat}.json", partial(_seconds, query)))
                logger.info(f"{name}: {found[name][-1]:.3g} s, {repeat + 1} of {self.repeats}")
        return found

    def _query(self, name: str, model: Network, pool: Pool, size: int, repeat: int) -> Query:
        rng = seeding.generator(seeding.seed_for(self.seed, repeat, "query"))
        with finite(f"the query of {name}, seed {self.seed}"):
            return self.lines[name].strategy.query(model, pool, size, rng)

    def table(
        self, seconds: Mapping[str, list[float]], ratios: Mapping[str, float], refused: Mapping[str, str], count: int
    ) -> Table:
        """A row for each line, those that could not be measured with the reason."""
        rows = [
            [name, ratios[name], statistics.median(of), min(of), max(of), MEASURED]
            if (of := seconds.get(name))
            else [name, None, None, None, None, f"not measured: {refused[name]}"]
            for name in self.lines
        ]
        columns = ["method", f"times {self.unit}'s", "seconds", "lowest", "highest", "how"]
        about = (
            f"Query time: {self.query_size:,} of {count:,} images by models of the first cycle; median of "
            f"{self.repeats} queries, all methods in turn"
        )
        return {"about": about, "columns": columns, "rows": rows}


def _seconds(query: "partial[Query]") -> float:
    return time_calls(query, 1)[0]
