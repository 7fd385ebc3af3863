"""A minute of training on CIFAR-10: what `fast_cnn` reaches beside the other networks, each by its recipe."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from al_bench import seeding
from al_bench.active.pool import Pool
from al_bench.active.query import PoolQuery
from al_bench.dataset import Dataset
from al_bench.dataset.cifar10 import FOLDER, cifar10
from al_bench.evaluator.accuracy import Accuracy
from al_bench.learner.supervised import Supervised
from al_bench.network.all_cnn import AllCnn
from al_bench.network.fast_cnn import FastCnn
from al_bench.network.small_resnet import SmallResNet
from al_bench.training.augmentation import FlipCrop
from al_bench.training.cut_mix import CutMix
from al_bench.training.losses import smoothed_cross_entropy
from al_bench.training.resized_crop import ResizedCrop
from al_bench.training.schedule import Cosine, StepDecay
from benchmarks import Goal, Measured

SEED = 0
PICTURES, DECODED = Path("data") / FOLDER, Path("outputs/decoded")
SGD = partial(torch.optim.SGD, momentum=0.9)
SMOOTHED = partial(Supervised, loss=smoothed_cross_entropy, mixing=CutMix(0.5), epochs=1)
LEARNERS: Mapping[str, Callable[[], Supervised]] = {
    "fast_cnn": lambda: SMOOTHED(
        network=partial(FastCnn, channels=[64, 256, 256], logit_scale=1 / 9, mean=0.47, std=0.25),
        batch_size=128,
        optimizer=partial(torch.optim.SGD, lr=0.1, momentum=0.85, nesterov=True, weight_decay=0.001),
        schedule=Cosine(warm_up=0.2),
        augmentation=FlipCrop(padding=2, flip=True),
    ),  # recipe=fast/cifar10
    "all_cnn": lambda: Supervised(
        network=partial(AllCnn, input_dropout=0.2, dropout=0.5, last_padding=1, initialization="he_glorot"),
        batch_size=128,
        optimizer=partial(SGD, lr=0.01, weight_decay=0.001),
        schedule=StepDecay(at=[0.86666, 0.93333]),
        epochs=1,
    ),  # recipe=asal/cifar10_ten
    "small_resnet": lambda: SMOOTHED(
        network=partial(SmallResNet, channels=[32, 64, 128], first_side=16, mean=0.5, std=0.25),
        batch_size=64,
        optimizer=partial(SGD, lr=0.1, nesterov=True, weight_decay=0.0005),
        schedule=Cosine(warm_up=0.1),
        augmentation=ResizedCrop(least_area=0.4, jitter=0.3),
    ),  # recipe=few_labels
}


def measure(seconds: float = 60.0, num_labeled: int = 5_000, pictures: Path = PICTURES) -> Iterator[Measured]:
    """Accuracy after as many epochs as fit into the seconds, in bfloat16 where the processor has it, over that of
    `all_cnn`, what dataset=cifar10 is trained with; nothing where the pictures are not there."""
    if not pictures.is_dir():
        return
    dataset = cifar10(pictures.parent, "folder", DECODED)
    found = {name: reach(make(), dataset, seconds, num_labeled) for name, make in LEARNERS.items()}
    for name, (accuracy, epochs, spent) in found.items():
        how = f"{num_labeled:,} pictures of CIFAR-10 (JPEG), {epochs} epochs in {spent:.0f} s: accuracy {accuracy:.3f}"
        goal = Goal(1.0, at_least=True) if name == "fast_cnn" else None
        if name != "all_cnn":
            ratio = accuracy / found["all_cnn"][0]
            how = f"{how}, all_cnn {found['all_cnn'][0]:.3f} after {found['all_cnn'][1]}"
            yield Measured(f"{name}, accuracy after {seconds:.0f} s / all_cnn's", ratio, goal, how)


def reach(learner: Supervised, dataset: Dataset, seconds: float, num_labeled: int) -> tuple[float, int, float]:
    """Accuracy, epochs and seconds of a training that is as long as an epoch before it says."""
    rng = seeding.generator(SEED)
    labeled = torch.randperm(len(dataset.train), generator=rng)[:num_labeled]
    pool = Pool.unlabeled_from(dataset.train.images, dataset.num_classes)
    pool = pool.with_labels(PoolQuery(labeled), dataset.train.labels[labeled])
    if torch.cpu._is_avx512_bf16_supported():
        learner = replace(learner, precision="bf16-mixed")
    _, short = _timed(learner, pool)
    epochs = max(1, int(seconds / short))
    model, spent = _timed(replace(learner, epochs=epochs), pool)
    accuracy = Accuracy().evaluate(model, dataset).metrics["accuracy"]
    assert isinstance(accuracy, float)
    return accuracy, epochs, spent


def _timed(learner: Supervised, pool: Pool) -> tuple[Any, float]:
    start = time.perf_counter()
    model = learner.fit(pool, None, SEED)
    return model, time.perf_counter() - start
