"""Scoring: what `predict` saves beside a bare forward loop, of one pass and of many with dropout."""

import torch
from torch import Tensor, nn

from al_bench import seeding
from al_bench.active import scores
from al_bench.network import Network
from al_bench.network.dropout_passes import dropout_on
from al_bench.network.lenet import LeNet
from al_bench.network.predict import predict
from benchmarks import Goal, Measured, interleaved

BLOCK = 1_000  # images that one side scores before the other does: short, so that both meet the same load
BATCH_SIZE = 128  # of the bare loop, the fastest of 32 to 1,024 on a CPU, whatever `predict` takes
PASSES = 10  # of strategy=bald and strategy=mc_entropy


def measure(num_images: int = 20_000, block: int = BLOCK) -> list[Measured]:
    """Images of 28 x 28 by LeNet; the bare loops are given images that are floats already, as they lie."""
    return [once(num_images, block), dropout(num_images // 10, block // 10)]


def once(num_images: int, block: int) -> Measured:
    """Entropies of one pass."""
    network, images = made(num_images)
    floats, blocks = images / 255, torch.arange(num_images).split(block)
    runs = interleaved(
        lambda number: predict(network, images, blocks[number], scores.entropy),
        lambda number: bare(network, floats[blocks[number][0] : blocks[number][-1] + 1]),
        len(blocks),
    )
    ours, plain = (num_images / sum(seconds) for seconds in (runs.first, runs.second))
    how = f"LeNet, {num_images:,} images 1 x 28 x 28, entropy: {ours:,.0f} images/s, bare {plain:,.0f}"
    same = all(torch.allclose(one, other, atol=1e-5) for one, other in runs.results)
    return Measured("scoring / bare forward loop", runs.ratio, Goal(0.85), how, same)


def dropout(num_images: int, block: int) -> Measured:
    """Mutual information of the passes: what lies before the first dropout is computed once, or in each of them."""
    network, images = made(num_images)
    blocks = torch.arange(num_images).split(block)
    runs = interleaved(
        lambda number: predict(network, images, blocks[number], scores.mutual_information, PASSES, number),
        lambda number: whole_passes(network, images[blocks[number]], number),
        len(blocks),
    )
    ours, plain = (num_images / sum(seconds) for seconds in (runs.first, runs.second))
    how = f"LeNet, {num_images:,} images 1 x 28 x 28, {PASSES} passes: {ours:,.0f} images/s, whole passes {plain:,.0f}"
    same = all(torch.equal(one.argsort(stable=True), other.argsort(stable=True)) for one, other in runs.results)
    return Measured("dropout passes / whole passes, LeNet", runs.ratio, Goal(0.2), how, same)


def made(num_images: int) -> tuple[Network, Tensor]:
    """An untrained network and pictures of noise."""
    with seeding.fork(0):
        network = LeNet((1, 28, 28), 10).eval()
    return network, torch.randint(256, (num_images, 1, 28, 28), generator=seeding.generator(0)).to(torch.uint8)


def bare(network: Network, images: Tensor) -> Tensor:
    """Entropies as one would write it down: batches that lie in memory as torch makes them."""
    forward = nn.Sequential(network.backbone, network.neck, network.head)  # past `features`, which lays out anew
    with torch.no_grad():
        return torch.cat([scores.entropy(forward(batch)) for batch in images.split(BATCH_SIZE)])


def whole_passes(network: Network, images: Tensor, seed: int) -> Tensor:
    """Mutual information where every pass computes everything, with the same masks."""
    found = []
    with seeding.fork(seed), torch.no_grad(), dropout_on(network):
        for batch in images.split(BATCH_SIZE):
            floats = batch / 255
            found.append(scores.mutual_information(torch.stack([network(floats) for _ in range(PASSES)])))
    return torch.cat(found)
