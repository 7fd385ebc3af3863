"""Reading: a training on pictures that are decoded when they are asked for, beside decoding and training alone."""

import statistics
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Literal

import torch
from PIL import Image

from al_bench import seeding
from al_bench.active.inputs import Inputs, read_all
from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.learner.supervised import Supervised
from al_bench.network import Network
from al_bench.network.small_cnn import SmallCnn
from al_bench.sources.cache import LazyImages
from al_bench.sources.decoding import Decoder
from benchmarks import Goal, Measured, timed

SEED, RATE, BATCH_SIZE, EPOCHS, CLASSES = 0, 0.001, 32, 4, 10
SIDE, STORED = 64, (96, 128)  # pixels as trained on, and of a file
GOAL = Goal(1.1)


@dataclass(frozen=True)
class Reading:
    """One fit. larger: what takes longer alone. late: seconds that a file takes to come, as from a disk that turns or
    is far away: most of what decoding waits for, as no core works meanwhile and a busy machine shows what a free core
    would."""

    larger: str
    late: float


READINGS = (Reading("training", late=0.002), Reading("decoding", late=0.02))


@dataclass(frozen=True)
class Late:
    """A picture's file that comes late."""

    path: Path
    seconds: float

    def open(self, mode: Literal["rb"], /) -> IO[bytes]:
        time.sleep(self.seconds)
        return self.path.open(mode)


def measure(readings: Sequence[Reading] = READINGS, num_pictures: int = 256, turns: int = 5) -> list[Measured]:
    """One row for each, on the same pictures."""
    with TemporaryDirectory() as folder:
        paths = made_pictures(Path(folder), num_pictures)
        return [row(reading, paths, turns) for reading in readings]


def row(reading: Reading, paths: Sequence[Path], turns: int) -> Measured:
    """The fit on files over the larger of its two halves, all three in turn."""
    pictures = decoded_when_asked(paths, reading.late)
    files, tensor, learner = labeled_pool(pictures), labeled_pool(read_all(pictures)), learner_of()
    sides = [lambda _: learner.fit(files, None, SEED), lambda _: decode(learner, files)]
    sides.append(lambda _: learner.fit(tensor, None, SEED))
    found = [[timed(side, turn) for side in sides] for turn in range(turns + 1)][1:]  # the first is to warm up
    seconds = [[seconds for seconds, _ in turn] for turn in found]
    ratio = statistics.median(both / max(alone) for both, *alone in seconds)
    columns = zip(*seconds, strict=True)
    both, decoding, training = (1e3 * statistics.median(side) / steps(learner, files) for side in columns)
    sizes = f"{STORED[0]} x {STORED[1]} JPEG, {1e3 * reading.late:.0f} ms late, to {SIDE} x {SIDE}, {BATCH_SIZE} a step"
    how = f"{sizes}: {both:,.1f} ms, decoding alone {decoding:,.1f}, training alone {training:,.1f}"
    name = f"fit on files / larger of decoding and training ({reading.larger})"
    return Measured(name, ratio, GOAL, how, equal(found[-1][0][1], found[-1][2][1]))


def decode(learner: Supervised, pool: Pool) -> None:
    """Reads every batch of a fit as the fit does, and drops it."""
    batches = learner.labeled_batches(pool, learner.empty(pool, SEED), SEED)
    deque(batches.loads(range(len(batches))), maxlen=0)


def steps(learner: Supervised, pool: Pool) -> int:
    """Of a fit."""
    return len(learner.labeled_batches(pool, learner.empty(pool, SEED), SEED))


def learner_of() -> Supervised:
    """A small network with Adam; of two epochs batches are read at once."""
    network = partial(SmallCnn, channels=[8, 16], hidden=64, dropout=0.5)
    optimizer = partial(torch.optim.Adam, lr=RATE)
    return Supervised(network=network, epochs=EPOCHS, batch_size=BATCH_SIZE, optimizer=optimizer)


def labeled_pool(images: Inputs) -> Pool:
    """All images labeled, by turns."""
    pool, labels = Pool.unlabeled_from(images, CLASSES), torch.arange(len(images)) % CLASSES
    return pool.with_labels(PoolQuery(torch.arange(len(images))), labels)


def made_pictures(folder: Path, count: int) -> list[Path]:
    """Files of coarse noise, blurred as photographs are."""
    paths = [folder / f"{number:05}.jpg" for number in range(count)]
    for number, path in enumerate(paths):
        coarse = torch.randint(256, (12, 16, 3), generator=seeding.generator(number)).to(torch.uint8)
        picture = Image.fromarray(coarse.numpy()).resize(STORED[::-1], Image.Resampling.BICUBIC)
        picture.save(path, quality=90)
    return paths


def decoded_when_asked(paths: Sequence[Path], late: float) -> LazyImages:
    """The pictures as a data set that is not cached has them."""
    decoder, shape = Decoder((SIDE, SIDE), "center", "rgb"), torch.Size((len(paths), 3, SIDE, SIDE))
    return LazyImages([Late(path, late) for path in paths], decoder, shape, fingerprint="made for a bench")


def equal(one: Network, other: Network) -> bool:
    """Whether two models have the same bits."""
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(first, second) for first, second in pairs)
