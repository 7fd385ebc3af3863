"""Scoring: what `predict` adds to a bare forward loop."""

import torch
from torch import Tensor

from al_bench import seeding
from al_bench.active import scores
from al_bench.network import Network
from al_bench.network.lenet import LeNet
from al_bench.network.predict import predict
from benchmarks import Goal, Measured, interleaved

BLOCK = 1_000  # images that one side scores before the other does: short, so that both meet the same load
BATCH_SIZE = 128  # of the bare loop, the fastest of 32 to 1,024 on a CPU, whatever `predict` takes


def measure(num_images: int = 20_000, block: int = BLOCK) -> list[Measured]:
    """Entropies of 28 x 28 images by LeNet; the bare loop is given images that are floats already."""
    with seeding.fork(0):
        network = LeNet((1, 28, 28), 10).eval()
    images = torch.randint(256, (num_images, 1, 28, 28), generator=seeding.generator(0)).to(torch.uint8)
    floats, blocks = images / 255, torch.arange(num_images).split(block)
    runs = interleaved(
        lambda number: bare(network, floats[blocks[number][0] : blocks[number][-1] + 1]),
        lambda number: predict(network, images, blocks[number], scores.entropy),
        len(blocks),
    )
    plain, ours = (num_images / sum(seconds) for seconds in (runs.first, runs.second))
    how = f"LeNet, {num_images:,} images 1 x 28 x 28, entropy: {ours:,.0f} images/s, bare {plain:,.0f}"
    same = all(torch.allclose(one, other, atol=1e-5) for one, other in runs.results)
    return [Measured("scoring / bare forward loop, images/s", runs.ratio, Goal(0.9, "%", at_least=True), how, same)]


def bare(network: Network, images: Tensor) -> Tensor:
    """Entropies as one would write it down: batches that lie in memory as the network takes them."""
    with torch.no_grad():
        return torch.cat([scores.entropy(network(batch)) for batch in images.split(BATCH_SIZE)])
