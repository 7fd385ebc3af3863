"""The loop's own fraction of a cycle: bookkeeping, recording, storing; all but query, oracle, fit and evaluation."""

import statistics
import time
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import torch

from al_bench import seeding
from al_bench.active import scores
from al_bench.active.query import PoolQuery
from al_bench.active.stopping import Stopping
from al_bench.dataset import Dataset, Split
from al_bench.evaluator.accuracy import Accuracy
from al_bench.learner.supervised import Supervised
from al_bench.network import NetworkFactory
from al_bench.network.lenet import LeNet
from al_bench.network.linear import Linear
from al_bench.oracle.ground_truth import GroundTruth
from al_bench.procedure.loop import run_loop
from al_bench.procedure.parts import Parts
from al_bench.procedure.terminal import cycle_line
from al_bench.storage.record import CycleRecord
from al_bench.storage.store import RunStore
from al_bench.strategy.uncertainty import Uncertainty
from benchmarks import Goal, Measured

OUTPUTS = Path("outputs")  # where runs are, because storing costs what the disk there takes
NUM_TRAIN, NUM_TEST = 5_000, 1_000


def measure(cycles: int = 3) -> list[Measured]:
    """A cycle of ASAL's MNIST with ten classes at 1,000 labels; beside it the shortest that a paper has, at 500."""
    lenet = own_share(LeNet, 10, labeled=1_000, query_size=50, batch_size=50, cycles=cycles)
    linear = own_share(Linear, 2, labeled=500, query_size=10, batch_size=10, cycles=10 * cycles)
    name = "loop's own fraction of a cycle"
    return [
        Measured(f"{name}, LeNet, 1,000 labels", lenet[0], Goal(0.02, "%"), lenet[1]),
        Measured(f"{name}, linear, 500 labels", linear[0], None, linear[1], unit="%"),
    ]


class Counted:
    """Stands for a part of the loop: the time inside its methods is added up in `seconds`."""

    def __init__(self, part: object) -> None:
        self.part, self.seconds = part, 0.0

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.part, name)
        return partial(self._call, found) if callable(found) else found

    def _call(self, method: Callable[..., Any], *arguments: object) -> Any:
        start = time.perf_counter()
        try:
            return method(*arguments)
        finally:
            self.seconds += time.perf_counter() - start


def own_share(
    network: NetworkFactory, num_classes: int, *, labeled: int, query_size: int, batch_size: int, cycles: int
) -> tuple[float, str]:
    """The median over cycles of the loop's own part of the time, and how it was found; the first is to warm up."""
    dataset = made_dataset(num_classes)
    oracle, optimizer = GroundTruth(), partial(torch.optim.Adam, lr=0.001)
    oracle.labels = dataset.train.labels
    learner = Supervised(network=network, epochs=10, batch_size=batch_size, optimizer=optimizer)
    counted = [Counted(part) for part in (Uncertainty(scores.entropy), learner, oracle, Accuracy())]
    marks: list[tuple[float, float]] = []

    def tell(record: CycleRecord) -> None:
        cycle_line(record)
        marks.append((time.perf_counter(), sum(part.seconds for part in counted)))

    strategy, learning, labeling, evaluator = (cast(Any, part) for part in counted)
    parts = Parts(
        dataset, strategy, learning, labeling, evaluator, first_query=lambda: PoolQuery(torch.arange(labeled))
    )
    OUTPUTS.mkdir(exist_ok=True)
    with TemporaryDirectory(prefix=".bench-", dir=OUTPUTS) as folder, RunStore(Path(folder), {}, {}) as store:
        run_loop(parts, Stopping(float("inf"), cycles), query_size, 0, store, tell)
    spans = [(end[0] - start[0], end[1] - start[1]) for start, end in pairwise(marks)]
    shares = [1 - inside / whole for whole, inside in spans]
    whole = statistics.median(whole for whole, _ in spans)
    own = statistics.median(1000 * (whole - inside) for whole, inside in spans)
    return statistics.median(shares), f"{own:,.1f} ms of {whole:.2f} s; {NUM_TRAIN:,} images, entropy, 10 epochs"


def made_dataset(num_classes: int) -> Dataset:
    """Random 28 x 28 images and labels."""
    rng = seeding.generator(0)
    sizes = (NUM_TRAIN, NUM_TEST)
    images = [torch.randint(256, (size, 1, 28, 28), generator=rng).to(torch.uint8) for size in sizes]
    labels = [torch.randint(num_classes, (size,), generator=rng) for size in sizes]
    train, test = (Split(*both) for both in zip(images, labels, strict=True))
    return Dataset(train, None, test, num_classes, tuple(map(str, range(num_classes))))
