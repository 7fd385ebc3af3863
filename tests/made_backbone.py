"""A network of ours in the file of a run's model, as a frozen backbone begins with."""

from pathlib import Path

import torch
from safetensors.torch import save_file

from al_bench import seeding
from al_bench.network.small_cnn import SmallCnn
from al_bench.storage.model_file import Reads, head_of

NODE = {
    "_target_": "al_bench.network.small_cnn.SmallCnn",
    "_partial_": True,
    "channels": [4],
    "hidden": 16,
    "dropout": 0.5,
}


def made_network(shape: tuple[int, ...], seed: int = 0) -> SmallCnn:
    with seeding.fork(seed):
        return SmallCnn(shape, 3, channels=[4], hidden=16, dropout=0.5).eval()


def model_of(path: Path, shape: tuple[int, int, int] = (1, 8, 8), seed: int = 0) -> Path:
    """The file of a model with random weights, which embeds images of a shape in 16 numbers."""
    about = {"config": {"dataset": None, "learner": {"network": NODE}}, "label": "", "commit": ""}
    head = head_of(Reads(shape=shape, class_names=("a", "b", "c")), about, "", 0, 0)
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(made_network(shape, seed).state_dict(), path, head.as_metadata())
    return path


def images_of(count: int, shape: tuple[int, int, int], seed: int = 0) -> torch.Tensor:
    """(count, C, H, W) bytes."""
    rng = torch.Generator().manual_seed(seed)
    return torch.randint(256, (count, *shape), generator=rng).to(torch.uint8)
