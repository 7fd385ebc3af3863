"""A cycle of a linear model on stored features: training, evaluation, query and storing, as a person waits for it."""

import statistics
import time
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import Tensor

from al_bench import seeding
from al_bench.active import scores
from al_bench.active.query import PoolQuery
from al_bench.active.stopping import Stopping
from al_bench.dataset import Dataset, Split
from al_bench.evaluator.accuracy import Accuracy
from al_bench.learner.supervised import Supervised
from al_bench.network.linear import Linear
from al_bench.oracle.ground_truth import GroundTruth
from al_bench.procedure.loop import run_loop
from al_bench.procedure.parts import Parts
from al_bench.representation.normalized import Normalization
from al_bench.storage.artifacts import Artifacts
from al_bench.storage.record import CycleRecord
from al_bench.storage.store import RunStore
from al_bench.strategy.uncertainty import Uncertainty
from benchmarks import Goal, Measured

OUTPUTS = Path("outputs")  # where runs are, because storing costs what the disk there takes
NUM_TRAIN, NUM_TEST, SIZE, NUM_CLASSES, LABELED, QUERY_SIZE = 100_000, 10_000, 512, 20, 1_000, 20
BATCH = 10_000  # features that are written at a time


def measure(cycles: int = 5, num_train: int = NUM_TRAIN, num_test: int = NUM_TEST) -> list[Measured]:
    """The median cycle from 1,000 labels on, with what recipe=image_folder says of a training."""
    OUTPUTS.mkdir(exist_ok=True)
    with TemporaryDirectory(prefix=".bench-", dir=OUTPUTS) as folder:
        seconds = cycle_seconds(made_dataset(Path(folder), num_train, num_test), Path(folder) / "run", cycles)
    how = (
        f"{num_train:,} features of {SIZE} from their file, {LABELED:,} labels and more, 40 epochs in batches of 16, "
        f"margin, {num_test:,} test features, median of {len(seconds)}: {min(seconds):.2f} to {max(seconds):.2f} s"
    )
    return [Measured("a cycle on stored features", statistics.median(seconds), Goal(2, "s"), how)]


def cycle_seconds(dataset: Dataset, folder: Path, cycles: int) -> list[float]:
    """Wall time of each cycle but the first, which has the initial labels and no query."""
    oracle = GroundTruth()
    oracle.labels = dataset.train.labels
    optimizer = partial(torch.optim.Adam, lr=0.001)
    learner = Supervised(network=Linear, epochs=40, batch_size=16, optimizer=optimizer)
    strategy, evaluator = Uncertainty(scores.margin), Accuracy()
    labeled = min(LABELED, len(dataset.train) // 2)
    parts = Parts(dataset, strategy, learner, oracle, evaluator, first_query=lambda: PoolQuery(torch.arange(labeled)))
    marks: list[float] = []

    def tell(record: CycleRecord) -> None:
        marks.append(time.perf_counter())

    with RunStore(folder, {}, {}) as store:
        run_loop(parts, Stopping(float("inf"), cycles), QUERY_SIZE, 0, store, tell)
    return [end - start for start, end in pairwise(marks)]


def made_dataset(folder: Path, num_train: int, num_test: int) -> Dataset:
    """Classes as clouds around their means; features as an artifact has them, standardized as a representation does."""
    rng = seeding.generator(0)
    means = torch.randn(NUM_CLASSES, SIZE, generator=rng)
    labels = [torch.randint(NUM_CLASSES, (count,), generator=rng) for count in (num_train, num_test)]

    def drawn(classes: Tensor, parts: Sequence[Tensor]) -> Iterator[Tensor]:
        for part in parts:
            yield means[classes[part]] / 4 + torch.randn(len(part), SIZE, generator=rng)

    artifacts = Artifacts(folder)
    stored = [
        artifacts.rows("features", {"split": number}, (len(one), SIZE), BATCH, partial(drawn, one))
        for number, one in enumerate(labels)
    ]
    normalization = Normalization.of(stored[0], "standardize")
    train, test = (Split(normalization.applied(one), classes) for one, classes in zip(stored, labels, strict=True))
    return Dataset(train, None, test, NUM_CLASSES, tuple(map(str, range(NUM_CLASSES))))
