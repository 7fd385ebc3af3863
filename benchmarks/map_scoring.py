"""Scoring at 688 x 688, 19 classes a pixel: what it holds in memory above one image's way through the network."""

from collections.abc import Callable, Mapping

import torch

from al_bench import seeding
from al_bench.active import scores
from al_bench.dataset import Dataset, Split
from al_bench.evaluator.mean_iou import MeanIou
from al_bench.network.predict import predict
from al_bench.network.small_fcn import SmallFcn
from benchmarks import Goal, Measured
from benchmarks.memory import apart, peak_above

SIDE, CLASSES, PASSES = 688, 19, 25  # MAL Tab. 10; the passes of BALD are ours
IMAGES = 12


def measure(side: int = SIDE, passes: int = PASSES) -> list[Measured]:
    """Entropy of a pool, mutual information of one image's dropout passes, and mean IoU, on a CPU."""
    held = {name: apart(above_network, name, side, passes) / 2**30 for name in ("entropy", "passes", "mean_iou")}
    how = (
        f"small_fcn, {CLASSES} classes, above one forward: {held['entropy']:.2f} GiB by entropy and "
        f"{held['mean_iou']:.2f} by mean IoU of {IMAGES} images, {held['passes']:.2f} by {passes} passes of one"
    )
    return [Measured(f"scoring maps of {side} x {side}, peak memory", max(held.values()), Goal(2.0, "GiB"), how)]


def above_network(name: str, side: int, passes: int) -> int:
    """Bytes that one way of scoring holds above the network's forward of one image."""
    torch.set_num_threads(1)
    with seeding.fork(0):
        network = SmallFcn((3, side, side), CLASSES, width=16, dropout=0.2).eval()
    images = torch.randint(256, (IMAGES, 3, side, side), generator=seeding.generator(0)).to(torch.uint8)
    split = Split(images, images[:, 0] % CLASSES)
    dataset = Dataset(split, None, split, CLASSES, tuple(map(str, range(CLASSES))))
    ways: Mapping[str, Callable[[], object]] = {
        "entropy": lambda: predict(network, images, torch.arange(IMAGES), scores.entropy),
        "passes": lambda: predict(network, images, torch.arange(1), scores.mutual_information, passes),
        "mean_iou": lambda: MeanIou().evaluate(network, dataset),
    }

    def forward() -> None:
        with torch.no_grad():
            network(images[:1].float() / 255)

    forward()  # what the libraries take once
    return peak_above(ways[name], forward)
