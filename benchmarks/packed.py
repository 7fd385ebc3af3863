"""Cells that are packed beside the same cells one after the other: what their cycles take, and what they ask for."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from al_bench.active.scores import entropy
from al_bench.config import experiment as config
from al_bench.gan.latent_search import Ascent, LatentSearch
from al_bench.network import NetworkFactory
from al_bench.network.lenet import LeNet
from al_bench.network.linear import Linear
from al_bench.training import losses
from al_bench.training.classification import Classification
from al_bench.training.stacked import Stack
from benchmarks import Goal, Measured, Side, interleaved

ROOT = Path(__file__).parents[1]
MNIST = Path("data") / "MNIST"
UNTRAINED = "gan.iterations=20"  # in which a search takes as long
ROW = ("experiment=asal/mnist_two", "strategy=random,entropy,asal_pixel,asal_auto,asal_disc,gaal,full", UNTRAINED)
DIGITS = ("strategy=random,entropy,asal_auto,gaal", "seed=range(5)", "network=linear", UNTRAINED)
USUAL = ("device=cpu", "threads=1", "tracking=none", "hydra.launcher.workers=1")


def measure(cycles: int = 1, pictures: Path = MNIST) -> Iterator[Measured]:
    """The row of Table 1 for MNIST two, at the paper's scale but for what trains the GAN, where the pictures are there,
    without ADBA, which is not packed and looks for all latents of the pool first; then the digits, whose models and GAN
    are small."""
    if pictures.is_dir():
        row = (*ROW, f"paths.data={pictures.parent}")
        yield from compared("Table 1's row for MNIST two but ADBA", row, cycles, Goal(0.35))
    yield from measure_parts()
    yield from compared("twenty linear cells on the digits", DIGITS, 5 * cycles, None)


def compared(name: str, words: Sequence[str], cycles: int, goal: Goal | None) -> Iterator[Measured]:
    """What the cells of a sweep take when packed, and how many picks are the same."""
    with TemporaryDirectory() as folder:
        alone, packed = (_swept(Path(folder), words, cycles, more) for more in ("false", "true"))
    ours, others = (sum(cycle["seconds"] for cycle in side.values()) for side in (packed, alone))
    common = [cell for cell in packed if cell in alone and packed[cell]["picks"]]
    equal = sum(len({*packed[cell]["picks"]} & {*alone[cell]["picks"]}) for cell in common)
    asked = sum(len(packed[cell]["picks"]) for cell in common)
    how = f"seconds of {len(packed)} cycles behind the first: {ours:.0f} and {others:.0f}"
    yield Measured(f"{name}, packed / one after the other", ours / others, goal, how)
    yield Measured(f"{name}: equal picks of the pool", equal / asked, None, f"{equal} of {asked}", unit="%")


def _swept(folder: Path, words: Sequence[str], cycles: int, packed: str) -> dict[tuple[str, str], dict[str, Any]]:
    """Seconds and picks of each cycle behind the first, by label and number."""
    ends = (f"loop.max_cycles={cycles}", f"paths.outputs={folder / packed}", f"paths.cells={folder / 'cells'}")
    own = (f"hydra.launcher.packed={packed}", *USUAL, *ends)
    if (made := folder / "false" / "artifacts").is_dir():  # a GAN that is trained once for both
        shutil.copytree(made, folder / packed / "artifacts")
    subprocess.run([sys.executable, ROOT / "run.py", "-m", *words, *own], check=True, stdout=subprocess.DEVNULL)
    found = {}
    for path in (folder / packed).glob("*/*/seed=*/*/cycles/*.json"):
        record, label = json.loads(path.read_text()), "/".join(path.parts[-5:-3]).replace("+stacked", "")
        if record["index"]:
            seconds = sum(cost["seconds"] for cost in record["effort"].values())
            found[label, path.stem] = {"seconds": seconds, "picks": record["query"].get("indices")}
    return found


def measure_gpu(pairs: int = 5, steps: int = 50) -> Iterator[Measured]:
    """LeNets that are trained as one stack beside one by itself; nothing without a GPU."""
    if torch.cuda.is_available():
        device = torch.device("cuda")
        yield compared_stack(LeNet, 16, 64, steps, device, pairs, torch.cuda.get_device_name(device), Goal(3.0))


def measure_parts(pairs: int = 5) -> Iterator[Measured]:
    """What the ratios of whole sweeps are made of: steps of stacks on a CPU, and of searches in MNIST's generator."""
    cpu = torch.device("cpu")
    for network, size, batch in ((Linear, 25, 10), (Linear, 5, 10), (LeNet, 16, 10), (LeNet, 16, 64)):
        yield compared_stack(network, size, batch, 5, cpu, pairs, "a CPU", None)
    yield compared_search(50, 10, 5, pairs)


def compared_stack(
    network: NetworkFactory,
    size: int,
    batch: int,
    steps: int,
    device: torch.device,
    pairs: int,
    where: str,
    goal: Goal | None,
) -> Measured:
    """Steps of `size` networks in a stack over as many of one."""
    rng = torch.Generator().manual_seed(0)
    inputs = torch.rand(size, batch, 1, 28, 28, generator=rng).to(device)
    labels = torch.randint(10, (size, batch), generator=rng).to(device)
    networks = [network(input_shape=(1, 28, 28), num_classes=10).to(device).train() for _ in range(size + 1)]
    for each in networks[:size]:
        each.convolves = False  # torch.vmap knows no layout of one image
    optimizer_of = partial(torch.optim.Adam, lr=0.001)
    stack = Stack([Classification(each, losses.cross_entropy, optimizer_of, None) for each in networks[:size]])
    optimizer = stack.first.optimizer_of(optimizer_of, networks[size])

    def together(_: int) -> float:
        for step in range(steps):
            logits = stack.step(step / steps, inputs, labels)
        return float(logits.sum())  # which waits for the GPU

    def alone(_: int) -> float:
        for _ in range(steps):
            optimizer.zero_grad()
            loss = losses.cross_entropy(networks[size](inputs[0]), labels[0])
            loss.backward()
            optimizer.step()
        return float(loss.detach())

    runs = interleaved(together, alone, pairs)
    name = networks[0].__class__.__name__
    how = f"batches of {batch} on {where}; of {size} one after the other {runs.ratio / size:.2f}"
    return Measured(f"a step of {size} {name}s in one stack / of one by itself", runs.ratio, goal, how)


def compared_search(together: int, apart: int, steps: int, pairs: int) -> Measured:
    """Steps of the search for so many latents at once over the same in parts, in the generator for MNIST."""
    networks = config.made(config.node_of("gan", ["dataset=mnist_two"])).networks((1, 28, 28)).eval()
    model = Linear(input_shape=(1, 28, 28), num_classes=2).eval()
    latents = torch.randn(together, networks.latent_size, generator=torch.Generator().manual_seed(0))
    search = LatentSearch(steps, partial(torch.optim.Adam, lr=0.01), None)

    def found(size: int) -> Side:
        parts = [[Ascent(part, model, entropy)] for part in latents.split(size)]
        return lambda _: torch.cat([search.ascend(networks, part, lambda: None)[0] for part in parts])

    runs = interleaved(found(together), found(apart), pairs)
    agrees = all(torch.allclose(first, second, atol=1e-4) for first, second in runs.results)
    ours, others = (1000 * seconds / steps / together for seconds in runs.medians)
    how = f"{ours:.2f} and {others:.2f} ms a step and latent"
    return Measured(f"a search for {together} latents at once / {apart} by {apart}", runs.ratio, None, how, agrees)
