"""What choosing samples costs, against the size of the pool (ASAL Sec. 5.5, Fig. 6, Table 2)."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from al_bench import seeding
from al_bench.active.inputs import Inputs
from al_bench.active.part import declare
from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.config.ranges import Counts, NoneToAll, Repeats, Seed, UpToAll, Width
from al_bench.dataset import Dataset
from al_bench.errors import UserError
from al_bench.feature import Feature
from al_bench.files import remembered
from al_bench.gan import Gan
from al_bench.gan.latent_search import LatentSearch
from al_bench.learner import Learner
from al_bench.matcher import Matcher
from al_bench.procedure import Procedure
from al_bench.procedure.compatibility import model_for, require_fixed
from al_bench.procedure.loop import finite
from al_bench.procedure.record import record_measurement
from al_bench.procedure.terminal import outcome
from al_bench.procedure.timing.growth import Cycled, GrownFeatures
from al_bench.procedure.timing.query_time import Line
from al_bench.procedure.timing.stages import Stages
from al_bench.procedure.timing.timetable import (
    Seconds,
    Table,
    preparation_table,
    selection_table,
    time_calls,
    transition_table,
)
from al_bench.storage.artifacts import Artifacts
from al_bench.storage.store import RunStore
from al_bench.training.batches import Augmentation
from al_bench.training.cost import measure_cost
from al_bench.training.device import timed_device

logger = logging.getLogger(__name__)

_STEPS = ("PCA", "features", "index")  # of preparation, beside the trainings


@declare("procedure/timing/scan")
@dataclass(frozen=True)
class Scan(Line):
    """A line that ASAL is compared with; its model is untrained.

    scores_pool: whether its time grows with the pool, so that it is extrapolated from smaller ones.
    """

    scores_pool: bool = True


@declare(
    "procedure/timing",
    beside=(
        "artifacts",
        "device",
    ),
)
@dataclass(frozen=True)
class Timing(Procedure):
    """Seconds to choose `query_size` images by ASAL and by `scans`; the training of classifiers is left out.

    base: so many images of the data set, or all, are held in memory and augmented. sizes: of the pools, as multiples of
    them, ascending; ASAL is measured at each. scanned: the largest multiple at which the scans are measured; beyond it
    they are extrapolated. Where the data set reads its images from files, the choice of `cycle_size` images is measured
    once more with that reading, the scans on `read` images. labeled: images labeled before. repeats: the median counts.
    timed_on: device and threads where these are more than one thread of a CPU, which `resolvers.timed_on` says. Each
    number is kept as soon as it is measured.
    """

    dataset: Dataset
    gan: Gan | None
    feature: Feature | None
    matcher: Matcher
    search: LatentSearch
    learner: Learner
    scans: Mapping[str, Scan]
    base: UpToAll
    sizes: Counts
    scanned: NoneToAll
    read: UpToAll
    query_size: UpToAll
    cycle_size: UpToAll
    labeled: NoneToAll
    repeats: Repeats
    pca_size: Width
    augmentation: Augmentation
    artifacts: str
    device: str
    seed: Seed
    timed_on: str = ""

    def __post_init__(self) -> None:
        self.fixed()
        if not self.sizes or list(self.sizes) != sorted(set(self.sizes)):
            raise UserError(f"procedure.sizes={list(self.sizes)} have to be multiples, ascending")

    def run(self, store: RunStore) -> None:
        with measure_cost() as cost:
            tables, methods = self.measure(store.scratch)
        largest = max(methods["asal"].measured)
        found = {name: seconds.at(largest) for name, seconds in methods.items()}
        metrics = {f"{name}_seconds": seconds for name, (seconds, _) in found.items() if seconds is not None}
        for name, _, seconds, _ in tables.get("reading", {"rows": []})["rows"]:
            metrics.update({f"{name}_seconds_with_reading": seconds} if seconds is not None else {})
        told = [f"{name} {seconds:,.3g} s ({how})" for name, (seconds, how) in found.items() if seconds is not None]
        finished = f"{self.query_size} of {largest:,} images are chosen in: {', '.join(told)}"
        store.write_measurement(record_measurement(finished, metrics, tables, {"query": cost}, self.dataset.skipped))
        logger.info(f"finished: {finished}\n{outcome(store.records)}")

    def measure(self, scratch: Path) -> tuple[dict[str, Table], dict[str, Seconds]]:
        """Every table, and the seconds of each method without reading."""
        stored, artifacts = self.dataset.train.images, Artifacts(Path(self.artifacts))
        files, count = None if isinstance(stored, Tensor) else stored, min(self.base, len(stored))
        self.check(count, None if files is None else min(self.read, len(files)))
        dataset = self.dataset.to(timed_device(self.device))
        stages, pool_images = self.stages(dataset, artifacts), dataset.train.images
        images = pool_images[torch.arange(count, device=pool_images.device)]
        with finite(f"ASAL's steps, seed {self.seed}"):
            asal, steps, cycle = self.asal(stages, images, files, scratch)
        counts = [times * len(images) for times in self.sizes]
        scans = {name: self.scan(name, images, dataset.num_classes, scratch) for name in self.scans}
        about = f"Seconds to choose {self.query_size} images from pools in memory; a classifier's training is left out"
        tables = {
            "selection": selection_table({"asal": asal, **scans}, counts, about),
            "preparation": preparation_table(steps, artifacts.seconds),
            "transition": transition_table(asal, scans, steps, artifacts.seconds),
        }
        if files is not None:
            reading = {name: self.reading(name, files, dataset.num_classes, scratch) for name in self.scans}
            about = (
                f"Seconds to choose {self.cycle_size} images with the reading of images from files; ASAL reads what it "
                "chooses, by matches in the largest pool above"
            )
            tables["reading"] = selection_table({"asal": cycle, **reading}, [len(files)], about)
        return tables, {"asal": asal, **scans}

    def check(self, smallest: int, read: int | None) -> None:
        """Raises UserError where more is asked for than a pool has. read: images read from files, None for none."""
        for key, size, pool in (("query_size", self.query_size, smallest), ("cycle_size", self.cycle_size, read)):
            if pool is not None and size >= pool:
                raise UserError(f"procedure.{key}={size} has to be less than the {pool:,} images of a pool")

    def fixed(self) -> tuple[Gan, Feature]:
        """The GAN and the feature. Raises UserError where one will not do."""
        return require_fixed(self.gan, self.feature, "procedure=timing times ASAL")

    def stages(self, dataset: Dataset, artifacts: Artifacts) -> Stages:
        """ASAL's, its GAN and features trained or taken from the artifacts."""
        gan, feature = self.fixed()
        gan.check(dataset.train.images.shape[1:])
        feature.size(dataset.train.images.shape[1:])
        networks = gan.trained(dataset.blind(), artifacts)
        feature.prepare(dataset.blind(), artifacts)
        empty = Pool.unlabeled_from(dataset.train.images, dataset.num_classes)
        model = self.learner.empty(empty, self.seed).to(empty.device).eval()
        return Stages(networks, feature, self.matcher, self.search, model, self.pca_size, self.repeats)

    def asal(
        self, stages: Stages, images: Tensor, files: Inputs | None, scratch: Path
    ) -> tuple[Seconds, dict[int, dict[str, float]], Seconds]:
        """ASAL's seconds by size of the pool, its steps of preparation, and its seconds with reading."""
        seconds, pca = stages.pca(images)
        seconds = remembered(scratch / "pca.json", lambda: seconds)
        most = self.sizes[-1]
        grown = GrownFeatures(images, stages.feature, stages.networks, pca, self.augmentation, most, scratch, self.seed)
        asked = (self.query_size, self.cycle_size) if files is not None else (self.query_size,)
        rng = seeding.generator(seeding.seed_for(self.seed, 0, "latents"))
        made = {size: stages.synthesize(size, pca, rng) for size in asked}
        queries = {size: rows for size, (_, rows) in made.items()}
        self.matcher.fit(queries[self.query_size])  # once before: what it imports is no part of its time
        asal, steps, cycle = Seconds(), {}, Seconds()
        for times in self.sizes:
            count, kept = times * len(images), scratch / f"asal-{times}.json"
            found = remembered(kept, partial(stages.index, grown, times, queries, self.labeled, rng))
            asal.measured[count] = made[self.query_size][0] + found[str(self.query_size)]
            steps[count] = {"PCA": seconds, **{step: found[step] for step in _STEPS[1:]}}
        if files is not None:
            chosen = torch.arange(self.cycle_size, device=files.device) * (len(files) // self.cycle_size)
            looked_at, _ = time_calls(lambda: files[chosen], self.repeats)
            cycle.measured[len(files)] = made[self.cycle_size][0] + found[str(self.cycle_size)] + looked_at
        return asal, steps, cycle

    def scan(self, name: str, images: Tensor, num_classes: int, scratch: Path) -> Seconds:
        """A strategy on pools in memory: on all of them, or on those that scans are measured at."""
        found = Seconds()
        most = max(self.scanned, self.sizes[0]) if self.scans[name].scores_pool else self.sizes[-1]
        for times in [times for times in self.sizes if times <= most]:
            pool, kept = Cycled(images, len(images), times * len(images)), scratch / f"{name}-{times}.json"
            self._scan(found, self.scans[name], pool, num_classes, self.query_size, kept)
        return found

    def reading(self, name: str, images: Inputs, num_classes: int, scratch: Path) -> Seconds:
        """A strategy's choice with the reading of `read` images."""
        found, count = Seconds(), min(self.read, len(images))
        pool, kept = Cycled(images, count, count), scratch / f"{name}-reading.json"
        self._scan(found, self.scans[name], pool, num_classes, self.cycle_size, kept)
        return found

    def _scan(self, found: Seconds, scan: Scan, inputs: Inputs, num_classes: int, size: int, kept: Path) -> None:
        """Adds the seconds of one query to `found`, or why there are none."""
        empty = Pool.unlabeled_from(inputs, num_classes)
        try:
            model = model_for(scan.strategy, scan.learner, empty, self.seed).to(timed_device(self.device)).eval()
        except UserError as error:
            found.refused = str(error)
            return
        labeled = torch.arange(min(self.labeled, len(inputs) - size), device=inputs.device)
        pool = empty.with_labels(PoolQuery(labeled), torch.zeros_like(labeled))

        def query() -> Any:
            rng = seeding.generator(seeding.seed_for(self.seed, size, "query"))
            return scan.strategy.query(model, pool, size, rng)

        found.measured[len(inputs)] = remembered(kept, lambda: time_calls(query, self.repeats)[0])
